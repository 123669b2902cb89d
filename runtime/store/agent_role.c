/* SPDX-License-Identifier: Apache-2.0 */
/* agent_role.c - asks the schema's own grant_agent() to make the role ready (sql/0010_booking.sql),
 * then says how to connect as it.
 *
 * The private cluster lets us be `postgres`, who may make roles; its `ringdown` may not, and need
 * not. Elsewhere the user of database.url must have CREATEROLE and own the tables it gives away.
 *
 * PostgreSQL lets everybody have temporary tables, large objects, notifications and locks. In the
 * private cluster nobody but us has business there, so that everybody is we. A database of
 * somebody else's may have other users who need them: docs/database.md says what its owner can do. */
#include "store/agent_role.h"

#include "base/err.h"
#include "io/tls.h"
#include "store/pg.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 63, CONNINFO_MAX = 16384, PATIENCE_MS = 5000 };

/* PostgreSQL cuts longer names, and two agents must not become one. */
static void role_name(char out[NAME_MAX_BYTES + 1], const char *agent)
{
    uint8_t hash[32];
    char hex[17];

    if (snprintf(out, NAME_MAX_BYTES + 1, "ringdown_agent_%s", agent) <= NAME_MAX_BYTES)
        return;
    hmac_sha256(hash, "agent", 5, agent, strlen(agent));
    rd_hex(hex, hash, 8);
    (void)snprintf(out, NAME_MAX_BYTES + 1, "ringdown_agent_%.31s_%s", agent, hex);
}

static void role_password(char out[65], const char *secret, const char *role)
{
    char text[128];
    uint8_t hash[32];

    (void)snprintf(text, sizeof(text), "database role %s", role);
    hmac_sha256(hash, secret, strlen(secret), text, strlen(text));
    rd_hex(out, hash, sizeof(hash));
}

static bool is_private(const struct agent_role *r)
{
    return !r->database.url || !r->database.url[0];
}

static int connect_as_owner(const struct agent_role *r, struct pg **out, char *why, size_t cap)
{
    struct database_opts o = r->database;
    struct buf conninfo;
    int rc;

    if (is_private(r))
        o.user = "postgres";
    buf_init(&conninfo, CONNINFO_MAX);
    rc = database_conninfo(&conninfo, &o, why, cap);
    if (!rc)
        rc = buf_text(&conninfo) ? pg_open(out, conninfo.data, why, cap) : -ENOMEM;
    buf_fini(&conninfo);
    if (!rc)
        pg_patience(*out, PATIENCE_MS, NULL, NULL);
    return rc;
}

/* 42501: may not. 42P01: no such table. */
static int explain(const struct agent_role *r, struct pg *pg, const char *role, int rc, char *why,
                   size_t cap)
{
    const char *words = pg_message(pg);

    if (rc != RD_EREFUSED) {
        (void)snprintf(why, cap, "%s", words);
        return rc;
    }
    if (strcmp(pg_sqlstate(pg), "42501") == 0) {
        (void)snprintf(why, cap,
                       "cannot make the role %s for agent %s: %s; let database.url's user do it: "
                       "ALTER ROLE … CREATEROLE, and be owner of the tables in needs.tables",
                       role, r->agent, words);
        return RD_EAUTH;
    }
    if (strcmp(pg_sqlstate(pg), "42P01") == 0)
        (void)snprintf(why, cap,
                       "needs.tables of agent %s: %s; make the table, or correct the name",
                       r->agent, words);
    else
        (void)snprintf(why, cap, "cannot give agent %s its tables: %s", r->agent, words);
    return RD_ECONFIG;
}

/* Roles can be given things, not denied them: what everybody has is taken from everybody. Once per
 * cluster; afterwards there is nothing left to take. */
static int close_what_everybody_has(const struct agent_role *r, struct pg *pg)
{
    static const char close[] =
        "do $$ declare f regprocedure; begin\n"
        "perform pg_advisory_xact_lock(hashtext('ringdown roles'));\n"
        "if has_database_privilege('public', current_database(), 'temporary') then\n"
        "  execute format('revoke temporary on database %I from public', current_database());\n"
        "end if;\n"
        "for f in select oid from pg_proc where pronamespace = 'pg_catalog'::regnamespace\n"
        "  and proname ~ '^(lo_.*|loread|lowrite|pg_notify|pg_(try_)?advisory.*|pg_sleep.*|"
        "set_config)$'\n"
        "  and has_function_privilege('public', oid, 'execute')\n"
        "loop\n"
        "  execute format('revoke execute on function %s from public', f);\n"
        "  execute format('grant execute on function %s to ringdown', f);\n"
        "end loop; end $$";

    return is_private(r) ? pg_query(pg, close, 0, NULL) : 0;
}

static int make_ready(const struct agent_role *r, const char *role, const char *password, char *why,
                      size_t cap)
{
    const char *const params[] = {role, password, r->tables};
    struct pg *pg = NULL;
    int rc = connect_as_owner(r, &pg, why, cap);

    if (rc)
        return rc;
    rc = close_what_everybody_has(r, pg);
    if (!rc)
        rc = pg_query(pg, "select grant_agent($1, $2, $3::jsonb)", 3, params);
    if (rc)
        rc = explain(r, pg, role, rc, why, cap);
    pg_close(pg);
    return rc;
}

int agent_role_conninfo(struct buf *out, const struct agent_role *r, char *why, size_t cap)
{
    struct database_opts o = r->database;
    char role[NAME_MAX_BYTES + 1], password[65];
    int rc;

    role_name(role, r->agent);
    role_password(password, r->secret, role);
    rc = make_ready(r, role, password, why, cap);
    if (rc)
        return rc;
    o.user = role;
    o.password = password;
    o.who = role;
    o.statement_timeout_ms = r->statement_timeout_ms;
    return database_conninfo(out, &o, why, cap);
}
