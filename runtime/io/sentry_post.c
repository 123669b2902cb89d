/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_post.c - see sentry_post.h. A body that is worth it goes packed; of an answer only its status and
 * the limits it sets are looked at. */
#include "io/sentry_post.h"

#include "base/buf.h"
#include "base/now.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { CONNECT_MS = 2000, TOTAL_MS = 10000, GZIP_MIN = 1024, HEADER_MAX = 1024 };

struct sentry_post {
    struct sentry_queue *queue; /* borrows */
    CURL *curl;                 /* owns, as the following */
    struct curl_slist *headers, *gzip_headers;
    char limits[HEADER_MAX], retry_after[64];
    _Atomic uint64_t cut_ms; /* monotonic: what is on its way then is given up; 0: it may go on */
};

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    size_t *left = arg;

    (void)bytes;
    if (size * n > *left)
        return 0; /* more than an answer is */
    *left -= size * n;
    return size * n;
}

static void keep_header(char *out, size_t cap, struct rd_str line, const char *name)
{
    size_t n = strlen(name);

    if (line.n <= n || strncasecmp(line.p, name, n) != 0)
        return;
    for (line.p += n, line.n -= n; line.n && (*line.p == ' ' || *line.p == '\t'); line.n--)
        line.p++;
    while (line.n && (unsigned char)line.p[line.n - 1] <= ' ')
        line.n--;
    rd_str_copy(out, cap, line);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct sentry_post *p = arg;
    struct rd_str line = {bytes, size * n};

    keep_header(p->limits, sizeof(p->limits), line, "x-sentry-rate-limits:");
    keep_header(p->retry_after, sizeof(p->retry_after), line, "retry-after:");
    return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return sentry_post_is_cut(arg);
}

static bool gzip(struct buf *out, struct rd_str in)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.n};
    bool done;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    done = buf_reserve(out, deflateBound(&z, in.n)) == 0;
    if (done) {
        z.next_out = (Bytef *)out->data;
        z.avail_out = (uInt)out->cap;
        done = deflate(&z, Z_FINISH) == Z_STREAM_END;
        out->n = z.total_out;
    }
    (void)deflateEnd(&z);
    return done;
}

static bool set_up(struct sentry_post *p, const struct sentry_dsn *dsn, const char *ca_file)
{
    CURL *c = p->curl = curl_easy_init();
    CURLcode bad = CURLE_OK;

    if (!c)
        return false;
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, p);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, p);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    bad |= curl_easy_setopt(c, CURLOPT_USERAGENT, "ringdown/" RD_VERSION);
    bad |= curl_easy_setopt(c, CURLOPT_URL, dsn->url);
    if (ca_file)
        bad |= curl_easy_setopt(c, CURLOPT_CAINFO, ca_file);
    return bad == CURLE_OK;
}

static struct curl_slist *headers(const char *auth, bool gzipped)
{
    const char *const list[] = {auth, "Content-Type: application/x-sentry-envelope",
                                "Expect:", gzipped ? "Content-Encoding: gzip" : NULL};
    struct curl_slist *out = NULL;

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]) && list[i]; i++) {
        struct curl_slist *more = curl_slist_append(out, list[i]);

        if (!more) {
            curl_slist_free_all(out);
            return NULL;
        }
        out = more;
    }
    return out;
}

static bool fill(struct sentry_post *p, const struct sentry_dsn *dsn, const char *ca_file)
{
    char *auth;

    if (asprintf(&auth,
                 "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=ringdown/" RD_VERSION
                 ", sentry_key=%s%s%s",
                 dsn->key, *dsn->secret ? ", sentry_secret=" : "", dsn->secret) < 0)
        return false;
    p->headers = headers(auth, false);
    p->gzip_headers = headers(auth, true);
    free(auth);
    return p->headers && p->gzip_headers && set_up(p, dsn, ca_file);
}

int sentry_post_new(struct sentry_post **out, const struct sentry_dsn *dsn, const char *ca_file,
                    struct sentry_queue *queue)
{
    struct sentry_post *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->queue = queue;
    if (!fill(p, dsn, ca_file)) {
        sentry_post_free(p);
        return -ENOMEM;
    }
    *out = p;
    return 0;
}

void sentry_post_free(struct sentry_post *p)
{
    if (!p)
        return;
    curl_easy_cleanup(p->curl);
    curl_slist_free_all(p->headers);
    curl_slist_free_all(p->gzip_headers);
    free(p);
}

long sentry_post(struct sentry_post *p, struct rd_str envelope)
{
    size_t left = (size_t)64 * 1024;
    struct buf packed;
    CURLcode code;
    long status = 0;
    bool small;

    buf_init(&packed, 2 * (size_t)SENTRY_ENVELOPE_MAX);
    small = envelope.n > GZIP_MIN && gzip(&packed, envelope);
    *p->limits = *p->retry_after = '\0';
    curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, small ? p->gzip_headers : p->headers);
    curl_easy_setopt(p->curl, CURLOPT_POSTFIELDSIZE, (long)(small ? packed.n : envelope.n));
    curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, small ? packed.data : envelope.p);
    curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, &left);
    code = curl_easy_perform(p->curl);
    curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status);
    buf_fini(&packed);
    if (status > 0)
        sentry_answered(p->queue, status, p->limits, p->retry_after, monotonic_ms());
    return code == CURLE_OK ? status : 0;
}

void sentry_post_cut(struct sentry_post *p, uint64_t at_ms)
{
    atomic_store(&p->cut_ms, at_ms);
}

bool sentry_post_is_cut(const struct sentry_post *p)
{
    uint64_t cut = atomic_load(&p->cut_ms);

    return cut && monotonic_ms() >= cut;
}
