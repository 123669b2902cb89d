/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - `ringdown doctor`: is this installation fit for calls? Here is what only this process can see;
 * what is asked of others, judged and said is scripts/ringdown/doctor.lua. Nothing is changed. */
#include "cli/commands.h"
#include "cli/operate.h"
#include "cli/options.h"
#include "gateway/books.h"
#include "gateway/standing.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown doctor [--offline] [--json] [--config FILE]\n\n"
    "Looks at a whole installation: settings, data folder, database, certificate, the way from\n"
    "outside, the keys of OpenAI, Twilio and Vapi, numbers, agents, alerts. One line for each, "
    "ok,\n"
    "warn or fail, with what to do. Nothing is changed and nothing is called. --offline asks "
    "nobody\n"
    "outside. Exit code 1 when something fails.\n";

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

static json_t *wish_of(const struct settings *s, bool offline)
{
    struct buf text;
    json_t *wish;

    buf_init(&text, 1 << 20);
    wish = standing_installed_json(s, &text) ? NULL : json_loadb(text.data, text.n, 0, NULL);
    buf_fini(&text);
    if (!wish)
        return NULL;
    json_object_set_new(wish, "offline", json_boolean(offline));
    json_object_set_new(wish, "migration", json_integer(newest_migration(s)));
    return wish;
}

int cmd_doctor(int argc, char **argv)
{
    bool offline = false;
    const struct option_switch switches[] = {{"offline", &offline}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches};
    struct operate_opts opts = {.command = "doctor", .kind = "doctor", .hurries = true};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (options_settings(&o, SETTINGS_CHECK, &s)) {
        fputs("fail  settings: see above; everything else waits for them\n", stderr);
        settings_free(s);
        return EXIT_FAILED;
    }
    opts.settings = s;
    opts.as_json = o.json;
    opts.asks_nobody = offline;
    code = operate(&opts, wish_of(s, offline));
    settings_free(s);
    return code;
}
