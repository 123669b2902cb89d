/* SPDX-License-Identifier: Apache-2.0 */
/* alike.c - see alike.h.
 *
 *   {"event":"media","sequenceNumber":" 3 ","media":{…,"chunk":" 2 ","timestamp":" 40 ","payload":" //8= "},…}
 *   `------------- text ------------'   `--- text ---'   `-- text --'    `-- text --'            `- text -'
 *
 * Numbers come in the order in which the first frame had them; the sound is the last that changes, so
 * that it reaches to where the text behind it begins. A number that JSON would not write, or above
 * what it means, and sound that is not base64 are left to the reader who knows what to call them. */
#include "carriers/twilio/alike.h"

#include "media/base64.h"

#include <string.h>

enum { DIGITS_MAX = 15 };

static bool add_text(struct twilio_alike *a, int i, size_t *used, const char *from, const char *to)
{
    size_t n = (size_t)(to - from);

    if (to < from || n > ALIKE_BYTES - *used)
        return false;
    memcpy(a->text + *used, from, n);
    *used += n;
    a->n[i] = (uint16_t)n;
    return true;
}

/* The first of those that stand at or behind p; ALIKE_NUMBERS: there is none. */
static unsigned next_number(const struct twilio_numbers *numbers, const char *p)
{
    unsigned next = ALIKE_NUMBERS;

    for (unsigned i = 0; i < ALIKE_NUMBERS; i++)
        if (numbers->at[i].p >= p &&
            (next == ALIKE_NUMBERS || numbers->at[i].p < numbers->at[next].p))
            next = i;
    return next;
}

static bool learn(struct twilio_alike *a, struct rd_str text, const struct twilio_numbers *numbers,
                  struct rd_str payload)
{
    const char *p = text.p;
    size_t used = 0;

    for (int i = 0; i < ALIKE_NUMBERS; i++) {
        unsigned next = next_number(numbers, p);

        if (next == ALIKE_NUMBERS || !add_text(a, i, &used, p, numbers->at[next].p))
            return false;
        a->number[i] = (uint8_t)next;
        p = numbers->at[next].p + numbers->at[next].n;
    }
    return add_text(a, ALIKE_NUMBERS, &used, p, payload.p) &&
           add_text(a, ALIKE_NUMBERS + 1, &used, payload.p + payload.n, text.p + text.n);
}

void twilio_alike_learn(struct twilio_alike *a, struct rd_str text,
                        const struct twilio_numbers *numbers, struct rd_str payload)
{
    if (!learn(a, text, numbers, payload))
        a->n[0] = 0;
}

/* What follows the text that stands at *p, or false. */
static bool skip_text(const char **p, const char *end, const char *text, size_t n)
{
    if ((size_t)(end - *p) < n || memcmp(*p, text, n) != 0)
        return false;
    *p += n;
    return true;
}

static bool take_number(const char **p, const char *end, uint64_t *out)
{
    const char *begin = *p, *q = begin;
    uint64_t sum = 0;

    while (q < end && (uint8_t)(*q - '0') < 10 && q - begin < DIGITS_MAX)
        sum = sum * 10 + (uint8_t)(*q++ - '0');
    if (q == begin || (*begin == '0' && q - begin > 1))
        return false;
    *p = q;
    *out = sum;
    return true;
}

bool twilio_alike_read(const struct twilio_alike *a, struct rd_str text, uint64_t *sequence,
                       uint32_t *at_ms, struct audio_span *out)
{
    const char *p = text.p, *end = p + text.n, *known = a->text;
    size_t tail = a->n[ALIKE_NUMBERS + 1];
    uint64_t numbers[ALIKE_NUMBERS] = {0};
    ssize_t n_bytes;

    if (a->n[0] == 0)
        return false;
    for (int i = 0; i < ALIKE_NUMBERS; known += a->n[i++])
        if (!skip_text(&p, end, known, a->n[i]) || !take_number(&p, end, &numbers[a->number[i]]))
            return false;
    if (!skip_text(&p, end, known, a->n[ALIKE_NUMBERS]) || (size_t)(end - p) <= tail)
        return false;
    end -= tail;
    if (memcmp(end, known + a->n[ALIKE_NUMBERS], tail) != 0 ||
        numbers[ALIKE_TIMESTAMP] > UINT32_MAX)
        return false;
    n_bytes = base64_check(p, (size_t)(end - p));
    if (n_bytes <= 0)
        return false;
    *out = (struct audio_span){p, (size_t)(end - p), (uint32_t)n_bytes};
    *at_ms = (uint32_t)numbers[ALIKE_TIMESTAMP];
    *sequence = numbers[ALIKE_SEQUENCE];
    return true;
}
