/* classroom.c - what the legacy GitHub Classroom reporter
 * (autograding-grading-reporter) takes from a step: the base64 of a JSON
 * document, on one line, as the step's output `result`. */
#define _GNU_SOURCE
#include "format.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The reporter gets it in an environment variable, of which Linux takes
 * 128 KiB (execve(2), MAX_ARG_STRLEN); base64 makes four bytes of three. */
#define MOST_BYTES   (90 * 1024)
#define MOST_MESSAGE 4096

static const char *status_of(enum verdict_status status)
{
    return status == VERDICT_PASS    ? "pass"
           : status == VERDICT_ERROR ? "error"
                                     : "fail";
}

/* The first bytes of a text, no character cut in two. */
static json_t *beginning(const char *text, size_t most)
{
    size_t len = strlen(text);

    if (len > most)
        for (len = most; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    return json_stringn(text, len);
}

static json_t *one_test(const struct view_case *one, size_t most)
{
    char name[256], command[256];

    snprintf(name, sizeof(name), "%s/%s", one->step, one->name);
    snprintf(command, sizeof(command), "make grade STEP=%s", one->step);
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:i, s:o}", "name", name,
                     "status", status_of(one->status), "score",
                     format_points(one->score), "message",
                     beginning(one->detail, most), "test_code", command,
                     "filename", one->path, "line_no", one->line, "duration",
                     json_integer((json_int_t)(one->seconds * 1000)));
}

static json_t *document(const struct view *view, size_t most)
{
    enum verdict_status status = VERDICT_PASS;
    json_t *tests = json_array();

    if (!view->graded)
        status = VERDICT_ERROR;
    else if (view->score < view->max_score)
        status = VERDICT_FAIL;
    for (size_t i = 0; i < view->cases; i++)
        json_array_append_new(tests, one_test(&view->all[i], most));
    return json_pack("{s:i, s:s, s:o, s:o}", "version", 1, "status",
                     status_of(status), "max_score",
                     format_points(view->max_score), "tests", tests);
}

/* RFC 4648, 4. */
static void base64(FILE *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)text;

    for (size_t left = strlen(text); left > 0; in += 3) {
        size_t n = left < 3 ? left : 3;
        uint32_t bits = (uint32_t)in[0] << 16;

        bits |= n > 1 ? (uint32_t)in[1] << 8 : 0;
        bits |= n > 2 ? in[2] : 0u;
        for (size_t i = 0; i < 4; i++)
            fputc(i <= n ? digits[bits >> (18 - 6 * i) & 63] : '=', out);
        left -= n;
    }
}

static int classroom(FILE *out, const struct view *view)
{
    char *text = NULL;

    for (size_t most = MOST_MESSAGE; most > 0; most /= 2) {
        json_t *json = document(view, most);

        free(text);
        text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6));
        json_decref(json);
        if (!text)
            return -1;
        if (strlen(text) <= MOST_BYTES)
            break;
    }
    base64(out, text);
    fputc('\n', out);
    free(text);
    return 0;
}

static const struct format format_classroom = {
    .name = "classroom", .file = "classroom.txt", .write = classroom};
FORMAT(classroom);
