/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - the list of misbehaviours and who takes the next one; see fault.h. */
#include "sim/carrier/fault.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"well",    "429",  "500",       "503",    "lost",
                                    "timeout", "slow", "500-after", "ignored"};
static const char *const kinds[REST_KINDS] = {"", "get-", "dial-", "text-", "number-"};

static int find(enum rest_fault *out, struct rd_str word)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (rd_str_eq(word, rd_str(names[i]))) {
            *out = (enum rest_fault)i;
            return 0;
        }
    }
    return RD_ECONFIG;
}

static int add(struct rest_faults *f, int kind, struct rd_str word)
{
    struct rest_queue *q = &f->queues[kind];
    enum rest_fault fault;
    int rc = find(&fault, word);

    if (rc == 0 && fault == REST_IGNORED && kind != REST_NUMBER)
        rc = RD_ECONFIG;
    if (rc == 0 && q->n == REST_FAULTS_MAX)
        rc = RD_EFULL;
    if (rc == 0)
        q->faults[q->n++] = fault;
    return rc;
}

static int add_word(struct rest_faults *f, struct rd_str word)
{
    if (rd_str_eq(word, RD_STR("stall"))) {
        f->stall = true;
        return 0;
    }
    for (int k = 1; k < REST_KINDS; k++) {
        size_t n = strlen(kinds[k]);
        if (word.n > n && memcmp(word.p, kinds[k], n) == 0)
            return add(f, k, (struct rd_str){word.p + n, word.n - n});
    }
    return add(f, REST_WRITE, word);
}

int rest_faults_read(struct rest_faults *f, const char *text, char *why, size_t cap)
{
    *f = (struct rest_faults){.stall = false};
    while (text && *text) {
        struct rd_str word = {text, strcspn(text, ",")};

        if (add_word(f, word)) {
            snprintf(
                why, cap,
                "--rest-fault: \"" RD_STR_FMT "\" cannot be done; 429, 500, "
                "503, lost, timeout, slow, 500-after and well, with get-, dial-, text- or "
                "number- in front for reads, created calls and texts, changed numbers, at most "
                "%d of each; stall, and number-ignored",
                RD_STR_ARG(word), REST_FAULTS_MAX);
            return RD_ECONFIG;
        }
        text += word.n;
        text += *text == ',';
    }
    return 0;
}

enum rest_fault rest_faults_next(struct rest_faults *f, enum rest_kind kind)
{
    struct rest_queue *q = kind < REST_KINDS ? &f->queues[kind] : NULL;

    return q && q->at < q->n ? q->faults[q->at++] : REST_WELL;
}

int rest_fault_named(enum rest_fault *fault, const char *name)
{
    return find(fault, rd_str(name));
}

const char *rest_fault_name(enum rest_fault fault)
{
    return names[fault];
}
