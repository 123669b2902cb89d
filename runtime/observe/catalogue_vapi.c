/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_vapi.c - what can be wrong with calls that run on Vapi. */
#include "observe/catalogue.h"

static const struct error_info vapi[] = {
    {"vapi.refused", "a webhook at /vapi/events was refused", "`code` says why: see vapi.CODE",
     ERROR_WARNING, RETRY_NO},
    {"vapi.not_signed", "a webhook has neither the secret nor a good signature",
     "give Vapi the secret that vapi.secret has, or the key of vapi.hmac; is this machine's clock "
     "right to five minutes?",
     ERROR_WARNING, RETRY_NO},
    {"vapi.repeated", "a webhook came again with the same signature",
     "nothing was done a second time; whoever has it may have it from a log or a proxy",
     ERROR_WARNING, RETRY_NO},
    {"vapi.unknown_call", "a webhook is about a call of no number and no assistant of ours",
     "name the assistant in the agent's vapi.assistant, or run `ringdown numbers sync`; else take "
     "the "
     "server URL away from that assistant",
     ERROR_WARNING, RETRY_NO},
    {"vapi.not_shown",
     "a webhook is about a call that did not come from here, and Vapi does not have it",
     "nothing was done. Is vapi.key of the organization of that assistant? If so, somebody else "
     "has "
     "the secret: change it",
     ERROR_WARNING, RETRY_NO},
    {"vapi.not_checked",
     "a call that Vapi has by itself was not served: Vapi's API did not say whether it has it",
     "set vapi.key (VAPI_API_KEY); see status.vapi.ai. Until then only calls that were sent there "
     "from here have their tools, and are searched for emergencies",
     ERROR_CRITICAL, RETRY_NO},
    {"vapi.not_there", "a webhook is about a call that this system has itself",
     "nothing was done; who else has the secret?", ERROR_WARNING, RETRY_NO},
    {"vapi.two_calls", "a webhook names the carrier's id of one call and Vapi's of another",
     "nothing was done; report it with the log", ERROR_WARNING, RETRY_NO},
    {"vapi.too_long", "what Vapi says about a call is longer than what is kept",
     "`what` and `bytes` say it: the amount is kept, what it is made of may be missing",
     ERROR_WARNING, RETRY_NO},
    {"vapi.not_answered", "a question of Vapi had to be answered without the agent's script",
     "`why` says it: script_late and script_full want a faster tool or more script_threads, "
     "tools_too_long shorter arguments",
     ERROR_WARNING, RETRY_NO},
    {"vapi.no_bypass", "a call could not be begun at Vapi before it was sent there",
     "calls go by redirect meanwhile; where that is meant, vapi.route in the agent can say so",
     ERROR_WARNING, RETRY_BY_US},
    {"vapi.tool_failed", "a tool of the agent broke while Vapi's model used it",
     "mend the agent's file; `why` says where", ERROR_CRITICAL, RETRY_NO},
    {"vapi.call_busy", "a tool that Vapi asks for did not wait for another one of its call",
     "make the tool that takes so long faster: what it leaves in call.vars may be lost",
     ERROR_WARNING, RETRY_NO},
    {"vapi.words_cut", "a caller on Vapi said more at once than is searched for emergencies",
     "`bytes` says how much; its beginning was searched", ERROR_WARNING, RETRY_NO},
    {"vapi.not_heard", "what a caller said on Vapi was not searched for emergencies",
     "too much is being done at once: add a node, or raise script_threads", ERROR_CRITICAL,
     RETRY_BY_US},
    {"vapi.not_joined", "a call was sent to Vapi, and Vapi does not say that it has it",
     "see status.vapi.ai; is the number imported there, and is there an assistant? `ringdown force "
     "openai` sends calls to OpenAI meanwhile",
     ERROR_CRITICAL, RETRY_BY_US},
    {"vapi.not_told", "Vapi does not say whether it has the calls that were sent there",
     "`code` says why; see status.vapi.ai. Calls go there as before: this says nothing about them",
     ERROR_CRITICAL, RETRY_BY_US},
    {"vapi.key_refused", "Vapi refuses our key: what becomes of calls there is unknown",
     "set vapi.key (VAPI_API_KEY) to the private key of this account", ERROR_CRITICAL, RETRY_NO},
    {"vapi.not_looked", "a call was sent to Vapi, and whether it has it was not looked at",
     "too much is being done at once: add a node, or raise script_threads", ERROR_WARNING,
     RETRY_NO},
    {"vapi.not_controlled", "a call on Vapi could not be told what to do",
     "`why` says it; its assistant must allow call control, and Twilio's credentials must be set",
     ERROR_WARNING, RETRY_NO},
    {"vapi.ended_config", "Vapi could not begin the call: its settings or its account",
     "see Vapi's dashboard: credit, call slots, the number, the assistant; `ringdown why` has its "
     "word for it",
     ERROR_CRITICAL, RETRY_NO},
    {"vapi.ended_provider", "a model, voice or transcriber that Vapi uses failed",
     "its word for it names which; check that provider's key at Vapi, and its status page",
     ERROR_WARNING, RETRY_NO},
    {"vapi.ended_vapi", "Vapi itself failed in the call",
     "see status.vapi.ai; when it repeats, send calls to OpenAI: ringdown force openai",
     ERROR_WARNING, RETRY_NO},
    {"vapi.given_up",
     "Vapi has not told in time how calls ended that went there, or what they cost",
     "is vapi.key of the organization that has these calls? `ringdown why CALL` shows what is "
     "known",
     ERROR_WARNING, RETRY_NO},
    {"vapi.poll_failed", "Vapi could not be asked what became of its calls",
     "`why` says it: is vapi.key current? Costs and words of these calls come later", ERROR_WARNING,
     RETRY_BY_US},
};

const struct error_family catalogue_vapi = {
    "Vapi", "Calls that an assistant of Vapi answers, and Vapi's webhooks.", vapi,
    sizeof(vapi) / sizeof(vapi[0])};
