/* SPDX-License-Identifier: Apache-2.0 */
/* Upkeep against a PostgreSQL of the test's own: the server is looked after, what is past its time
 * goes from the disk and from the books, and a database that is away only delays it. */
#include "gateway/upkeep.h"

#include "base/err.h"
#include "store/database.h"
#include "store/migrate.h"
#include "store/recording_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 15000 };

static struct {
    char data[64];
    struct database *database;
    atomic_int tended;
    atomic_bool away;
} world;

static struct database_opts opts(void)
{
    return (struct database_opts){.data = world.data, .who = "unit"};
}

static int tend(char *why, size_t cap, void *arg)
{
    (void)arg;
    atomic_fetch_add(&world.tended, 1);
    return database_tend(world.database, why, cap);
}

static int conninfo(struct buf *out, char *why, size_t cap, void *arg)
{
    struct database_opts o = opts();

    (void)arg;
    if (atomic_load(&world.away))
        return -ECONNREFUSED;
    return database_conninfo(out, &o, why, cap);
}

static struct pg *connect_it(void)
{
    struct buf text;
    char why[512] = "";
    struct pg *pg = NULL;

    buf_init(&text, 8192);
    assert_int_equal(conninfo(&text, why, sizeof(why), NULL), 0);
    if (pg_open(&pg, buf_text(&text), why, sizeof(why)))
        fail_msg("%s", why);
    buf_fini(&text);
    return pg;
}

static int set_up(void **state)
{
    struct database_opts o = opts();
    struct migrate_opts m = {.folder = "sql"};
    char why[1024] = "";
    struct pg *pg;

    (void)state;
    strcpy(world.data, "/tmp/ringdown-unit.XXXXXX");
    assert_non_null(mkdtemp(world.data));
    assert_int_equal(chmod(world.data, 0711), 0);
    if (database_up(&world.database, &o, why, sizeof(why)))
        fail_msg("%s", why);
    pg = connect_it();
    if (migrate_run(pg, &m, NULL, NULL, why, sizeof(why)))
        fail_msg("%s", why);
    pg_close(pg);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    database_down(world.database);
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", world.data);
    return system(command) ? -1 : 0; /* NOLINT(cert-env33-c): a fixed command */
}

/* A call that was recorded, whose recording is due. */
static void keep_recording(char *path, size_t cap)
{
    static const char row[] =
        "with c as (insert into calls (call, started_at) values ('CA1', now() - interval '1 "
        "year')) "
        "insert into recordings (call, node, path, state, at, due_at) values ('CA1', 'here', $1, "
        "'kept', now() - interval '1 year', now()), ('CA1', 'elsewhere', $1, 'kept', now(), now())";
    struct pg *pg = connect_it();
    int fd;

    assert_int_equal(recording_path(path, cap, "CA1", 1766000000000000u), 0);
    assert_int_equal(recording_create(&fd, world.data, path), 0);
    assert_int_equal(recording_finish(fd, world.data, path, 0), 0);
    assert_int_equal(pg_query(pg, row, 1, (const char *const[]){path}), 0);
    pg_close(pg);
}

/* Recordings that the database believes to be there still. */
static int still_there(void)
{
    struct pg *pg = connect_it();
    int n;

    assert_int_equal(pg_query(pg, "select count(*) from recordings where gone_at is null", 0, NULL),
                     0);
    n = atoi(pg_text(pg, 0, 0));
    pg_close(pg);
    return n;
}

static void test_a_recording_past_its_time_goes_from_this_disk_and_from_the_books(void **state)
{
    struct upkeep_opts o = {.tend = tend,
                            .conninfo = conninfo,
                            .node = "here",
                            .data = world.data,
                            .tend_ms = 50,
                            .every_ms = 200};
    char path[RECORDING_PATH], file[512];
    struct upkeep *u;
    int waited_ms = 0;

    (void)state;
    keep_recording(path, sizeof(path));
    (void)snprintf(file, sizeof(file), "%s/%s", world.data, path);
    assert_int_equal(access(file, F_OK), 0);
    atomic_store(&world.away, true);
    assert_int_equal(upkeep_start(&u, &o), 0);
    for (; atomic_load(&world.tended) < 3 && waited_ms < WAIT_MS; waited_ms += 10)
        usleep(10000);
    assert_true(atomic_load(&world.tended) >= 3); /* the server is looked after all the same */
    assert_int_equal(access(file, F_OK), 0);
    atomic_store(&world.away, false);
    for (; still_there() != 1 && waited_ms < WAIT_MS; waited_ms += 50)
        usleep(50000);
    upkeep_stop(u);
    assert_int_equal(still_there(), 1); /* the other node's is the other node's matter */
    assert_int_not_equal(access(file, F_OK), 0);
}

static int waiting_for_locks(struct pg *pg)
{
    assert_int_equal(pg_query(pg, "select count(*) from pg_locks where not granted", 0, NULL), 0);
    return atoi(pg_text(pg, 0, 0));
}

static void test_a_database_that_does_not_answer_does_not_keep_it_from_stopping(void **state)
{
    struct upkeep_opts o = {.tend = tend,
                            .conninfo = conninfo,
                            .node = "here",
                            .data = world.data,
                            .tend_ms = 50,
                            .every_ms = 200};
    struct pg *pg = connect_it();
    struct upkeep *u;
    int waited_ms = 0;
    time_t began;

    (void)state;
    assert_int_equal(pg_script(pg, "begin; lock table calls in access exclusive mode"), 0);
    assert_int_equal(upkeep_start(&u, &o), 0);
    for (; waiting_for_locks(pg) == 0 && waited_ms < WAIT_MS; waited_ms += 50)
        usleep(50000);
    assert_true(waited_ms < WAIT_MS);
    began = time(NULL);
    upkeep_stop(u);
    assert_in_range(time(NULL) - began, 0, 5);
    pg_close(pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_database_that_does_not_answer_does_not_keep_it_from_stopping),
        cmocka_unit_test(test_a_recording_past_its_time_goes_from_this_disk_and_from_the_books),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
