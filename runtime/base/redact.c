/* SPDX-License-Identifier: Apache-2.0 */
/* redact.c - walks a text once. Digits and digit words become atoms; atoms with little between them
 * (spaces, dashes, commas, an "uh") make a run; where a run ends, redact_rules.c says what its atoms
 * are, and the text goes out with one word in place of each labelled stretch.
 *
 *   "my card is 4111-1111 uh 1111 1111, ok"
 *    ───word──── [ a ][ a ]   [ a ][ a ] ─word
 *                └────────run─────────┘
 *
 * A run longer than ATOMS is decided in parts that overlap by more than any card is long. */
#include "base/redact.h"

#include "base/redact_rules.h"

#include <strings.h>

enum {
    ATOMS = 128,
    OVERLAP = 20,    /* atoms whose stretches may reach beyond what was seen */
    GAP_MAX = 3,     /* separators between two groups */
    FILLERS_MAX = 2, /* "uh, and" */
    BEFORE_MAX = 80, /* bytes from "social" to its number… */
    AFTER_MAX = 48   /* …and from a number to "is my social" */
};

struct scan {
    struct buf *out;
    const char *end;
    const char *told;   /* the text before it went out */
    const char *social; /* where such a word last ended; NULL: nowhere */
    bool named_social;
    bool plus; /* a + stands right here */

    struct redact_atom atoms[ATOMS];
    struct redact_run run;
    uint8_t open;     /* label of the stretch that went out last: it may go on */
    unsigned gap;     /* separators since the last atom */
    unsigned fillers; /* and words that say nothing */
    char separator;   /* if there is one only */
    uint8_t times;    /* 2 after "double" */
    const char *times_at;
    int rc;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- out --- */

static void tell(struct scan *s, const char *to)
{
    if (!s->rc && to > s->told)
        s->rc = buf_add(s->out, s->told, (size_t)(to - s->told));
    s->told = to;
}

static void tell_atom(struct scan *s, const struct redact_atom *a)
{
    static const char *const words[] = {
        [REDACT_CARD] = "[card]", [REDACT_SSN] = "[ssn]", [REDACT_DIGITS] = "[digits]"};

    if (a->label != REDACT_NOT && a->label != s->open) {
        tell(s, a->p);
        if (!s->rc)
            s->rc = buf_add_str(s->out, words[a->label]);
    }
    if (a->label == REDACT_NOT)
        tell(s, a->p + a->n_bytes);
    s->told = a->p + a->n_bytes;
    s->open = a->label;
}

/* --- words --- */

struct digit_word {
    const char *word;
    uint8_t value;
};

static const struct digit_word digit_words[] = {
    {"zero", 0}, {"oh", 0},    {"one", 1},   {"two", 2},   {"three", 3},  {"four", 4},
    {"five", 5}, {"six", 6},   {"seven", 7}, {"eight", 8}, {"nine", 9},   {"niner", 9},
    {"cero", 0}, {"uno", 1},   {"dos", 2},   {"tres", 3},  {"cuatro", 4}, {"cinco", 5},
    {"seis", 6}, {"siete", 7}, {"ocho", 8},  {"nueve", 9},
};
static const struct digit_word repeats[] = {
    {"double", 2}, {"doble", 2}, {"triple", 3}, {"treble", 3}};
static const struct digit_word fillers[] = {
    {"uh", 0},   {"um", 0},     {"er", 0},    {"eh", 0},          {"hmm", 0},  {"okay", 0},
    {"and", 0},  {"then", 0},   {"y", 0},     {"luego", 0},       {"este", 0}, {"space", 0},
    {"dash", 0}, {"hyphen", 0}, {"guion", 0}, {"gui\303\263n", 0}};
static const struct digit_word social_words[] = {
    {"social", 0}, {"ssn", 0}, {"ssns", 0}, {"itin", 0}, {"seguridad", 0}};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const struct digit_word *find(const struct digit_word *list, size_t n, struct rd_str word)
{
    for (size_t i = 0; i < n; i++)
        if (strncasecmp(list[i].word, word.p, word.n) == 0 && list[i].word[word.n] == '\0')
            return &list[i];
    return NULL;
}

/* Bytes of the separator that stands here, 0 if there is none; `as`: which of " -./,". */
static size_t separator_at(const char *p, const char *end, char *as)
{
    static const char plain[] = " \t\r\n-./,_", shown[] = "    -./,-";
    const char *at = *p ? strchr(plain, *p) : NULL;
    const unsigned char *u = (const unsigned char *)p;

    *as = ' ';
    if (at) {
        *as = shown[at - plain];
        return 1;
    }
    if (end - p >= 2 && u[0] == 0xC2 && u[1] == 0xA0)
        return 2; /* no-break space */
    if (end - p < 3 || u[0] != 0xE2)
        return 0;
    if ((u[1] == 0x80 && u[2] >= 0x90 && u[2] <= 0x95) || (u[1] == 0x88 && u[2] == 0x92)) {
        *as = '-'; /* U+2010 to U+2015, the minus sign */
        return 3;
    }
    return u[1] == 0x80 && (u[2] <= 0x8A || u[2] == 0xAF) ? 3 : 0; /* narrow spaces */
}

static bool is_letter(const char *p, const char *end)
{
    char as;

    if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
        return true;
    return (*p & 0x80) && separator_at(p, end, &as) == 0;
}

static struct rd_str word_at(const char *p, const char *end)
{
    const char *q = p;

