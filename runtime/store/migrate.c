/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.c - history in the table schema_migrations, one row per file.
 *
 *   read sql/ ─▶ lock ─▶ read history ─▶ compare ─▶ per file: begin, the file, its row, commit ─▶ unlock
 *
 * The lock is a session's advisory lock: it goes with the connection, however that ends. History is
 * read again under it, so whoever came second finds the work done.
 *
 * Failure modes
 * - a file fails: its transaction is undone, those before it stay, the sentence names it
 * - tables are in use: a migration waits for a lock 10 s and not longer, because calls wait behind it
 * - no right, no lock, wrong server: a sentence with the statement or the step that helps */
#include "store/migrate.h"

#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 10000, POLL_MS = 100, OLDEST_SERVER = 150000 };

/* "ringdown" in ASCII; nobody else's lock by accident. */
#define LOCK_KEY "8244241983224117102"

static const char history_table[] =
    "create table if not exists schema_migrations (version integer primary key, "
    "name text not null, checksum text not null, oldest_binary text not null, "
    "applied_at timestamptz not null default now())";

/* The last failure of p, as a sentence about what we were doing. */
static int explain(struct pg *p, int rc, const char *doing, char *why, size_t cap)
{
    const char *state = pg_sqlstate(p);

    if (rc == RD_EGONE) {
        (void)snprintf(why, cap, "the connection broke while %s: %s. Run it again", doing,
                       pg_message(p));
        return RD_EGONE;
    }
    if (strcmp(state, "42501") == 0) {
        (void)snprintf(
            why, cap, "the role may not do that while %s: %s. %s", doing, pg_message(p),
            strncmp(doing, "reading", 7) == 0
                ? "Connect as the role that ran ringdown db migrate: it owns the tables"
                : "As the database's owner: GRANT CREATE ON DATABASE … TO role; GRANT CREATE ON "
                  "SCHEMA public TO role");
        return RD_EAUTH;
    }
    if (strcmp(state, "25006") == 0) {
        (void)snprintf(why, cap,
                       "the database is read-only (a standby?) while %s; point database.url at the "
                       "primary",
                       doing);
        return RD_EREFUSED;
    }
    if (strcmp(state, "55P03") == 0) {
        (void)snprintf(
            why, cap,
            "a table was in use for 10 s while %s; nothing was changed. Try again, or end "
            "the long query that pg_stat_activity shows",
            doing);
        return RD_ELATE;
    }
    (void)snprintf(why, cap, "%s failed, nothing of it was kept: %s", doing, pg_message(p));
    return RD_EREFUSED;
}

static int ask(struct pg *p, const char *sql, const char *doing, char *why, size_t cap)
{
    int rc = pg_query(p, sql, 0, NULL);

    return rc ? explain(p, rc, doing, why, cap) : 0;
}

static int check_server(struct pg *p, char *why, size_t cap)
{
    int rc =
        ask(p, "select current_setting('server_version_num'), current_setting('server_version')",
            "asking for the server's version", why, cap);

    if (rc || strtol(pg_text(p, 0, 0), NULL, 10) >= OLDEST_SERVER)
        return rc;
    (void)snprintf(why, cap, "this is PostgreSQL %s; ringdown needs 15 or newer", pg_text(p, 0, 1));
    return RD_ECONFIG;
}

static int take_history(struct pg *p, struct migration_list *out)
{
    int n = pg_rows(p);

    out->items = calloc((size_t)(n > 0 ? n : 1), sizeof(*out->items));
    if (!out->items)
        return -ENOMEM;
    for (int i = 0; i < n; i++) {
        struct migration *m = &out->items[i];

        m->version = (unsigned)strtoul(pg_text(p, i, 0), NULL, 10);
        (void)snprintf(m->name, sizeof(m->name), "%s", pg_text(p, i, 1));
        (void)snprintf(m->checksum, sizeof(m->checksum), "%s", pg_text(p, i, 2));
        (void)snprintf(m->oldest_binary, sizeof(m->oldest_binary), "%s", pg_text(p, i, 3));
    }
    out->n = (size_t)n;
    return 0;
}

/* No table is an empty history. */
static int read_history(struct pg *p, struct migration_list *out, char *why, size_t cap)
{
    int rc = ask(p, "select to_regclass('schema_migrations')", "looking for schema_migrations", why,
                 cap);

    *out = (struct migration_list){0};
    if (rc || !pg_text(p, 0, 0))
        return rc;
    rc = ask(
        p, "select version, name, checksum, oldest_binary from schema_migrations order by version",
        "reading schema_migrations", why, cap);
    return rc ? rc : take_history(p, out);
}

