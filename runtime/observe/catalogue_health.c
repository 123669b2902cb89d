/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_health.c - what will hurt and does not yet: told while there is time. */
#include "observe/catalogue.h"

static const struct error_info health[] = {
    {"certificate.expires", "the certificate of public.listen is over soon, or is over",
     "put the new pair where public.certificate and public.private_key point, then SIGHUP; "
     "afterwards Twilio refuses to connect",
     ERROR_CRITICAL, RETRY_NO},
    {"model.shutdown", "a model that is in use will be shut down, or is",
     "name another in openai.model or the agent's file, and try it: ringdown talk; the days are in "
     "docs/operations.md, openai.shutdowns changes them",
     ERROR_CRITICAL, RETRY_NO},
    {"credentials.refused", "OpenAI, Twilio or Vapi refuse our key",
     "`subject` says whose: make a new one there and set it (openai.key, twilio.sid and "
     "twilio.tokens, vapi.key), then restart; ringdown doctor tries them",
     ERROR_CRITICAL, RETRY_NO},
    {"disk.low", "the disk of the data folder is nearly full",
     "free some space there (recordings, old logs), or lower recordings.max_mb; without space "
     "nothing can be kept and new calls get the fallback",
     ERROR_CRITICAL, RETRY_NO},
    {"journal.old", "events have waited long to be written to the database",
     "see ringdown db status and the alarm database.down; nothing is lost while the disk has room",
     ERROR_WARNING, RETRY_BY_US},
    {"twilio.balance", "the Twilio account holds little money",
     "add funds at console.twilio.com under Billing, or switch on auto-recharge; at zero numbers "
     "stop answering",
     ERROR_CRITICAL, RETRY_NO},
    {"clock.wrong", "the clock of this machine differs from others'",
     "switch on time synchronization (timedatectl set-ntp true); signatures and tokens break when "
     "it is a minute off",
     ERROR_CRITICAL, RETRY_NO},
    {"openai.concurrency", "nearly all sessions that the OpenAI account may have are in use",
     "ask OpenAI for more and raise openai.concurrency, or lower max_calls", ERROR_WARNING,
     RETRY_HELPS},
    {"openai.quota", "OpenAI takes no more calls: the account's credit or limit is used up",
     "add credit or raise the limit at platform.openai.com under Billing; until then: ringdown "
     "force vapi",
     ERROR_CRITICAL, RETRY_NO},
    {"heartbeat.failed", "the outside watcher at heartbeat.url was not reached",
     "is heartbeat.url right, and reachable from here? If it stays silent it wakes somebody, as it "
     "should",
     ERROR_WARNING, RETRY_BY_US},
    {"synthetic.failed",
     "the cluster rang itself twice in a row (synthetic.to), and the call did not get through",
     "the text names the step and the call: ringdown why CALL, ringdown doctor --call tries again; "
     "docs/operations.md says what each step needs",
     ERROR_CRITICAL, RETRY_BY_US},
    {"synthetic.held", "the cluster does not ring itself, though synthetic.to is set",
     "the text says why: synthetic.to names no agent that is loaded and has a number, or "
     "synthetic.dollars are spent for today",
     ERROR_WARNING, RETRY_BY_US},
};

const struct error_family catalogue_health = {
    "Before it hurts", "Alarms about what the node stands on, told while there is time to act.",
    health, sizeof(health) / sizeof(health[0])};
