/* SPDX-License-Identifier: Apache-2.0 */
/* carriers.h - the carriers there are. A new one is one folder beside twilio/ and one line in
 * carriers.c. Any thread. */
#ifndef CARRIERS_CARRIERS_H
#define CARRIERS_CARRIERS_H

#include "ports/carrier.h"

#include <stddef.h>

/* NULL when there is none of that name. */
const struct carrier_ops *carrier_find(const char *name);

/* In the order of the table; NULL at its end. */
const struct carrier_ops *carrier_at(size_t i);

#endif
