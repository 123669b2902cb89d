/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_live.c - what is wrong with GPT-Live. Codes that it shares with the Realtime API stand there. */
#include "observe/catalogue.h"

static const struct error_info live[] = {
    {"live.refused", "GPT-Live refuses the connection or the session",
     "`code` says why; look it up here as live.CODE or openai.CODE. May this key use GPT-Live?",
     ERROR_CRITICAL, RETRY_NO},
    {"live.lost", "a session of GPT-Live could not be had, or broke",
     "`code` says why; if it repeats see status.openai.com", ERROR_WARNING, RETRY_BY_US},
    {"live.open_failed", "a call could not open its session with GPT-Live",
     "set OPENAI_API_KEY (openai.key), keep the agent's prompt below 48 KiB, or free memory",
     ERROR_CRITICAL, RETRY_NO},
    {"live.error", "GPT-Live reported an error; the session goes on",
     "nothing, unless it repeats: then see `message` and docs/gpt-live.md", ERROR_WARNING,
     RETRY_NO},
    {"live.backend_failed", "the model behind GPT-Live did not finish what it was asked to do",
     "if it repeats: does the agent's openai.backend exist, and may this key use it?",
     ERROR_WARNING, RETRY_BY_US},
    {"live.timeout", "GPT-Live did not start a session in time",
     "check openai.live_url and status.openai.com", ERROR_WARNING, RETRY_BY_US},
    {"live.ended", "GPT-Live ended a session before it had begun", "see status.openai.com",
     ERROR_WARNING, RETRY_BY_US},
};

const struct error_family catalogue_live = {"GPT-Live",
                                            "The `code` of live.*, written live.CODE, and the "
                                            "events themselves.",
                                            live, sizeof(live) / sizeof(live[0])};
