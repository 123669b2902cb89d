/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_settings.h"

#include "gateway/settings_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void forget_environment(void)
{
    size_t n;
    const struct setting *all = settings_table(&n);
    char name[128];

    for (size_t i = 0; i < n; i++) {
        unsetenv(all[i].env);
        snprintf(name, sizeof(name), "%s_FILE", all[i].env);
        unsetenv(name);
    }
    unsetenv("RINGDOWN_CONFIG");
}

/* An empty folder with agents and library in it, and an environment that says nothing. */
int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    forget_environment();
    strcpy(w->dir, "/tmp/settings.XXXXXX");
    if (!getcwd(w->start, sizeof(w->start)) || !mkdtemp(w->dir) || chdir(w->dir) != 0)
        return -1;
    snprintf(w->file, sizeof(w->file), "%s/ringdown.lua", w->dir);
    mkdir("agents", 0700);
    mkdir("lib", 0700);
    mkdir("lib/ringdown", 0700);
    setenv("RINGDOWN_LIBRARY", "./lib", 1);
    buf_init(&w->complaints, 1 << 20);
    *state = w;
    return 0;
}

int world_tear_down(void **state)
{
    struct world *w = *state;
    char command[128];

    settings_free(w->settings);
    buf_fini(&w->complaints);
    snprintf(command, sizeof(command), "rm -rf %s", w->dir);
    if (chdir(w->start) != 0 || system(command) != 0)
        return -1;
    forget_environment();
    free(w);
    return 0;
}

void world_write(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(name, mode);
}

int world_load(struct world *w, enum settings_use use)
{
    settings_free(w->settings);
    w->settings = NULL;
    buf_clear(&w->complaints);
    return settings_load(&w->settings, NULL, use, &w->complaints);
}

const char *world_told(struct world *w)
{
    return buf_text(&w->complaints);
}

unsigned world_lines_told(struct world *w)
{
    unsigned n = 0;

    for (const char *p = world_told(w); *p; p++)
        n += *p == '\n';
    return n;
}

void world_assert_told(struct world *w, const char *line)
{
    if (!strstr(world_told(w), line))
        fail_msg("expected \"%s\" in:\n%s", line, world_told(w));
}

const char world_good[] = "return {\n"
                          "  public = { listen = '127.0.0.1:0', url = 'http://127.0.0.1:8080/' },\n"
                          "  openai = { key = 'sk-test' },\n"
                          "  twilio = { sid = 'AC1', tokens = { 'new', 'old' } },\n"
                          "  media_threads = 3,\n"
                          "}\n";
