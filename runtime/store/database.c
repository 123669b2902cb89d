/* SPDX-License-Identifier: Apache-2.0 */
/* database.c - from a setting to a connection string, with nothing important left to chance.
 *
 * - what the URL says wins, always
 * - towards another machine the default is TLS with a verified name: libpq's own ("prefer") would
 *   fall back to plain text without a word. libpq 15 does not know the system's authorities, so
 *   their file is named
 * - a server that cannot be written to (a standby, before or after a failover) is refused when
 *   connecting, not at the first insert; with several hosts in the URL, libpq goes to the next
 * - a dead network is noticed: connecting, waiting for an answer and silence all have a limit */
#include "store/database.h"

#include "base/err.h"
#include "store/cluster.h"
#include "store/cluster_private.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char system_roots[] = "/etc/ssl/certs/ca-certificates.crt";

static const char unreadable[] = "cannot be read; it looks like "
                                 "postgresql://user:password@host:5432/name?sslmode=verify-full";

#define USUAL_OPTIONS \
    "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC"

/* Filled in where the URL says nothing. */
static const struct {
    const char *key, *value;
} defaults[] = {
    {"dbname", "ringdown"},        {"connect_timeout", "10"},
    {"keepalives", "1"},           {"keepalives_idle", "30"},
    {"keepalives_interval", "10"}, {"keepalives_count", "3"},
    {"tcp_user_timeout", "30000"}, {"target_session_attrs", "read-write"},
    {"client_encoding", "UTF8"},   {"options", USUAL_OPTIONS},
};

/* ---- writing it ---- */

static int add_option(struct buf *out, const char *key, const char *value)
{
    int rc = buf_addf(out, "%s%s='", out->n ? " " : "", key);

    for (const char *p = value; !rc && *p; p++) {
        if (*p == '\'' || *p == '\\')
            rc = buf_add(out, "\\", 1);
        if (!rc)
            rc = buf_add(out, p, 1);
    }
    return rc ? rc : buf_add_str(out, "'");
}

/* ---- the URL's part ---- */

static const char *given(const PQconninfoOption *list, const char *key)
{
    for (; list->keyword; list++)
        if (strcmp(list->keyword, key) == 0)
            return list->val;
    return NULL;
}

static bool is_local(const char *host, size_t n)
{
    static const char *const names[] = {"localhost", "::1", ""};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == n && memcmp(names[i], host, n) == 0)
            return true;
    if (n > 4 && memcmp(host, "127.", 4) == 0)
        return strspn(host, "0123456789.") >= n; /* an address, not a name that begins like one */
    return host[0] == '/' || host[0] == '@';
}

/* Every one of the hosts (they may be several, with commas) is this machine. */
static bool all_local(const PQconninfoOption *list)
{
    const char *hosts = given(list, "hostaddr");

    if (!hosts || !*hosts)
        hosts = given(list, "host");
    while (hosts) {
        size_t n = strcspn(hosts, ",");

        if (!is_local(hosts, n))
            return false;
        hosts = hosts[n] ? hosts + n + 1 : NULL;
    }
    return true;
}

static int add_tls(struct buf *out, const PQconninfoOption *list, const struct database_opts *o)
{
    const char *mode = given(list, "sslmode"), *roots = given(list, "sslrootcert");
    int rc = 0;

    if (!mode && !all_local(list)) {
        mode = "verify-full";
        rc = add_option(out, "sslmode", mode);
    }
    if (rc || !mode || strncmp(mode, "verify-", 7) != 0 || (roots && strcmp(roots, "system") != 0))
        return rc;
    return add_option(out, "sslrootcert", o->ca_file && o->ca_file[0] ? o->ca_file : system_roots);
}

/* What the caller says instead of the URL. */
static bool replaced(const char *key, const struct database_opts *o)
{
    if (o->user &&
        (strcmp(key, "user") == 0 || strcmp(key, "password") == 0 || strcmp(key, "passfile") == 0))
        return true;
    return o->statement_timeout_ms && strcmp(key, "options") == 0;
}

static int add_replacements(struct buf *out, const PQconninfoOption *list,
                            const struct database_opts *o)
{
    const char *options = given(list, "options");
    char text[2048];
    int rc = o->user ? add_option(out, "user", o->user) : 0;

    if (!rc && o->password)
        rc = add_option(out, "password", o->password);
    if (rc || !o->statement_timeout_ms)
        return rc;
    if (snprintf(text, sizeof(text), "%s -c statement_timeout=%u",
                 options ? options : USUAL_OPTIONS, o->statement_timeout_ms) >= (int)sizeof(text))
        return RD_ETOOBIG;
    return add_option(out, "options", text);
}

static int add_url(struct buf *out, const PQconninfoOption *list, const struct database_opts *o)
{
    int rc = 0;

    for (const PQconninfoOption *p = list; !rc && p->keyword; p++) {
        bool system = strcmp(p->keyword, "sslrootcert") == 0 && p->val &&
                      strcmp(p->val, "system") == 0; /* libpq 16 knows it; add_tls() names a file */

        if (p->val && !system && !replaced(p->keyword, o))
            rc = add_option(out, p->keyword, p->val);
    }
    return rc ? rc : add_tls(out, list, o);
}

static int add_defaults(struct buf *out, const PQconninfoOption *list,
                        const struct database_opts *o)
{
    int rc = 0;

    if (!given(list, "application_name"))
        rc = add_option(out, "application_name", o->who ? o->who : "ringdown");
    for (size_t i = 0; !rc && i < sizeof(defaults) / sizeof(defaults[0]); i++)
        if (!given(list, defaults[i].key) && !replaced(defaults[i].key, o))
            rc = add_option(out, defaults[i].key, defaults[i].value);
    return rc ? rc : add_replacements(out, list, o);
}

