/* text.c - the report on the terminal: 80 columns, colour if wanted. */
#define _GNU_SOURCE
#include "report.h"

#include <ctype.h>
#include <string.h>

#define WIDTH 80
#define BAR   20

#define MOST_BRIEF 5 /* failures told by a line */
#define MOST_HARM  3 /* kinds of harm that a sweep tells of */

enum tone { PLAIN, GOOD, BAD, DIM, STRONG };

static const char *tone(const struct report_style *style, enum tone which)
{
    static const char *const codes[] = {"\033[0m", "\033[32m", "\033[31m",
                                        "\033[2m", "\033[1m"};
    return style->colour ? codes[which] : "";
}

/* Words of others must not drive the terminal, nor GitHub's runner: it obeys
 * lines that begin with "::", and "##[" anywhere. */
static int harmless(const char *text, bool begins)
{
    unsigned char c = (unsigned char)*text;

    if ((begins && strncmp(text, "::", 2) == 0) || strncmp(text, "##[", 3) == 0)
        return '.';
    return isprint(c) ? c : c == '\t' ? ' ' : '.';
}

static void on_one_line(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(harmless(text, false), out);
}

void report_wrap(FILE *out, const char *label, const char *text)
{
    int indent = (int)strlen(label), column = indent;
    bool blank = !label[strspn(label, " ")]; /* this line, so far */

    fputs(label, out);
    while (*text) {
        int gap = (int)strspn(text, " ");
        size_t word = strcspn(text + gap, " \n");

        text += gap;
        if (column > indent && column + gap + (int)word > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
            blank = true;
        } else {
            column += fprintf(out, "%*s", gap, "");
        }
        for (size_t i = 0; i < word; i++, column++) {
            if (column == WIDTH) { /* a word wider than the terminal */
                fprintf(out, "\n%*s", indent, "");
                column = indent;
                blank = true;
            }
            blank &= fputc(harmless(text + i, blank), out) == ' ';
        }
        text += word;
        if (*text == '\n') {
            fprintf(out, "\n%*s", text[1] ? indent : 0, "");
            column = text[1] ? indent : 0;
            blank = true;
            text++;
        }
    }
    if (column > 0)
        fputc('\n', out);
}

static void bar(FILE *out, double part, const struct report_style *style)
{
    int full = (int)(part * BAR);

    fputs(tone(style, part >= 1 ? GOOD : BAD), out);
    for (int i = 0; i < BAR; i++)
        fputc(i < full ? '#' : '.', out);
    fputs(tone(style, PLAIN), out);
}

static bool is_shown(const struct step_result *step, size_t i)
{
    return step->step->cases[i].visibility == VISIBLE;
}

/* Of what a student may see; a case that could not be graded is told. */
static size_t count_status(const struct step_result *step,
                           enum verdict_status status)
{
    size_t count = 0;

    for (size_t i = 0; i < step->step->count; i++)
        count += step->verdict[i].status == status &&
                 (status == VERDICT_ERROR || is_shown(step, i));
    return count;
}

static bool hides_a_failure(const struct step_result *step)
{
    for (size_t i = 0; i < step->step->count; i++)
        if (!is_shown(step, i) && step->verdict[i].status != VERDICT_PASS &&
            case_counts(step, i))
            return true;
    return false;
}

static double max_of(const struct step_result *step)
{
    double sum = 0;

    for (size_t i = 0; i < step->step->count; i++)
        if (case_counts(step, i))
            sum += step->step->cases[i].points;
    return sum;
}

static unsigned injected(const struct step_result *step)
{
    unsigned sum = 0;

    for (size_t i = 0; i < step->step->count; i++)
        sum += step->verdict[i].injected;
    return sum;
}

/* Skipped, although nothing failed: under valgrind the program took another
 * way. Points are lost by it, so it is told like a failure. */
static bool only_skips(const struct step_result *step)
{
    return !step->note[0] && count_status(step, VERDICT_SKIP) > 0 &&
           count_status(step, VERDICT_FAIL) +
                   count_status(step, VERDICT_ERROR) ==
               0;
}

/* What fits on the step's line; report.json has all of it. */
static void brief_note(FILE *out, const char *note)
{
    const int room = WIDTH - 43;
    size_t brief = strcspn(note, ":");

    if (strlen(note) <= (size_t)room)
        brief = strlen(note);
    fprintf(out, "%.*s", brief < (size_t)room ? (int)brief : room, note);
}

static void all_passed(FILE *out, const struct step_result *step)
{
    size_t passed = count_status(step, VERDICT_PASS);

    fprintf(out, "%zu case%s, ", passed, passed == 1 ? "" : "s");
    if (injected(step) > 0)
        fprintf(out, "%u injected, ", injected(step));
    fprintf(out, "%.1f s", step->duration_ms / 1000);
}

