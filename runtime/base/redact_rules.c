/* SPDX-License-Identifier: Apache-2.0 */
/* redact_rules.c - a run of digit groups is looked at five times: what is a phone number or a date,
 * was it read out, is there a social security number, are there nine digits near that word, is there
 * a card. A card is any stretch of whole groups with 13 to 19 digits that passes Luhn, so "zip 60614
 * 4111 1111 1111 1111" is found too. Each group begins at most 19 stretches: linear.
 *
 * One stretch in ten passes Luhn by chance. Hence what a phone number or a date explains is left
 * alone, and stretches that cut one in two are not looked at. */
#include "base/redact_rules.h"

enum { PHONE_PLUS_MAX = 14, SSN_DIGITS = 9 };

/* Beside the numbers find_known() gives; two, because one may follow another. */
enum { KNOWN_SSN_EVEN = UINT8_MAX - 1, KNOWN_SSN_ODD };

static unsigned digit_at(const struct redact_atom *a, unsigned i)
{
    return a->spoken ? a->value : (unsigned)(a->p[i] - '0');
}

static unsigned number_of(const struct redact_atom *a)
{
    unsigned v = 0;

    for (unsigned i = 0; i < a->digits && i < 4; i++)
        v = v * 10 + digit_at(a, i);
    return v;
}

static bool between(unsigned v, unsigned min, unsigned max)
{
    return v >= min && v <= max;
}

/* Do groups of these sizes begin at atom i, with one character between each two? */
static bool shaped(const struct redact_run *r, unsigned i, const char *sizes, bool same)
{
    for (unsigned k = 0; sizes[k]; k++) {
        const struct redact_atom *a = &r->atoms[i + k];

        if (i + k >= r->n || a->spoken || a->digits != sizes[k] - '0')
            return false;
        if (k > 0 && (!a->before || (same && a->before != r->atoms[i + 1].before)))
            return false;
    }
    return true;
}

/* --- phone numbers and dates --- */

static bool is_year(const struct redact_atom *a)
{
    return a->digits == 4 && between(number_of(a), 1900, 2099);
}

static bool is_date(const struct redact_run *r, unsigned i)
{
    const struct redact_atom *a = &r->atoms[i];

    if (shaped(r, i, "422", true))
        return is_year(a) && between(number_of(a + 1), 1, 12) && between(number_of(a + 2), 1, 31);
    if (shaped(r, i, "224", true) || shaped(r, i, "114", true) || shaped(r, i, "124", true) ||
        shaped(r, i, "214", true))
        return between(number_of(a), 1, 31) && between(number_of(a + 1), 1, 31) && is_year(a + 2);
    return false;
}

/* How many atoms from i on are a phone number or a date; 0: neither. */
static unsigned known_at(const struct redact_run *r, unsigned i)
{
    const struct redact_atom *a = &r->atoms[i];
    unsigned n = 0, digits = 0;

    if (i == 0 && r->plus) {
        while (n < r->n && (n == 0 || a[n].before) && digits + a[n].digits <= PHONE_PLUS_MAX)
            digits += a[n++].digits;
        return n;
    }
    if (a->spoken)
        return 0;
    if (a->digits == 10 || (a->digits == 11 && a->p[0] == '1'))
        return 1;
    if (shaped(r, i, "334", false))
        return 3;
    if (shaped(r, i, "1334", false) && a->p[0] == '1')
        return 4;
    return is_date(r, i) ? 3 : 0;
}

static void find_known(struct redact_run *r)
{
    uint8_t id = 0;

    for (unsigned i = 0; i < r->n;) {
        unsigned n = known_at(r, i);

        id = (uint8_t)(id % UINT8_MAX + 1);
        r->atoms[i].known = 0;
        for (unsigned k = 0; k < n; k++)
            r->atoms[i + k].known = id;
        i += n ? n : 1;
    }
}

/* --- stretches of whole groups --- */

static void label(struct redact_run *r, unsigned from, unsigned to, enum redact_label what)
{
    for (unsigned i = from; i <= to; i++)
        if (r->atoms[i].label != REDACT_CARD)
            r->atoms[i].label = (uint8_t)what;
}

