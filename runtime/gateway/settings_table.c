/* SPDX-License-Identifier: Apache-2.0 */
/* settings_table.c - what can be configured, and what a value must look like.
 *
 * A new setting is one line in the table, one field in struct settings, and one line in the table of
 * docs/configuration.md, as `ringdown check --markdown` prints it; `remedy` makes it needed to serve.
 * Rules that look at two settings at once are in settings.c. */
#include "gateway/settings_table.h"
#include "base/err.h"
#include "base/json.h"
#include "base/lines.h"
#include "observe/families.h"
#include "observe/sentry.h"
#include "store/database.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT(field) .offset = offsetof(struct settings, field)

static const struct setting table[] = {
    {"public.listen", "RINGDOWN_LISTEN", SETTING_ADDRESS, "0.0.0.0:8080", AT(public_listen),
     .about = "where webhooks and streams arrive"},
    {"public.url", "RINGDOWN_PUBLIC_URL", SETTING_URL, "", AT(public_url), .allowed = "https http",
     .about = "the address Twilio reaches this node by; http:// for development",
     .remedy = "give the address that Twilio reaches, such as https://calls.example.com"},
    {"public.certificate", "RINGDOWN_TLS_CERT", SETTING_FILE, "", AT(certificate),
     .about = "certificate chain (PEM) for TLS on public.listen"},
    {"public.private_key", "RINGDOWN_TLS_KEY", SETTING_FILE, "", AT(private_key),
     .about = "private key (PEM) of public.certificate"},
    {"ca_file", "RINGDOWN_CA_FILE", SETTING_FILE, "", AT(ca_file),
     .about = "whom to trust (PEM) instead of the system's authorities"},
    {"admin.listen", "RINGDOWN_ADMIN_LISTEN", SETTING_ADDRESS, "127.0.0.1:8081", AT(admin_listen),
     .about = "where the admin API listens: loopback, with a proxy that speaks TLS before it"},
    {"admin.hosts", "RINGDOWN_ADMIN_HOSTS", SETTING_TEXT, "", AT(admin_hosts),
     .about = "names the admin API is asked by, besides this machine's; with commas between"},
    {"database.url", "DATABASE_URL", SETTING_URL, "", AT(database_url),
     .allowed = "postgresql postgres", .secret = true,
     .about = "PostgreSQL; a private cluster in the data folder when off"},
    {"data", "RINGDOWN_DATA", SETTING_FOLDER, "./var", AT(data),
     .about = "folder for the control socket, the secret and what must be kept"},
    {"agents.path", "RINGDOWN_AGENTS", SETTING_FOLDER, "./agents", AT(agents_path),
     .about = "folder of the agents' Lua files"},
    {"agents.source", "RINGDOWN_AGENTS_SOURCE", SETTING_CHOICE, "folder", AT(agents_source),
     .allowed = "folder database",
     .about = "where agents come from: agents.path, or what `ringdown agents publish` put there"},
    {"agents.watch", "RINGDOWN_AGENTS_WATCH", SETTING_CHOICE, "on", AT(agents_watch),
     .allowed = "on off", .about = "a change in agents.path is taken at once; off: by SIGHUP only"},
    {"library", "RINGDOWN_LIBRARY", SETTING_FOLDER, NULL, AT(library_path),
     .about = "folder that holds ringdown/agent.lua; found beside the program"},
    {"cluster.secret", "RINGDOWN_SECRET", SETTING_HEX, NULL, AT(cluster_secret), .secret = true,
     .about = "signs stream tokens; made at first start, the same on all nodes"},
    {"node.name", "RINGDOWN_NODE", SETTING_TEXT, NULL, AT(node_name),
     .about = "this node in records and alerts; the host's name"},
    {"openai.url", "OPENAI_REALTIME_URL", SETTING_URL, "wss://api.openai.com/v1/realtime",
     AT(openai_url), .allowed = "wss ws", .about = "OpenAI's Realtime API"},
    {"openai.live_url", "OPENAI_LIVE_URL", SETTING_URL, "wss://api.openai.com/v1/live/sessions",
     AT(live_url), .allowed = "wss ws",
     .about = "OpenAI's GPT-Live, for agents with api = \"live\" (experimental)"},
    {"openai.key", "OPENAI_API_KEY", SETTING_TEXT, "", AT(openai_key), .secret = true,
     .about = "OpenAI API key",
     .remedy = "make a key at https://platform.openai.com/api-keys and give it here"},
    {"openai.model", "OPENAI_REALTIME_MODEL", SETTING_TEXT, "gpt-realtime-2.1", AT(openai_model),
     .about = "the model, for agents that name none"},
    {"openai.concurrency", "OPENAI_CONCURRENCY", SETTING_NUMBER, "0", AT(openai_concurrency),
     .min = 0, .max = 100000,
     .about = "sessions at once that the OpenAI account may have: told when it is near; 0: not "
              "known"},
    {"openai.shutdowns", "OPENAI_SHUTDOWNS", SETTING_MAP, "", AT(openai_shutdowns),
     .about =
         "models and the day they are shut down, as NAME = \"2027-01-20\"; over those that are "
         "known"},
    {"twilio.api", "TWILIO_API_URL", SETTING_URL, "https://api.twilio.com", AT(twilio_api),
     .allowed = "https http", .about = "Twilio's REST API"},
    {"twilio.sid", "TWILIO_ACCOUNT_SID", SETTING_TEXT, "", AT(twilio_sid),
     .about = "Twilio account (AC...)"},
    {"twilio.tokens", "TWILIO_AUTH_TOKEN", SETTING_TOKENS, "", AT(twilio_tokens), .secret = true,
     .about = "Twilio auth token, or two of them with a comma while rotating",
     .remedy = "copy the auth token from https://console.twilio.com; without it no webhook can be "
               "trusted"},
    {"twilio.balance", "TWILIO_BALANCE", SETTING_NUMBER, "20", AT(twilio_balance), .min = 0,
     .max = 1000000, .about = "told when the account holds less, in its currency; 0: never"},
    {"vapi.api", "VAPI_API_URL", SETTING_URL, "https://api.vapi.ai", AT(vapi_api),
     .allowed = "https http", .about = "Vapi's REST API"},
    {"vapi.key", "VAPI_API_KEY", SETTING_TEXT, "", AT(vapi_key), .secret = true,
     .about = "Vapi private key"},
    {"vapi.secret", "VAPI_WEBHOOK_SECRET", SETTING_TEXT, "", AT(vapi_secret), .secret = true,
     .about = "secret that Vapi sends with its webhooks"},
    {"vapi.hmac", "VAPI_WEBHOOK_HMAC", SETTING_TEXT, "", AT(vapi_hmac), .secret = true,
     .about = "key that Vapi signs its webhooks with (HMAC-SHA256)"},
    {"sentry.dsn", "SENTRY_DSN", SETTING_URL, "", AT(sentry_dsn), .allowed = "https http",
     .secret = true, .about = "where errors are reported"},
    {"sentry.environment", "SENTRY_ENVIRONMENT", SETTING_TEXT, "production", AT(sentry_environment),
     .about = "which of several installations this is"},
    {"sentry.release", "SENTRY_RELEASE", SETTING_TEXT, "ringdown@" RD_VERSION, AT(sentry_release),
     .about = "what errors are compared by"},
    {"sentry.failed_calls", "RINGDOWN_SENTRY_FAILED_CALLS", SETTING_NUMBER, "10",
     AT(sentry_failed_calls), .min = 0, .max = 100000,
     .about = "failed calls in five minutes that are an error of their own; 0: never"},
    {"smtp.url", "SMTP_URL", SETTING_URL, "", AT(smtp_url), .allowed = "smtps smtp", .secret = true,
     .about = "mail server for alerts"},
    {"smtp.from", "SMTP_FROM", SETTING_TEXT, "", AT(smtp_from),
     .about = "the address that mails come from"},
    {"smtp.ca", "SMTP_CA_FILE", SETTING_FILE, "", AT(smtp_ca),
     .about = "whom to trust (PEM) as the mail server's authority; ca_file, else the system's"},
    {"alerts.channels", "RINGDOWN_ALERT_CHANNELS", SETTING_LIST, "", AT(alert_channels),
     .secret = true, .about = "whom alerts are told to: mail and webhooks"},
    {"alerts.rules", "RINGDOWN_ALERT_RULES", SETTING_FILE, "", AT(alert_rules),
     .about = "a Lua file with rules of your own, and changes of those that are there"},
    {"secrets", "RINGDOWN_SECRETS", SETTING_MAP, "", AT(secrets), .secret = true,
     .about = "what agents name in needs.secrets; else the environment variable of that name"},
    {"http.resolve", "RINGDOWN_HTTP_RESOLVE", SETTING_MAP, "", AT(http_resolve),
     .about = "points hosts of needs.hosts to an address, such as a double on this machine"},
    {"heartbeat.url", "RINGDOWN_HEARTBEAT_URL", SETTING_URL, "", AT(heartbeat_url),
     .allowed = "https http", .secret = true,
     .about = "asked each minute by the node that leads while it is well: a dead-man's switch "
              "elsewhere"},
    {"synthetic.to", "RINGDOWN_SYNTHETIC_TO", SETTING_TEXT, "", AT(synthetic_to),
     .about =
         "an agent or a number that the cluster rings by itself, to know that calls get through"},
    {"synthetic.every_s", "RINGDOWN_SYNTHETIC_EVERY_S", SETTING_NUMBER, "900",
     AT(synthetic_every_s), .min = 30, .max = 86400,
     .about = "seconds from one such call to the next"},
    {"synthetic.system", "RINGDOWN_SYNTHETIC_SYSTEM", SETTING_CHOICE, "openai",
     AT(synthetic_system), .allowed = "openai vapi",
     .about = "which system answers them; vapi: over a bridge only"},
    {"synthetic.first_audio_ms", "RINGDOWN_SYNTHETIC_FIRST_AUDIO_MS", SETTING_NUMBER, "4000",
     AT(synthetic_first_audio_ms), .min = 100, .max = 30000,
     .about = "such a call fails when the agent is not heard so soon after it answered"},
    {"synthetic.dollars", "RINGDOWN_SYNTHETIC_DOLLARS", SETTING_NUMBER, "5", AT(synthetic_dollars),
     .min = 0, .max = 100000,
     .about = "what they may cost in a day (UTC), then there are none; 0: no limit"},
    {"synthetic.reach", "RINGDOWN_SYNTHETIC_REACH", SETTING_URL, "", AT(synthetic_reach),
     .allowed = "http https",
     .about =
         "where to find public.url from here, such as http://127.0.0.1:8080; by its name when off"},
    {"log.level", "RINGDOWN_LOG", SETTING_CHOICE, "info", AT(log_level),
     .allowed = "error warn info debug", .index = true, .about = "how much is logged"},
    {"log.format", "RINGDOWN_LOG_FORMAT", SETTING_CHOICE, "logfmt", AT(log_format),
     .allowed = "logfmt json", .index = true, .about = "how it is logged"},
    {"metrics.agents", "RINGDOWN_METRICS_AGENTS", SETTING_NUMBER, "64", AT(metrics_agents),
     .min = 1, .max = METRIC_AGENTS_MAX,
     .about = "agents with numbers of their own in the metrics; further ones are other"},
    {"media_threads", "RINGDOWN_MEDIA_THREADS", SETTING_NUMBER, NULL, AT(media_threads), .min = 1,
     .max = 64, .about = "threads that move audio; half of the cores"},
    {"script_threads", "RINGDOWN_SCRIPT_THREADS", SETTING_NUMBER, NULL, AT(script_threads),
     .min = 1, .max = 64, .about = "threads that run agents; half of the cores"},
    {"max_calls", "RINGDOWN_MAX_CALLS", SETTING_NUMBER, NULL, AT(max_calls), .min = 1,
     .max = 100000, .about = "calls at once; 200 for each media thread"},
    {"max_calls_per_caller", "RINGDOWN_MAX_CALLS_PER_CALLER", SETTING_NUMBER, "3",
     AT(max_calls_per_caller), .min = 0, .max = 100000,
     .about = "calls at once from one number; 0: no limit"},
    {"caller_flood", "RINGDOWN_CALLER_FLOOD", SETTING_NUMBER, "5", AT(caller_flood), .min = 0,
     .max = 60000,
     .about = "calls of one number in a minute beyond max_calls_per_caller that hear the fallback; "
              "further ones are told that the line is busy, unanswered; 0: all hear the fallback"},
    {"script_deadline_ms", "RINGDOWN_SCRIPT_DEADLINE_MS", SETTING_NUMBER, "2000",
     AT(script_deadline_ms), .min = 100, .max = 10000,
     .about = "how long a webhook waits for its script before the fallback"},
    {"drain_seconds", "RINGDOWN_DRAIN_SECONDS", SETTING_NUMBER, "300", AT(drain_seconds), .min = 0,
     .max = 86400, .about = "after SIGTERM, how long calls may go on"},
    {"recordings.max_mb", "RINGDOWN_RECORDINGS_MAX_MB", SETTING_NUMBER, "10240",
     AT(recordings_max_mb), .min = 1, .max = 100000000,
     .about = "room for all recordings together; when it is full no more are made"},
    {"force", "RINGDOWN_FORCE", SETTING_CHOICE, "off", AT(force), .allowed = "off openai vapi",
     .about = "sends every new call there, whatever else is broken"},
};
_Static_assert(sizeof(table) / sizeof(table[0]) <= SETTINGS_MAX, "SETTINGS_MAX is too small");

