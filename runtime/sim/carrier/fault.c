/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - the list of misbehaviours and who takes the next one; see fault.h. */
#include "sim/carrier/fault.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"well", "429",     "500",  "503",
                                    "lost", "timeout", "slow", "500-after"};
static const char *const kinds[REST_KINDS] = {"", "get-", "dial-", "text-"};

static int add(struct rest_queue *q, struct rd_str word)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!rd_str_eq(word, rd_str(names[i])))
            continue;
        if (q->n == REST_FAULTS_MAX)
            return RD_EFULL;
        q->faults[q->n++] = (enum rest_fault)i;
        return 0;
    }
    return RD_ECONFIG;
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
            return add(&f->queues[k], (struct rd_str){word.p + n, word.n - n});
    }
    return add(&f->queues[REST_WRITE], word);
}

int rest_faults_read(struct rest_faults *f, const char *text, char *why, size_t cap)
{
    *f = (struct rest_faults){.stall = false};
    while (text && *text) {
        struct rd_str word = {text, strcspn(text, ",")};

        if (add_word(f, word)) {
            snprintf(why, cap,
                     "--rest-fault: \"" RD_STR_FMT "\" cannot be done; 429, 500, "
                     "503, lost, timeout, slow, 500-after and well, with get-, dial- or text- in "
                     "front for reads, created calls and texts, at most %d of each; and stall",
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

const char *rest_fault_name(enum rest_fault fault)
{
    return names[fault];
}
