/* SPDX-License-Identifier: Apache-2.0 */
/* twiml_xml.h - a strict, small XML reader for TwiML: elements, attributes, text. What is not
 * well-formed is refused with the line, as the telephone network would (its error 12100). */
#ifndef SIM_CARRIER_TWIML_XML_H
#define SIM_CARRIER_TWIML_XML_H

#include "base/str.h"

#include <stddef.h>

enum { XML_DEPTH_MAX = 16, XML_ELEMENTS_MAX = 512, XML_BYTES_MAX = 65536 };

struct xml_attr {
    char *name, *value; /* own */
};

struct xml_element {
    char *name;             /* owns */
    char *text;             /* owns; its direct text, entities resolved; "" when none */
    struct xml_attr *attrs; /* owns */
    size_t n_attrs;
    int parent, first, last, next; /* places in the document; -1: none */
    int line;
};

struct xml_doc {
    struct xml_element *elements; /* owns; [0] is the root */
    size_t n;
};

/* RD_EPROTO with "line N: …" in why; RD_ETOOBIG; -ENOMEM. */
int xml_parse(struct xml_doc **out, struct rd_str text, char *why, size_t cap);
void xml_free(struct xml_doc *d);

/* NULL when absent. */
const char *xml_attr(const struct xml_element *e, const char *name);

#endif
