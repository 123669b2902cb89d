/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - where a leg may connect to. Vapi's answer names an address, and whoever has it controls the
 * call; we send our key to it. Pure; any thread. */
#ifndef PROVIDERS_VAPI_ADDRESS_H
#define PROVIDERS_VAPI_ADDRESS_H

#include "base/str.h"

#include <stdbool.h>

/* The same host and port as the API has, or a host below vapi.ai on the usual port; over TLS, unless the
 * API itself is asked without (a double on this machine). */
bool vapi_address_ok(struct rd_str api, struct rd_str url);

#endif
