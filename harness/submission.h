/* submission.h - the files of a submission that count: STEP.c, net.c, net.h.
 *
 * They are read before the walls close, and written inside: nothing else of
 * the submission's folder is ever there. Regular files only: a link could
 * name somebody else's file, a pipe could keep us waiting.
 */
#ifndef FAULTLINE_SUBMISSION_H
#define FAULTLINE_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUBMISSION_FILES 3
#define SUBMISSION_MOST  (1024 * 1024) /* bytes a file */

struct submission {
    struct {
        char name[64];
        char *data; /* NULL: not there, or refused */
        size_t len;
        const char *refused; /* why; NULL: it was not */
    } file[SUBMISSION_FILES];
};

/* Reads what is there of the step's files. Returns 0, or -1 with errno where
 * the machine fails. submission_release() frees it either way. */
int submission_read(struct submission *submission, const char *folder,
                    const char *step);
void submission_release(struct submission *submission);

/* Writes the files into an existing folder. Returns 0, or -1 with errno. */
int submission_write(const struct submission *submission, const char *folder);

/* Says which file was refused and why. Returns false where none was. */
bool submission_refused(const struct submission *submission, char *words,
                        size_t size);

/* A whole regular file of at most `most` bytes: its contents, to be freed, or
 * NULL with errno. */
char *submission_load(const char *path, size_t most, size_t *len);

#endif
