/* SPDX-License-Identifier: Apache-2.0 */
/* carriers.c - the table of carriers. How a call arrives differs too much between them to be in the
 * ops (Twilio: a webhook, then a WebSocket upgrade); what happens on a live leg does not. */
#include "carriers/carriers.h"

#include "carriers/twilio/stream.h"

#include <string.h>

static const struct carrier_ops *const carriers[] = {
    &twilio_carrier,
};

const struct carrier_ops *carrier_at(size_t i)
{
    return i < sizeof(carriers) / sizeof(carriers[0]) ? carriers[i] : NULL;
}

const struct carrier_ops *carrier_find(const char *name)
{
    for (size_t i = 0; carrier_at(i); i++)
        if (strcmp(carrier_at(i)->name, name) == 0)
            return carrier_at(i);
    return NULL;
}
