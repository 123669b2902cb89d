/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.h - every failure has a name, a meaning and a remedy; docs/errors.md is printed from it.
 *
 * A code is dotted: the event or alarm of that name in the log; "call." + the reason of a fallback;
 * "ended." + how a call ended; "error." + an error number of base/err.h; "openai." and "twilio." +
 * their own codes; "not_texted." + why a text was not sent; "database." + what PostgreSQL said. The ctest "catalogue" finds what the code
 * uses and nobody explains. Constant; any thread. */
#ifndef OBSERVE_CATALOGUE_H
#define OBSERVE_CATALOGUE_H

#include <stddef.h>

enum error_severity {
    ERROR_NOTE,    /* everyday life; look only if it repeats */
    ERROR_WARNING, /* something was lost or late; nobody need get up */
    ERROR_CRITICAL /* callers notice, or soon will */
};

enum error_retry {
    RETRY_NO,    /* the same again fails again, until the remedy is done */
    RETRY_HELPS, /* the same again may work */
    RETRY_BY_US  /* the program does it by itself */
};

struct error_info {
    const char *code, *meaning, *remedy;
    enum error_severity severity;
    enum error_retry retry;
};

/* A list of them, all of one kind. */
struct error_family {
    const char *title, *about;
    const struct error_info *errors;
    size_t n;
};
const struct error_family *const *catalogue_families(size_t *n);

/* NULL: nobody knows it. */
const struct error_info *catalogue_find(const char *code);

/* What to do about `prefix` + `name`: "call.", "no_agent". Static; NULL when nobody knows it. */
const char *catalogue_fix(const char *prefix, const char *name);

const char *error_severity_name(enum error_severity s);
const char *error_retry_name(enum error_retry r);

/* The families, one file each. */
extern const struct error_family catalogue_calls, catalogue_ends, catalogue_node, catalogue_records;
extern const struct error_family catalogue_openai, catalogue_live, catalogue_bridge,
    catalogue_twilio, catalogue_numbers;
extern const struct error_family catalogue_texts, catalogue_vapi, catalogue_health;

#endif
