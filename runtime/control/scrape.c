/* SPDX-License-Identifier: Apache-2.0 */
/* scrape.c - one scrape: the numbers are written while Prometheus waits, on the control thread; media
 * threads are not asked for anything. Failure: no memory is a 503, and the next scrape tries again. */
#include "control/scrape.h"

#include "control/problem.h"
#include "observe/prometheus.h"

bool scrape_serve(struct http_request *r)
{
    struct buf out;

    if (!rd_str_eq(http_path(r), RD_STR("/metrics")))
        return false;
    if (!rd_str_eq(http_method(r), RD_STR("GET")) && !rd_str_eq(http_method(r), RD_STR("HEAD"))) {
        http_reply_with(r, 405, "text/plain", ADMIN_HEADERS "allow: GET, HEAD\r\n",
                        RD_STR("GET reads the metrics; nothing else does\n"));
        return true;
    }
    buf_init(&out, PROMETHEUS_MAX);
    if (metrics_to_prometheus(&out))
        http_reply_with(r, 503, "text/plain", ADMIN_HEADERS, RD_STR("no memory for the metrics\n"));
    else
        http_reply_with(r, 200, prometheus_content_type, ADMIN_HEADERS,
                        (struct rd_str){out.data, out.n});
    buf_fini(&out);
    return true;
}
