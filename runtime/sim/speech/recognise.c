/* SPDX-License-Identifier: Apache-2.0 */
/* recognise.c - the doubles' ears.
 *
 *   - a sentence is learnt as a picture of band energies, once
 *   - an utterance is aligned with every picture; speech that the best alignment leaves over costs
 *     as if it had been wrong, so "no" is not heard in "no thanks, goodbye"
 *   - the best must be below an absolute limit, and the next other text clearly behind it
 *   - a hole of 75 ms where the sentence speaks costs extra: a few lost frames do not
 *   - silence, noise and too short sounds are nothing at all. */
#include "sim/speech/recognise.h"

#include "sim/speech/recognise_bands.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOUD_MIN_ROWS = 12, /* 150 ms of speech */
    HOLE_ROWS = 5       /* 75 ms: four lost frames in a row, or a hole */
};

#define LEFT_OVER_DB 8.0F
#define HOLE_DB      6.0F

struct sentence {
    char *text, *voice; /* own */
    struct bands bands;
};

struct recogniser {
    struct sentence *known; /* owns */
    size_t n;
};

int recogniser_new(struct recogniser **out)
{
    struct recogniser *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    *out = r;
    return 0;
}

static void sentence_fini(struct sentence *s)
{
    free(s->text);
    free(s->voice);
    bands_fini(&s->bands);
}

void recogniser_free(struct recogniser *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        sentence_fini(&r->known[i]);
    free(r->known);
    free(r);
}

static int find(const struct recogniser *r, const char *text, const char *voice)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->known[i].text, text) == 0 && strcmp(r->known[i].voice, voice) == 0)
            return (int)i;
    return -ENOENT;
}

static int recogniser_add_sound(struct recogniser *r, const char *text, const char *voice,
                                const struct sound *sound)
{
    struct sentence s = {0};
    struct sentence *more;
    int index;

    voice = voice ? voice : "";
    index = find(r, text, voice);
    if (index >= 0)
        return index;
    more = realloc(r->known, (r->n + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    r->known = more;
    s.text = strdup(text);
    s.voice = strdup(voice);
    if (!s.text || !s.voice || bands_make(&s.bands, sound->pcm, sound->n, 0)) {
        sentence_fini(&s);
        return -ENOMEM;
    }
    r->known[r->n] = s;
    return (int)r->n++;
}

int recogniser_add(struct recogniser *r, const char *text, const char *voice)
{
    struct sound s;
    int rc = sound_say(&s, text, voice);

    if (rc)
        return rc;
    rc = recogniser_add_sound(r, text, voice, &s);
    sound_fini(&s);
    return rc;
}

int recogniser_add_file(struct recogniser *r, const char *path)
{
    struct sound s;
    int rc = sound_load(&s, path);

    if (rc)
        return rc;
    rc = recogniser_add_sound(r, path, NULL, &s);
    sound_fini(&s);
    return rc;
}

const char *recogniser_text(const struct recogniser *r, int index)
{
    return index >= 0 && (size_t)index < r->n ? r->known[index].text : NULL;
}

static size_t count_loud(const struct bands *b, size_t from, size_t to)
{
    size_t n = 0;

    for (size_t i = from; i < to && i < b->n; i++)
        n += b->loud[i];
    return n;
}

static float hole_cost(const struct bands_match *m)
{
    return m->hole >= HOLE_ROWS ? HOLE_DB : 0;
}

/* Distance of a whole utterance to one sentence, left-over speech included. Lengths that cannot be
 * the same sentence are not compared at all. `hole`: what holes cost on top. */
static float whole_distance(const struct sentence *s, const struct bands *heard, float *hole)
{
    size_t here = count_loud(heard, 0, heard->n), there = count_loud(&s->bands, 0, s->bands.n);
    struct bands_match m;
    size_t left;

    if (here * 5 < there * 3 || here * 3 > there * 5)
        return BANDS_FAR;
    if (bands_align(&m, &s->bands, heard) || m.distance >= BANDS_FAR)
        return BANDS_FAR;
    *hole = hole_cost(&m);
    left = count_loud(heard, 0, m.from) + count_loud(heard, m.to + 1, heard->n);
    return m.distance + LEFT_OVER_DB * (float)left / (float)s->bands.n;
}

int recogniser_best(const struct recogniser *r, const int16_t *pcm, size_t n, float *score)
{
    float best = BANDS_FAR, next = BANDS_FAR, best_hole = 0;
    struct bands heard;
    int index = -1;

    if (score)
        *score = best;
    if (bands_make(&heard, pcm, n, 0))
        return -1;
    if (count_loud(&heard, 0, heard.n) < LOUD_MIN_ROWS) {
        bands_fini(&heard);
        return -1;
    }
    for (size_t i = 0; i < r->n; i++) {
        float hole = 0, d = whole_distance(&r->known[i], &heard, &hole);
        bool other = index >= 0 && strcmp(r->known[i].text, r->known[index].text) != 0;

        if (d < best) {
            next = other ? best : next;
            best = d;
            best_hole = hole;
            index = (int)i;
        } else if (other && d < next) {
            next = d;
        }
    }
    bands_fini(&heard);
    if (score)
        *score = best + best_hole;
    return best + best_hole <= RECOGNISE_MAX_DB && next - best >= RECOGNISE_MARGIN_DB ? index : -1;
}

int recognise_sound(const struct sound *heard, const char *text, const char *voice, float *score)
{
    /* The recording's loudest voice may be another one: try a few levels. */
    static const float gains_db[] = {0, -3, 3, -6, 6};
    struct sound said;
    struct bands needle;
    float best = BANDS_FAR;
    int rc = sound_say(&said, text, voice);

    if (rc)
        return rc;
    rc = bands_make(&needle, said.pcm, said.n, 0);
    sound_fini(&said);
    if (rc)
        return rc;
    for (size_t i = 0; rc == 0 && i < sizeof(gains_db) / sizeof(gains_db[0]); i++) {
        struct bands hay;
        struct bands_match m;

        rc = bands_make(&hay, heard->pcm, heard->n, gains_db[i]);
        if (rc)
            break;
        rc = bands_align(&m, &needle, &hay);
        if (rc == 0 && m.distance + hole_cost(&m) < best)
            best = m.distance + hole_cost(&m);
        bands_fini(&hay);
    }
    bands_fini(&needle);
    if (score)
        *score = best;
    return rc ? rc : best <= RECOGNISE_MAX_DB;
}
