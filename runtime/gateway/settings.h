/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - what the operator configured: one Lua file, the environment over it, every mistake
 * reported at once with its line. Immutable after loading. */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include "base/buf.h"
#include "base/log.h"

#include <stdbool.h>

struct settings {
    char *public_listen, *public_url;
    char *certificate, *private_key, *ca_file; /* "" when off */
    char *admin_listen, *admin_hosts;          /* hosts: names with commas between */
    char *database_url, *data;
    char *agents_path, *agents_source, *agents_watch; /* folder or database; on or off */
    char *library_path;   /* where scripts/ringdown/ is found; RINGDOWN_LIBRARY, else beside the
                             binary */
    char *cluster_secret; /* 32 bytes as hex; made and kept in <data>/secret when not given */
    char *openai_url, *openai_key, *openai_model, *live_url;
    char *openai_shutdowns; /* "model=2027-01-20" lines */
    char *heartbeat_url;
    char *synthetic_to, *synthetic_system, *synthetic_reach; /* to: "" when off */
    int synthetic_every_s, synthetic_first_audio_ms, synthetic_dollars;
    char *twilio_api, *twilio_sid, *twilio_tokens[3]; /* NULL-terminated list of up to two */
    char *vapi_api, *vapi_key, *vapi_secret, *vapi_hmac;
    char *sentry_dsn, *sentry_environment, *sentry_release; /* dsn: "" when off */
    int sentry_failed_calls;              /* in five minutes, before that is reported; 0: never */
    char *smtp_url, *smtp_from, *smtp_ca; /* "" when off */
    char *alert_channels; /* a JSON list, as scripts/ringdown/alerts/channels.lua wants it; "" */
    char *alert_rules;    /* a Lua file; "" */
    char *secrets;        /* of agents, "NAME=value" lines */
    char *http_resolve;   /* "host=address:port" lines */
    char *force;          /* "", "openai", "vapi" */
    char *node_name;      /* in records, alerts and the table of nodes; the host's name */
    enum log_level log_level;
    enum log_format log_format;
    int metrics_agents;                     /* told apart in the metrics */
    int openai_concurrency, twilio_balance; /* 0: not known, not looked at */
    int media_threads, script_threads, max_calls;
    int max_calls_per_caller; /* of one number at once; 0: no limit */
    int caller_flood; /* beyond it, in a minute, that hear the fallback; then: busy. 0: all do */
    int script_deadline_ms; /* how long a webhook waits for its script before the fallback; 2000 */
    int recordings_max_mb;  /* of all recordings together; then no more are made */
    int drain_seconds; /* after SIGTERM, how long calls may go on before the node leaves; 300 */

    char *file;                     /* the configuration file; "" when there is none */
    struct setting_origin *origins; /* owns: where each value came from, in the table's order */
};

/* What the loading is for. SERVE complains of everything missing, makes the data folder and the
 * secret; CHECK complains alike and makes nothing; CLIENT needs only the data folder's name; KEEPER
 * the secret, too. LOOK complains as CHECK does, and goes on all the same: with the defaults in place of what is
 * wrong. */
enum settings_use {
    SETTINGS_SERVE,
    SETTINGS_CLIENT,
    SETTINGS_CHECK,
    SETTINGS_KEEPER,
    SETTINGS_LOOK
};

/* `file` NULL: $RINGDOWN_CONFIG, else ./ringdown.lua if present, else, of a program below /usr,
 * /etc/ringdown/ringdown.lua. On RD_ECONFIG, `complaints` holds
 * one line per mistake: "ringdown.lua:12: public.listne: unknown key; did you mean public.listen?"
 */
int settings_load(struct settings **out, const char *file, enum settings_use use,
                  struct buf *complaints);
void settings_free(struct settings *s);

/* The keys whose values differ, one a line, secrets by name only: what a reload cannot change. */
int settings_diff(const struct settings *a, const struct settings *b, struct buf *out);

/* The settings as key = value lines, secrets hidden; says where each came from. */
int settings_print(const struct settings *s, struct buf *out);
/* All that can be configured, as the table of docs/configuration.md. */
int settings_markdown(struct buf *out);

#endif
