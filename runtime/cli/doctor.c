/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - `ringdown doctor`: is this installation fit for calls? Here is what only this process can see;
 * what is asked of others, judged and said is scripts/ringdown/doctor.lua. Nothing is changed. */
#include "agent/agents.h"
#include "cli/commands.h"
#include "cli/operate.h"
#include "cli/options.h"
#include "cli/ringer.h"
#include "gateway/books.h"
#include "gateway/standing.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown doctor [--offline] [--call] [--send] [--json] [--config FILE]\n\n"
    "Looks at a whole installation: settings, data folder, database, certificate, the way from\n"
    "outside, the keys of OpenAI, Twilio and Vapi, numbers, agents, alerts, mail, systemd. One "
    "line\n"
    "for each, ok, warn or fail, with what to do. Nothing is changed and nothing is called.\n\n"
    "  --offline  asks nobody outside\n"
    "  --call     also rings synthetic.to (else the first agent with a number), as a caller would: "
    "a\n"
    "             real session of the model, a few cents; nothing else can come of it\n"
    "  --send     also sends a mail to each mail channel of alerts.channels\n"
    "  --json     one document, whatever is wrong\n\n"
    "Exit code 1 when something fails.\n";

enum { REPORT_MAX = 16384, COMPLAINTS_MAX = 1 << 20, LINE_MAX_BYTES = 256 };

/* The highest number of the .sql files that belong to this program; 0: they are not found. */
static int newest_migration(const struct settings *s)
{
    char path[PATH_MAX];
    struct dirent *e;
    int newest = 0;
    DIR *d;

    books_sql_path(s, path, sizeof(path));
    d = opendir(path);
    while (d && (e = readdir(d))) {
        int n = (int)strtol(e->d_name, NULL, 10);

        newest = n > newest ? n : newest;
    }
    if (d)
        closedir(d);
    return newest;
}

/* --- what only a process sees --- */

/* One string for each line. */
static json_t *lines_of(struct buf *text)
{
    json_t *list = json_array();
    const char *p = buf_text(text);

    while (p && *p) {
        size_t n = strcspn(p, "\n");

        if (n > 0)
            json_array_append_new(list, json_stringn(p, n));
        p += n + (p[n] == '\n');
    }
    return list;
}

/* What systemd makes of our unit, {"Type": "notify", …}; NULL: there is no systemd here. */
static json_t *unit_of(void)
{
    FILE *f = popen("systemctl show ringdown.service "
                    "--property=LoadState,ActiveState,Type,NotifyAccess,WatchdogUSec 2>/dev/null",
                    "re");
    char line[LINE_MAX_BYTES];
    json_t *unit = json_object();

    while (f && fgets(line, sizeof(line), f)) {
        char *value = strchr(line, '=');

        line[strcspn(line, "\n")] = '\0';
        if (!value)
            continue;
        *value++ = '\0';
        json_object_set_new(unit, line, json_string(value));
    }
    if (f)
        (void)pclose(f);
    if (json_object_size(unit) > 0)
        return unit;
    json_decref(unit);
    return NULL;
}

/* --- a call --- */

static const char *first_number(const struct agent_set *set, const char *to)
{
    for (size_t i = 0; set && i < agent_set_count(set); i++) {
        const struct agent_info *a = agent_set_at(set, i);

        for (size_t k = 0; a->numbers[k]; k++)
            if (!to[0] || strcmp(a->name, to) == 0 || strcmp(a->numbers[k], to) == 0)
                return to[0] == '+' ? to : a->numbers[k];
    }
    return NULL;
}

/* As it is on disk; agents from the database are rung by their number. */
static bool whom_to_ring(const struct settings *s, char *out, size_t cap)
{
    struct agent_set *set = NULL;
    const char *number;
    struct buf complaints;

    buf_init(&complaints, COMPLAINTS_MAX);
    if (agent_set_load(&set, s->agents_path, s->library_path, &complaints))
        set = NULL;
    number = first_number(set, s->synthetic_to);
    if (!number && s->synthetic_to[0] == '+')
        number = s->synthetic_to;
    (void)snprintf(out, cap, "%s", number ? number : "");
    agent_set_unref(set);
    buf_fini(&complaints);
    return number != NULL;
}

