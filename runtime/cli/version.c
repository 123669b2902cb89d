/* SPDX-License-Identifier: Apache-2.0 */
/* version.c - `ringdown version`: what to write into a bug report.
 *
 *   ringdown 0.1.0
 *   commit     4f0c1d2e3a5b           "+" behind it: the tree was changed; or: not from git
 *   built      GNU 12.2.0, RelWithDebInfo
 *   libraries  openssl 3.0.16, ...    those that run, not those of the build */
#include "base/json_out.h"
#include "cli/build_facts.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "io/libraries.h"
#include "lua/libraries.h"
#include "store/libraries.h"

#include <stdio.h>

enum { TEXT_MAX = 8192 };

static const char usage[] =
    "usage: ringdown version [--json]\n\n"
    "Prints the version of this program, what it was built from and by, and the libraries that it\n"
    "runs with. A + behind the commit says that the tree was changed.\n";

static void add_words(void *arg, const char *name, const char *version)
{
    struct buf *out = arg;

    buf_addf(out, "%s%s %s", out->n ? ", " : "", name, version);
}

static void add_member(void *arg, const char *name, const char *version)
{
    struct json_member m = J_STR(name, version);
    struct buf *out = arg;

    (void)json_members(out, (struct json_members){&m, 1}, out->n == 0);
}

static void each_library(library_seen *seen, struct buf *out)
{
    io_libraries(seen, out);
    lua_libraries(seen, out);
    store_libraries(seen, out);
}

static void print_text(const struct build_facts *f, struct buf *libraries)
{
    each_library(add_words, libraries);
    printf("ringdown %s\n", RD_VERSION);
    printf("commit     %s\n", f->commit[0] ? f->commit : "not from git");
    printf("built      %s, %s%s%s%s%s%s\n", f->compiler, f->type, f->sanitizers[0] ? ", " : "",
           f->sanitizers, f->console ? "" : ", without the console", f->built[0] ? ", " : "",
           f->built);
    printf("libraries  %s\n", buf_text(libraries) ? libraries->data : "");
}

static void print_json(const struct build_facts *f, struct buf *libraries)
{
    struct buf out;

    each_library(add_member, libraries);
    buf_add_str(libraries, "}");
    buf_init(&out, TEXT_MAX);
    json_add_object(&out, JSON_MEMBERS(J_STR("version", RD_VERSION),
                                       J_STR("commit", f->commit[0] ? f->commit : NULL),
                                       J_STR("compiler", f->compiler), J_STR("type", f->type),
                                       J_STR("sanitizers", f->sanitizers[0] ? f->sanitizers : NULL),
                                       J_STR("built", f->built[0] ? f->built : NULL),
                                       J_BOOL("console", f->console)));
    if (out.n > 0)
        out.n--; /* its last brace */
    printf("%.*s,\"libraries\":{%s}\n", (int)out.n, out.n ? out.data : "",
           buf_text(libraries) ? libraries->data : "}");
    buf_fini(&out);
}

int cmd_version(int argc, char **argv)
{
    struct options o = {.usage = usage};
    struct buf libraries;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    buf_init(&libraries, TEXT_MAX);
    if (o.json)
        print_json(&build_facts, &libraries);
    else
        print_text(&build_facts, &libraries);
    buf_fini(&libraries);
    return EXIT_OK;
}