void report_text_step(FILE *out, const struct step_result *step,
                      const struct report_style *style)
{
    double score = step_score(step), max = max_of(step);
    size_t failed = count_status(step, VERDICT_FAIL);
    size_t errors = count_status(step, VERDICT_ERROR);
    size_t skipped = count_status(step, VERDICT_SKIP);
    size_t passed = count_status(step, VERDICT_PASS);

    fprintf(out, "%-11s", step->step->name);
    bar(out, max > 0 ? score / max : failed + errors == 0, style);
    fprintf(out, " %5g/%-3g ", score, max);
    if (step->note[0])
        brief_note(out, step->note);
    else if (errors)
        fprintf(out, "%zu not graded", errors);
    else if (failed) {
        fprintf(out, "%zu of %zu cases failed", failed,
                failed + passed + skipped);
        if (skipped > 0)
            fprintf(out, ", %zu skipped", skipped);
    } else if (only_skips(step))
        fprintf(out, "%zu of %zu cases skipped", skipped, skipped + passed);
    else if (hides_a_failure(step))
        fprintf(out, "hidden cases failed");
    else
        all_passed(out, step);
    fputc('\n', out);
    if (*step_remark(step))
        report_wrap(out, "  remark    ", step_remark(step));
}

/* "net.c:23 write_all() from serve (forked.c:41)"; where the program says
 * nothing of its lines, the function. */
static void where(FILE *out, const struct verdict *verdict)
{
    char text[512];

    if (!verdict->file[0] && !verdict->function[0])
        return;
    if (!verdict->file[0] || verdict->line == 0)
        snprintf(text, sizeof(text),
                 "%s() (no line is known: the program has no debug "
                 "information)",
                 verdict->function[0] ? verdict->function : verdict->file);
    else
        snprintf(text, sizeof(text), "%s:%d%s%s%s%s%s", verdict->file,
                 verdict->line, verdict->function[0] ? " " : "",
                 verdict->function, verdict->function[0] ? "()" : "",
                 verdict->from[0] ? " from " : "", verdict->from);
    report_wrap(out, "  where     ", text);
}

/* Row by row; what is too long for one goes on below its act. */
static void what_led_to_it(FILE *out, const char *story)
{
    const char *label = "  played    ";

    for (const char *at = story; *at;) {
        char row[256], head[32];
        size_t len = strcspn(at, "\n");

        snprintf(row, sizeof(row), "%.*s", (int)len, at);
        for (char *c = row; *c; c++)
            *c = (char)harmless(c, c == row);
        snprintf(head, sizeof(head), "%s%.12s", label, row);
        report_wrap(out, head, strlen(row) > 12 ? row + 12 : "");
        label = "            ";
        at += len + (at[len] == '\n');
    }
    if (strstr(story, " ! "))
        fprintf(out, "            (! was made to fail so)\n");
}

/* A line that comes again and again is told once. */
static void printed(FILE *out, const char *text)
{
    char told[4096]; /* "\n\n" gets longer by it */
    size_t at = 0, len, line, times;

    for (; *text; text += times * len) {
        line = strcspn(text, "\n");
        len = line + (text[line] == '\n');
        for (times = 1; strncmp(text, text + times * len, len) == 0;)
            times++;
        at += (size_t)snprintf(told + at, sizeof(told) - at, "%.*s", (int)line,
                               text);
        if (times > 1)
            at += (size_t)snprintf(told + at, sizeof(told) - at, " (x%zu)",
                                   times);
        if (text[times * len])
            told[at++] = '\n';
    }
    told[at] = '\0';
    report_wrap(out, "  it said   ", told);
}

/* A sweep's: which lines, by what kind of failure. */
static void harm(FILE *out, const struct verdict *verdict, bool all)
{
    const char *at = verdict->harm;
    size_t told = 0, more = 0;
    char line[400];

    for (size_t len; *at; at += len + (at[len] == '\n')) {
        len = strcspn(at, "\n");
        if (!all && told == MOST_HARM) {
            more++;
            continue;
        }
        snprintf(line, sizeof(line), "%.*s", (int)len, at);
        report_wrap(out, told++ == 0 ? "  harmed    " : "            ", line);
    }
    if (more > 0)
        fprintf(out, "            and %zu more (V=1 tells all)\n", more);
    if (verdict->bounds[0] && all)
        report_wrap(out, "  bounds    ", verdict->bounds);
}

static void one_failure(FILE *out, const struct result *result,
                        const struct step_result *step, size_t i,
                        const struct report_style *style)
{
    char command[4400];
    const struct step_case *row = &step->step->cases[i];
    const struct verdict *verdict = &step->verdict[i];

    fprintf(out, "\n%s%s %s: %s%s\n", tone(style, BAD),
            verdict->status == VERDICT_ERROR  ? "NOT GRADED"
            : verdict->status == VERDICT_SKIP ? "SKIPPED"
                                              : "FAILED",
            step->step->name, row->name, tone(style, PLAIN));
    where(out, verdict);
    if (verdict->expected[0])
        report_wrap(out, "  expected  ", verdict->expected);
    report_wrap(out, "  came      ", verdict->came);
    harm(out, verdict, style->verbose);
    if (verdict->story[0])
        what_led_to_it(out, verdict->story);
    if (verdict->printed[0])
        printed(out, verdict->printed);
    report_wrap(out, "  why       ", case_why(row, verdict));
    report_wrap(out, "  hint      ", case_hint(row, verdict));
    if (!row->play)
        return;
    fputs("  again     ", out);
    on_one_line(out, report_replay_command(result, step->step, row, verdict,
                                           command, sizeof(command)));
    fputc('\n', out);
}

