/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - one number per fact: counters, gauges and histograms, known at compile time. What is told
 * apart by agent, system or tool is in families.h; how all of them look to Prometheus is in prometheus.h.
 *
 * Counting is one relaxed atomic add in the thread's own shard, so that two media threads never
 * fight for a cache line; reading adds the shards up. No locks, no allocation, no names at run
 * time. Any thread. A new number is one line in a table below. */
#ifndef OBSERVE_METRICS_H
#define OBSERVE_METRICS_H

#include "base/buf.h"
#include "observe/families.h"

#include <stdint.h>

#define METRIC_COUNTERS(X)                                                                         \
    X(M_CALLS_ANSWERED, "calls_answered", "calls whose stream started")                            \
    X(M_CALLS_ENDED, "calls_ended", "calls that ended, for whatever reason")                       \
    X(M_CALLS_TO_VAPI, "calls_to_vapi", "webhooks answered with a redirect to Vapi")               \
    X(M_VAPI_DROPPED, "vapi_dropped", "costs and metrics of Vapi too long to be kept")             \
    X(M_CALLS_FAILED_OVER, "calls_failed_over", "calls that the other system had to take")         \
    X(M_CALLS_FALLBACK, "calls_fallback", "webhooks answered with the fallback")                   \
    X(M_REFUSED_SIGNATURE, "refused_signature", "requests and upgrades without a good signature")  \
    X(M_REFUSED_TOKEN, "refused_token", "upgrades whose stream token was wrong, used or expired")  \
    X(M_REFUSED_CALL_SID, "refused_call_sid", "streams whose start named another call")            \
    X(M_REFUSED_FULL, "refused_full", "calls beyond max_calls")                                    \
    X(M_REFUSED_AGENT_FULL, "refused_agent_full", "calls beyond the agent's own limit")            \
    X(M_REFUSED_CALLER_FULL, "refused_caller_full", "calls beyond max_calls_per_caller")           \
    X(M_REFUSED_CALLER_FLOOD, "refused_caller_flood", "calls told that the line is busy")          \
    X(M_REFUSED_NO_AGENT, "refused_no_agent", "calls to a number without an agent")                \
    X(M_REFUSED_DRAINING, "refused_draining", "calls that came while the node drained")            \
    X(M_REFUSED_RATE_LIMIT, "refused_rate_limit", "calls beyond the model's tokens per minute")    \
    X(M_REFUSED_BUDGET, "refused_budget", "calls of agents that had cost what they may that day")  \
    X(M_REFUSED_JOURNAL, "refused_journal", "calls refused because the disk takes nothing")        \
    X(M_MISSED, "calls_missed", "callers who did not get through")                                 \
    X(M_TEXTS_IN, "texts_in", "texts that came in")                                                \
    X(M_FACTS_LOST, "facts_lost", "facts that could not be kept for want of memory")               \
    X(M_REFUSED_BAD_REQUEST, "refused_bad_request", "requests that were not HTTP or not a form")   \
    X(M_REFUSED_SLOW, "refused_slow", "connections that did not finish a request in time")         \
    X(M_REFUSED_TOO_BIG, "refused_too_big", "requests whose head or body was too long")            \
    X(M_REFUSED_NO_ROOM, "refused_no_room", "connections beyond those that are served at once")    \
    X(M_DISPLACED, "displaced", "connections that asked nothing, closed for newer ones")           \
    X(M_STREAM_TOO_BIG, "streams_too_big", "streams ended for a message above 64 KiB")             \
    X(M_STREAM_PROTOCOL, "streams_protocol", "streams ended for what is no media stream")          \
    X(M_STREAM_STALLED, "streams_stalled", "streams ended because their peer did not read")        \
    X(M_ADMIN_BAD_REQUEST, "admin_bad_request", "admin listener: requests that were not HTTP")     \
    X(M_ADMIN_TOO_BIG, "admin_too_big", "admin listener: head or body too long")                   \
    X(M_ADMIN_SLOW, "admin_slow", "admin listener: did not finish a request in time")              \
    X(M_ADMIN_NO_ROOM, "admin_no_room", "admin listener: beyond those served at once")             \
    X(M_ADMIN_DISPLACED, "admin_displaced",                                                        \
      "admin listener: asked nothing, closed for newer ones")                                      \
    X(M_ZOMBIE_SLOT, "zombies_slot", "slots of calls that nobody had, given back")                 \
    X(M_ZOMBIE_WAITING, "zombies_waiting", "calls that waited longer than possible, given up")     \
    X(M_ZOMBIE_LINE, "zombies_line", "streams of calls that were over, closed")                    \
    X(M_ZOMBIE_LONG, "zombies_long", "calls that went on past their longest time, ended")          \
    X(M_ZOMBIE_LEG, "zombies_leg", "provider connections without a call, cut")                     \
    X(M_ZOMBIE_VM, "zombies_vm", "scripts of calls that were over, freed")                         \
    X(M_FRAMES_IN, "frames_in", "caller audio frames")                                             \
    X(M_FRAMES_OUT, "frames_out", "agent audio frames")                                            \
    X(M_FRAMES_BAD, "frames_bad", "carrier messages ignored: malformed, unknown, out of order")    \
    X(M_GAP_MS, "gap_ms", "caller audio that never came, filled with silence")                     \
    X(M_LATE_DELTAS, "late_deltas", "agent audio of dead responses, dropped")                      \
    X(M_BARGE_INS, "barge_ins", "times a caller cut in")                                           \
    X(M_TOOL_CALLS, "tool_calls", "functions the model called")                                    \
    X(M_PROVIDER_FAILED, "provider_failed", "provider legs that failed")                           \
    X(M_SCRIPT_FAILED, "script_failed", "calls whose script failed")                               \
    X(M_TRIAGE_MATCHES, "triage_matches", "emergencies that a rule or the model found in calls")   \
    X(M_TRIAGE_HANDLED, "triage_handled", "emergencies that a person took")                        \
    X(M_TRIAGE_ABANDONED, "triage_abandoned", "emergencies that nobody took")                      \
    X(M_NEAR_MISSES, "near_misses", "what sounded like an emergency and was not acted on")         \
    X(M_ALARMS, "alarms_raised", "alarms that were opened")                                        \
    X(M_SENTRY_SENT, "sentry_sent", "errors that Sentry took")                                     \
    X(M_SENTRY_OVERFLOW, "sentry_overflow", "errors not reported: too many at once")               \
    X(M_SENTRY_LIMITED, "sentry_limited", "errors not reported: Sentry wants none now")            \
    X(M_SENTRY_REPEATED, "sentry_repeated", "errors not reported: the same was a moment ago")      \
    X(M_SENTRY_NETWORK, "sentry_network", "errors not reported: Sentry cannot be reached")         \
    X(M_SENTRY_REFUSED, "sentry_refused", "errors that Sentry refused")                            \
    X(M_SENTRY_INTERNAL, "sentry_internal", "errors that could not be made a report of")           \
    X(M_TARGET_OPENED, "target_opened", "times somebody we depend on was given up for a while")    \
    X(M_TARGET_REFUSED, "target_refused", "requests not made because their target was given up")   \
    X(M_OPERATIONS, "operations", "jobs beside calls that the node did by itself or was asked to") \
    X(M_OPERATION_FAILED, "operations_failed", "of those, what did not work")                      \
    X(M_SYNTHETIC, "synthetic_calls", "calls by which the cluster tried itself")                   \
    X(M_SYNTHETIC_FAILED, "synthetic_failed", "of those, what did not work")