    while (q < end && is_letter(q, end))
        q++;
    return (struct rd_str){p, (size_t)(q - p)};
}

/* --- runs --- */

static bool social_follows(const struct scan *s, const char *p)
{
    const char *end = s->end - p > AFTER_MAX ? p + AFTER_MAX : s->end;

    while (p < end) {
        struct rd_str word = word_at(p, end);

        if (word.n && find(social_words, LENGTH(social_words), word))
            return true;
        p += word.n ? word.n : 1;
    }
    return false;
}

static void label_run(struct scan *s)
{
    const struct redact_atom *first = &s->run.atoms[0], *last = &s->run.atoms[s->run.n - 1];

    s->run.near_social = s->named_social || (s->social && first->p - s->social <= BEFORE_MAX) ||
                         social_follows(s, last->p + last->n_bytes);
    redact_label_run(&s->run);
}

/* Any text that is no part of a number. */
static void end_run(struct scan *s)
{
    if (s->run.n > 0) {
        label_run(s);
        for (unsigned i = 0; i < s->run.n; i++)
            tell_atom(s, &s->run.atoms[i]);
    }
    s->run = (struct redact_run){.atoms = s->atoms};
    s->open = REDACT_NOT;
    s->gap = s->fillers = s->times = 0;
    s->plus = false;
}

static void make_room(struct scan *s)
{
    unsigned done = ATOMS - OVERLAP;

    label_run(s);
    for (unsigned i = 0; i < done; i++)
        tell_atom(s, &s->atoms[i]);
    memmove(s->atoms, s->atoms + done, OVERLAP * sizeof(s->atoms[0]));
    s->run.n = OVERLAP;
    s->run.plus = false;
}

static void add_atom(struct scan *s, struct redact_atom a)
{
    if (s->run.n == ATOMS)
        make_room(s);
    if (s->run.n == 0)
        s->run.plus = s->plus;
    if (s->times && (a.spoken || a.digits == 1)) {
        a.n_bytes += (size_t)(a.p - s->times_at);
        a.p = s->times_at;
        a.digits = s->times;
        a.spoken = true;
    }
    a.before = s->gap == 1 && s->fillers == 0 && s->separator != ',' ? s->separator : '\0';
    s->run.digits += a.digits;
    s->run.spoken_digits += a.spoken ? a.digits : 0;
    s->run.atoms[s->run.n++] = a;
    s->gap = s->fillers = s->times = 0;
    s->plus = false;
}

/* --- in --- */

static const char *on_digits(struct scan *s, const char *p)
{
    const char *q = p;
    size_t n;

    while (q < s->end && is_digit(*q))
        q++;
    n = (size_t)(q - p);
    add_atom(s, (struct redact_atom){.p = p,
                                     .n_bytes = n,
                                     .digits = (uint8_t)(n < REDACT_LONG ? n : REDACT_LONG),
                                     .value = (uint8_t)(*p - '0')});
    return q;
}

static bool was_spoken(const struct scan *s)
{
    return s->run.n > 0 && s->run.atoms[s->run.n - 1].spoken;
}

static const char *on_word(struct scan *s, const char *p)
{
    static const struct digit_word letter_o = {"o", 0};
    struct rd_str word = word_at(p, s->end);
    const struct digit_word *d = find(digit_words, LENGTH(digit_words), word);

    if (!d && was_spoken(s))
        d = find(&letter_o, 1, word);
    if (d) {
        add_atom(s, (struct redact_atom){
                        .p = p, .n_bytes = word.n, .digits = 1, .value = d->value, .spoken = true});
        return p + word.n;
    }
    d = find(repeats, LENGTH(repeats), word);
    if (d) {
        s->times = d->value;
        s->times_at = p;
        s->gap = 0;
        s->fillers++;
        return p + word.n;
    }
    s->times = 0;
    if (s->run.n > 0 && find(fillers, LENGTH(fillers), word) && s->fillers++ < FILLERS_MAX) {
        s->gap = 0;
        return p + word.n;
    }
    if (find(social_words, LENGTH(social_words), word))
        s->social = p + word.n;
    end_run(s);
    return p + word.n;
}

static const char *on_other(struct scan *s, const char *p)
{
    size_t n = separator_at(p, s->end, &s->separator);

    if (n == 0 || ++s->gap > GAP_MAX)
        end_run(s);
    s->plus = *p == '+';
    return p + (n ? n : 1);
}

static int redact(struct buf *out, struct rd_str text, bool named_social)
{
    struct scan s = {.out = out, .told = text.p, .named_social = named_social};

    if (text.n == 0)
        return 0;
    s.end = text.p + text.n;
    s.run.atoms = s.atoms;
    for (const char *p = text.p; p < s.end && !s.rc;) {
        if (is_digit(*p))
            p = on_digits(&s, p);
        else if (is_letter(p, s.end))
            p = on_word(&s, p);
        else
            p = on_other(&s, p);
    }
    end_run(&s);
    tell(&s, s.end);
    return s.rc;
}

int redact_text(struct buf *out, struct rd_str text)
{
    return redact(out, text, false);
}

/* "ssn", "SSN_last", "socialSecurityNumber"; not "className". */
static bool names_a_social(struct rd_str name)
{
    if (memmem(name.p, name.n, "ocial", 5))
        return true;
    for (size_t i = 0; i + 3 <= name.n; i++)
        if (strncasecmp(name.p + i, "ssn", 3) == 0 &&
            (i == 0 || !is_letter(name.p + i - 1, name.p + name.n)))
            return true;
    return false;
}

int redact_named(struct buf *out, struct rd_str name, struct rd_str text)
{
    return redact(out, text, name.n > 0 && names_a_social(name));
}
