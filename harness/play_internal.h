/* play_internal.h - what play*.c, act*.c and expect*.c share. */
#ifndef FAULTLINE_PLAY_INTERNAL_H
#define FAULTLINE_PLAY_INTERNAL_H

#include "play.h"
#include "program.h"
#include "rest.h"

#include <setjmp.h>

#define PLAY_TEXT        1048576
#define PLAY_PEERS       4096
#define PLAY_DESCRIPTORS 64

/* What a case prints: the first that fits and the last; the rest counted. */
struct play_text {
    char *text;
    size_t len;
    uint64_t lost; /* bytes after those */
    char last[4096];
};

/* Something that the play or a peer did. */
#define PLAY_ACTS 256
struct play_act {
    uint64_t at_ns;
    char text[112];
};

struct play {
    const struct step *step;
    const struct step_case *row;
    struct verdict *verdict;
    const char *why, *hint; /* of play_explain() */
    struct program *program;
    const char *program_name;
    uint16_t port;
    char port_text[8];
    unsigned descriptors;      /* for the start */
    unsigned taken[2];         /* for the start: inherited ones */
    unsigned descriptors_room; /* to put back */

    struct peer *peer[PLAY_PEERS]; /* in the order of making */
    size_t peers;
    unsigned clients;      /* connections numbered so far */
    uint32_t waits_before; /* how often earlier starts waited for any */
    int listener;          /* of play_listen(); -1: none */
    int terminal;          /* our side of the pseudo-terminal; -1: none */
    int slave;             /* the program's side of it, held open to look at */
    struct play_text output, errors;
    struct census_fd descriptor[PLAY_DESCRIPTORS]; /* then, by number */
    struct census_held held;                       /* and how many of a kind */
    unsigned descriptor_count;
    struct play_act act[PLAY_ACTS]; /* the first ones, in order */
    size_t acts;

    struct fault fault[FAULT_MAX]; /* as planned; the trace has a copy */
    unsigned faults;
    uint16_t port_of_conn[PLAY_PEERS + 1]; /* likewise, the clients' */
    uint64_t limits_looked_ns;
    bool is_over; /* one of the limits */

    jmp_buf *escape; /* where a failed play goes; NULL: it is a test */
    bool unsettled;  /* the last visit of sweep_visits() came to no end */

    /* For the blamed line. */
    const char *binary; /* the program's file */
    const char *interposer;
    struct source *source;
    enum play_blame blame, blame_of_case;
    int blame_conn;   /* the connection in question; 0: none */
    bool awaits_end;  /* of that connection: who holds it is of interest */
    int blame_fd;     /* the descriptor that it still holds */
    pid_t blame_pid;  /* the process that still holds the connection */
    bool went_around; /* libc */
    bool hangs;
    bool spins;

    /* Since the last progress: */
    uint32_t calls_then;
    uint64_t paused_then;
    uint64_t moved_then;
    uint64_t cpu_since_ns;
    uint64_t waited_ns;  /* the time that passed while we looked */
    uint64_t watched_ns; /* but for that in which it got no processor */
    uint64_t time_then;  /* by that */
    uint32_t looks_since;
    uint32_t calls_at_peers; /* since the last at the peers or on the wire */
    uint64_t paused_at_peers;
    uint64_t cpu_since_peers_ns;
    uint64_t time_at_peers;
    uint64_t still_ns;      /* seen to stand still, in all */
    uint64_t still_then_ns; /* of that, before the last progress */
    uint64_t longest_ms;    /* the longest time-out that it waits with */
    size_t timed;           /* the most threads that wait with one at a time */
    struct calm {           /* looks that found nobody at work */
        bool seen, patient;
        uint32_t wakeups[2]; /* at the first and the last of them */
        uint64_t paused_ms[2];
    } calm;
    struct rest armed;  /* the last look that saw an armed timer */
    uint64_t wire_then; /* wire_sum(), at SPIN_CALLS calls */
    uint64_t cpu_ns;    /* at the last look */
};

