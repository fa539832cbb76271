/* replay.c - one case told whole. */
#define _GNU_SOURCE
#include "report.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>

/* A word as make and its shell take it back. */
static void quote(char *text, size_t size, const char *word)
{
    size_t n = 0;

    for (; *word && n + 8 < size; word++)
        if (*word == '\'')
            n += (size_t)snprintf(text + n, size - n, "'\\''");
        else if (*word == '$')
            n += (size_t)snprintf(text + n, size - n, "$$");
        else
            text[n++] = *word;
    text[n] = '\0';
}

char *report_replay_command(const struct result *result,
                            const struct step *step,
                            const struct step_case *row,
                            const struct verdict *verdict, char *text,
                            size_t size)
{
    char folder[PATH_MAX];
    size_t n = (size_t)snprintf(text, size, "make replay STEP=%s ", step->name);

    if (verdict->plan[0])
        n += (size_t)snprintf(text + n, size - n, "FAULT='%s'", verdict->plan);
    else
        n += (size_t)snprintf(text + n, size - n, "CASE=%s", row->name);

    if (strcmp(result->told_as, "exercises") != 0 && n < size) {
        quote(folder, sizeof(folder), result->told_as);
        snprintf(text + n, size - n, " SUBMISSION='%s'", folder);
    }
    return text;
}

/* The one case that was played, not skipped or left out. */
static const struct step_result *played(const struct result *result,
                                        size_t *index)
{
    for (size_t i = 0; i < result->count; i++)
        for (size_t c = 0;
             result->step[i].chosen && c < result->step[i].step->count; c++)
            if (result->step[i].step->cases[c].play &&
                case_counts(&result->step[i], c)) {
                *index = c;
                return &result->step[i];
            }
    return NULL;
}

static void copy_file(FILE *out, const char *path)
{
    char buffer[4096];
    FILE *file = fopen(path, "re");
    size_t n;

    if (!file)
        return;
    while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
        fwrite(buffer, 1, n, out);
    fclose(file);
}

static void as_text(FILE *out, const struct step *step,
                    const struct step_case *row, const struct verdict *verdict,
                    const char *path)
{
    fprintf(out, "case      %s: %s (%s)\n", step->name, row->name,
            obligation_name(row->obligation));
    report_wrap(out, "rule      ", case_why(row, verdict));
    if (row->faults)
        report_wrap(out, "planned   ", row->faults);
    fprintf(out, "outcome   %s\n", verdict_status_name(verdict->status));
    if (verdict->expected[0])
        report_wrap(out, "expected  ", verdict->expected);
    if (verdict->came[0])
        report_wrap(out, "came      ", verdict->came);
    fputc('\n', out);
    copy_file(out, path);
}

static void as_json(FILE *out, const struct step_case *row,
                    const struct verdict *verdict, const char *path)
{
    json_t *story = json_load_file(path, 0, NULL);
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "case", row->name,
        "obligation", obligation_name(row->obligation), "why",
        case_why(row, verdict), "faults", row->faults ? row->faults : "",
        "status", verdict_status_name(verdict->status), "expected",
        verdict->expected, "came", verdict->came, "story",
        story ? story : json_null());

    json_dumpf(all, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(all);
}

void report_replay(FILE *out, const struct result *result, const char *folder,
                   bool json)
{
    size_t index = 0;
    const struct step_result *step = played(result, &index);
    char path[PATH_MAX];

    if (!step || step->note[0]) {
        fprintf(out, "%s\n", step ? step->note : "the case was not played");
        return;
    }
    snprintf(path, sizeof(path), "%s/story.%s", folder, json ? "json" : "txt");
    if (json)
        as_json(out, &step->step->cases[index], &step->verdict[index], path);
    else
        as_text(out, step->step, &step->step->cases[index],
                &step->verdict[index], path);
}
