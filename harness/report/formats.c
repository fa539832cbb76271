/* formats.c - chooses formats and puts their files in place. */
#define _GNU_SOURCE
#include "format.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The next of several names, its length in *len; NULL: no more. */
static const char *next_name(const char *names, size_t *len)
{
    names += strspn(names, " ,");
    *len = strcspn(names, " ,");
    return *len ? names : NULL;
}

static bool is_called(const char *name, size_t len, const char *known)
{
    return strlen(known) == len && strncmp(name, known, len) == 0;
}

static bool is_wanted(const struct format *format, const char *names)
{
    size_t len;
    const char *name = next_name(names, &len);

    if (!name)
        return true;
    for (; name; name = next_name(name + len, &len))
        if (is_called(name, len, format->name))
            return true;
    return false;
}

const char *formats_unknown(const char *names, size_t *len)
{
    for (const char *name = next_name(names, len); name;
         name = next_name(name + *len, len)) {
        bool known = is_called(name, *len, "none");

        for (FORMATS_EACH(at))
            known |= is_called(name, *len, (*at)->name);
        if (!known)
            return name;
    }
    return NULL;
}

void formats_list(FILE *out)
{
    for (FORMATS_EACH(at))
        fprintf(out, "%s ", (*at)->name);
    fprintf(out, "none");
}

json_t *format_points(double points)
{
    if (points == floor(points))
        return json_integer((json_int_t)points);
    return json_real(points);
}

int format_json(FILE *out, json_t *document, size_t flags)
{
    if (!document)
        return -1;
    int result = json_dumpf(document, out, flags | JSON_REAL_PRECISION(6));
    fputc('\n', out);
    json_decref(document);
    return result;
}

int format_put(const char *path, const char *text, size_t size)
{
    char beside[PATH_MAX];
    int error = 0;

    if (snprintf(beside, sizeof(beside), "%s.new", path) >=
        (int)sizeof(beside)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    FILE *file = fopen(beside, "we");
    if (!file)
        return -1;
    errno = 0;
    if (fwrite(text, 1, size, file) < size)
        error = errno ? errno : EIO;
    if (fclose(file) != 0 && !error)
        error = errno;
    if (!error && rename(beside, path) < 0)
        error = errno;
    if (error)
        unlink(beside);
    errno = error;
    return error ? -1 : 0;
}

static int write_format(const char *path, const struct format *format,
                        const struct view *view)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return -1;
    int result = format->write(out, view);
    if (fclose(out) != 0 || result < 0) {
        errno = ENOMEM;
        result = -1;
    } else {
        result = format_put(path, text, size);
    }
    free(text);
    return result;
}

int formats_write(const char *folder, const json_t *report, const char *names,
                  char *trouble, size_t size)
{
    struct view complete, shown;
    int result = 0;

    if (view_take(&shown, report, false) | view_take(&complete, report, true)) {
        snprintf(trouble, size, "%s", folder);
        errno = ENOMEM;
        result = -1;
    }
    for (FORMATS_EACH(at)) {
        if (result < 0)
            break;
        snprintf(trouble, size, "%s/%s", folder, (*at)->file);
        if (is_wanted(*at, names) && (shown.graded || !(*at)->only_graded))
            result = write_format(trouble, *at,
                                  (*at)->complete ? &complete : &shown);
        else if (unlink(trouble) < 0 && errno != ENOENT)
            result = -1;
    }
    int error = errno;
    view_release(&complete);
    view_release(&shown);
    errno = error;
    return result;
}
