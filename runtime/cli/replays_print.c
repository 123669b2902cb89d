/* SPDX-License-Identifier: Apache-2.0 */
/* replays_print.c - a call, then what differs, step by step. Words of callers and agents are on one line
 * each, without control characters. */
#include "cli/replays_print.h"

#include "cli/ask.h"

static void print_side(FILE *to, const json_t *d, const char *side)
{
    const char *text = ask_text(d, side);

    if (json_object_get(d, side))
        fprintf(to, "      %s  ", side);
    for (const char *p = text; *p; p++)
        fputc((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p, to);
    if (json_object_get(d, side))
        fputc('\n', to);
}

static void print_difference(FILE *to, const json_t *d)
{
    fprintf(to, "  %6.1f s  %s\n    %s %s\n", (double)ask_int(d, "at_ms") / 1000,
            ask_text(d, "input"), ask_text(d, "kind"), ask_text(d, "name"));
    print_side(to, d, "was");
    print_side(to, d, "now");
}

static void print_steps(FILE *to, const json_t *answer)
{
    const json_t *step, *act;
    size_t i, k;

    json_array_foreach(json_object_get(answer, "steps"), i, step)
    {
        fprintf(to, "  %6.1f s  %s\n", (double)ask_int(step, "at_ms") / 1000,
                ask_text(step, "input"));
        json_array_foreach(json_object_get(step, "did"), k, act)
            fprintf(to, "      %s %s %.300s\n", ask_text(act, "kind"), ask_text(act, "name"),
                    ask_text(act, "text"));
    }
}

void replays_print(FILE *to, const json_t *answer, bool show)
{
    const json_t *differences = json_object_get(answer, "differences");
    size_t i, n = json_array_size(differences);
    const json_t *d;

    fprintf(to, "%s  %s  %s", ask_text(answer, "call"), ask_text(answer, "agent"),
            ask_text(answer, "version"));
    if (!show)
        fprintf(to, " → %s: %zu %s", ask_text(answer, "candidate"), n,
                n == 1 ? "difference" : "differences");
    fputc('\n', to);
    print_steps(to, answer);
    json_array_foreach(differences, i, d) print_difference(to, d);
    json_array_foreach(json_object_get(answer, "drift"), i, d)
        fprintf(to, "    (its own version, replayed, does not repeat what was recorded: %s)\n",
                json_string_value(d));
    json_array_foreach(json_object_get(answer, "lost"), i, d) fprintf(
        to, "    EMERGENCY LOST: %s was found, and is not any more\n", json_string_value(d));
}
