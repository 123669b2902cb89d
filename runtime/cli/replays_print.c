/* SPDX-License-Identifier: Apache-2.0 */
/* replays_print.c - a call, then what differs, step by step.
 *
 * Every text comes from a stranger's call or file, and is printed by one function: one line, nothing in it
 * that a terminal obeys. */
#include "cli/replays_print.h"

#include "cli/ask.h"

#include <string.h>

enum { ACT_MAX_BYTES = 300 };

/* How many bytes at `p` a terminal would obey: control characters (of C1, too), and those that turn the
 * direction of writing. */
static size_t obeyed(const unsigned char *p)
{
    if (p[0] < 0x20 || p[0] == 0x7f)
        return 1;
    if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
        return 2;
    if (p[0] == 0xe2 && p[1] == 0x80 &&
        (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae)))
        return 3;
    return p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9 ? 3 : 0;
}

void replays_print_text(FILE *to, const char *text, size_t max_bytes)
{
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *end = p + strnlen(text, max_bytes);
    size_t n;

    while (p < end) {
        n = obeyed(p);
        if (n)
            fputc(' ', to);
        else
            fputc(*p, to);
        p += n ? n : 1;
    }
    for (; *end && (*end & 0xc0) == 0x80; end++) /* the rest of a letter */
        fputc(*end, to);
}

static void text_of(FILE *to, const json_t *v, const char *key)
{
    replays_print_text(to, ask_text(v, key), SIZE_MAX);
}

static void print_side(FILE *to, const json_t *d, const char *side)
{
    if (!json_object_get(d, side))
        return;
    fprintf(to, "      %s  ", side);
    text_of(to, d, side);
    fputc('\n', to);
}

static void print_moment(FILE *to, const json_t *v)
{
    fprintf(to, "  %6.1f s  ", (double)ask_int(v, "at_ms") / 1000);
    text_of(to, v, "input");
    fputc('\n', to);
}

static void print_difference(FILE *to, const json_t *d)
{
    print_moment(to, d);
    fputs("    ", to);
    text_of(to, d, "kind");
    fputc(' ', to);
    text_of(to, d, "name");
    fputc('\n', to);
    print_side(to, d, "was");
    print_side(to, d, "now");
}

static void print_steps(FILE *to, const json_t *answer)
{
    const json_t *step, *act;
    size_t i, k;

    json_array_foreach(json_object_get(answer, "steps"), i, step)
    {
        print_moment(to, step);
        json_array_foreach(json_object_get(step, "did"), k, act)
        {
            fputs("      ", to);
            text_of(to, act, "kind");
            fputc(' ', to);
            text_of(to, act, "name");
            fputc(' ', to);
            replays_print_text(to, ask_text(act, "text"), ACT_MAX_BYTES);
            fputc('\n', to);
        }
    }
}

/* What the version that took the call does not do again. */
static void print_drift(FILE *to, const json_t *d)
{
    fputs("    NOT AS RECORDED: ", to);
    text_of(to, d, "what");
    fputs("\n      then ", to);
    text_of(to, d, "was");
    fputs("\n      replayed ", to);
    text_of(to, d, "now");
    fputc('\n', to);
}

static void print_sentence(FILE *to, const char *before, const json_t *text, const char *after)
{
    fprintf(to, "    %s", before);
    replays_print_text(to, json_string_value(text), SIZE_MAX);
    fprintf(to, "%s\n", after);
}

static void print_head(FILE *to, const json_t *answer, bool show)
{
    size_t n = json_array_size(json_object_get(answer, "differences"));

    text_of(to, answer, "call");
    fputs("  ", to);
    text_of(to, answer, "agent");
    fputs("  ", to);
    text_of(to, answer, "version");
    if (!show) {
        fputs(" → ", to);
        text_of(to, answer, "candidate");
        fprintf(to, ": %zu %s", n, n == 1 ? "difference" : "differences");
    }
    fputc('\n', to);
}

void replays_print(FILE *to, const json_t *answer, bool show)
{
    const json_t *d;
    size_t i;

    print_head(to, answer, show);
    print_steps(to, answer);
    json_array_foreach(json_object_get(answer, "differences"), i, d) print_difference(to, d);
    json_array_foreach(json_object_get(answer, "drift"), i, d) print_drift(to, d);
    json_array_foreach(json_object_get(answer, "notes"), i, d) print_sentence(to, "(", d, ")");
    json_array_foreach(json_object_get(answer, "lost"), i, d)
        print_sentence(to, "EMERGENCY LOST: ", d, " was found, and is not any more");
}

void replays_print_unplayable(FILE *to, const char *call, const char *why)
{
    replays_print_text(to, call, SIZE_MAX);
    fputs("  cannot be replayed: ", to);
    replays_print_text(to, why, SIZE_MAX);
    fputc('\n', to);
}
