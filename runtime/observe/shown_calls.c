/* SPDX-License-Identifier: Apache-2.0 */
/* shown_calls.c - the rows about calls, what they sound like, and what is done in them. */
#include "observe/shown_rows.h"

static const struct metric_shown calls[] = {
    FAMILY("calls_total", SHOWN_COUNTER, "calls", 1, F_CALLS,
           "Calls whose first stream ended here, by how it ended; outcome sent: left to Vapi, "
           "fallback: answered without a stream, busy: rejected as part of a flood",
           "`provider_failed`, `script_failed`, `carrier_lost`, `fallback` rise: `ringdown calls "
           "--kept`, then `ringdown why CALL` for one of them"),
    FAMILY("calls_active", SHOWN_GAUGE, "calls", 1, F_ACTIVE, "Calls now, by who speaks",
           "nothing; near the sum of slots: add a node"),
    ROW("call_slots", SHOWN_GAUGE, FROM_GAUGES, "calls", 1,
        PARTS("state", {"used", G_CALLS}, {"free", G_SLOTS_FREE}),
        .about = "Places for calls that are taken, and that are free",
        .act = "free near 0: raise `max_calls` or add a node; further calls get the fallback"),
    COUNTER("calls_answered_total", "calls", 1, M_CALLS_ANSWERED, "Calls whose stream started",
            "falls to 0 in business hours: is the number's webhook still ours? `ringdown numbers "
            "drift`"),
    ROW("calls_refused_total", SHOWN_COUNTER, FROM_COUNTERS, "calls", 1,
        PARTS("reason", {"full", M_REFUSED_FULL}, {"agent_full", M_REFUSED_AGENT_FULL},
              {"caller_full", M_REFUSED_CALLER_FULL}, {"caller_flood", M_REFUSED_CALLER_FLOOD},
              {"no_agent", M_REFUSED_NO_AGENT}, {"draining", M_REFUSED_DRAINING},
              {"rate_limit", M_REFUSED_RATE_LIMIT}, {"budget", M_REFUSED_BUDGET},
              {"journal", M_REFUSED_JOURNAL}),
        .about = "Calls that were not taken, and why",
        .act = "`ringdown errors call.REASON` has the remedy of each"),
    ROW("requests_refused_total", SHOWN_COUNTER, FROM_COUNTERS, "requests", 1,
        PARTS("reason", {"signature", M_REFUSED_SIGNATURE}, {"token", M_REFUSED_TOKEN},
              {"call_sid", M_REFUSED_CALL_SID}, {"bad_request", M_REFUSED_BAD_REQUEST},
              {"too_big", M_REFUSED_TOO_BIG}, {"no_room", M_REFUSED_NO_ROOM},
              {"slow", M_REFUSED_SLOW}, {"displaced", M_DISPLACED}),
        .about = "Requests and streams at the public listener that were turned away; slow: not "
                 "whole in time; displaced: idle, closed for newer ones; no_room: nobody was idle",
        .act = "`signature` with calls failing: `twilio.token` or `public.url` is wrong; else "
               "somebody "
               "knocks, and nothing need be done"),
    ROW("streams_cut_total", SHOWN_COUNTER, FROM_COUNTERS, "streams", 1,
        PARTS("reason", {"too_big", M_STREAM_TOO_BIG}, {"protocol", M_STREAM_PROTOCOL},
              {"stalled", M_STREAM_STALLED}),
        .about = "Media streams that we ended because of how their peer behaved: a message above "
                 "64 KiB, what is no media stream, or not reading for 10 s",
        .act = "`stalled`: the way to Twilio, or what stands in between, does not take our sound; "
               "the others: Twilio changed something, or somebody else speaks to the stream"),
    COUNTER("calls_missed_total", "calls", 1, M_MISSED, "Callers who did not get through",
            "`ringdown calls --kept`; they get the agent's text for missed calls, if it has "
            "one"),
    COUNTER("calls_sent_to_vapi_total", "calls", 1, M_CALLS_TO_VAPI,
            "Webhooks answered with a redirect to Vapi", "as the rollout says: `ringdown rollout`"),
    COUNTER("calls_failed_over_total", "calls", 1, M_CALLS_FAILED_OVER,
            "Calls that the other system had to take",
            "the first system cannot: `ringdown status`, targets; see its status page"),
    COUNTER("calls_fallback_total", "webhooks", 1, M_CALLS_FALLBACK,
            "Webhooks answered with the fallback, before a stream or after one",
            "each is a caller who did not get the agent: `ringdown why CALL`"),
    FAMILY("call_duration_seconds", SHOWN_HISTOGRAM, "seconds", 1000, F_DURATION_MS,
           "How long calls took, from their stream's start to its end",
           "many below 15 s: callers hang up on the agent; listen to some"),
    FAMILY("first_audio_seconds", SHOWN_HISTOGRAM, "seconds", 1000, F_FIRST_AUDIO_MS,
           "From the stream's start to the first agent audio",
           "p95 above 0.5 s: are warm connections there (`ringdown_warm_connections`), is the "
           "provider "
           "slow?"),
    FAMILY(
        "turn_latency_seconds", SHOWN_HISTOGRAM, "seconds", 1000, F_TURN_MS,
        "From the provider telling that the caller stopped speaking to the first agent audio of "
        "the "
        "answer",
        "p95 above 1.5 s: the model or a tool is slow: `ringdown_tool_duration_seconds`, then the "
        "provider's status page"),
    FAMILY("cost_usd_total", SHOWN_COUNTER, "usd", 1000000, F_COST_MICRO_USD,
           "What the calls of this node that began since it started cost so far, as the database "
           "knows it; some seconds behind, and settled two hours after a call",
           "rises faster than calls: `ringdown cost`, which also has calls that went on over a "
           "restart; what is not priced is not in it"),
};
GROUP(shown_calls, "Calls", calls);

