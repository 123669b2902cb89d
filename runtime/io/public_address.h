/* SPDX-License-Identifier: Apache-2.0 */
/* public_address.h - may a script speak to this address? Pure, but for address_is_ours(). */
#ifndef IO_PUBLIC_ADDRESS_H
#define IO_PUBLIC_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* NULL when the address is one of the public internet; else what it is: "a loopback address".
 * What is not known to be public is not. */
const char *address_refused(const struct sockaddr *a);

/* Is it an address of this machine? Asks the kernel; does not block. */
bool address_is_ours(const struct sockaddr *a);

/* In host order; 0 for a family that has none. */
unsigned address_port(const struct sockaddr *a);

#endif
