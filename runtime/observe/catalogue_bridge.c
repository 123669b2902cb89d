/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_bridge.c - what is wrong with Vapi, where its audio runs through this process. */
#include "observe/catalogue.h"

static const struct error_info bridge[] = {
    {"bridge.refused", "Vapi refuses a call that was to run over our line",
     "`code` says why; look it up here as bridge.CODE", ERROR_CRITICAL, RETRY_NO},
    {"bridge.lost", "a leg to Vapi could not be made, or broke",
     "`code` says why; if it repeats see status.vapi.ai", ERROR_WARNING, RETRY_BY_US},
    {"bridge.open_failed", "a call could not open its leg to Vapi",
     "set VAPI_API_KEY (vapi.key) and the agent's vapi.assistant, or free memory", ERROR_CRITICAL,
     RETRY_NO},
    {"bridge.unauthorized", "Vapi refuses the key",
     "set VAPI_API_KEY (vapi.key) to a private key of the organization", ERROR_CRITICAL, RETRY_NO},
    {"bridge.concurrency", "all call slots of the Vapi account are taken",
     "buy more slots under Billing at Vapi, or send fewer calls there", ERROR_CRITICAL,
     RETRY_BY_US},
    {"bridge.credit", "the Vapi account has no credit, or is frozen",
     "add credit under Billing at Vapi", ERROR_CRITICAL, RETRY_NO},
    {"bridge.bad_request", "Vapi does not take the call as we asked for it",
     "does the agent's vapi.assistant exist in the organization of vapi.key? `message` has Vapi's "
     "words",
     ERROR_CRITICAL, RETRY_NO},
    {"bridge.rate_limit", "too many requests to Vapi", "ask Vapi for a higher rate limit",
     ERROR_WARNING, RETRY_BY_US},
    {"bridge.server_error", "Vapi failed", "see status.vapi.ai if it repeats", ERROR_WARNING,
     RETRY_BY_US},
    {"bridge.no_socket", "Vapi's answer names no socket to connect to",
     "is vapi.api Vapi's API? then report it with the log", ERROR_CRITICAL, RETRY_NO},
    {"bridge.foreign_socket", "Vapi's answer names a socket at a host that is not Vapi's",
     "check vapi.api; our key is not sent there", ERROR_CRITICAL, RETRY_NO},
    {"bridge.timeout", "Vapi did not answer in time", "check vapi.api and status.vapi.ai",
     ERROR_WARNING, RETRY_BY_US},
    {"bridge.unreachable", "Vapi cannot be reached",
     "check vapi.api, DNS, the firewall and status.vapi.ai", ERROR_CRITICAL, RETRY_BY_US},
};

const struct error_family catalogue_bridge = {"Vapi over our line",
                                              "The `code` of bridge.* and call.provider_error, "
                                              "written bridge.CODE, and the events themselves.",
                                              bridge, sizeof(bridge) / sizeof(bridge[0])};
