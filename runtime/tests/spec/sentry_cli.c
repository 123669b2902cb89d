/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_cli.c - puts io/sentry.h on a command line, for spec/spotlight/receive: reports an error of a
 * script and a long one to the DSN, and says how many were taken.
 *
 *   sentry_cli DSN */
#include "base/log.h"
#include "io/sentry.h"
#include "observe/metrics.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct sentry_opts o = {.dsn = argc > 1 ? argv[1] : "",
                            .release = "ringdown@test",
                            .environment = "test",
                            .node = "box"};
    struct sentry *s = NULL;
    char why[2000] = "no DSN";

    if (sentry_start(&s, &o, why, sizeof(why)) || !s) {
        (void)puts(why);
        return 2;
    }
    memset(why, 'x', sizeof(why) - 1);
    why[sizeof(why) - 1] = '\0';
    log_info("call.began", F_CALL("CA1"), F_INT("port", 7));
    log_error("script.failed", F_CALL("CA1"), F_STR("agent", "x"),
              F_STR("traceback", "agents/x.lua:3: attempt to index a nil value (local 'a')\n"
                                 "stack traceback:\n\tagents/x.lua:3: in function 'f'"));
    log_error("journal.disk", F_STR("why", why));
    sentry_stop(s);
    printf("%llu\n", (unsigned long long)metric_value(M_SENTRY_SENT));
    return metric_value(M_SENTRY_SENT) == 2 ? 0 : 1;
}