/* ---- which one ---- */

static bool is_private(const struct database_opts *o)
{
    return !o->url || !o->url[0];
}

static int find_private(struct cluster_place *p, const struct database_opts *o, char *why,
                        size_t cap)
{
    int rc = cluster_find(p, o->data, why, cap);

    if (rc != -ENOENT && (rc || p->made))
        return rc;
    snprintf(why, cap, "there is no database in %s yet; make one with: ringdown db up", o->data);
    return RD_ESTATE;
}

static int base_text(struct buf *out, const struct database_opts *o, char *why, size_t cap)
{
    struct cluster_place p;
    int rc;

    if (!is_private(o))
        return buf_add_str(out, o->url);
    rc = find_private(&p, o, why, cap);
    return rc ? rc : cluster_conninfo(out, &p);
}

int database_conninfo(struct buf *out, const struct database_opts *o, char *why, size_t cap)
{
    PQconninfoOption *list = NULL;
    struct buf base;
    int rc;

    buf_init(&base, 64 * 1024);
    rc = base_text(&base, o, why, cap);
    if (!rc && !buf_text(&base))
        rc = -ENOMEM;
    if (!rc) {
        list = PQconninfoParse(base.data, NULL);
        if (!list) { /* libpq's own words would repeat the password */
            rc = RD_ECONFIG;
            snprintf(why, cap, "database.url %s", unreadable);
        }
    }
    buf_clear(out);
    if (!rc)
        rc = add_url(out, list, o);
    if (!rc)
        rc = add_defaults(out, list, o);
    if (!rc && !buf_text(out))
        rc = -ENOMEM;
    if (rc && rc != RD_ECONFIG && rc != RD_ESTATE && !why[0])
        snprintf(why, cap, "cannot write the connection string: %s", rd_strerror(rc));
    PQconninfoFree(list);
    buf_fini(&base);
    return rc;
}

bool database_url_valid(const char *url, char *why, size_t cap)
{
    PQconninfoOption *list = PQconninfoParse(url, NULL);

    if (!list)
        snprintf(why, cap, "%s", unreadable);
    PQconninfoFree(list);
    return list != NULL;
}

int database_url(struct buf *out, const struct database_opts *o, char *why, size_t cap)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    struct cluster_place p;
    int rc;

    buf_clear(out);
    if (!is_private(o))
        return buf_add_str(out, o->url);
    rc = find_private(&p, o, why, cap);
    if (!rc)
        rc = buf_add_str(out, "postgresql://ringdown@/ringdown?host=");
    for (const char *c = p.folder; !rc && *c; c++)
        rc = strchr(plain, *c) || *c == '/' ? buf_add(out, c, 1)
                                            : buf_addf(out, "%%%02X", (unsigned char)*c);
    return rc ? rc : buf_addf(out, "&port=%d", CLUSTER_PORT);
}

/* ---- up and down ---- */

struct database {
    struct cluster *cluster; /* owns; NULL: somebody else's server */
    const atomic_bool *stop; /* borrows */
};

int database_up(struct database **out, const struct database_opts *o, char *why, size_t cap)
{
    struct database *d = calloc(1, sizeof(*d));
    int rc = d ? 0 : -ENOMEM;

    why[0] = '\0';
    if (!rc && is_private(o))
        rc = cluster_up(&d->cluster, o->data, o->stop, why, cap);
    if (rc) {
        free(d);
        if (!why[0])
            snprintf(why, cap, "cannot start the database: %s", rd_strerror(rc));
        return rc;
    }
    d->stop = o->stop;
    *out = d;
    return 0;
}

int database_tend(struct database *d, char *why, size_t cap)
{
    return d->cluster ? cluster_tend(d->cluster, d->stop, why, cap) : 0;
}

void database_down(struct database *d)
{
    if (!d)
        return;
    cluster_down(d->cluster);
    free(d);
}

/* ---- what to do about it ---- */

void database_explain(char *why, size_t cap)
{
    static const struct {
        const char *words, *remedy;
    } known[] = {
        {"read-only", "the server is a standby or was made read-only: wait for the failover, or "
                      "point database.url at the primary"},
        {"password authentication failed", "check user and password of database.url"},
        {"no password supplied", "database.url names no password for this user"},
        {"no pg_hba.conf entry", "let this machine in, in the server's pg_hba.conf"},
        {"certificate verify failed", "set ca_file to the authority that signed its certificate"},
        {"server certificate for", "connect by the name its certificate has, or let database.url "
                                   "say ?sslmode=verify-ca"},
        {"does not support SSL", "turn TLS on at the server, or let database.url say "
                                 "?sslmode=disable where the network is trusted"},
        {"unsupported startup parameter", "a pooler is in between: let database.url say ?options="},
        {"too many clients", "raise max_connections of the server"},
        {"remaining connection slots", "raise max_connections of the server"},
        {"could not translate host name", "check the host in database.url"},
        {"does not exist", "make that role or database, or correct database.url"},
        {"starting up", "it will answer in a moment"},
        {"shutting down", "it is being stopped; start it again"},
        {"Connection refused", "start it, or correct host and port of database.url"},
        {"No such file or directory", "start it with: ringdown db up"},
    };
    size_t n = strlen(why);

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strstr(why, known[i].words)) {
            if (n + 3 < cap)
                snprintf(why + n, cap - n, "; %s", known[i].remedy);
            return;
        }
    }
}
