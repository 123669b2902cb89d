/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - what must hold for any input; where it does not, which line says so. */
#ifndef TESTS_FUZZ_CHECK_H
#define TESTS_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define check(held)                                                                   \
    do {                                                                              \
        if (!(held)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #held); \
            abort();                                                                  \
        }                                                                             \
    } while (0)

#endif
