/* SPDX-License-Identifier: Apache-2.0 */
/* The private cluster: where it goes, and who may stop it. The second half makes a real one, once. */
#include "base/err.h"
#include "store/cluster_private.h"
#include "store/program.h"
#include "unit/store/fake_cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- where ---- */

static void test_root_keeps_moved_clusters_in_var_lib(void **state)
{
    char a[PATH_MAX], b[PATH_MAX];

    (void)state;
    assert_int_equal(place_elsewhere(a, sizeof(a), "/root/var", 0, "/x", "/root"), 0);
    assert_int_equal(strncmp(a, "/var/lib/ringdown/", 18), 0);
    assert_int_equal(strlen(a), 18 + 16);
    assert_int_equal(place_elsewhere(b, sizeof(b), "/root/var", 0, NULL, NULL), 0);
    assert_string_equal(a, b); /* the same folder finds it again */
    assert_int_equal(place_elsewhere(b, sizeof(b), "/root/var2", 0, NULL, NULL), 0);
    assert_string_not_equal(a, b);
}

static void test_others_keep_them_where_their_state_is(void **state)
{
    char a[PATH_MAX];

    (void)state;
    assert_int_equal(place_elsewhere(a, sizeof(a), "/d", 1000, "/state", "/home/me"), 0);
    assert_int_equal(strncmp(a, "/state/ringdown/", 16), 0);
    assert_int_equal(place_elsewhere(a, sizeof(a), "/d", 1000, "relative", "/home/me"), 0);
    assert_int_equal(strncmp(a, "/home/me/.local/state/ringdown/", 31), 0);
}

static void test_no_place_is_said_and_not_guessed(void **state)
{
    char a[PATH_MAX], home[200] = "/";

    (void)state;
    assert_int_equal(place_elsewhere(a, sizeof(a), "/d", 1000, NULL, NULL), RD_ETOOBIG);
    memset(home + 1, 'h', 90);
    assert_int_equal(place_elsewhere(a, sizeof(a), "/d", 1000, NULL, home), RD_ETOOBIG);
}

static void test_a_folder_that_is_not_there_is_told_apart(void **state)
{
    struct cluster_place p;
    char why[1024] = "";

    (void)state;
    assert_int_equal(cluster_find(&p, "/nowhere/at/all", why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, "ringdown db up"));
    assert_int_equal(cluster_stop("/nowhere/at/all", why, sizeof(why)), 0);
}

static void test_a_where_file_full_of_rubbish_is_refused(void **state)
{
    struct cluster_place p;
    char data[] = "/tmp/ringdown-unit.XXXXXX", path[64], why[1024] = "";
    FILE *f;

    (void)state;
    assert_non_null(mkdtemp(data));
    snprintf(path, sizeof(path), "%s/postgres.where", data);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("../somewhere\n", f);
    fclose(f);
    assert_int_equal(cluster_find(&p, data, why, sizeof(why)), RD_EPROTO);
    assert_non_null(strstr(why, "postgres.where"));
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("/nowhere/at/all\n", f); /* it is gone: not an empty database instead */
    fclose(f);
    assert_int_equal(cluster_find(&p, data, why, sizeof(why)), RD_ESTATE);
    assert_non_null(strstr(why, "bring it back"));
    unlink(path);
    rmdir(data);
}

static void test_the_last_lines_of_a_program_become_one(void **state)
{
    char why[128] = "it failed", small[16] = "it failed";
    static const char said[] = "one\ntwo\n\n three\nfour\nfive\nsix\n";

    (void)state;
    why_output(why, sizeof(why), said, sizeof(said) - 1);
    assert_string_equal(why, "it failed; it said: three four five six");
    why_output(small, sizeof(small), said, sizeof(said) - 1);
    assert_int_equal(strlen(small), 15);
}

/* ---- programs ---- */

static int run(const char *const *argv, const atomic_bool *stop, struct buf *output)
{
    struct program p = {.argv = argv, .input = "hello", .timeout_ms = 300, .stop = stop};

    buf_init(output, 256 * 1024);
    return program_run(&p, output);
}

