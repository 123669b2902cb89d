/* SPDX-License-Identifier: Apache-2.0 */
/* mail_cli.c - puts io/mail.h on a command line, so that spec/alerts/mail_spec.lua can try it against a real
 * receiver.
 *
 *   mail_cli URL CA|- FROM TO[,TO] SUBJECT [TEXT [HTML [ID [ANSWERS]]]]   (STOP_MS: gives up after so long)
 *
 * "ok" (exit 0), or the code, ": " and the sentence (1), then how long it took. */
#include "base/err.h"
#include "io/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct loop *loop;
static struct mail *mail;
static struct loop_timer *timer;
static int code = 1;

static void on_done(const struct mail_result *r, void *arg)
{
    (void)arg;
    code = r->err != 0;
    if (r->err)
        (void)printf("%s: %s\n", r->code, r->why);
    else
        (void)puts("ok");
    loop_stop(loop);
}

static void on_stop(void *arg)
{
    (void)arg;
    mail_cancel(mail);
    (void)puts("given up");
    loop_stop(loop);
}

static void stop_after(const char *ms)
{
    if (!ms || loop_timer_new(&timer, loop, on_stop, NULL))
        return;
    loop_timer_in(timer, strtoul(ms, NULL, 10));
}

int main(int argc, char **argv)
{
    const char *to[MAIL_TO_MAX + 2] = {NULL};
    struct mail_server s;
    struct mail_letter m;
    char why[MAIL_WHY_MAX] = "";
    size_t n = 0;
    int rc;

    if (argc < 6)
        return 2;
    for (char *at = argv[4]; at && n <= MAIL_TO_MAX; n++) {
        char *comma = strchr(at, ',');

        to[n] = at;
        if (comma)
            *comma = '\0';
        at = comma ? comma + 1 : NULL;
    }
    s = (struct mail_server){argv[1], strcmp(argv[2], "-") == 0 ? NULL : argv[2]};
    m = (struct mail_letter){.from = argv[3],
                             .to = to,
                             .subject = argv[5],
                             .text = argc > 6 ? argv[6] : "",
                             .html = argc > 7 ? argv[7] : NULL,
                             .id = argc > 8 && *argv[8] ? argv[8] : NULL,
                             .answers = argc > 9 ? argv[9] : NULL};
    if (loop_new(&loop))
        return 2;
    rc = mail_send(&mail, loop, &s, &m, on_done, NULL, why, sizeof(why));
    if (rc) {
        (void)printf("%s: %s\n", rc == -22 ? "invalid" : rd_strerror(rc), why);
    } else {
        stop_after(getenv("STOP_MS")); /* NOLINT(concurrency-mt-unsafe): one thread */
        (void)loop_run(loop);
    }
    loop_timer_free(timer);
    loop_free(loop);
    return code;
}
