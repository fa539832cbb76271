/* course.c - reads an instructor's points and hidden cases. */
#define _GNU_SOURCE
#include "course.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORDS       4 /* of a line: hide PATTERN until due */
#define MOST_POINTS 10000

struct reader {
    const char *path;
    struct step *const *steps;
    size_t count;
    unsigned line;
    unsigned points_line; /* of the first `points`; 0: none */
    unsigned total_line;
    double total;
    double sum[32]; /* said of a step; checked at the end */
    unsigned sum_line[32];
    char *error;
    size_t size;
};

const char *visibility_name(enum visibility visibility)
{
    static const char *const names[] = {"visible", "hidden", "after_due_date",
                                        "after_published"};
    return names[visibility];
}

struct step *course_copy(const struct step *step)
{
    struct step *copy = malloc(sizeof(*copy));
    struct step_case *cases = calloc(step->count, sizeof(*cases));

    if (!copy || !cases) {
        free(copy);
        free(cases);
        return NULL;
    }
    memcpy(cases, step->cases, step->count * sizeof(*cases));
    *copy = *step;
    copy->cases = cases;
    return copy;
}

__attribute__((format(printf, 3, 4))) static int
refuse(const struct reader *reader, unsigned line, const char *format, ...)
{
    int n = line ? snprintf(reader->error, reader->size,
                            "%s:%u: ", reader->path, line)
                 : snprintf(reader->error, reader->size, "%s: ", reader->path);
    size_t used = n < 0 || (size_t)n > reader->size ? reader->size : (size_t)n;
    va_list list;

    va_start(list, format);
    vsnprintf(reader->error + used, reader->size - used, format, list);
    va_end(list);
    return -1;
}

/* ---- Words ---- */

static int take_number(const struct reader *reader, const char *word,
                       double *number)
{
    char *end;

    *number = strtod(word, &end);
    if (end == word || *end || !(*number >= 0 && *number <= MOST_POINTS) ||
        strspn(word, "0123456789.") != strlen(word))
        return refuse(reader, reader->line,
                      "points are a number from 0 to %d, not %s", MOST_POINTS,
                      word);
    if (*number * 4 != floor(*number * 4))
        return refuse(reader, reader->line,
                      "points come in quarters (0.25, 0.5 ...), not %s", word);
    return 0;
}

static int take_until(const struct reader *reader, const char *word,
                      enum visibility *visibility)
{
    if (strcmp(word, "due") == 0)
        *visibility = AFTER_DUE_DATE;
    else if (strcmp(word, "published") == 0)
        *visibility = AFTER_PUBLISHED;
    else
        return refuse(reader, reader->line, "until due or published, not %s",
                      word);
    return 0;
}

static int take_step(const struct reader *reader, const char *word, size_t *at)
{
    for (*at = 0; *at < reader->count; ++*at)
        if (strcmp(reader->steps[*at]->name, word) == 0)
            return 0;
    return refuse(reader, reader->line, "there is no step %s", word);
}

/* Calls `change` for each case that the pattern names. */
static int each_case(const struct reader *reader, const char *pattern,
                     void (*change)(struct step_case *row, void *arg),
                     void *arg)
{
    char name[256];
    size_t found = 0;

    for (size_t s = 0; s < reader->count; s++) {
        struct step *step = reader->steps[s];

        for (size_t i = 0; i < step->count; i++) {
            snprintf(name, sizeof(name), "%s/%s", step->name,
                     step->cases[i].name);
            if (fnmatch(pattern, name, 0) != 0)
                continue;
            change((struct step_case *)&step->cases[i], arg);
            found++;
        }
    }
    if (found > 0)
        return 0;
    return refuse(reader, reader->line,
                  "no case is named %s; a name is STEP/CASE, such as "
                  "forked/listens (`make list` shows them all)",
                  pattern);
}

/* ---- Lines ---- */

static void set_points(struct step_case *row, void *points)
{
    row->points = *(double *)points;
}

static void set_visibility(struct step_case *row, void *visibility)
{
    row->visibility = *(enum visibility *)visibility;
}

static int read_points(struct reader *reader, char *word[], size_t count)
{
    double points;

    if (count != 3)
        return refuse(reader, reader->line, "this wants: points STEP/CASE N");
    if (take_number(reader, word[2], &points) < 0)
        return -1;
    if (!reader->points_line)
        reader->points_line = reader->line;
    return each_case(reader, word[1], set_points, &points);
}

