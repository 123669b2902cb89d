/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c - from file and environment to one immutable struct, or to all mistakes at once.
 *
 *   file ─┐
 *   env  ─┼─▶ values[] ─ each checked ─ together checked ─ needed ones there? ─▶ struct settings
 *   table ┘                        └────── every mistake: one line ──────────▶ complaints
 *
 * - nothing is made on disk before everything else was found right
 * - a client only wants to know where the data folder is; mistakes elsewhere are not its business
 */
#include "gateway/settings.h"

#include "base/err.h"
#include "gateway/settings_table.h"
#include "io/mail.h"
#include "io/tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CALLS_PER_MEDIA_THREAD = 200 };

struct loading {
    const char *file; /* borrows; NULL: none */
    enum settings_use use;
    struct setting_value values[SETTINGS_MAX];
    struct complaints complaints;
};

static const char *text_of(const struct loading *l, const char *key)
{
    const char *text = l->values[setting_find(key)].text;

    return text ? text : "";
}

static bool usable(const struct loading *l, const char *key)
{
    const struct setting_value *v = &l->values[setting_find(key)];

    return v->text && v->text[0] && !v->bad;
}

static void complain_at(struct loading *l, const char *key, const char *what)
{
    size_t n;
    int i = setting_find(key);
    struct setting_value *v = &l->values[i];
    char where[PATH_MAX + 128];

    setting_where(&settings_table(&n)[i], &v->origin, l->file, where, sizeof(where));
    complain(&l->complaints, v->origin.line, "%s: %s", where, what);
    v->bad = true;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- defaults that are worked out ---- */

/* scripts/ beside the program or up to three folders above it, as in a build tree; else where an
 * installation puts it: in a folder of this version, so that a process which still has calls never
 * reads the files of the next. */
static void find_library(char *out, size_t cap)
{
    static const char *const places[] = {"share/ringdown/" RD_VERSION "/scripts", "scripts",
                                         "share/ringdown/scripts"};
    char dir[PATH_MAX - 64], probe[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);

    dir[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 4; up++) {
        char *slash = strrchr(dir, '/');

        if (!slash)
            break;
        *slash = '\0';
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            snprintf(probe, sizeof(probe), "%s/%s/ringdown", dir, places[i]);
            if (is_folder(probe)) {
                snprintf(out, cap, "%s/%s", dir, places[i]);
                return;
            }
        }
    }
    snprintf(out, cap, "./scripts");
}

/* The name others see; only what may stand in a record's stream. */
static void host_name(char *out, size_t cap)
{
    char name[64] = "";

    if (gethostname(name, sizeof(name) - 1) || !name[0])
        snprintf(name, sizeof(name), "node");
    snprintf(out, cap, "%.40s", name);
}

static void work_out(const struct loading *l, const char *key, char *out, size_t cap)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long half = cores < 2 ? 1 : cores > 128 ? 64 : cores / 2;

    if (strcmp(key, "library") == 0)
        find_library(out, cap);
    else if (strcmp(key, "node.name") == 0)
        host_name(out, cap);
    else if (strcmp(key, "max_calls") == 0)
        snprintf(out, cap, "%d", atoi(text_of(l, "media_threads")) * CALLS_PER_MEDIA_THREAD);
    else if (strcmp(key, "cluster.secret") == 0)
        out[0] = '\0'; /* made when everything else is right */
    else
        snprintf(out, cap, "%ld", half);
}

static int fill_defaults(struct loading *l)
{
    size_t n;
    const struct setting *all = settings_table(&n);
    char text[PATH_MAX];

    for (size_t i = 0; i < n; i++) {
        if (l->values[i].text)
            continue;
        if (all[i].fallback)
            snprintf(text, sizeof(text), "%s", all[i].fallback);
        else
            work_out(l, all[i].key, text, sizeof(text));
        l->values[i].text = strdup(text);
        if (!l->values[i].text)
            return -ENOMEM;
    }
    return 0;
}

/* ---- what must hold ---- */

static void check_each(struct loading *l)
{
    size_t n;
    const struct setting *all = settings_table(&n);

    for (size_t i = 0; i < n; i++) {
        char why[512];

        if (!l->values[i].bad && l->values[i].origin.from != ORIGIN_DEFAULT &&
            !setting_valid(&all[i], l->values[i].text, why, sizeof(why)))
            complain_at(l, all[i].key, why);
    }
}