/* Begins or ends inside a phone number or date, or is made of nothing else. */
static bool is_explained(const struct redact_run *r, unsigned from, unsigned to)
{
    const struct redact_atom *a = r->atoms;
    bool all = true, loose = false;

    if (from > 0 && a[from].known && a[from].known == a[from - 1].known)
        return true;
    if (to + 1 < r->n && a[to].known && a[to].known == a[to + 1].known)
        return true;
    for (unsigned i = from; i <= to; i++) {
        all &= a[i].known != 0;
        loose |= i > from && !a[i].before && (a[i].known || a[i - 1].known);
    }
    return all || loose;
}

static bool passes_luhn(const struct redact_run *r, unsigned from, unsigned to)
{
    unsigned sum = 0, place = 0;

    for (unsigned i = to + 1; i-- > from;) {
        const struct redact_atom *a = &r->atoms[i];

        for (unsigned k = a->digits; k-- > 0; place++) {
            unsigned d = digit_at(a, k) << (place % 2);

            sum += d > 9 ? d - 9 : d;
        }
    }
    return sum % 10 == 0;
}

/* No bank's cards begin with 0, 1, 7 or 9; times in milliseconds and parcels do. */
static bool begins_as_a_card(const struct redact_atom *a)
{
    unsigned d = digit_at(a, 0);

    return d != 0 && d != 1 && d != 7 && d != 9;
}

static void find_cards(struct redact_run *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        unsigned digits = 0, last = 0;
        bool found = false;

        for (unsigned j = i; j < r->n; j++) {
            digits += r->atoms[j].digits;
            if (digits > REDACT_CARD_MAX)
                break;
            if (digits >= REDACT_CARD_MIN && passes_luhn(r, i, j) && !is_explained(r, i, j)) {
                last = j;
                found = true;
            }
        }
        if (found && begins_as_a_card(&r->atoms[i]))
            label(r, i, last, REDACT_CARD);
    }
}

static void find_nine(struct redact_run *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        unsigned digits = 0, j = i;

        while (j < r->n && digits < SSN_DIGITS)
            digits += r->atoms[j++].digits;
        if (digits == SSN_DIGITS && !is_explained(r, i, j - 1))
            label(r, i, j - 1, REDACT_SSN);
    }
}

static void find_ssn(struct redact_run *r)
{
    for (unsigned i = 0; i + 2 < r->n; i++) {
        const struct redact_atom *a = &r->atoms[i];
        unsigned area = number_of(a);

        if (!shaped(r, i, "324", true) || a->known || a[1].before == '/')
            continue;
        if (area == 0 || area == 666 || area >= 900 || !number_of(a + 1) || !number_of(a + 2))
            continue;
        label(r, i, i + 2, REDACT_SSN);
        for (unsigned k = i; k < i + 3; k++)
            r->atoms[k].known = i % 2 ? KNOWN_SSN_ODD : KNOWN_SSN_EVEN;
    }
}

/* Between digits people mix words in: four words and thirteen digits are enough. */
static bool was_read_out(const struct redact_run *r)
{
    return r->spoken_digits >= REDACT_SPOKEN_MIN ||
           (r->spoken_digits >= 4 && r->digits >= REDACT_CARD_MIN);
}

static void label_read_out(struct redact_run *r)
{
    bool card = r->digits >= REDACT_CARD_MIN && r->digits <= REDACT_CARD_MAX;
    bool ssn = r->digits == SSN_DIGITS && r->near_social;

    label(r, 0, r->n - 1, card ? REDACT_CARD : ssn ? REDACT_SSN : REDACT_DIGITS);
}

void redact_label_run(struct redact_run *r)
{
    if (r->n == 0)
        return;
    if (was_read_out(r)) {
        label_read_out(r);
        return;
    }
    if (r->digits < SSN_DIGITS)
        return;
    find_known(r);
    find_ssn(r);
    if (r->near_social)
        find_nine(r);
    find_cards(r);
}