static int read_hide(struct reader *reader, char *word[], size_t count)
{
    enum visibility visibility = HIDDEN;

    if (count != 2 && (count != 4 || strcmp(word[2], "until") != 0))
        return refuse(reader, reader->line,
                      "this wants: hide STEP/CASE [until due|published]");
    if (count == 4 && take_until(reader, word[3], &visibility) < 0)
        return -1;
    return each_case(reader, word[1], set_visibility, &visibility);
}

static int read_sum(struct reader *reader, char *word[], size_t count)
{
    size_t at;

    if (count != 3)
        return refuse(reader, reader->line, "this wants: sum STEP N");
    if (take_step(reader, word[1], &at) < 0)
        return -1;
    reader->sum_line[at] = reader->line;
    return take_number(reader, word[2], &reader->sum[at]);
}

static int read_total(struct reader *reader, char *word[], size_t count)
{
    if (count != 2)
        return refuse(reader, reader->line, "this wants: total N");
    reader->total_line = reader->line;
    return take_number(reader, word[1], &reader->total);
}

static int read_line(struct reader *reader, char *line)
{
    static const struct {
        const char *verb;
        int (*read)(struct reader *reader, char *word[], size_t count);
    } verbs[] = {{"points", read_points},
                 {"hide", read_hide},
                 {"sum", read_sum},
                 {"total", read_total}};
    char *word[WORDS + 1], *rest = NULL;
    size_t count = 0;

    line[strcspn(line, "#")] = '\0';
    for (char *at = strtok_r(line, " \t\r\n", &rest); at && count <= WORDS;
         at = strtok_r(NULL, " \t\r\n", &rest))
        word[count++] = at;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(word[0], verbs[i].verb) == 0)
            return verbs[i].read(reader, word, count);
    return refuse(reader, reader->line,
                  "a line begins with points, hide, sum or total, not %s",
                  word[0]);
}

/* ---- The whole ---- */

static double add_up(struct step *step)
{
    step->points = 0;
    for (size_t i = 0; i < step->count; i++)
        step->points += step->cases[i].points;
    return step->points;
}

static int check_sums(struct reader *reader)
{
    double total = 0;

    for (size_t s = 0; s < reader->count; s++) {
        double sum = add_up(reader->steps[s]);

        total += sum;
        if (reader->sum_line[s] && reader->sum[s] != sum)
            return refuse(reader, reader->sum_line[s],
                          "the cases of %s add up to %g points, not %g",
                          reader->steps[s]->name, sum, reader->sum[s]);
    }
    if (reader->total_line && reader->total != total)
        return refuse(reader, reader->total_line,
                      "all cases add up to %g points, not %g", total,
                      reader->total);
    if (reader->points_line && !reader->total_line)
        return refuse(reader, reader->points_line,
                      "points are set, but no line says what all add up to; "
                      "if it is meant to be %g, add: total %g",
                      total, total);
    return 0;
}

/* Where the basis failed, a skipped case tells so by name. */
static int check_hidden(struct reader *reader)
{
    for (size_t s = 0; s < reader->count; s++) {
        const struct step *step = reader->steps[s];

        for (size_t i = 0; i < step->count; i++)
            for (size_t basis = 0;
                 basis < step->count && step->cases[i].needs &&
                 step->cases[i].visibility == VISIBLE;
                 basis++)
                if (step->cases[basis].visibility != VISIBLE &&
                    strcmp(step->cases[basis].name, step->cases[i].needs) == 0)
                    return refuse(reader, 0,
                                  "%s/%s is hidden, but %s builds on it and "
                                  "would tell of it: hide both or none",
                                  step->name, step->cases[basis].name,
                                  step->cases[i].name);
    }
    return 0;
}

int course_read(FILE *file, const char *path, struct step *const steps[],
                size_t count, char *error, size_t size)
{
    struct reader reader = {.path = path,
                            .steps = steps,
                            .count = count,
                            .error = error,
                            .size = size};
    char *line = NULL;
    size_t room = 0;
    int result = 0;

    if (count > sizeof(reader.sum) / sizeof(reader.sum[0]))
        return refuse(&reader, 0, "there are too many steps");
    errno = 0;
    while (result == 0 && getline(&line, &room, file) >= 0) {
        reader.line++;
        result = read_line(&reader, line);
    }
    if (result == 0 && ferror(file))
        result = refuse(&reader, 0, "%s", strerror(errno));
    free(line);
    if (result == 0 && check_sums(&reader) == 0)
        return check_hidden(&reader);
    return -1;
}
