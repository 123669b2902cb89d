/* SPDX-License-Identifier: Apache-2.0 */
/* call_live.h - what people and programs see of simulated calls: a line per event while they run, a
 * table when they are over, and the tools, which only the model's side can tell. */
#ifndef CLI_CALL_LIVE_H
#define CLI_CALL_LIVE_H

#include "sim/carrier/double.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One line for an event of the carrier double; nothing for those that people need not read. */
void call_live_print(FILE *f, const char *event_json);

/* The table, and below it why a call was not as it should be. */
void call_table_print(FILE *f, const struct call_report *r, size_t n);

/* One report as a JSON object on a line. */
void call_report_print(FILE *f, const struct call_report *r);

/* Judges `tools` of the scenarios by the log of the OpenAI double, from byte `from` on: each call
 * needs a session of its own in which its scenario's tools were called, in that order. Changes ok
 * and why. -errno when the log cannot be read. */
int call_tools_judge(struct call_report *r, const struct scenario *const *s, size_t n,
                     const char *log, long from);

#endif