const struct setting *settings_table(size_t *n)
{
    *n = sizeof(table) / sizeof(table[0]);
    return table;
}

int setting_find(const char *key)
{
    if (strcmp(key, "twilio.token") == 0) /* one token reads better so */
        key = "twilio.tokens";
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i].key, key) == 0)
            return (int)i;
    return -1;
}

bool setting_is_group(const char *prefix)
{
    size_t n = strlen(prefix);

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strncmp(table[i].key, prefix, n) == 0 && table[i].key[n] == '.')
            return true;
    return false;
}

/* ---- what a value must look like: each says in `why` what is allowed ---- */

static bool port_valid(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n > 0 && n <= 5 && text[n] == '\0' && atoi(text) <= 65535;
}

static bool host_valid(const char *p, size_t n)
{
    if (n == 0 || n > 253)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)p[i]) && !strchr(".-_", p[i]))
            return false;
    return true;
}

/* host, host:port, [v6], [v6]:port. `port` becomes NULL when there is none. */
static bool authority_valid(const char *text, size_t n, const char **port)
{
    const char *colon;

    *port = NULL;
    if (n > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', n);
        size_t host = close ? (size_t)(close - text) - 1 : 0;

        if (!close || host == 0 || strspn(text + 1, "0123456789abcdefABCDEF:.") != host)
            return false;
        if (close + 1 == text + n)
            return true;
        *port = close + 2;
        return close[1] == ':';
    }
    colon = memchr(text, ':', n);
    if (colon)
        *port = colon + 1;
    return host_valid(text, colon ? (size_t)(colon - text) : n);
}

