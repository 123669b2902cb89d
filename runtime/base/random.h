/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - bits for jitter; not for secrets. Any thread. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

uint32_t rd_random_bits(void);

#endif
