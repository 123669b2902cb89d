/* SPDX-License-Identifier: Apache-2.0 */
/* standing.c - numbers for those who judge; what cannot be measured is -1, never a guess. */
#include "gateway/standing.h"

#include "base/json_out.h"
#include "io/tls.h"
#include "providers/openai/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { WHY_MAX = 512, HOST_MAX = 256 };

struct disk {
    int64_t free_mb, percent;
};

static struct disk disk_of(const char *folder)
{
    struct disk d = {-1, -1};
    struct statvfs fs;

    if (folder && statvfs(folder, &fs) == 0 && fs.f_blocks > 0) {
        d.free_mb = (int64_t)(fs.f_bavail * (fs.f_frsize / 1024) / 1024);
        d.percent = (int64_t)(fs.f_bavail * 100 / fs.f_blocks);
    }
    return d;
}

static int64_t descriptors(void)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l))
        return -1;
    return l.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)l.rlim_cur;
}

int standing_json(const struct settings *s, struct buf *out)
{
    struct disk d = disk_of(s->data);

    return json_add_object(
        out,
        JSON_MEMBERS(J_INT("disk_free_mb", d.free_mb), J_INT("disk_free_percent", d.percent),
                     J_INT("descriptors", descriptors()), J_STR("openai_model", s->openai_model),
                     J_STR("transcription_model", OPENAI_TRANSCRIPTION_MODEL),
                     J_STR("shutdowns", s->openai_shutdowns),
                     J_INT("openai_concurrency", s->openai_concurrency),
                     J_INT("twilio_balance", s->twilio_balance),
                     J_STR("heartbeat_url", s->heartbeat_url && s->heartbeat_url[0] ? "set" : ""),
                     J_STR("synthetic_to", s->synthetic_to),
                     J_STR("synthetic_system", s->synthetic_system),
                     J_INT("synthetic_every_s", s->synthetic_every_s),
                     J_INT("synthetic_first_audio_ms", s->synthetic_first_audio_ms),
                     J_INT("synthetic_dollars", s->synthetic_dollars)));
}

/* The name in an address: https://HOST[:port]/… */
static void host_of(const char *url, char out[HOST_MAX])
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    (void)snprintf(out, HOST_MAX, "%.*s", (int)strcspn(host, ":/"), host);
}

static int add_certificate(const struct settings *s, struct buf *out)
{
    struct tls_server *t = NULL;
    char why[WHY_MAX] = "", host[HOST_MAX];
    int64_t left = 0;
    struct tls_chain chain = {.n = 0};
    bool matches = false;
    int rc = 0;

    host_of(s->public_url, host);
    if (s->certificate[0])
        rc = tls_server_new(&t, s->certificate, s->private_key, why, sizeof(why));
    if (t) {
        left = tls_server_expires_in(t);
        matches = tls_server_is_for(t, host);
        (void)tls_chain_look(&chain, s->certificate);
    }
    tls_server_free(t);
    return json_add_object(
        out,
        JSON_MEMBERS(J_BOOL("set", s->certificate[0] != '\0'), J_BOOL("good", rc == 0),
                     J_STR("why", why), J_INT("expires_in_s", left), J_BOOL("matches", matches),
                     J_STR("host", host), J_INT("chain", chain.n), J_BOOL("trusted", chain.trusted),
                     J_STR("untrusted", chain.why), J_INT("chain_expires_in_s", chain.expires_in_s),
                     J_BOOL("own_authority", s->ca_file[0] != '\0')));
}

/* The folder is ours alone: it holds the secret and the journal. */
static int add_data(const struct settings *s, struct buf *out)
{
    struct stat st = {0};
    bool there = stat(s->data, &st) == 0 && S_ISDIR(st.st_mode);

    return json_add_object(out,
                           JSON_MEMBERS(J_STR("path", s->data), J_BOOL("there", there),
                                        J_BOOL("writable", access(s->data, W_OK | X_OK) == 0),
                                        J_BOOL("open", (st.st_mode & (S_IWOTH | S_IROTH)) != 0)));
}

int standing_installed_json(const struct settings *s, struct buf *out)
{
    int rc = buf_add_str(out, "{\"certificate\":");

    if (!rc)
        rc = add_certificate(s, out);
    if (!rc)
        rc = buf_add_str(out, ",\"data\":");
    if (!rc)
        rc = add_data(s, out);
    if (!rc)
        rc = buf_add_str(out, ",\"standing\":");
    if (!rc)
        rc = standing_json(s, out);
    if (!rc)
        rc = buf_add_str(out, ",\"set\":");
    if (!rc)
        rc = json_add_object(
            out, JSON_MEMBERS(J_INT("max_calls", s->max_calls),
                              J_BOOL("channels", s->alert_channels[0] != '\0'),
                              J_BOOL("smtp", s->smtp_url[0] != '\0'),
                              J_BOOL("sentry", s->sentry_dsn[0] != '\0'),
                              J_BOOL("vapi_signed", s->vapi_secret[0] || s->vapi_hmac[0]),
                              J_BOOL("supervised", getenv("NOTIFY_SOCKET") != NULL)));
    return rc ? rc : buf_add_str(out, "}");
}
