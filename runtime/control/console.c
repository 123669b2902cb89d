/* SPDX-License-Identifier: Apache-2.0 */
/* console.c - the console at `/`, out of the binary.
 *
 * - a file is sent as the browser takes it: brotli, gzip, or plain; its hash is its ETag, and who has it
 *   already is told 304
 * - files with a hash in their name are kept by the browser for good, the page is asked for each time
 * - a place in the console (/calls/CA…) is the page, for whoever wants HTML; everybody else is told that there
 *   is nothing there, and below /api nobody is given a page
 * - the page may load and ask nothing but this listener, runs no script that does not come from here, makes none of
 *   a text (the browser refuses it), and stands in no frame of anybody's
 *
 * Failure modes: built without the console (RINGDOWN_CONSOLE=OFF): `/` says how to get it. */
#include "control/console.h"

#include "control/api_request.h"
#include "control/console_files.h"
#include "control/problem.h"

#include <stdio.h>
#include <string.h>

enum { HEADERS_MAX = 1024, TAG_MAX = 32 };

#define PAGE_HEADERS                                                                     \
    "x-content-type-options: nosniff\r\n"                                                \
    "x-frame-options: DENY\r\n"                                                          \
    "referrer-policy: no-referrer\r\n"                                                   \
    "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; " \
    "connect-src 'self'; img-src 'self'; media-src 'self'; frame-ancestors 'none'; "     \
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "          \
    "trusted-types 'none'\r\n"                                                           \
    "permissions-policy: camera=(), geolocation=(), payment=(), usb=()\r\n"              \
    "cross-origin-opener-policy: same-origin\r\n"                                        \
    "cross-origin-resource-policy: same-origin\r\n"

static const char without[] =
    "This ringdown was built without the console (cmake -DRINGDOWN_CONSOLE=OFF).\n\n"
    "To have it: scripts/setup installs nodejs and npm and builds anew; or, by hand,\n"
    "    cmake --preset release -DRINGDOWN_CONSOLE=ON && cmake --build --preset release\n\n"
    "Everything it shows, ringdown status, calls, why, stats and cost show as well, and the API\n"
    "(docs/api.md) at " API_PREFIX ".\n";

static const struct problem only_get = {405,
                                        "method",
                                        "This method is not known here",
                                        "it is looked at, not changed",
                                        "use GET",
                                        "allow: GET, HEAD\r\n"};

static const struct {
    const char *encoding; /* as Accept-Encoding has it */
    const char *header;
    char letter; /* in the ETag: another form is another thing */
} forms[CONSOLE_N_FORMS] = {
    [CONSOLE_PLAIN] = {"identity", "", 'p'},
    [CONSOLE_GZIP] = {"gzip", "content-encoding: gzip\r\n", 'z'},
    [CONSOLE_BROTLI] = {"br", "content-encoding: br\r\n", 'b'},
};

/* ---- what the browser takes ---- */

/* Is `word` one of a list like "gzip;q=0.5, br"? Not with a weight of zero. */
static bool lists(struct rd_str list, struct rd_str word)
{
    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', list.n);
        struct rd_str item = {list.p, comma ? (size_t)(comma - list.p) : list.n};
        const char *rest;

        list.p += item.n + (comma ? 1 : 0);
        list.n -= item.n + (comma ? 1 : 0);
        while (item.n > 0 && *item.p == ' ') {
            item.p++;
            item.n--;
        }
        if (item.n < word.n || memcmp(item.p, word.p, word.n) != 0)
            continue;
        rest = item.p + word.n;
        item.n -= word.n;
        if (item.n == 0 || *rest == ' ' || (*rest == ';' && !memmem(rest, item.n, "q=0", 3)))
            return true;
        if (*rest == ';' && memmem(rest, item.n, "q=0.", 4) && !memmem(rest, item.n, "q=0.0", 5))
            return true;
    }
    return false;
}

static enum console_form form_for(const struct http_request *r)
{
    struct rd_str accepted = http_header(r, "accept-encoding");

    for (int form = CONSOLE_N_FORMS - 1; form > CONSOLE_PLAIN; form--)
        if (lists(accepted, rd_str(forms[form].encoding)))
            return (enum console_form)form;
    return CONSOLE_PLAIN;
}

static bool wants_page(const struct http_request *r)
{
    struct rd_str accept = http_header(r, "accept");

    return lists(accept, RD_STR("text/html"));
}

/* ---- answers ---- */

static bool has_already(const struct http_request *r, const char *tag)
{
    struct rd_str given = http_header(r, "if-none-match");

    return given.n > 0 &&
           (memmem(given.p, given.n, tag, strlen(tag)) || rd_str_eq(given, RD_STR("*")));
}

static void reply(struct http_request *r, const struct console_file *f)
{
    enum console_form form = form_for(r);
    char tag[TAG_MAX], headers[HEADERS_MAX];

    (void)snprintf(tag, sizeof(tag), "\"%s%c\"", f->hash, forms[form].letter);
    (void)snprintf(headers, sizeof(headers),
                   PAGE_HEADERS "etag: %s\r\nvary: accept-encoding\r\ncache-control: %s\r\n%s", tag,
                   f->hashed ? "public, max-age=31536000, immutable" : "no-cache",
                   forms[form].header);
    if (has_already(r, tag))
        http_reply_with(r, 304, NULL, headers, RD_STR(""));
    else
        http_reply_with(r, 200, f->type, headers,
                        (struct rd_str){f->forms[form].p, f->forms[form].n});
}

static const struct console_file *find(struct rd_str path)
{
    for (unsigned i = 0; i < console_n_files; i++)
        if (rd_str_eq(path, rd_str(console_files[i].path)))
            return &console_files[i];
    return NULL;
}

static bool begins(struct rd_str path, struct rd_str with)
{
    return path.n >= with.n && memcmp(path.p, with.p, with.n) == 0;
}

/* The file at this path, or the page at a place in the console. */
static const struct console_file *file_for(const struct http_request *r)
{
    struct rd_str path = http_path(r);
    const struct console_file *f = find(path);

    if (f || begins(path, RD_STR("/assets/")) || begins(path, RD_STR("/api")))
        return f;
    return rd_str_eq(path, RD_STR("/")) || wants_page(r) ? find(RD_STR("/index.html")) : NULL;
}

bool console_serve(struct http_request *r)
{
    const struct console_file *f = file_for(r);
    bool none = console_n_files == 0 && rd_str_eq(http_path(r), RD_STR("/"));

    if (!f && !none)
        return false;
    if (!rd_str_eq(http_method(r), RD_STR("GET")) && !rd_str_eq(http_method(r), RD_STR("HEAD")))
        problem_reply(r, &only_get);
    else if (f)
        reply(r, f);
    else
        http_reply_with(r, 200, "text/plain; charset=utf-8", ADMIN_HEADERS, rd_str(without));
    return true;
}