/* Who has the lock, so that the operator knows what to wait for. */
static int somebody_else(struct pg *p, char *why, size_t cap)
{
    int rc =
        ask(p,
            "select a.pid, coalesce(nullif(a.application_name, ''), 'a process'), "
            "coalesce(host(a.client_addr), 'this machine') from pg_locks l join pg_stat_activity a "
            "using (pid) where l.locktype = 'advisory' and l.granted and l.database = "
            "(select oid from pg_database where datname = current_database()) and "
            "(l.classid::bigint << 32 | l.objid::bigint) = " LOCK_KEY,
            "looking for who migrates", why, cap);

    if (rc)
        return rc;
    (void)snprintf(
        why, cap,
        "%s on %s (server process %s) is migrating this database; wait for it, or end it "
        "with pg_terminate_backend",
        pg_rows(p) > 0 ? pg_text(p, 0, 1) : "somebody",
        pg_rows(p) > 0 ? pg_text(p, 0, 2) : "another machine",
        pg_rows(p) > 0 ? pg_text(p, 0, 0) : "gone by now");
    return RD_ELATE;
}

static int lock(struct pg *p, uint32_t wait_ms, char *why, size_t cap)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

    for (uint32_t waited_ms = 0;; waited_ms += POLL_MS) {
        int rc =
            ask(p, "select pg_try_advisory_lock(" LOCK_KEY ")", "asking for the lock", why, cap);

        if (rc || pg_text(p, 0, 0)[0] == 't')
            return rc;
        if (waited_ms >= wait_ms)
            return somebody_else(p, why, cap);
        (void)nanosleep(&pause, NULL);
    }
}

/* The file, its row in history, and nothing of both when either fails. */
static int apply(struct pg *p, const struct migration *m, char *why, size_t cap)
{
    char doing[MIGRATION_NAME + 32];
    struct buf text;
    int rc;

    buf_init(&text, MIGRATION_BYTES_MAX + 4096);
    rc = buf_addf(&text,
                  "begin; set local statement_timeout = 0; set local lock_timeout = '10s'; "
                  "set local client_min_messages = warning;\n%s\n;"
                  "insert into schema_migrations (version, name, checksum, oldest_binary) "
                  "values (%u, '%s', '%s', '%s'); commit;",
                  m->sql, m->version, m->name, m->checksum, m->oldest_binary);
    if (rc || !buf_text(&text)) {
        buf_fini(&text);
        (void)snprintf(why, cap, "no memory for %04u_%s", m->version, m->name);
        return -ENOMEM;
    }
    rc = pg_script(p, text.data);
    buf_fini(&text);
    if (!rc)
        return 0;
    (void)snprintf(doing, sizeof(doing), "applying %04u_%s", m->version, m->name);
    rc = explain(p, rc, doing, why, cap);
    (void)pg_script(p, "rollback");
    return rc;
}

/* Files and history, each read and compared. The caller frees both, whatever is returned. */
static int survey(struct pg *p, const struct migrate_opts *o, struct migration_list *files,
                  struct migration_list *applied, char *why, size_t cap)
{
    int rc = check_server(p, why, cap);

    *files = *applied = (struct migration_list){0};
    if (!rc)
        rc = migration_list_read(files, o->folder, why, cap);
    if (!rc)
        rc = read_history(p, applied, why, cap);
    if (!rc)
        rc = migration_compare(files, applied, o->binary ? o->binary : RD_VERSION, why, cap);
    return rc;
}

int migrate_plan(struct pg *p, const struct migrate_opts *o, migrate_told_fn *told, void *arg,
                 char *why, size_t cap)
{
    struct migration_list files, applied;
    int rc = survey(p, o, &files, &applied, why, cap);

    for (size_t i = applied.n; i < files.n && !rc; i++)
        told(arg, &files.items[i]);
    migration_list_fini(&files);
    migration_list_fini(&applied);
    return rc;
}

static int run_locked(struct pg *p, const struct migrate_opts *o, migrate_told_fn *told, void *arg,
                      char *why, size_t cap)
{
    struct migration_list files, applied;
    int rc = survey(p, o, &files, &applied, why, cap);

    if (!rc && applied.n == 0)
        rc = ask(p, history_table, "making the table schema_migrations", why, cap);
    for (size_t i = applied.n; i < files.n && !rc; i++) {
        rc = apply(p, &files.items[i], why, cap);
        if (!rc && told)
            told(arg, &files.items[i]);
    }
    migration_list_fini(&files);
    migration_list_fini(&applied);
    return rc;
}

int migrate_run(struct pg *p, const struct migrate_opts *o, migrate_told_fn *told, void *arg,
                char *why, size_t cap)
{
    int rc = lock(p, o->wait_ms ? o->wait_ms : WAIT_MS, why, cap);

    if (rc)
        return rc;
    rc = run_locked(p, o, told, arg, why, cap);
    if (pg_alive(p))
        (void)pg_query(p, "select pg_advisory_unlock(" LOCK_KEY ")", 0, NULL);
    return rc;
}

int migrate_check(struct pg *p, const struct migrate_opts *o, char *why, size_t cap)
{
    struct migration_list files, applied;
    int rc = survey(p, o, &files, &applied, why, cap);

    if (!rc && applied.n < files.n) {
        (void)snprintf(
            why, cap,
            "the database is %zu migration%s behind this binary; run `ringdown db migrate` "
            "(with --dry-run to see what it would do)",
            files.n - applied.n, files.n - applied.n == 1 ? "" : "s");
        rc = RD_ESTATE;
    }
    migration_list_fini(&files);
    migration_list_fini(&applied);
    return rc;
}