static const struct metric_shown sound[] = {
    HISTOGRAM(
        "frame_delay_seconds", "seconds", 1000000, H_FRAME_DELAY_US,
        "Audio read from one side to written to the other; every 16th turn of a media loop that "
        "carried audio",
        "p99 above 5 ms: the machine is short of CPU, or something blocks a media thread"),
    HISTOGRAM("loop_lag_seconds", "seconds", 1000000, H_LOOP_LAG_US,
              "The longest turn of each media loop in each second",
              "above 5 ms: audio waits; is something else running on the machine?"),
    HISTOGRAM(
        "barge_in_reaction_seconds", "seconds", 1000000, H_BARGE_IN_US,
        "From the provider telling that the caller speaks, read here, to the agent's sound thrown "
        "away",
        "above 5 ms: as for `ringdown_loop_lag_seconds`"),
    COUNTER("barge_ins_total", "turns", 1, M_BARGE_INS, "Times a caller cut in",
            "rises per call: the agent talks too long, or the line has echo"),
    ROW("audio_frames_total", SHOWN_COUNTER, FROM_COUNTERS, "frames", 1,
        PARTS("direction", {"in", M_FRAMES_IN}, {"out", M_FRAMES_OUT}),
        .about = "Audio frames of calls that ended, from and to the caller",
        .act = "nothing by itself"),
    COUNTER("audio_frames_bad_total", "frames", 1, M_FRAMES_BAD,
            "Carrier messages ignored: malformed, unknown, out of order",
            "more than a few: Twilio changed something, or somebody else speaks to the stream"),
    COUNTER("audio_gap_seconds_total", "seconds", 1000, M_GAP_MS,
            "Caller audio that never came, filled with silence",
            "the way from Twilio loses packets: is the node in a region near to the callers?"),
    COUNTER("late_deltas_total", "frames", 1, M_LATE_DELTAS,
            "Agent audio of responses that were cut off, dropped", "nothing; it follows barge-ins"),
};
GROUP(shown_sound, "Sound", sound);

