/* view.c - from report.json to a list of cases, harmless and as far as the
 * reader may see them. */
#define _GNU_SOURCE
#include "view.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Harmless texts ---- */

/* Takes one character of valid UTF-8. Returns its length. */
static size_t take_character(const char *text, uint32_t *character)
{
    unsigned char lead = (unsigned char)*text;
    size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    *character = len == 1 ? lead : lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        *character = *character << 6 | ((unsigned char)text[i] & 0x3f);
    return len;
}

/* Terminals obey it, XML 1.0 forbids it, or it shows a line as another. */
static bool is_harmful(uint32_t c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) ||
           c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xfeff || (c >= 0xfdd0 && c <= 0xfdef) ||
           (c & 0xfffe) == 0xfffe;
}

char *view_harmless(const char *text)
{
    char *clean = malloc(4 * strlen(text) + 1), *end = clean;
    uint32_t character;

    if (!clean)
        return NULL;
    for (size_t len; *text; text += len) {
        len = take_character(text, &character);
        if (!is_harmful(character))
            end = mempcpy(end, text, len);
        else
            end += sprintf(end, character < 0x100 ? "\\x%02x" : "\\u%04x",
                           (unsigned)character);
    }
    *end = '\0';
    return clean;
}

/* Keys are the kit's own words; values may be anybody's. */
static int make_harmless(json_t *value)
{
    const char *key;
    json_t *inner;
    int result = 0;

    if (json_is_string(value)) {
        char *clean = view_harmless(json_string_value(value));
        if (!clean)
            return -1;
        result = json_string_set(value, clean);
        free(clean);
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            result |= make_harmless(json_array_get(value, i));
    } else if (json_is_object(value)) {
        json_object_foreach(value, key, inner)
        {
            result |= make_harmless(inner);
        }
    }
    return result;
}

/* ---- Reading the document ---- */

static const char *string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

/* Within what fits an int: the file may be anybody's. */
static double number(const json_t *object, const char *key)
{
    return fmax(-1e9,
                fmin(1e9, json_number_value(json_object_get(object, key))));
}

static enum verdict_status status_of(const json_t *object)
{
    const char *name = string(object, "status");

    for (int status = VERDICT_PASS; status <= VERDICT_ERROR; status++)
        if (strcmp(name, verdict_status_name((enum verdict_status)status)) == 0)
            return (enum verdict_status)status;
    return VERDICT_ERROR;
}

/* CI services want paths from the repository's root, of which they tell. */
static char *folder_of(const json_t *report)
{
    static const char *const roots[] = {"GITHUB_WORKSPACE", "CI_PROJECT_DIR"};
    const char *submission = string(report, "submission");
    char *folder;

    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        const char *root = getenv(roots[i]);
        size_t len = root ? strlen(root) : 0;

        if (len && strncmp(submission, root, len) == 0 &&
            (submission[len] == '/' || !submission[len]))
            submission += len + strspn(submission + len, "/");
    }
    while (strncmp(submission, "./", 2) == 0)
        submission += 2;
    size_t len = strlen(submission);
    while (len > 1 && submission[len - 1] == '/')
        len--;
    if (len == 0 || (len == 1 && *submission == '.'))
        return strdup("");
    return asprintf(&folder, "%.*s/", (int)len, submission) < 0 ? NULL : folder;
}

/* A name from the debugging data that is no plain one could lead anywhere. */
static char *path_of(const struct view *view, const json_t *where)
{
    const char *file = string(where, "file");
    char *path;

    if (!*file || strchr(file, '/'))
        return strdup("");
    return asprintf(&path, "%s%s", view->folder, file) < 0 ? NULL : path;
}

/* Each begins a line of its own; the text as a whole ends without one. */
static void tell(FILE *out, const char *label, const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0)
        fprintf(out, "%s%s%.*s", ftell(out) > 0 ? "\n" : "", label, (int)len,
                text);
}

