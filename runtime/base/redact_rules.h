/* SPDX-License-Identifier: Apache-2.0 */
/* redact_rules.h - what a run of digits is, given its groups and how they were separated. Inside
 * base/redact*.c only. Pure. */
#ifndef BASE_REDACT_RULES_H
#define BASE_REDACT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum redact_label { REDACT_NOT, REDACT_CARD, REDACT_SSN, REDACT_DIGITS };

enum {
    REDACT_CARD_MIN = 13,
    REDACT_CARD_MAX = 19,
    REDACT_SPOKEN_MIN = 9,
    REDACT_LONG = 20 /* stands for "more digits than any card has" */
};

/* Digits written together, or one digit word ("double one": one atom of two digits). */
struct redact_atom {
    const char *p;  /* where it stands in the text */
    size_t n_bytes; /* of text */
    uint8_t digits; /* how many it stands for, at most REDACT_LONG */
    uint8_t value;  /* of a word, or of a single digit */
    bool spoken;
    char before;   /* what separates it from the one before: '-', ' ', '.', '/'; 0: more, or none */
    uint8_t known; /* the phone number or date it belongs to; 0: none */
    uint8_t label; /* enum redact_label, the result */
};

struct redact_run {
    struct redact_atom *atoms;
    unsigned n;
    bool plus;                    /* a + stands before the first */
    bool near_social;             /* the text around speaks of a social security number */
    size_t digits, spoken_digits; /* of the whole run */
};

/* Labels the atoms; labels that are there already stay. */
void redact_label_run(struct redact_run *r);

#endif