static void test_a_program_gets_its_input_and_nothing_of_our_environment(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "cat; echo $SECRET_KEY; ls /proc/self/fd",
                                       NULL};
    struct buf output;

    (void)state;
    setenv("SECRET_KEY", "sesame", 1);
    assert_int_equal(run(argv, NULL, &output), 0);
    assert_non_null(buf_text(&output));
    assert_string_equal(output.data, "hello\n0\n1\n2\n3\n"); /* 3: ls itself */
    buf_fini(&output);
}

static void test_a_program_that_does_not_end_is_ended(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "sleep 60 & sleep 60", NULL};
    static const char *const missing[] = {"/no/such/program", NULL};
    static const char *const failing[] = {"/bin/false", NULL};
    const atomic_bool stop = true;
    struct buf output;

    (void)state;
    assert_int_equal(run(argv, NULL, &output), -ETIMEDOUT);
    buf_fini(&output);
    assert_int_equal(run(argv, &stop, &output), -ECANCELED);
    buf_fini(&output);
    assert_int_equal(run(missing, NULL, &output), -ENOENT);
    buf_fini(&output);
    assert_int_equal(run(failing, NULL, &output), RD_EREFUSED);
    buf_fini(&output);
}

/* ---- a real one ---- */

static struct fake_cluster real;

static pid_t running(void)
{
    struct cluster_state s;
    char why[1024] = "";

    if (cluster_look(&s, real.data, why, sizeof(why)) != 0)
        fail_msg("%s", why);
    return s.pid;
}