static const struct metric_shown work[] = {
    FAMILY(
        "tool_calls_total", SHOWN_COUNTER, "calls", 1, F_TOOL_CALLS,
        "Functions the model called, by what came of them: ok, no (an expected refusal), failed, "
        "late",
        "`failed` or `late` rise: `ringdown why CALL`; the agent's `failed` sentence is what "
        "callers "
        "hear"),
    FAMILY("tool_duration_seconds", SHOWN_HISTOGRAM, "seconds", 1000, F_TOOL_MS,
           "From the model's call to its result",
           "p95 near the tool's timeout: whom it asks is slow"),
    FAMILY("provider_errors_total", SHOWN_COUNTER, "errors", 1, F_PROVIDER_ERRORS,
           "Errors that a provider told or that its connection had, by class",
           "`credentials`, `quota`: at once, `ringdown status`; `rate_limit`: raise it with the "
           "provider, or lower `max_calls`"),
    COUNTER("provider_failed_total", "calls", 1, M_PROVIDER_FAILED,
            "Calls that ended because their provider could not go on",
            "see `ringdown_provider_errors_total`"),
    FUNCTION("target_open", SHOWN_GAUGE, "boolean", "target", shown_target_open,
             "1 while somebody we depend on is given up, because he fails",
             "`ringdown status` says why; it is tried again by itself"),
    FUNCTION("target_requests_total", SHOWN_COUNTER, "requests", "target, result",
             shown_target_requests,
             "Requests to those we depend on: worked, failed, refused (not made, because they were "
             "given "
             "up)",
             "`failed` rises: the target's status page, the network, the certificate"),
    FAMILY("texts_total", SHOWN_COUNTER, "texts", 1, F_TEXTS,
           "Texts that came in and went out, by how far they came",
           "`undelivered`, `failed`: `ringdown errors twilio.CODE`; a number may not be registered "
           "for "
           "texts"),
    COUNTER("triage_matches_total", "emergencies", 1, M_TRIAGE_MATCHES,
            "Emergencies that a rule or the model found in calls",
            "each has a row in `ringdown why CALL`"),
    ROW("triage_ended_total", SHOWN_COUNTER, FROM_COUNTERS, "emergencies", 1,
        PARTS("result", {"handled", M_TRIAGE_HANDLED}, {"abandoned", M_TRIAGE_ABANDONED}),
        .about = "Emergencies that a person took, and those that nobody took",
        .act = "`abandoned`: call the caller back now; then who is on call"),
    HISTOGRAM("triage_time_to_handled_seconds", "seconds", 1000, H_TRIAGE_HANDLED_MS,
              "From an emergency found to a person having taken it",
              "p95 above 2 minutes: the list of people, its order, their phones"),
    COUNTER("triage_near_misses_total", "utterances", 1, M_NEAR_MISSES,
            "What sounded like an emergency and was not acted on",
            "read them: `ringdown why CALL`; rules may be too strict or too wide"),
    HISTOGRAM("triage_check_seconds", "seconds", 1000000, H_TRIAGE_US,
              "A caller's words understood to held against the agent's rules",
              "above 10 ms: too many rules, or script threads are busy"),
    FAMILY("script_budget_broken_total", SHOWN_COUNTER, "calls", 1, F_BUDGETS,
           "Scripts that were stopped because they used up their memory, time or instructions",
           "the agent has an endless loop or keeps too much: `level=error` lines with its name"),
    COUNTER("script_failed_total", "calls", 1, M_SCRIPT_FAILED, "Calls whose script failed",
            "`ringdown agents check`; `ringdown agents restore` goes back a version"),
    GAUGE("scripts", "scripts", 1, G_VMS, "Scripts that live now: calls, texts and jobs",
          "far above calls: jobs hang; `ringdown status`"),
    GAUGE("scripts_memory_bytes", "bytes", 1, G_VM_BYTES,
          "Memory of the scripts of calls, a second ago at most",
          "per call above 150 KB: the agents keep much; `ringdown_script_memory_bytes`"),
    HISTOGRAM("script_memory_bytes", "bytes", 1, H_VM_BYTES,
              "Memory of a call's script when the call ended",
              "p95 above 1 MB: an agent's vars or modules; calls cost that much each"),
};
GROUP(shown_work, "What is done in calls", work);
