/* SPDX-License-Identifier: Apache-2.0 */
/* shapes.h - how the form of client events is written down: fields, shapes and kinds. The
 * tables are in openai_shapes.c, the walk over them in openai_check.c. */
#ifndef SIM_OPENAI_SHAPES_H
#define SIM_OPENAI_SHAPES_H

#include <stdbool.h>

enum { STR = 1, INT = 2, NUM = 4, BOOL = 8, OBJ = 16, ARR = 32, NIL = 64 };

struct shape;

struct field {
    const char *name;
    unsigned takes; /* a set of STR … NIL */
    bool required;
    const struct shape *shape; /* OBJ: NULL takes any object */
    const char *const *words;  /* STR: NULL takes any string */
    const struct field *each;  /* ARR: what its elements are */
    double min, max;           /* INT, NUM, length of ARR; both 0: any. STR: max length */
};

struct kind {
    const char *word;
    const struct shape *shape;
};

struct shape {
    const struct field *fields; /* ends with a NULL name */
    const char *by;           /* the key that tells kinds apart; then `kinds` instead of `fields` */
    const struct kind *kinds; /* ends with a NULL word */
};

extern const struct shape openai_client_event;

#endif