/* Why a wait ended without what it waited for. */
enum play_end {
    END_HOLDS, /* it came */
    END_REST,  /* proved: it will never come */
    END_TIMED, /* the program wakes up again and again, and does nothing */
    END_SPINS, /* calls or CPU time without progress */
    END_ENDED, /* the program has ended */
    END_DEADLINE,
};

/* One look after the other: the same twice over is rest. */
struct proof {
    struct rest last;
    unsigned same;
    bool quiet;        /* nothing was under way at the last look */
    uint64_t since_ns; /* the first of the looks that are the same */
    uint64_t looked_ns;
};

/* Notes that a peer has got to see something; that the program has moved
 * bytes. */
void proof_progress(struct play *play);
void proof_note_bytes(struct play *play);

/* Calls without progress? */
bool proof_spins(struct play *play);

/* Does it wait, with a time-out, for what does not come? It has woken up a few
 * times and found nothing to do, from a look that found all of it waiting to
 * another such look; or it will not wake for long. */
bool proof_is_calm(const struct play *play);

/* Takes a look; and gives up at the deadline. END_HOLDS: nothing is proved
 * yet. */
enum play_end proof_look(struct play *play, struct proof *proof);
enum play_end proof_at_deadline(const struct play *play,
                                const struct proof *proof);

typedef bool play_condition(struct play *play, void *arg);

/* Moves the peers and waits until the condition holds or never will. */
enum play_end play_until(struct play *play, play_condition *holds, void *arg);

/* The same, and notes for a verdict whether the program hangs or spins
 * instead. */
enum play_end play_come_true(struct play *play, play_condition *holds,
                             void *arg);

/* The same, and the play ends with a verdict where it does not hold. */
void play_must(struct play *play, play_condition *holds, void *arg,
               const char *expected);

/* As play_settle(), but of a program that goes on and on no more than so many
 * calls. */
void play_settle_within(struct play *play, uint32_t calls);

/* A case's life: everything is set up, and torn down whatever happened. */
void play_open(struct play *play, struct program *program, uint16_t port);
void play_end(struct play *play);

/* Moves all peers and takes in what the program printed. Returns whether
 * anything moved. */
bool play_pump(struct play *play);

/* In words: what the program is doing, thread by thread. */
char *play_describe(struct play *play, enum play_end end, char *text,
                    size_t size);

/* The same of a program that is at rest, without saying that it is. */
char *play_describe_threads(struct play *play, char *text, size_t size);

/* How the program ended, with "; it ..." before it; "": it still runs. Waited
 * for until it has ended or is at rest. */
char *play_describe_end(struct play *play, char *text, size_t size);

/* Where it listens, with "; it ..." before it, when a client that came to
 * `addr` was refused; "": nowhere, or it has ended. */
const char *play_describe_listener(struct play *play, const char *addr,
                                   char *text, size_t size);

/* What an expectation points at, until it holds; a case that has chosen by
 * play_blame() knows better. */
void play_blame_for(struct play *play, enum play_blame blame);

/* Ends the play as "not graded": the machine's trouble, by errno. */
__attribute__((noreturn)) void play_not_graded(struct play *play,
                                               const char *what);

/* A peer that lives as long as the play. */
struct peer *play_new_peer(struct play *play);

/* Ends the play, whose verdict is in place. */
__attribute__((noreturn)) void play_end_failed(struct play *play);

/* The program's connection to play_listen()'s server, where it has come;
 * else NULL. */
struct peer *play_accept_now(struct play *play, enum peer_answer answer);

/* Plans these faults, beside those there are. */
void play_plan(struct play *play, const struct fault *faults, unsigned count);

/* Nothing is planned any more. Only while the program is at rest. */
void play_forget_plan(struct play *play);

/* Ends the case where bytes went around libc, or where the program has written
 * into the plan of failures or the numbers of the connections: it could choose
 * what it is judged by. */
void play_check_plan(struct play *play);

/* Ends the case where the program uses too much of the machine. _count() where
 * many processes have begun; _look() at threads (as just counted), output, and
 * now and then at memory and files; _look_now() at all that a spin may be
 * about. */
void limits_count(struct play *play);
void limits_look(struct play *play, size_t threads);
void limits_look_now(struct play *play);

#endif
