/* SPDX-License-Identifier: Apache-2.0 */
/* draining.c - finds <data>/draining-<pid>.sock and asks whoever listens there. One that a dead process
 * left behind is not shown. */
#include "cli/draining.h"

#include "base/json.h"
#include "cli/client.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

static void add_one(struct buf *out, const char *data, const char *name, int pid)
{
    struct json_value v = {0}, calls;
    struct buf body;
    char why[512];
    uint64_t n = 0;

    buf_init(&body, CLIENT_BODY_MAX);
    if (client_request_at(data, name, "GET", "/api/v1/status", &body, why, sizeof(why)) == 200 &&
        json_parse((struct rd_str){body.data, body.n}, &v) == 0) {
        calls = json_get(&v, "calls");
        (void)json_u64(&calls, &n);
        buf_addf(out, "  draining  pid %d handed over and keeps %" PRIu64 " call%s\n", pid, n,
                 n == 1 ? "" : "s");
    }
    buf_fini(&body);
}

void draining_add(struct buf *out, const char *data)
{
    DIR *d = opendir(data);
    struct dirent *e;
    int pid, used;

    while (d && (e = readdir(d))) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
        used = 0;
        if (sscanf(e->d_name, "draining-%9d.sock%n", &pid, &used) == 1 && used > 0 &&
            e->d_name[used] == '\0')
            add_one(out, data, e->d_name, pid);
    }
    if (d)
        closedir(d);
}
