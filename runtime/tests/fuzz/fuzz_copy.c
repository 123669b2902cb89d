/* SPDX-License-Identifier: Apache-2.0. module: gateway */
/* fuzz_copy.c - files of the data folder that were damaged, or put there by somebody else: copies of what the
 * database said, releases, orders given at the machine. A copy without our seal is not read; a release that
 * is read can be written again as the same one; an order is one of those there are. Copies of numbers,
 * routing and budgets are made of any rows. First byte: how the rest is taken. */
#include "check.h"

#include "base/err.h"
#include "base/log.h"
#include "gateway/budget_copy.h"
#include "gateway/numbers_copy.h"
#include "gateway/override.h"
#include "gateway/releases_copy.h"
#include "gateway/routing_copy.h"
#include "gateway/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static void remove_folder(void)
{
    static const char *const names[] = {
        "/kept/override.json", "/agents-release.json", "/sealed", "/sealed.part", "/kept", ""};
    char path[128];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", folder, names[i]);
        (void)remove(path);
    }
}

static void quiet(enum log_level level, const char *event, const struct log_field *f, int n)
{
    (void)level, (void)event, (void)f, (void)n;
}

static void make_folder(void)
{
    char kept[128];

    if (folder[0])
        return;
    log_take(quiet);
    (void)snprintf(folder, sizeof(folder), "%s/rd-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    check(mkdtemp(folder) != NULL);
    (void)atexit(remove_folder);
    (void)snprintf(kept, sizeof(kept), "%s/kept", folder);
    check(mkdir(kept, 0700) == 0);
}

static void put(const char *name, struct rd_str text, char path[128])
{
    int fd;

    (void)snprintf(path, 128, "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0 && (text.n == 0 || write(fd, text.p, text.n) == (ssize_t)text.n));
    check(close(fd) == 0);
}

/* A folder may be called "a..": only ".." by itself leads up. */
static bool leads_up(const char *path)
{
    size_t n = strlen(path);

    return !strncmp(path, "../", 3) || strstr(path, "/../") ||
           (n >= 3 && !strcmp(path + n - 3, "/.."));
}

static void try_release(struct rd_str text)
{
    struct tree *t, *again;
    char path[128], why[256];
    struct buf out;
    int64_t id;

    put("agents-release.json", text, path);
    if (release_copy_read(folder, &t, &id))
        return;
    check(tree_count(t) <= TREE_FILES_MAX);
    for (size_t i = 0; i < tree_count(t); i++) {
        const char *p = tree_at(t, i).path;

        check(p[0] && p[0] != '/' && !leads_up(p) && strlen(p) < TREE_PATH);
        check(tree_find(t, p).p != NULL);
    }
    buf_init(&out, 1 << 26);
    if (tree_to_json(t, &out, why, sizeof(why)) == 0) {
        check(tree_from_json(&again, (struct rd_str){out.data, out.n}, why, sizeof(why)) == 0);
        check(strcmp(tree_hash(t), tree_hash(again)) == 0);
        tree_unref(again);
    }
    buf_fini(&out);
    tree_unref(t);
}

static void try_override(struct rd_str text)
{
    struct override_order order;
    struct override *o;
    const char *force;
    char path[128];

    put("kept/override.json", text, path);
    check(override_new(&o, folder) == 0);
    override_look(o);
    force = override_force(o);
    check(!force || !strcmp(force, "off") || !strcmp(force, "openai") || !strcmp(force, "vapi"));
    if (override_of(o, RD_STR("sales"), &order)) {
        check(order.force || order.has_rollback);
        check(!order.has_rollback || (order.rollback_bp >= 0 && order.rollback_bp <= 10000));
    }
    check(unlink(path) == 0);
    override_look(o); /* it is gone, and with it its alarm */
    check(!override_force(o) && !override_of(o, RD_STR("sales"), &order));
    override_free(o);
}

/* Cells between tabs and rows between lines, as the database would have said them; "\\N" is null. */
static struct answer *rows_of(struct rd_str text, int n_columns)
{
    struct answer *a = calloc(1, sizeof(*a));
    int column = 0;

    check(a != NULL);
    a->n_columns = n_columns;
    buf_init(&a->cells, 1 << 22);
    while (text.n > 0 || column > 0) {
        size_t n = 0;
        int32_t length;

        while (n < text.n && text.p[n] != '\t' && text.p[n] != '\n')
            n++;
        length = n == 2 && memcmp(text.p, "\\N", 2) == 0 ? -1 : (int32_t)n;
        check(buf_add(&a->cells, &length, sizeof(length)) == 0);
        check(length <= 0 || buf_add(&a->cells, text.p, n) == 0);
        n += n < text.n;
        text.p += n;
        text.n -= n;
        column = (column + 1) % n_columns;
        a->n_rows += column == 0;
    }
    return a;
}

static void try_numbers(struct rd_str text)
{
    struct rd_str agent = {0}, site = {0};
    struct numbers_copy *c, *again;
    char path[128];

    if (numbers_copy_new(&c, rows_of(text, NUMBERS_COLUMNS)))
        return;
    put("sealed", RD_STR(""), path);
    check(numbers_copy_save(c, path, "secret") == 0);
    check(numbers_copy_load(&again, path, "another") == RD_EAUTH);
    check(numbers_copy_load(&again, path, "secret") == 0);
    check(numbers_copy_version(c) == numbers_copy_version(again));
    check(numbers_copy_find(c, RD_STR("+13125550100"), &agent, &site) ==
          numbers_copy_find(again, RD_STR("+13125550100"), &agent, &site));
    numbers_copy_unref(again);
    numbers_copy_unref(c);
}

static void try_routing(struct rd_str text)
{
    struct followed *f;

    if (routing_copy_new(&f, rows_of(text, ROUTING_COLUMNS)) == 0) {
        const struct routing_copy *c = (const struct routing_copy *)(const void *)f;
        const char *listed = routing_copy_listed(c, RD_STR("sales"), RD_STR("+13125550142"));

        check(!listed || !strcmp(listed, "deny") || !strcmp(listed, "allow"));
        (void)routing_copy_listed(c, RD_STR("sales"), text);
        (void)routing_copy_force(c);
        (void)routing_copy_plan(c, RD_STR("sales"));
        followed_unref(f);
    }
    if (budget_copy_new(&f, rows_of(text, BUDGET_COLUMNS)) == 0) {
        (void)budget_copy_is_spent(f, RD_STR("sales"), 1795600000);
        for (size_t i = 0; i < budget_copy_calls(f); i++)
            check(budget_copy_call(f, i).p != NULL);
        followed_unref(f);
    }
}

static void try_seal(struct rd_str text)
{
    struct answer *a;
    char path[128];

    put("sealed", text, path);
    check(sealed_load(&a, NUMBERS_MAGIC "\0", NUMBERS_COLUMNS, path, "secret") == RD_EAUTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd_str text = {(const char *)data + 1, size - 1};

    if (size == 0)
        return 0;
    make_folder();
    switch (data[0] % 4) {
    case 0:
        try_release(text);
        break;
    case 1:
        try_override(text);
        break;
    case 2:
        try_numbers(text);
        try_routing(text);
        break;
    default:
        try_seal(text);
        break;
    }
    return 0;
}