#define METRIC_GAUGES(X)                                                                 \
    X(G_CALLS, "calls", "calls now")                                                     \
    X(G_JOURNAL_EVENTS, "journal_events", "facts not yet in the database")               \
    X(G_JOURNAL_AGE_MS, "journal_age_ms", "how old the oldest of them is")               \
    X(G_JOURNAL_DEAD, "journal_dead", "facts the database refused: ringdown journal")    \
    X(G_WARM_CONNECTIONS, "warm_connections", "provider connections waiting for a call") \
    X(G_READY, "ready", "1 when the node takes calls")                                   \
    X(G_ALARMS, "alarms", "alarms that are open")                                        \
    X(G_SLOTS_FREE, "slots_free", "calls that the node could take now")                  \
    X(G_DRAINING, "draining", "1 when the node is told to leave")                        \
    X(G_LEADER, "leader", "1 when this node does what only one does")                    \
    X(G_VMS, "vms", "scripts that live now")                                             \
    X(G_VM_BYTES, "vms_bytes", "their memory")                                           \
    X(G_AGENTS, "agents", "agents that are loaded")                                      \
    X(G_AGENT_ERRORS, "agent_errors", "agents whose file does not load")                 \
    X(G_ALARMS_WARNING, "alarms_warning", "of the open alarms, those that can wait")     \
    X(G_ALARMS_CRITICAL, "alarms_critical", "and those that cannot")

