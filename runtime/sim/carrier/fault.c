/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - the list of misbehaviours and who takes the next one; see fault.h. */
#include "sim/carrier/fault.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>

static const char *const names[] = {"well", "429", "500", "503", "lost", "timeout"};

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
    if (word.n > 4 && memcmp(word.p, "get-", 4) == 0)
        return add(&f->reads, (struct rd_str){word.p + 4, word.n - 4});
    return add(&f->writes, word);
}

int rest_faults_read(struct rest_faults *f, const char *text, char *why, size_t cap)
{
    *f = (struct rest_faults){.stall = false};
    while (text && *text) {
        struct rd_str word = {text, strcspn(text, ",")};

        if (add_word(f, word)) {
            snprintf(why, cap,
                     "--rest-fault: \"" RD_STR_FMT "\" cannot be done; at most %d of each of 429, "
                     "500, 503, lost, timeout and well, for reads with get- in front, and stall",
                     RD_STR_ARG(word), REST_FAULTS_MAX);
            return RD_ECONFIG;
        }
        text += word.n;
        text += *text == ',';
    }
    return 0;
}

enum rest_fault rest_faults_next(struct rest_faults *f, bool write)
{
    struct rest_queue *q = write ? &f->writes : &f->reads;

    return q->at < q->n ? q->faults[q->at++] : REST_WELL;
}

const char *rest_fault_name(enum rest_fault fault)
{
    return names[fault];
}