static bool address_valid(const char *text, char *why, size_t cap)
{
    const char *port;

    if (authority_valid(text, strlen(text), &port) && port && port_valid(port))
        return true;
    snprintf(why, cap, "\"%.80s\" is no address; allowed: host:port with a port from 0 to 65535",
             text);
    return false;
}

int setting_word(const char *list, const char *word, size_t n)
{
    int i = 0;

    for (const char *p = list; *p; i++) {
        size_t m = strcspn(p, " ");

        if (m == n && memcmp(p, word, n) == 0)
            return i;
        p += m + (p[m] == ' ');
    }
    return -1;
}

static bool dsn_valid(const char *text, char *why, size_t cap)
{
    struct sentry_dsn dsn;

    snprintf(why, cap, "is no DSN; expected https://key@host/project");
    return sentry_dsn_parse(&dsn, text) == 0;
}

static bool url_valid(const struct setting *s, const char *text, char *why, size_t cap)
{
    const char *host = strstr(text, "://"), *port, *at;
    size_t n;
    char port_text[8];

    if (!host || setting_word(s->allowed, text, (size_t)(host - text)) < 0) {
        const char *space = strchr(s->allowed, ' ');
        int first = (int)strcspn(s->allowed, " ");

        /* A secret's text is not shown: a password may stand in it. */
        snprintf(why, cap, "must start with %.*s://%s%s%s%s%.100s", first, s->allowed,
                 space ? " or " : "", space ? space + 1 : "", space ? "://" : "",
                 s->secret ? "" : "; it is ", s->secret ? "" : text);
        return false;
    }
    host += 3;
    for (const char *p = text; *p; p++) {
        if (*p <= ' ' || *p == '"' || *p == '<' || *p == '>' || *p == '\\' || *p & 0x80) {
            snprintf(why, cap, "must not hold spaces, quotes or letters outside ASCII");
            return false;
        }
    }
    if (strcmp(s->key, "sentry.dsn") == 0 && !dsn_valid(text, why, cap))
        return false;
    if (strcmp(s->key, "database.url") == 0) /* several hosts, or none: a socket */
        return database_url_valid(text, why, cap);
    n = strcspn(host, "/?#");
    at = memchr(host, '@', n);
    if (at && s->secret) { /* user:password@ belongs to mail and Sentry addresses only */
        n -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    /* A database's socket folder stands in the query: postgresql:///name?host=/run/postgresql */
    if (n == 0 && strcmp(s->key, "database.url") == 0)
        return true;
    if (!authority_valid(host, n, &port)) {
        snprintf(why, cap,
                 "has no host that can be read; expected scheme://host or "
                 "scheme://host:port");
        return false;
    }
    if (port) {
        rd_str_copy(port_text, sizeof(port_text), (struct rd_str){port, (size_t)(host + n - port)});
        if (!port_valid(port_text) || atoi(port_text) == 0) {
            snprintf(why, cap, "has a bad port; allowed: 1 to 65535");
            return false;
        }
    }
    if (strcmp(s->key, "public.url") == 0 && strpbrk(host, "?#")) {
        snprintf(why, cap, "must not have a query or fragment: paths are added to it");
        return false;
    }
    return true;
}

static bool file_valid(const char *text, char *why, size_t cap)
{
    struct stat st;
    int err = stat(text, &st) != 0 ? errno : access(text, R_OK) != 0 ? errno : 0;

    if (!err && S_ISREG(st.st_mode))
        return true;
    snprintf(why, cap, "cannot read \"%.200s\": %s", text,
             err ? rd_strerror(-err) : "it is not a file");
    return false;
}

static bool number_valid(const struct setting *s, const char *text, char *why, size_t cap)
{
    char *end;
    long v;

    errno = 0;
    v = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && v >= s->min && v <= s->max)
        return true;
    snprintf(why, cap, "\"%.40s\" is not allowed; allowed: a whole number from %d to %d", text,
             s->min, s->max);
    return false;
}