#define METRIC_HISTOGRAMS(X)                                                                     \
    X(H_FIRST_AUDIO_MS, "first_audio_ms", "stream start to first agent audio")                   \
    X(H_WEBHOOK_US, "webhook_us", "voice webhook in to TwiML out")                               \
    X(H_LOOP_LAG_US, "loop_lag_us", "how long a turn of a media loop took, worst per second")    \
    X(H_JOURNAL_APPEND_US, "journal_append_us", "event appended to durable on the disk")         \
    X(H_TRIAGE_US, "triage_us", "a caller's words understood to held against the agent's rules") \
    X(H_TRIAGE_HANDLED_MS, "triage_handled_ms", "an emergency found to taken by a person")       \
    X(H_FRAME_DELAY_US, "frame_delay_us", "audio read from one side to written to the other")    \
    X(H_BARGE_IN_US, "barge_in_us", "the caller speaks to the agent's sound thrown away")        \
    X(H_VM_BYTES, "vm_bytes", "memory of a call's script when the call ended")

#define X(id, name, about) id,
enum metric_counter { METRIC_COUNTERS(X) METRIC_COUNTER_COUNT };
enum metric_gauge { METRIC_GAUGES(X) METRIC_GAUGE_COUNT };
enum metric_histogram { METRIC_HISTOGRAMS(X) METRIC_HISTOGRAM_COUNT };
#undef X

void metric_add(enum metric_counter m, uint64_t n);
uint64_t metric_value(enum metric_counter m);

void metric_gauge_set(enum metric_gauge m, int64_t value);
int64_t metric_gauge_value(enum metric_gauge m);

/* Buckets are log-linear, 8 per power of two: a quantile is at most 12.5 % above the truth. Values
 * from 2^40 on count as 2^40. */
void metric_observe(enum metric_histogram m, uint64_t value);

struct metric_summary {
    uint64_t count, sum, max;
    uint64_t p50, p90, p99; /* upper edge of the bucket, never above max; 0 when count is 0 */
};
struct metric_summary metric_summarise(enum metric_histogram m);

/* The same values in few buckets with edges that do not move, for those who add them up over nodes and
 * time. The log-linear ones above cannot be turned into these: a bucket that an edge cuts could go to
 * either side. */
struct metric_buckets {
    const uint64_t *edges;
    unsigned n_edges;
    uint64_t counts[METRIC_EDGES + 1], sum; /* the last count: above all edges */
};
struct metric_buckets metric_buckets(enum metric_histogram m);

/* One JSON object per line, as status reads them:
 *   {"name":"frames_in","type":"counter","value":12}
 *   {"name":"first_audio_ms","type":"histogram","count":3,"sum":450,"max":200,"p50":120,"p90":200,"p99":200}
 * -ENOMEM, RD_EFULL (nothing was added). */
int metrics_to_json(struct buf *out);

/* All back to 0; for tests. */
void metrics_reset(void);

#endif
