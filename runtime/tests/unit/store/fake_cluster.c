/* SPDX-License-Identifier: Apache-2.0 */
/* fake_cluster.c - nothing about it is fake but its data: the product's own cluster_up(). */
#include "unit/store/fake_cluster.h"

#include "store/database.h"
#include "store/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void fake_cluster_up(struct fake_cluster *f)
{
    char why[1024] = "";

    if (!f->data[0]) {
        strcpy(f->data, "/tmp/ringdown-unit.XXXXXX");
        assert_non_null(mkdtemp(f->data));
    }
    if (cluster_up(&f->cluster, f->data, NULL, why, sizeof(why)) != 0)
        fail_msg("%s", why);
}

const char *fake_cluster_conninfo(const struct fake_cluster *f)
{
    static struct buf text;
    struct database_opts o = {.data = f->data, .who = "unit"};
    char why[1024] = "";

    if (!text.max)
        buf_init(&text, 64 * 1024);
    if (database_conninfo(&text, &o, why, sizeof(why)) != 0)
        fail_msg("%s", why);
    return text.data;
}

void fake_cluster_down(struct fake_cluster *f)
{
    const char *const argv[] = {"/bin/rm", "-rf", "--", f->data, NULL};
    struct program rm = {.argv = argv, .timeout_ms = 20000};
    struct buf output;

    cluster_down(f->cluster);
    f->cluster = NULL;
    buf_init(&output, 256 * 1024);
    assert_memory_equal(f->data, "/tmp/ringdown-unit.", 19);
    assert_int_equal(program_run(&rm, &output), 0);
    buf_fini(&output);
}
