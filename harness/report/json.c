/* json.c - report.json, by jansson. */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#ifndef FAULTLINE_VERSION
#define FAULTLINE_VERSION "0"
#endif

/* Whole points as integers: half of the readers of reports insist. */
static json_t *points(double value)
{
    if (value == floor(value))
        return json_integer((json_int_t)value);
    return json_real(value);
}

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
        points(case_score(row, verdict)), "max_score", points(row->points),
        "why", row->why, "message", text(message), "hint", row->hint, "faults",
        row->faults ? row->faults : verdict->plan, "where", where(verdict),
        "replay", passed ? json_null() : replay(result, step, row, verdict),
        "duration_ms", json_real(verdict->duration_ms));
    if (object && verdict->injected > 0) {
        json_object_set_new(object, "injected",
                            json_integer(verdict->injected));
        json_object_set_new(object, "survived",
                            json_integer(verdict->survived));
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
    return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o}", "name", step->step->name,
                     "score", points(step_score(step)), "max_score",
                     points(max), "note", step->note, "duration_ms",
                     json_real(step->duration_ms), "cases", cases);
}

static json_t *everything(const struct result *result)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < result->count; i++)
        if (result->step[i].chosen)
            json_array_append_new(steps, one_step(result, &result->step[i]));
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:b, s:s, s:o}", "kit", "faultline", "version",
        FAULTLINE_VERSION, "score", points(result_score(result)), "max_score",
        points(result_max(result)), "graded", result_graded(result),
        "isolation", result->isolation, "steps", steps);
}

int report_json(const char *path, const struct result *result)
{
    char beside[PATH_MAX];
    json_t *report = everything(result);
    int error = 0;

    if (!report) {
        errno = ENOMEM;
        return -1;
    }
    snprintf(beside, sizeof(beside), "%s.new", path);
    errno = 0;
    if (json_dump_file(report, beside, JSON_INDENT(2) | JSON_REAL_PRECISION(6)))
        error = errno ? errno : EIO;
    else if (rename(beside, path) < 0)
        error = errno;
    json_decref(report);
    if (error)
        unlink(beside);
    errno = error;
    return error ? -1 : 0;
}