static void tell_place(FILE *out, const json_t *where)
{
    char place[1024] = "";
    size_t n = 0;

    if (*string(where, "file"))
        n +=
            (size_t)snprintf(place, sizeof(place), "%.300s:%d ",
                             string(where, "file"), (int)number(where, "line"));
    if (*string(where, "function"))
        n += (size_t)snprintf(place + n, sizeof(place) - n, "in %.300s() ",
                              string(where, "function"));
    if (*string(where, "from"))
        n += (size_t)snprintf(place + n, sizeof(place) - n, "from %.300s ",
                              string(where, "from"));
    if (n > 0)
        place[strlen(place) - 1] = '\0';
    tell(out, "at ", place);
}

static void tell_sweep(FILE *out, const json_t *object)
{
    const json_t *harm = json_object_get(object, "harm");
    char text[80];

    snprintf(text, sizeof(text), "%g of %g injected failures",
             number(object, "survived"), number(object, "injected"));
    if (number(object, "injected") > 0)
        tell(out, "survived: ", text);
    for (size_t i = 0; i < json_array_size(harm); i++) {
        const char *line = json_string_value(json_array_get(harm, i));

        tell(out, "harmed: ", line ? line : "");
    }
}

static char *detail_of(const json_t *object, const char *message)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    tell(out, "", message);
    tell_place(out, json_object_get(object, "where"));
    tell_sweep(out, object);
    tell(out, "why: ", string(object, "why"));
    tell(out, "hint: ", string(object, "hint"));
    tell(out, "again: ", string(object, "replay"));
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void take_case(struct view *view, const struct view_step *step,
                      const json_t *object)
{
    struct view_case *one = &view->all[view->cases++];
    const json_t *where = json_object_get(object, "where");
    bool passed = status_of(object) == VERDICT_PASS;

    *one = (struct view_case){.step = step->name,
                              .name = string(object, "name"),
                              .obligation = string(object, "obligation"),
                              .status = status_of(object),
                              .score = number(object, "score"),
                              .max_score = number(object, "max_score"),
                              .seconds = number(object, "duration_ms") / 1000,
                              .message = string(object, "message"),
                              .hint = passed ? "" : string(object, "hint"),
                              .line = (int)number(where, "line"),
                              .visibility = string(object, "visibility")};
    one->cost = one->max_score - one->score;
    one->path = path_of(view, passed ? NULL : where);
    one->detail = passed ? strdup("") : detail_of(object, one->message);
    if (!*one->path)
        one->line = 0;
    if (!*one->visibility)
        one->visibility = "visible";
}

/* ---- What is to be seen ---- */

static size_t count_in(const struct view_step *step, enum verdict_status status)
{
    size_t count = 0;

    for (size_t i = 0; i < step->count; i++)
        count += step->first[i].status == status;
    return count;
}

static void replace_text(struct view_case *one, const char *message)
{
    free(one->detail);
    one->message = message;
    one->detail = strdup(message);
}

/* One more case of a step, which the report has no object for. */
static struct view_case *add_case(struct view *view, struct view_step *step,
                                  const char *name)
{
    struct view_case *one = &view->all[view->cases++];

    *one = (struct view_case){.step = step->name,
                              .name = name,
                              .obligation = "",
                              .message = "",
                              .hint = "",
                              .detail = strdup(""),
                              .path = strdup(""),
                              .visibility = "visible"};
    step->count++;
    return one;
}

static void add_trouble(struct view *view, struct view_step *step,
                        const char *name, enum verdict_status status)
{
    struct view_case *one = add_case(view, step, name);

    one->status = status;
    one->cost = step->max_score;
    replace_text(one, step->note);
}

/* Services take a skipped case for a good one, and a case that is not there
 * for none at all. */
static void tell_note(struct view *view, struct view_step *step)
{
    if (count_in(step, VERDICT_SKIP) == step->count && step->count > 0)
        add_trouble(view, step, "is_started", VERDICT_FAIL);
    else if (count_in(step, VERDICT_FAIL) + count_in(step, VERDICT_ERROR) == 0)
        add_trouble(view, step, "is_graded", VERDICT_ERROR);
    else if (view_is_trouble(&step->first[0])) /* it does not compile */
        step->first[0].cost = step->max_score - step->score;
}

static void release_case(struct view_case *one)
{
    free(one->detail);
    free(one->path);
}

