/* SPDX-License-Identifier: Apache-2.0 */
/* talk_screen.h - what somebody who types to an agent sees: a line for each thing that happens, by who
 * did it, in colours on a terminal. Lines that come while somebody types go above the prompt. */
#ifndef CLI_TALK_SCREEN_H
#define CLI_TALK_SCREEN_H

enum screen_who {
    SCREEN_CALLER,
    SCREEN_AGENT,
    SCREEN_TOOL,
    SCREEN_TRIAGE,
    SCREEN_TEXT,
    SCREEN_PHONE,
    SCREEN_ERROR,
    SCREEN_NOTE
};

/* Any thread. */
void screen_line(enum screen_who who, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The prompt is there until it is taken away; only on a terminal. */
void screen_prompt(void);
void screen_no_prompt(void);

#endif
