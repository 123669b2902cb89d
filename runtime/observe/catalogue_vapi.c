/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_vapi.c - what is wrong with Vapi, where its audio runs through this process. */
#include "observe/catalogue.h"

static const struct error_info vapi[] = {
    {"vapi.refused", "Vapi refuses a call that was to run over our line",
     "`code` says why; look it up here as vapi.CODE", ERROR_CRITICAL, RETRY_NO},
    {"vapi.lost", "a leg to Vapi could not be made, or broke",
     "`code` says why; if it repeats see status.vapi.ai", ERROR_WARNING, RETRY_BY_US},
    {"vapi.open_failed", "a call could not open its leg to Vapi",
     "set VAPI_API_KEY (vapi.key) and the agent's vapi.assistant, or free memory", ERROR_CRITICAL,
     RETRY_NO},
    {"vapi.unauthorized", "Vapi refuses the key",
     "set VAPI_API_KEY (vapi.key) to a private key of the organization", ERROR_CRITICAL, RETRY_NO},
    {"vapi.concurrency", "all call slots of the Vapi account are taken",
     "buy more slots under Billing at Vapi, or send fewer calls there", ERROR_CRITICAL,
     RETRY_BY_US},
    {"vapi.credit", "the Vapi account has no credit, or is frozen",
     "add credit under Billing at Vapi", ERROR_CRITICAL, RETRY_NO},
    {"vapi.bad_request", "Vapi does not take the call as we asked for it",
     "does the agent's vapi.assistant exist in the organization of vapi.key? `message` has Vapi's "
     "words",
     ERROR_CRITICAL, RETRY_NO},
    {"vapi.rate_limit", "too many requests to Vapi", "ask Vapi for a higher rate limit",
     ERROR_WARNING, RETRY_BY_US},
    {"vapi.server_error", "Vapi failed", "see status.vapi.ai if it repeats", ERROR_WARNING,
     RETRY_BY_US},
    {"vapi.no_socket", "Vapi's answer names no socket to connect to",
     "is vapi.api Vapi's API? then report it with the log", ERROR_CRITICAL, RETRY_NO},
    {"vapi.foreign_socket", "Vapi's answer names a socket at a host that is not Vapi's",
     "check vapi.api; our key is not sent there", ERROR_CRITICAL, RETRY_NO},
    {"vapi.timeout", "Vapi did not answer in time", "check vapi.api and status.vapi.ai",
     ERROR_WARNING, RETRY_BY_US},
    {"vapi.unreachable", "Vapi cannot be reached",
     "check vapi.api, DNS, the firewall and status.vapi.ai", ERROR_CRITICAL, RETRY_BY_US},
};

const struct error_family catalogue_vapi = {"Vapi over our line",
                                            "The `code` of vapi.* and call.provider_error, "
                                            "written vapi.CODE, and the events themselves.",
                                            vapi, sizeof(vapi) / sizeof(vapi[0])};