static bool hex_valid(const char *text, char *why, size_t cap)
{
    if (strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64)
        return true;
    snprintf(why, cap, "must be 64 hex digits; make one with: openssl rand -hex 32");
    return false;
}

static bool tokens_valid(const char *text, char *why, size_t cap)
{
    size_t commas = 0;

    for (const char *p = text; *p; p++) {
        bool lonely = *p == ',' && (p == text || p[1] == '\0' || p[1] == ',');

        commas += *p == ',';
        if (lonely || commas > 1 || !isgraph((unsigned char)*p)) {
            snprintf(why, cap, "allowed: one token, or two with a comma and no space between");
            return false;
        }
    }
    return true;
}

static bool text_valid(const struct setting *s, const char *text, char *why, size_t cap)
{
    for (const char *p = text; *p; p++) {
        if (*p <= ' ' || *p == 0x7f || *p & 0x80) {
            snprintf(why, cap, "must not hold spaces, line ends or letters outside ASCII");
            return false;
        }
    }
    if (strcmp(s->key, "twilio.sid") == 0 && text[0] && strncmp(text, "AC", 2) != 0) {
        snprintf(why, cap, "must be the account's SID, which starts with AC");
        return false;
    }
    return true;
}

static bool choice_valid(const struct setting *s, const char *text, char *why, size_t cap)
{
    if (setting_word(s->allowed, text, strlen(text)) >= 0)
        return true;
    snprintf(why, cap, "\"%.40s\" is not allowed; allowed: %s", text, s->allowed);
    return false;
}

