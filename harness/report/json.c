/* json.c - report.json, by jansson. */
#define _GNU_SOURCE
#include "../course.h"
#include "format.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAULTLINE_VERSION
#define FAULTLINE_VERSION "0"
#endif

/* What a program printed may be anything; JSON is UTF-8. */
static json_t *text(const char *bytes)
{
    json_t *string = json_string(bytes);
    char clean[8192];
    size_t n = 0;

    if (string)
        return string;
    for (; *bytes && n < sizeof(clean) - 5; bytes++) {
        unsigned char c = (unsigned char)*bytes;

        if (c < 0x80)
            clean[n++] = (char)c;
        else
            n += (size_t)snprintf(clean + n, 5, "\\x%02x", c);
    }
    clean[n] = '\0';
    return json_string(clean);
}

static json_t *lines(const char *bytes)
{
    json_t *all = json_array();
    char line[512];

    for (size_t len; *bytes; bytes += len + (bytes[len] == '\n')) {
        len = strcspn(bytes, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)len, bytes);
        json_array_append_new(all, text(line));
    }
    return all;
}

static json_t *where(const struct verdict *verdict)
{
    if (!verdict->file[0] && !verdict->function[0])
        return json_null();
    return json_pack("{s:o, s:i, s:o, s:o}", "file", text(verdict->file),
                     "line", verdict->line, "function", text(verdict->function),
                     "from", text(verdict->from));
}

static json_t *replay(const struct result *result, const struct step *step,
                      const struct step_case *row,
                      const struct verdict *verdict)
{
    char command[4400];

    if (!row->play)
        return json_null();
    return text(report_replay_command(result, step, row, verdict, command,
                                      sizeof(command)));
}

static json_t *one_case(const struct result *result, const struct step *step,
                        const struct step_case *row,
                        const struct verdict *verdict)
{
    char message[2048] = "";
    bool passed = verdict->status == VERDICT_PASS;
    enum obligation rule =
        verdict->has_obligation ? verdict->obligation : row->obligation;

    if (!passed)
        verdict_message(verdict, message, sizeof(message));
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:o}", "name",
        row->name, "obligation", obligation_name(rule), "status",
        verdict_status_name(verdict->status), "score",
        format_points(case_score(row, verdict)), "max_score",
        format_points(row->points), "why", case_why(row, verdict), "message",
        text(message), "hint", case_hint(row, verdict), "faults",
        row->faults ? row->faults : verdict->plan, "where", where(verdict),
        "replay", passed ? json_null() : replay(result, step, row, verdict),
        "duration_ms", json_real(verdict->duration_ms));
    if (object && row->visibility != VISIBLE)
        json_object_set_new(object, "visibility",
                            json_string(visibility_name(row->visibility)));
    if (object && verdict->injected > 0) {
        json_object_set_new(object, "injected",
                            json_integer(verdict->injected));
        json_object_set_new(object, "survived",
                            json_integer(verdict->survived));
        json_object_set_new(object, "harm", lines(verdict->harm));
        json_object_set_new(object, "bounds", text(verdict->bounds));
    }
    return object;
}

static json_t *one_step(const struct result *result,
                        const struct step_result *step)
{
    json_t *cases = json_array();
    double max = 0;

    for (size_t i = 0; i < step->step->count; i++) {
        if (!case_counts(step, i))
            continue;
        json_array_append_new(cases, one_case(result, step->step,
                                              &step->step->cases[i],
                                              &step->verdict[i]));
        max += step->step->cases[i].points;
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:s, s:o, s:o}", "name",
                     step->step->name, "score", format_points(step_score(step)),
                     "max_score", format_points(max), "note", text(step->note),
                     "remark", step_remark(step), "duration_ms",
                     json_real(step->duration_ms), "cases", cases);
}

json_t *report_document(const struct result *result)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < result->count; i++)
        if (result->step[i].chosen)
            json_array_append_new(steps, one_step(result, &result->step[i]));
    return json_pack("{s:s, s:s, s:o, s:o, s:b, s:s, s:o, s:o}", "kit",
                     "faultline", "version", FAULTLINE_VERSION, "score",
                     format_points(result_score(result)), "max_score",
                     format_points(result_max(result)), "graded",
                     result_graded(result), "isolation", result->isolation,
                     "submission", text(result->submission), "steps", steps);
}

int report_json(const char *path, const json_t *report)
{
    char *words = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6));

    if (!words) {
        errno = ENOMEM;
        return -1;
    }
    int result = format_put(path, words, strlen(words));
    int error = errno;
    free(words);
    errno = error;
    return result;
}
