/* story.c - a story as a table, and as data. */
#define _GNU_SOURCE
#include "../story.h"

#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define COLUMNS   8
#define TIME_WIDE 9 /* "12345.678" */
#define MIN_WIDE  20

struct columns {
    const char *who[COLUMNS];
    size_t count; /* COLUMNS + 1: too many for a table */
};

static size_t column_of(const struct columns *columns, const char *who)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->who[i], who) == 0)
            return i;
    return columns->count;
}

static void find_columns(struct columns *columns, const struct story *story)
{
    memset(columns, 0, sizeof(*columns));
    for (size_t i = 0; i < story->count; i++) {
        const char *who = story->row[i].who;

        if (column_of(columns, who) < columns->count)
            continue;
        if (columns->count == COLUMNS) {
            columns->count++;
            return;
        }
        columns->who[columns->count++] = who;
    }
}

static double since_start_ms(const struct story *story, size_t i)
{
    return (double)(story->row[i].at_ns - story->row[0].at_ns) / 1e6;
}

/* What a cell says; with the line where it fits. */
static void cell_text(const struct story_row *row, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s%s", row->injected ? "! " : "", row->act,
             row->where[0] ? " " : "", row->where);
}

/* One row over as many lines as its text needs, in its own column. */
static void print_row(FILE *out, const struct story *story, size_t i,
                      int indent, int width)
{
    char text[256];
    const char *at = text;

    cell_text(&story->row[i], text, sizeof(text));
    fprintf(out, "%*.3f  %*s", TIME_WIDE, since_start_ms(story, i), indent, "");
    while (strlen(at) > (size_t)width) {
        int cut = width;

        while (cut > width / 2 && at[cut] != ' ')
            cut--;
        fprintf(out, "%.*s\n%*s", cut, at, TIME_WIDE + 2 + indent, "");
        at += cut + (at[cut] == ' ');
    }
    fprintf(out, "%s\n", at);
}

static void print_table(FILE *out, const struct story *story,
                        const struct columns *columns, int wide)
{
    fprintf(out, "%*s", TIME_WIDE + 2, "ms  ");
    for (size_t c = 0; c < columns->count; c++)
        fprintf(out, "%-*s", c + 1 < columns->count ? wide : 0,
                columns->who[c]);
    fputc('\n', out);
    for (size_t i = 0; i < story->count; i++)
        print_row(out, story, i,
                  wide * (int)column_of(columns, story->row[i].who), wide - 2);
}

static void print_list(FILE *out, const struct story *story, int width)
{
    for (size_t i = 0; i < story->count; i++) {
        fprintf(out, "%-13s", story->row[i].who);
        print_row(out, story, i, 0, width - TIME_WIDE - 15);
    }
}

void story_print(FILE *out, const struct story *story, int width,
                 const char *parting)
{
    struct columns columns;

    find_columns(&columns, story);
    if (story->lost)
        fprintf(out, "(%llu older calls are not kept)\n",
                (unsigned long long)story->lost);
    int wide = columns.count ? (width - TIME_WIDE - 2) / (int)columns.count : 0;
    if (columns.count <= COLUMNS && wide >= MIN_WIDE)
        print_table(out, story, &columns, wide);
    else
        print_list(out, story, width);
    if (parting[0])
        report_wrap(out, "---- here they part: ", parting);
}

int story_json(FILE *out, const struct story *story, const char *parting)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < story->count; i++) {
        const struct story_row *row = &story->row[i];

        json_array_append_new(
            rows, json_pack("{s:f, s:s, s:i, s:i, s:s, s:s, s:b, s:b}", "at_ms",
                            since_start_ms(story, i), "who", row->who,
                            "process", row->process, "thread", row->thread,
                            "act", row->act, "where", row->where, "injected",
                            row->injected, "blocked", row->blocked));
    }
    json_t *all = json_pack("{s:o, s:s, s:I}", "rows", rows, "parting", parting,
                            "lost", (json_int_t)story->lost);
    if (!all) {
        errno = ENOMEM;
        return -1;
    }
    int result = json_dumpf(all, out, JSON_INDENT(2));
    json_decref(all);
    fputc('\n', out);
    return result;
}
