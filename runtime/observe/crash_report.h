/* SPDX-License-Identifier: Apache-2.0 */
/* crash_report.h - what processes before this one left when they died of a signal (base/crash.h): read as if
 * somebody else had written it, told once, and then gone. */
#ifndef OBSERVE_CRASH_REPORT_H
#define OBSERVE_CRASH_REPORT_H

#include "base/buf.h"
#include "base/crash.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { CRASH_REPORTS = 8 }; /* in the folder; older ones are deleted */

struct crash_frame {
    uint64_t address, offset;
    char module[CRASH_MODULE], build[CRASH_BUILD];
    char function[128]; /* "" when it is not known */
};

struct crash_report {
    char path[PATH_MAX];
    int signal;
    bool sent;  /* by somebody: no fault of this program */
    bool whole; /* to its end */
    uint64_t address;
    int64_t unix_s;
    char thread[17], node[101], release[201];
    struct crash_frame frames[CRASH_FRAMES]; /* where it happened first */
    size_t n_frames;
};

/* The paths of those in the folder, oldest first. */
size_t crash_reports(const char *folder, char paths[CRASH_REPORTS][PATH_MAX]);

/* RD_EPROTO: it is none. RD_ETOOBIG. A file that cannot be opened: the system's reason. */
int crash_report_read(struct crash_report *out, const char *path);

const char *crash_signal_name(int number); /* "SIGSEGV" */

/* "turn_interrupt", else "ringdown+0x1b3c4". */
void crash_frame_name(const struct crash_frame *f, char *out, size_t cap);

/* One line of the log and the alarm "process.crashed" about each that was not told of. True: there are some,
 * told of now or before. */
bool crash_reports_tell(const char *folder);

#endif