static bool is_trouble(const struct step_result *step, size_t i)
{
    enum verdict_status status = step->verdict[i].status;

    return is_shown(step, i) &&
           (status == VERDICT_FAIL || status == VERDICT_ERROR ||
            (status == VERDICT_SKIP && only_skips(step)));
}

static bool has_trouble(const struct step_result *step)
{
    for (size_t i = 0; i < step->step->count; i++)
        if (is_trouble(step, i))
            return true;
    return false;
}

static void one_line(FILE *out, const struct step_result *step, size_t i)
{
    const struct verdict *verdict = &step->verdict[i];
    char came[200];

    fprintf(out, "  %s:\n", step->step->cases[i].name);
    snprintf(came, sizeof(came), "%s", verdict->came);
    came[strcspn(came, "\n")] = '\0';
    char *more = strstr(came, "; ");
    if (more)
        *more = '\0';
    if (strncmp(came, "nothing moves", strlen("nothing moves")) == 0)
        report_wrap(
            out, "      nothing moves any more; expected: ", verdict->expected);
    else
        report_wrap(out, "      ", came);
}

/* A screen at the most: the first failure in full, the others by a line. */
static void tell_briefly(FILE *out, const struct result *result,
                         const struct step_result *step,
                         const struct report_style *style)
{
    size_t told = 0, trouble = 0;

    for (size_t i = 0; i < step->step->count; i++) {
        if (!is_trouble(step, i))
            continue;
        trouble++;
        if (told == 0)
            one_failure(out, result, step, i, style);
        else if (told == 1)
            fprintf(out, "\n%s too (V=1 tells all):\n",
                    only_skips(step) ? "Skipped" : "Failed");
        if (told > 0 && told <= MOST_BRIEF)
            one_line(out, step, i);
        told++;
    }
    if (trouble > MOST_BRIEF + 1)
        fprintf(out, "  and %zu more\n", trouble - MOST_BRIEF - 1);
}

/* The first step that has any; one thing at a time. */
static void tell_failures(FILE *out, const struct result *result,
                          const struct report_style *style)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct step_result *step = &result->step[i];

        if (!step->chosen || !has_trouble(step))
            continue;
        if (!style->verbose) {
            tell_briefly(out, result, step, style);
            return;
        }
        for (size_t c = 0; c < step->step->count; c++)
            if (is_trouble(step, c))
                one_failure(out, result, step, c, style);
    }
}

static const struct step_result *first_open(const struct result *result)
{
    for (size_t i = 0; i < result->count; i++)
        if (result->step[i].chosen &&
            step_score(&result->step[i]) < max_of(&result->step[i]))
            return &result->step[i];
    return NULL;
}

static void tell_where_to_begin(FILE *out, const struct result *result,
                                const struct step *step)
{
    fputs("Next: open ", out);
    on_one_line(out, result->told_as);
    fprintf(out, "/%s and its section of exercises/README.md.\n", step->source);
}

/* Marks are full where all was played. */
static void tell_success(FILE *out, const struct result *result)
{
    size_t played = 0, all = 0;

    for (size_t i = 0; i < result->count; i++) {
        const struct step_result *step = &result->step[i];

        for (size_t c = 0; step->chosen && c < step->step->count; c++, all++)
            played += case_counts(step, c);
    }
    if (played == all)
        fprintf(out, "Full marks.\n");
    else
        fprintf(out, "All that was played has passed: %zu of %zu cases.\n",
                played, all);
}

void report_text_end(FILE *out, const struct result *result,
                     const struct report_style *style)
{
    const struct step_result *open;

    tell_failures(out, result, style);
    fprintf(out, "\n%s%g/%g points%s (isolation: %s)\n", tone(style, STRONG),
            result_score(result), result_max(result), tone(style, PLAIN),
            result->isolation);
    if (!result_graded(result)) {
        fprintf(out, "Some cases could not be graded here; see above.\n");
        return;
    }
    open = first_open(result);
    if (!open)
        tell_success(out, result);
    else if (open->not_started)
        tell_where_to_begin(out, result, open->step);
    else
        fprintf(out, "Next: mend %s, then: make grade STEP=%s\n",
                open->step->source, open->step->name);
}

static const char *when_shown(enum visibility visibility)
{
    static const char *const words[] = {"", " (hidden)", " (hidden until due)",
                                        " (hidden until published)"};
    return words[visibility];
}

void report_list(FILE *out, const struct result *result)
{
    for (size_t s = 0; s < result->count; s++) {
        const struct step *step = result->step[s].step;

        fprintf(out, "%s (%g points): %s\n", step->name, step->points,
                step->intent);
        for (size_t i = 0; i < step->count; i++)
            fprintf(out, "  %4g  %-12s %s%s\n", step->cases[i].points,
                    obligation_name(step->cases[i].obligation),
                    step->cases[i].name, when_shown(step->cases[i].visibility));
    }
}
