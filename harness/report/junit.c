/* junit.c - JUnit XML, as GitLab and Jenkins read it, by libxml2: a suite is a
 * step. The text of a failure stands in its attribute and again in its body,
 * since either is all that some reader shows. */
#define _GNU_SOURCE
#include "format.h"

#include <libxml/xmlwriter.h>
#include <stdarg.h>

#define XML(text) ((const xmlChar *)(text))

__attribute__((format(printf, 3, 4))) static void
attribute(xmlTextWriterPtr xml, const char *name, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    xmlTextWriterWriteVFormatAttribute(xml, XML(name), format, list);
    va_end(list);
}

static void begin(xmlTextWriterPtr xml, const char *element)
{
    xmlTextWriterStartElement(xml, XML(element));
}

static void end(xmlTextWriterPtr xml)
{
    xmlTextWriterEndElement(xml);
}

static void counts(xmlTextWriterPtr xml, const struct view *view,
                   const struct view_step *step)
{
    size_t failures = view_count(view, step, VERDICT_FAIL);
    size_t errors = view_count(view, step, VERDICT_ERROR);
    size_t skipped = view_count(view, step, VERDICT_SKIP);

    attribute(xml, "tests", "%zu", step ? step->count : view->cases);
    attribute(xml, "failures", "%zu", failures);
    attribute(xml, "errors", "%zu", errors);
    attribute(xml, "skipped", "%zu", skipped);
    attribute(xml, "time", "%.3f", step ? step->seconds : view->seconds);
}

static void outcome(xmlTextWriterPtr xml, const struct view_case *one)
{
    static const char *const elements[] = {[VERDICT_FAIL] = "failure",
                                           [VERDICT_SKIP] = "skipped",
                                           [VERDICT_ERROR] = "error"};

    if (one->status == VERDICT_PASS)
        return;
    begin(xml, elements[one->status]);
    attribute(xml, "message", "%s", one->message);
    if (view_is_trouble(one)) {
        attribute(xml, "type", "%s", one->obligation);
        xmlTextWriterWriteString(xml, XML(one->detail));
    }
    end(xml);
}

static void one_case(xmlTextWriterPtr xml, const struct view_case *one)
{
    begin(xml, "testcase");
    attribute(xml, "classname", "%s", one->step);
    attribute(xml, "name", "%s", one->name);
    if (*one->path)
        attribute(xml, "file", "%s", one->path);
    if (one->line > 0)
        attribute(xml, "line", "%d", one->line);
    attribute(xml, "time", "%.3f", one->seconds);
    outcome(xml, one);
    end(xml);
}

static void property(xmlTextWriterPtr xml, const char *name, double value)
{
    begin(xml, "property");
    attribute(xml, "name", "%s", name);
    attribute(xml, "value", "%g", value);
    end(xml);
}

static void one_suite(xmlTextWriterPtr xml, const struct view *view,
                      const struct view_step *step)
{
    begin(xml, "testsuite");
    attribute(xml, "name", "%s", step->name);
    counts(xml, view, step);
    begin(xml, "properties");
    property(xml, "score", step->score);
    property(xml, "max_score", step->max_score);
    end(xml);
    for (size_t i = 0; i < step->count; i++)
        one_case(xml, &step->first[i]);
    end(xml);
}

static int junit(FILE *out, const struct view *view)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr xml = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    int result = -1;

    if (xml) {
        xmlTextWriterSetIndent(xml, 1);
        xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
        begin(xml, "testsuites");
        attribute(xml, "name", "faultline");
        counts(xml, view, NULL);
        for (size_t i = 0; i < view->steps; i++)
            one_suite(xml, view, &view->step[i]);
        /* Writes out what is pending: tells of all that went wrong. */
        if (xmlTextWriterEndDocument(xml) >= 0)
            result = 0;
        xmlFreeTextWriter(xml);
    }
    if (result == 0)
        fputs((const char *)xmlBufferContent(buffer), out);
    if (buffer)
        xmlBufferFree(buffer);
    return result;
}

static const struct format format_junit = {
    .name = "junit", .file = "junit.xml", .write = junit};
FORMAT(junit);
