/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct rd_str call_sid_of(char out[DIRECTORY_SID], unsigned n)
{
    (void)snprintf(out, DIRECTORY_SID, "CA%032x", n);
    return rd_str(out);
}

struct directory_admission call_asks(unsigned n, char text[DIRECTORY_SID], const char *from,
                                     const char *agent, unsigned agent_max)
{
    return (struct directory_admission){.sid = call_sid_of(text, n),
                                        .agent = rd_str(agent),
                                        .from = rd_str(from),
                                        .to = RD_STR("+13125550100"),
                                        .agent_max = agent_max,
                                        .now_ms = 7,
                                        .now_unix_us = 7000000 + n};
}

int call_admitted(struct directory *d, unsigned n, call_handle *out)
{
    char text[DIRECTORY_SID];
    struct directory_admission a = call_asks(n, text, "+13125550142", "northside", 0);
    int rc = directory_admit(d, &a);

    *out = a.call;
    return rc;
}

bool call_released(struct directory *d, call_handle h)
{
    struct directory_view view;
    struct credits *credits;
    bool released = directory_release(d, h, false, &credits, &view);

    assert_null(credits);
    return released;
}

struct directory *directory_for(unsigned max_calls)
{
    struct directory *d;

    assert_int_equal(directory_new(&d, max_calls, 0), 0);
    return d;
}