static void check_needed(struct loading *l)
{
    size_t n;
    const struct setting *all = settings_table(&n);

    for (size_t i = 0; i < n; i++) {
        char what[512];

        if (!all[i].remedy || l->values[i].bad || l->values[i].text[0])
            continue;
        snprintf(what, sizeof(what), "is missing; %s (%s%s in the environment)", all[i].remedy,
                 all[i].env, all[i].secret ? ", or as a file with _FILE," : "");
        complain_at(l, all[i].key, what);
    }
}

static void check_tls(struct loading *l)
{
    const char *cert = text_of(l, "public.certificate"), *key = text_of(l, "public.private_key");
    struct tls_server *tls = NULL;
    char why[256];

    if (cert[0] && !key[0])
        complain_at(l, "public.certificate", "needs public.private_key beside it");
    else if (key[0] && !cert[0])
        complain_at(l, "public.private_key", "needs public.certificate beside it");
    else if (usable(l, "public.certificate") && usable(l, "public.private_key") &&
             tls_server_new(&tls, cert, key, why, sizeof(why)) != 0)
        complain_at(l, "public.certificate", why);
    tls_server_free(tls);
}

static void check_folders(struct loading *l)
{
    char probe[PATH_MAX + 16];

    if (!is_folder(text_of(l, "agents.path")))
        complain_at(l, "agents.path",
                    "there is no such folder; make it and put an agent's Lua "
                    "file into it, or name another");
    snprintf(probe, sizeof(probe), "%s/ringdown", text_of(l, "library"));
    if (!is_folder(probe))
        complain_at(l, "library",
                    "holds no folder ringdown/; name the folder scripts/ of the "
                    "installation");
}

static void check_mail(struct loading *l)
{
    const char *from = text_of(l, "smtp.from");

    if (text_of(l, "smtp.url")[0] && !from[0])
        complain_at(l, "smtp.url", "needs smtp.from beside it, the address that mails come from");
    else if (from[0] && usable(l, "smtp.from") && !mail_address_valid(from))
        complain_at(l, "smtp.from", "must be an address alone, such as alerts@example.com");
}

static void check_together(struct loading *l)
{
    const char *listen = text_of(l, "public.listen");

    check_tls(l);
    check_folders(l);
    check_mail(l);
    if (strcmp(listen, text_of(l, "admin.listen")) == 0 && !strstr(listen, ":0"))
        complain_at(l, "admin.listen", "is the same as public.listen; they need a port each");
}

/* ---- into the struct ---- */

static int take_tokens(struct settings *out, const char *text)
{
    const char *comma = strchr(text, ',');

    if (!text[0])
        return 0;
    out->twilio_tokens[0] = strndup(text, comma ? (size_t)(comma - text) : strlen(text));
    if (comma)
        out->twilio_tokens[1] = strdup(comma + 1);
    return out->twilio_tokens[0] && (!comma || out->twilio_tokens[1]) ? 0 : -ENOMEM;
}

/* Moves the texts into the settings. */
static int take_over(struct loading *l, struct settings *out)
{
    size_t n, len;
    const struct setting *all = settings_table(&n);
    int rc = 0;

    out->file = strdup(l->file ? l->file : "");
    out->origins = calloc(n, sizeof(*out->origins));
    if (!out->file || !out->origins)
        return -ENOMEM;
    for (size_t i = 0; i < n && !rc; i++) {
        const struct setting *s = &all[i];

        if (!l->values[i].text)
            return -ENOMEM;
        out->origins[i] = l->values[i].origin;
        if (s->type == SETTING_TOKENS) {
            rc = take_tokens(out, l->values[i].text);
        } else if (setting_is_text(s)) {
            *setting_text_field(s, out) = l->values[i].text;
            l->values[i].text = NULL;
        } else if (s->index) {
            *setting_int_field(s, out) =
                setting_word(s->allowed, l->values[i].text, strlen(l->values[i].text));
        } else {
            *setting_int_field(s, out) = atoi(l->values[i].text);
        }
    }
    if (rc || !out->force || !out->public_url)
        return rc;
    if (strcmp(out->force, "off") == 0)
        out->force[0] = '\0';
    len = strlen(out->public_url); /* paths are added to it with their own slash */
    while (len > 0 && out->public_url[len - 1] == '/')
        out->public_url[--len] = '\0';
    return 0;
}

/* ---- the whole ---- */

