/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - the least that anything between two sockets can cost: what a node is compared with. */
#ifndef SIM_LOAD_RELAY_H
#define SIM_LOAD_RELAY_H

#include <stdint.h>

/* Connects each connection to `from` (bound by us, on loopback) to `to`, until killed. */
int relay_run(uint16_t from, uint16_t to);

#endif