/* Another process that holds the same database; it ends with us, whatever happens. */
static pid_t other_holder(void)
{
    int ready[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        struct cluster *c = NULL;
        char why[1024];

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        cluster_release(real.cluster); /* what fork gave us of the parent's */
        if (cluster_up(&c, real.data, NULL, why, sizeof(why)) == 0)
            (void)write(ready[1], "k", 1);
        for (;;)
            pause();
    }
    assert_true(child > 0);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void end_of(pid_t child)
{
    int status;

    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void test_it_is_made_once_and_adopted_afterwards(void **state)
{
    pid_t first;

    (void)state;
    fake_cluster_up(&real);
    first = running();
    assert_true(first > 1);
    assert_int_not_equal(getsid(first), getsid(0));
    cluster_release(real.cluster);
    fake_cluster_up(&real);
    assert_int_equal(running(), first);
}

static void test_while_two_hold_it_neither_stops_it(void **state)
{
    struct cluster_state s;
    char why[1024] = "";
    pid_t other = other_holder(), server = running();

    (void)state;
    assert_int_equal(cluster_look(&s, real.data, why, sizeof(why)), 0);
    assert_int_equal(s.n_holders, 2);
    assert_int_equal(cluster_stop(real.data, why, sizeof(why)), -EBUSY);
    assert_non_null(strstr(why, "in use"));
    cluster_down(real.cluster);
    real.cluster = NULL;
    assert_int_equal(running(), server);
    end_of(other); /* killed: it stops nothing, and its lock is free */
    assert_int_equal(running(), server);
    fake_cluster_up(&real);
    assert_int_equal(running(), server);
}

static void test_a_killed_server_is_started_again(void **state)
{
    pid_t first = running();

    (void)state;
    assert_true(first > 1);
    cluster_release(real.cluster);
    assert_int_equal(kill(first, SIGKILL), 0);
    while (running()) /* until the kernel is through with it */
        cluster_nap(5);
    fake_cluster_up(&real);
    assert_true(running() > 1);
    assert_int_not_equal(running(), first);
}

static void test_who_tends_it_starts_it_again_when_it_died(void **state)
{
    char why[1024] = "";
    pid_t first = running();

    (void)state;
    assert_true(first > 1);
    assert_int_equal(cluster_tend(real.cluster, NULL, why, sizeof(why)), 0);
    assert_int_equal(running(), first);
    assert_int_equal(kill(first, SIGKILL), 0);
    while (running())
        cluster_nap(5);
    assert_int_equal(cluster_tend(real.cluster, NULL, why, sizeof(why)), 0);
    assert_true(running() > 1);
}

static void test_a_wish_to_stop_is_heard_while_it_starts(void **state)
{
    const atomic_bool stop = true;
    struct cluster *c = NULL;
    char why[1024] = "";
    pid_t first = running();

    (void)state;
    assert_true(first > 1);
    assert_int_equal(kill(first, SIGKILL), 0);
    while (running())
        cluster_nap(5);
    assert_int_equal(cluster_up(&c, real.data, &stop, why, sizeof(why)), -ECANCELED);
    assert_null(c);
    assert_int_equal(cluster_tend(real.cluster, NULL, why, sizeof(why)), 0);
}

static void write_access(const struct cluster_place *p, const char *text)
{
    int fd = server_open(p, "pg_hba.conf", O_WRONLY | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void read_access(const struct cluster_place *p, char *out, size_t cap)
{
    int fd = server_open(p, "pg_hba.conf", O_RDONLY);
    ssize_t n;

    assert_true(fd >= 0);
    n = read(fd, out, cap - 1);
    assert_true(n > 0);
    out[n] = '\0';
    close(fd);
}

/* One that an earlier version made knows nothing of agents' own roles; one that somebody has
 * changed is theirs. */
static void test_an_older_cluster_learns_to_let_agents_in(void **state)
{
    struct cluster_place p;
    char text[256], why[1024] = "";

    (void)state;
    assert_int_equal(cluster_find(&p, real.data, why, sizeof(why)), 0);
    write_access(&p, "local all all peer map=ringdown\n");
    cluster_let_agents_in(&p);
    read_access(&p, text, sizeof(text));
    assert_non_null(strstr(text, "local ringdown +ringdown_agents scram-sha-256\n"));
    assert_non_null(strstr(text, "local all ringdown,postgres peer map=ringdown\n"));
    write_access(&p, "local all all peer map=ringdown\n# mine\n");
    cluster_let_agents_in(&p);
    read_access(&p, text, sizeof(text));
    assert_string_equal(text, "local all all peer map=ringdown\n# mine\n");
}

static void test_the_last_one_stops_it(void **state)
{
    char why[1024] = "";

    (void)state;
    cluster_down(real.cluster);
    real.cluster = NULL;
    assert_int_equal(running(), 0);
    assert_int_equal(cluster_stop(real.data, why, sizeof(why)), 0);
}

/* A container that starts again has small pids: the written one is soon somebody else's. */
static void test_a_pid_that_somebody_else_has_now_is_not_it(void **state)
{
    char path[128];
    struct cluster_place p;
    char why[1024];
    FILE *f;

    (void)state;
    assert_int_equal(cluster_find(&p, real.data, why, sizeof(why)), 0);
    snprintf(path, sizeof(path), "%s/postgres/postmaster.pid", real.data);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%d\n%s\n", (int)getpid(), p.folder);
    fclose(f);
    if (geteuid() == 0)
        assert_int_equal(chown(path, p.uid, p.gid), 0);
    assert_int_equal(running(), 0);
    fake_cluster_up(&real);
    assert_true(running() > 1);
}

static int remove_real(void **state)
{
    (void)state;
    fake_cluster_down(&real);
    return 0;
}

int main(void)
{
    const struct CMUnitTest pure[] = {
        cmocka_unit_test(test_root_keeps_moved_clusters_in_var_lib),
        cmocka_unit_test(test_others_keep_them_where_their_state_is),
        cmocka_unit_test(test_no_place_is_said_and_not_guessed),
        cmocka_unit_test(test_a_folder_that_is_not_there_is_told_apart),
        cmocka_unit_test(test_a_where_file_full_of_rubbish_is_refused),
        cmocka_unit_test(test_the_last_lines_of_a_program_become_one),
        cmocka_unit_test(test_a_program_gets_its_input_and_nothing_of_our_environment),
        cmocka_unit_test(test_a_program_that_does_not_end_is_ended),
    };
    const struct CMUnitTest story[] = {
        cmocka_unit_test(test_it_is_made_once_and_adopted_afterwards),
        cmocka_unit_test(test_while_two_hold_it_neither_stops_it),
        cmocka_unit_test(test_a_killed_server_is_started_again),
        cmocka_unit_test(test_who_tends_it_starts_it_again_when_it_died),
        cmocka_unit_test(test_a_wish_to_stop_is_heard_while_it_starts),
        cmocka_unit_test(test_an_older_cluster_learns_to_let_agents_in),
        cmocka_unit_test(test_the_last_one_stops_it),
        cmocka_unit_test(test_a_pid_that_somebody_else_has_now_is_not_it),
    };

    return cmocka_run_group_tests(pure, NULL, NULL) +
           cmocka_run_group_tests(story, NULL, remove_real);
}
