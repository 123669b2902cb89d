/* SPDX-License-Identifier: Apache-2.0 */
/* talk_screen.c - lines as "agent    Hello.", flushed one by one so that a pipe sees them at once. */
#include "cli/talk_screen.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INDENT = 9 }; /* behind the name */

#define CLEAR_LINE "\r\033[K"
#define PLAIN      "\033[0m"

static const struct {
    const char *name, *colour;
} people[] = {
    [SCREEN_CALLER] = {"caller", "\033[1m"}, [SCREEN_AGENT] = {"agent", "\033[32m"},
    [SCREEN_TOOL] = {"tool", "\033[36m"},    [SCREEN_TRIAGE] = {"triage", "\033[1;31m"},
    [SCREEN_TEXT] = {"text", "\033[35m"},    [SCREEN_PHONE] = {"phone", "\033[33m"},
    [SCREEN_ERROR] = {"error", "\033[31m"},  [SCREEN_NOTE] = {"", "\033[2m"},
};

static atomic_bool prompting;

static bool is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

static void show_prompt(void)
{
    fputs("> ", stdout);
    fflush(stdout);
}

static void print_indented(const char *text)
{
    for (; *text; text++) {
        putchar(*text);
        if (*text == '\n')
            printf("%*s", INDENT, "");
    }
}

void screen_line(enum screen_who who, const char *fmt, ...)
{
    bool colours = is_terminal();
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    flockfile(stdout);
    if (prompting)
        fputs(CLEAR_LINE, stdout);
    printf("%s%-8s ", colours ? people[who].colour : "", people[who].name);
    print_indented(text ? text : "");
    free(text);
    puts(colours ? PLAIN : "");
    if (prompting)
        show_prompt();
    fflush(stdout);
    funlockfile(stdout);
}

void screen_prompt(void)
{
    prompting = is_terminal() && isatty(STDIN_FILENO) == 1;
    if (prompting)
        show_prompt();
}

void screen_no_prompt(void)
{
    prompting = false;
}