static void add_to_hidden(struct view_case *hidden, const struct view_case *one)
{
    hidden->score += one->score;
    hidden->max_score += one->max_score;
    hidden->cost += one->cost;
    hidden->seconds += one->seconds;
    if (one->status == VERDICT_ERROR)
        hidden->status = VERDICT_ERROR;
    else if (one->status != VERDICT_PASS && hidden->status != VERDICT_ERROR)
        hidden->status = VERDICT_FAIL;
}

/* Its points only: not even which of them failed, or how many. */
static void hide_cases(struct view *view, struct view_step *step)
{
    struct view_case hidden = {.status = VERDICT_PASS};
    size_t kept = 0, count = step->count;

    for (size_t i = 0; i < count; i++) {
        struct view_case *one = &step->first[i];

        if (strcmp(one->visibility, "visible") == 0) {
            step->first[kept++] = *one;
            continue;
        }
        add_to_hidden(&hidden, one);
        release_case(one);
    }
    if (kept == count)
        return;
    view->cases -= count - kept;
    step->count = kept;
    struct view_case *one = add_case(view, step, "hidden_cases");
    one->status = hidden.status;
    one->score = hidden.score;
    one->max_score = hidden.max_score;
    one->cost = hidden.cost;
    one->seconds = hidden.seconds;
    if (one->status == VERDICT_FAIL)
        replace_text(one, "points are lost in cases that your instructor does "
                          "not show");
    else if (one->status == VERDICT_ERROR)
        replace_text(one, "not graded: cases that your instructor does not "
                          "show");
}

static void take_step(struct view *view, const json_t *object, bool complete)
{
    struct view_step *step = &view->step[view->steps++];
    const json_t *cases = json_object_get(object, "cases");

    *step = (struct view_step){.name = string(object, "name"),
                               .note = string(object, "note"),
                               .score = number(object, "score"),
                               .max_score = number(object, "max_score"),
                               .seconds = number(object, "duration_ms") / 1000,
                               .first = view->all + view->cases};
    for (size_t i = 0; i < json_array_size(cases); i++) {
        take_case(view, step, json_array_get(cases, i));
        step->count++;
    }
    if (*step->note)
        tell_note(view, step);
    if (!complete)
        hide_cases(view, step);
    view->seconds += step->seconds;
}

static int make_room(struct view *view)
{
    const json_t *steps = json_object_get(view->report, "steps");
    size_t cases = 0;

    for (size_t i = 0; i < json_array_size(steps); i++)
        cases +=
            2 + /* those that are added */
            json_array_size(json_object_get(json_array_get(steps, i), "cases"));
    view->step = calloc(json_array_size(steps) + 1, sizeof(*view->step));
    view->all = calloc(cases + 1, sizeof(*view->all));
    view->folder = folder_of(view->report);
    return view->step && view->all && view->folder ? 0 : -1;
}

int view_take(struct view *view, const json_t *report, bool complete)
{
    const json_t *steps;

    memset(view, 0, sizeof(*view));
    view->report = json_deep_copy(report);
    if (!view->report || make_harmless(view->report) < 0 || make_room(view) < 0)
        return -1;
    steps = json_object_get(view->report, "steps");
    view->version = string(view->report, "version");
    view->isolation = string(view->report, "isolation");
    view->score = number(view->report, "score");
    view->max_score = number(view->report, "max_score");
    view->graded = json_is_true(json_object_get(view->report, "graded"));
    for (size_t i = 0; i < json_array_size(steps); i++)
        take_step(view, json_array_get(steps, i), complete);
    for (size_t i = 0; i < view->cases; i++)
        if (!view->all[i].detail || !view->all[i].path)
            return -1;
    return 0;
}

void view_release(struct view *view)
{
    for (size_t i = 0; i < view->cases; i++)
        release_case(&view->all[i]);
    free(view->all);
    free(view->step);
    free(view->folder);
    json_decref(view->report);
    memset(view, 0, sizeof(*view));
}

size_t view_count(const struct view *view, const struct view_step *step,
                  enum verdict_status status)
{
    size_t count = 0;

    for (size_t i = 0; i < view->steps; i++)
        if (!step || step == &view->step[i])
            count += count_in(&view->step[i], status);
    return count;
}

bool view_is_trouble(const struct view_case *one)
{
    return one->status == VERDICT_FAIL || one->status == VERDICT_ERROR;
}