static json_t *report_of(const struct settings *s)
{
    char to[64];
    struct buf report;
    json_t *out = NULL;

    if (!whom_to_ring(s, to, sizeof(to)))
        return json_pack("{s:s}", "error",
                         "there is nobody to ring: set synthetic.to to a number of an agent");
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "ringing %s at %s …\n", to, s->public_url);
    buf_init(&report, REPORT_MAX);
    if (ring_once(s, to, s->synthetic_system, NULL, &report) == 0)
        out = json_loadb(report.data, report.n, 0, NULL);
    buf_fini(&report);
    return out ? out : json_pack("{s:s}", "error", "out of memory");
}

/* --- the whole --- */

struct wishes {
    bool offline, call, send;
};

static json_t *wish_of(const struct settings *s, const struct wishes *w, struct buf *complaints)
{
    struct buf text;
    json_t *wish, *unit = w->offline ? NULL : unit_of();

    buf_init(&text, 1 << 20);
    wish = standing_installed_json(s, &text) ? NULL : json_loadb(text.data, text.n, 0, NULL);
    buf_fini(&text);
    if (!wish) {
        json_decref(unit);
        return NULL;
    }
    json_object_set_new(wish, "offline", json_boolean(w->offline));
    json_object_set_new(wish, "send", json_boolean(w->send));
    json_object_set_new(wish, "migration", json_integer(newest_migration(s)));
    json_object_set_new(wish, "complaints", lines_of(complaints));
    if (unit)
        json_object_set_new(wish, "unit", unit);
    if (w->call && !w->offline)
        json_object_set_new(wish, "call", report_of(s));
    return wish;
}

/* It broke off: a program that reads us gets a document all the same. */
static void print_broken(const char *text, struct buf *complaints)
{
    json_t *findings = json_array(), *lines = lines_of(complaints), *line, *all;
    size_t i;

    json_array_append_new(findings,
                          json_pack("{s:s, s:s, s:s, s:s}", "what", "doctor", "verdict", "fail",
                                    "text", text, "remedy", "stderr and the log say more"));
    json_array_foreach(lines, i, line) json_array_append_new(
        findings, json_pack("{s:s, s:s, s:O, s:s}", "what", "settings", "verdict", "fail", "text",
                            line, "remedy", "mend it there"));
    all = json_pack("{s:o, s:i, s:i, s:i, s:b}", "findings", findings, "ok", 0, "warn", 0, "fail",
                    (int)json_array_size(findings), "failed", 1);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
    json_decref(lines);
}

static int look(const struct settings *s, const struct wishes *w, bool as_json,
                struct buf *complaints)
{
    json_t *result = NULL;
    struct operate_opts opts = {.command = "doctor",
                                .kind = "doctor",
                                .hurries = true,
                                .settings = s,
                                .as_json = as_json,
                                .asks_nobody = w->offline,
                                .result = &result};
    int code = operate(&opts, wish_of(s, w, complaints));

    if (!result && as_json)
        print_broken("it broke off", complaints);
    json_decref(result);
    return code;
}

int cmd_doctor(int argc, char **argv)
{
    struct wishes w = {false, false, false};
    const struct option_switch switches[] = {
        {"offline", &w.offline}, {"call", &w.call}, {"send", &w.send}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches};
    struct settings *s = NULL;
    struct buf complaints;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    buf_init(&complaints, COMPLAINTS_MAX);
    if (settings_load(&s, o.config, SETTINGS_LOOK, &complaints)) {
        fprintf(stderr, "ringdown doctor: cannot load the settings\n");
        if (o.json)
            print_broken("the settings cannot be loaded", &complaints);
        code = EXIT_FAILED;
    } else {
        code = look(s, &w, o.json, &complaints);
    }
    buf_fini(&complaints);
    settings_free(s);
    return code;
}
