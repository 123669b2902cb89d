/* SPDX-License-Identifier: Apache-2.0 */
/* migrate_cli.c - puts store/migrate.h on a command line, so that spec/sql/migrate_spec.lua can try it
 * against a real server.
 *
 *   migrate_cli plan|run|check CONNINFO FOLDER [BINARY [WAIT_MS]]
 *
 * One line per migration told of, then "ok" (exit 0) or the error's text, ": " and the sentence (1). */
#include "base/err.h"
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void told(void *arg, const struct migration *m)
{
    (void)arg;
    (void)printf("%04u_%s\n", m->version, m->name);
}

static int work(struct pg *p, const char *verb, const struct migrate_opts *o, char *why, size_t cap)
{
    if (strcmp(verb, "plan") == 0)
        return migrate_plan(p, o, told, NULL, why, cap);
    if (strcmp(verb, "run") == 0)
        return migrate_run(p, o, told, NULL, why, cap);
    return migrate_check(p, o, why, cap);
}

int main(int argc, char **argv)
{
    struct migrate_opts o = {0};
    struct pg *p = NULL;
    char why[1024] = "";
    int rc;

    if (argc < 4)
        return 2;
    o.folder = argv[3];
    o.binary = argc > 4 ? argv[4] : NULL;
    o.wait_ms = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : 0;
    rc = pg_open(&p, argv[2], why, sizeof(why));
    if (!rc)
        rc = work(p, argv[1], &o, why, sizeof(why));
    pg_close(p);
    if (rc)
        (void)printf("%s: %s\n", rd_strerror(rc), why);
    else
        (void)puts("ok");
    return rc ? 1 : 0;
}