/* A program that a package put below /usr, and no build tree: so that the commands of an
 * installation need not be told where its configuration is. */
static bool is_installed(void)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[n > 0 ? n : 0] = '\0';
    return strncmp(self, "/usr/", 5) == 0;
}

static const char *which_file(const char *file)
{
    static const char installed[] = "/etc/ringdown/ringdown.lua";

    if (file)
        return file;
    file = getenv("RINGDOWN_CONFIG");
    if (file && *file)
        return file;
    if (access("ringdown.lua", F_OK) == 0)
        return "ringdown.lua";
    return is_installed() && access(installed, F_OK) == 0 ? installed : NULL;
}

static int read_all(struct loading *l)
{
    int rc = l->file ? settings_read_file(l->file, l->values, &l->complaints) : 0;
    int rc2;

    if (rc == -ENOMEM)
        return rc;
    rc2 = settings_read_env(environ, l->values, &l->complaints);
    if (!rc2)
        rc2 = fill_defaults(l);
    return rc2 ? rc2 : rc;
}

/* Everything is right: now the disk may know. */
static int make(struct loading *l)
{
    int i = setting_find("cluster.secret"),
        rc = settings_make_data(text_of(l, "data"), &l->complaints);
    char *hex = NULL;

    if (rc || complaints_count(&l->complaints) || usable(l, "cluster.secret"))
        return rc;
    rc = settings_make_secret(text_of(l, "data"), &hex, &l->complaints);
    if (hex) {
        free(l->values[i].text);
        l->values[i] = (struct setting_value){.text = hex, .origin = {ORIGIN_MADE, 0}};
    }
    return rc;
}

/* All rules for this use. RD_ECONFIG when something was complained of. */
static int check_and_make(struct loading *l, int rc)
{
    if (l->use == SETTINGS_CLIENT) /* what could be read is enough */
        return rc ? rc : usable(l, "data") ? 0 : RD_ECONFIG;
    if (l->use == SETTINGS_KEEPER)
        return rc ? rc : usable(l, "data") ? make(l) : RD_ECONFIG;
    check_each(l);
    if (!rc) { /* else half of the file is unknown, and what it may hold is not missing */
        check_together(l);
        check_needed(l);
    }
    if (complaints_count(&l->complaints))
        return RD_ECONFIG;
    rc = l->use == SETTINGS_SERVE ? make(l) : 0;
    return rc ? rc : complaints_count(&l->complaints) ? RD_ECONFIG : 0;
}

/* What is wrong becomes what it would be if nobody had said anything. */
static int forget_bad(struct loading *l)
{
    size_t n;

    (void)settings_table(&n);
    for (size_t i = 0; i < n; i++) {
        if (!l->values[i].bad)
            continue;
        free(l->values[i].text);
        l->values[i] = (struct setting_value){.text = NULL};
    }
    return fill_defaults(l);
}

int settings_load(struct settings **out, const char *file, enum settings_use use,
                  struct buf *complaints)
{
    struct loading l = {.file = which_file(file), .use = use};
    struct settings *s = NULL;
    struct buf unheard;
    int rc = read_all(&l);

    buf_init(&unheard, 1 << 20);
    if (!rc || rc == RD_ECONFIG)
        rc = check_and_make(&l, rc);
    if (rc == RD_ECONFIG && use == SETTINGS_LOOK)
        rc = forget_bad(&l);
    if (rc)
        goto out;
    s = calloc(1, sizeof(*s));
    rc = s ? take_over(&l, s) : -ENOMEM;
    if (rc)
        goto out;
    *out = s;
    s = NULL;
out:
    settings_free(s);
    complaints_flush(&l.complaints,
                     rc == RD_ECONFIG || use == SETTINGS_LOOK ? complaints : &unheard);
    buf_fini(&unheard);
    for (size_t i = 0; i < SETTINGS_MAX; i++)
        free(l.values[i].text);
    return rc;
}

void settings_free(struct settings *s)
{
    size_t n;
    const struct setting *all = settings_table(&n);

    if (!s)
        return;
    for (size_t i = 0; i < n; i++)
        if (setting_is_text(&all[i]) && all[i].type != SETTING_TOKENS)
            free(*setting_text_field(&all[i], s));
    free(s->twilio_tokens[0]);
    free(s->twilio_tokens[1]);
    free(s->file);
    free(s->origins);
    free(s);
}
