/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.h - the two halves of `ringdown numbers`: assignments (numbers.c), and where the carrier sends
 * numbers (numbers_change.c). */
#ifndef CLI_NUMBERS_H
#define CLI_NUMBERS_H

extern const char numbers_usage[];

/* Everything but list, assign and unassign. */
int numbers_change(int argc, char **argv);

#endif