static bool is_env_name(struct rd_str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
            return false;
    return name.n > 0 && name.n <= 64 && !isdigit((unsigned char)name.p[0]);
}

/* 127.0.0.1:9443 or [::1]:9443; a name would ask DNS again. */
static bool is_pointed(struct rd_str value)
{
    char text[64] = "", host[64] = "";
    const char *port;
    uint8_t bytes[16];
    bool v6;
    size_t n;

    if (!rd_str_copy(text, sizeof(text), value) || !authority_valid(text, value.n, &port) || !port)
        return false;
    v6 = text[0] == '[';
    n = (size_t)(port - text) - 1;
    rd_str_copy(host, sizeof(host), (struct rd_str){text + v6, n - 2 * (size_t)v6});
    return inet_pton(v6 ? AF_INET6 : AF_INET, host, bytes) == 1 && port_valid(port) && atoi(port);
}

static bool map_valid(const struct setting *s, const char *text, char *why, size_t cap)
{
    struct rd_str name, value;

    while (lines_next(&text, &name, &value)) {
        if (!s->secret && (!host_valid(name.p, name.n) || !is_pointed(value))) {
            snprintf(why, cap, "\"%.*s=%.*s\" is not allowed; allowed: host = \"address:port\"",
                     (int)(name.n < 80 ? name.n : 80), name.p, (int)(value.n < 80 ? value.n : 80),
                     value.p);
            return false;
        }
        if (s->secret && (!is_env_name(name) || value.n == 0 || value.n > 4096)) {
            snprintf(why, cap,
                     "\"%.*s\" is not allowed; allowed: a name of letters, digits and _, "
                     "and a text of 1 to 4096 bytes",
                     (int)(name.n < 64 ? name.n : 64), name.p);
            return false;
        }
    }
    return true;
}

