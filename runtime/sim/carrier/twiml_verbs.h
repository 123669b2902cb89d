/* SPDX-License-Identifier: Apache-2.0 */
/* twiml_verbs.h - what the readers of the verbs share: twiml_run.c has the walk and the small verbs,
 * twiml_dial.c <Dial> and <Gather>, which hold others. */
#ifndef SIM_CARRIER_TWIML_VERBS_H
#define SIM_CARRIER_TWIML_VERBS_H

#include "sim/carrier/twiml_run.h"
#include "sim/carrier/twiml_xml.h"

#include <stdbool.h>

struct twiml {
    struct xml_doc *doc; /* owns */
    int verb;            /* place of the next one; -1: none left */
    bool started;
    struct twiml_action now;
    char why[256];
    twiml_warn_fn *warn;
    void *arg;
};

/* Fills in t->now. */
typedef void(twiml_verb_fn)(struct twiml *t, const struct xml_element *e);
twiml_verb_fn twiml_on_say, twiml_on_play, twiml_on_pause, twiml_on_dial, twiml_on_gather;

/* t->now becomes TWIML_BAD. */
void twiml_give_up(struct twiml *t, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

bool twiml_all_space(const char *z);

/* The text of a URL or number, without the white space around it. Cuts in place. */
const char *twiml_trimmed(char *z);

/* An attribute that is a number up to a day in seconds. */
unsigned twiml_number(struct twiml *t, const struct xml_element *e, const char *name,
                      unsigned otherwise);

/* Warns about attributes that are not in " name name ". */
void twiml_check_attrs(struct twiml *t, const struct xml_element *e, const char *allowed);

#endif