static bool list_valid(const char *text, char *why, size_t cap)
{
    struct json_value v;

    if (json_parse(rd_str(text), &v) == 0 && v.type == JSON_ARRAY)
        return true;
    (void)snprintf(why, cap,
                   "must be a list of tables; in the environment, a list of JSON objects");
    return false;
}

bool setting_valid(const struct setting *s, const char *text, char *why, size_t cap)
{
    if (text[0] == '\0' && s->type != SETTING_NUMBER) {
        if (!s->fallback || s->fallback[0] == '\0')
            return true; /* off */
        snprintf(why, cap, "must not be empty; the default is %s", s->fallback);
        return false;
    }
    switch (s->type) {
    case SETTING_ADDRESS:
        return address_valid(text, why, cap);
    case SETTING_URL:
        return url_valid(s, text, why, cap);
    case SETTING_FILE:
        return file_valid(text, why, cap);
    case SETTING_CHOICE:
        return choice_valid(s, text, why, cap);
    case SETTING_NUMBER:
        return number_valid(s, text, why, cap);
    case SETTING_HEX:
        return hex_valid(text, why, cap);
    case SETTING_TOKENS:
        return tokens_valid(text, why, cap);
    case SETTING_MAP:
        return map_valid(s, text, why, cap);
    case SETTING_LIST:
        return list_valid(text, why, cap);
    case SETTING_FOLDER:
        return true; /* looked at when the use is known */
    case SETTING_TEXT:
        break;
    }
    return text_valid(s, text, why, cap);
}
