/* SPDX-License-Identifier: Apache-2.0 */
/* What a call needs done away from the loop: speaking with espeak-ng, and judging the recording.
 *
 * A job owns all it works on but the scenario; when the call is gone before the job is done, its
 * result is dropped.
 *
 * Happy path: prepare (the caller's sentences), speak (words of <Say>), judge (wav, heard words).
 * Failure modes: espeak-ng or a file missing: prepare says so; speak gives NULL; judge says what it
 * could not check.
 */
#include "sim/carrier/call.h"

#include "base/err.h"
#include "sim/carrier/judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAY_LOOPS_MAX = 10 };

struct carrier_job {
    struct carrier_call *call; /* NULL: nobody wants it any more */
    const struct scenario *scenario;
    int err;
    struct sound *sounds; /* own; prepare */
    char *text;           /* owns; speak */
    unsigned loop;
    struct sound speech;   /* owns; speak */
    struct sound sides[2]; /* own; judge */
    char *wav;             /* owns; judge */
    char unheard[256];
    void (*on_prepared)(struct carrier_call *c, int err);
    void (*on_spoken)(struct carrier_call *c, const struct sound *s);
    void (*on_judged)(struct carrier_call *c);
};

static void job_free(struct carrier_job *j)
{
    for (size_t i = 0; j->sounds && i < j->scenario->n_steps; i++)
        sound_fini(&j->sounds[i]);
    free(j->sounds);
    free(j->text);
    free(j->wav);
    sound_fini(&j->speech);
    sound_fini(&j->sides[0]);
    sound_fini(&j->sides[1]);
    free(j);
}

static struct carrier_job *job_new(struct carrier_call *c)
{
    struct carrier_job *j = calloc(1, sizeof(*j));

    if (j) {
        j->call = c;
        j->scenario = c->scenario;
    }
    return j;
}

static int job_start(struct carrier_job *j, struct carrier_call *c, loop_work_fn *work,
                     loop_work_fn *done)
{
    int rc = loop_work(c->d->loop, work, done, j);

    if (rc) {
        job_free(j);
        return rc;
    }
    carrier_job_forget(c);
    c->job = j;
    return 0;
}

void carrier_job_forget(struct carrier_call *c)
{
    if (c->job)
        c->job->call = NULL;
    c->job = NULL;
}

/* The call that still wants the job's result, which is no longer its job; NULL: none. */
static struct carrier_call *job_owner(struct carrier_job *j)
{
    struct carrier_call *c = j->call;

    if (c)
        c->job = NULL;
    return c;
}

static int copy_sound(struct sound *out, const int16_t *pcm, size_t n)
{
    out->pcm = malloc(n * sizeof(*pcm));
    if (!out->pcm)
        return -ENOMEM;
    memcpy(out->pcm, pcm, n * sizeof(*pcm));
    out->n = n;
    return 0;
}

static void prepare_work(void *arg)
{
    struct carrier_job *j = arg;

    for (size_t i = 0; i < j->scenario->n_steps && j->err == 0; i++) {
        const struct scenario_step *s = &j->scenario->steps[i];
        if (s->pcm)
            j->err = copy_sound(&j->sounds[i], s->pcm, s->n_pcm);
        else if (s->play)
            j->err = sound_load(&j->sounds[i], s->play);
        else if (s->say)
            j->err = sound_say(&j->sounds[i], s->say, s->voice);
    }
}

static void prepare_done(void *arg)
{
    struct carrier_job *j = arg;
    struct carrier_call *c = job_owner(j);
    void (*done)(struct carrier_call * c, int err) = j->on_prepared;
    int err = j->err;

    if (c) {
        memcpy(c->sounds, j->sounds, j->scenario->n_steps * sizeof(*c->sounds));
        free(j->sounds);
        j->sounds = NULL;
    }
    job_free(j);
    if (c)
        done(c, err);
}

int carrier_prepare(struct carrier_call *c, void (*done)(struct carrier_call *c, int err))
{
    struct carrier_job *j = job_new(c);

    if (!j)
        return -ENOMEM;
    j->on_prepared = done;
    j->sounds = calloc(c->scenario->n_steps + 1, sizeof(*j->sounds));
    if (!j->sounds) {
        job_free(j);
        return -ENOMEM;
    }
    return job_start(j, c, prepare_work, prepare_done);
}

static void speak_work(void *arg)
{
    struct carrier_job *j = arg;

    j->err = sound_say(&j->speech, j->text, NULL);
}

static void speak_done(void *arg)
{
    struct carrier_job *j = arg;
    struct carrier_call *c = job_owner(j);

    for (unsigned i = 1; c && j->err == 0 && i < j->loop && i < SAY_LOOPS_MAX; i++)
        line_say(c->line, &j->speech);
    if (c)
        j->on_spoken(c, j->err ? NULL : &j->speech);
    job_free(j);
}

int carrier_speak(struct carrier_call *c, const char *text, unsigned loop,
                  void (*done)(struct carrier_call *c, const struct sound *s))
{
    struct carrier_job *j = job_new(c);

    if (!j)
        return -ENOMEM;
    j->loop = loop;
    j->on_spoken = done;
    j->text = strdup(text);
    if (!j->text) {
        job_free(j);
        return -ENOMEM;
    }
    return job_start(j, c, speak_work, speak_done);
}

static void judge_work(void *arg)
{
    struct carrier_job *j = arg;

    if (j->wav)
        j->err = sound_save_stereo(j->wav, &j->sides[0], &j->sides[1]);
    judge_heard(j->scenario, &j->sides[1], j->unheard, sizeof(j->unheard));
}

static void judge_done(void *arg)
{
    struct carrier_job *j = arg;
    struct carrier_call *c = job_owner(j);
    void (*done)(struct carrier_call * c) = j->on_judged;

    if (c) {
        judge_report(&c->report, c->scenario, j->unheard, c->error);
        if (j->err)
            carrier_error(c, TWILIO_MEDIA, "the recording could not be written");
    }
    job_free(j);
    if (c)
        done(c);
}

int carrier_judge(struct carrier_call *c, void (*done)(struct carrier_call *c))
{
    struct carrier_job *j = job_new(c);

    if (!j)
        return -ENOMEM;
    j->on_judged = done;
    j->wav = c->wav;
    c->wav = NULL;
    if (c->line)
        line_take(c->line, &j->sides[0], &j->sides[1]);
    return job_start(j, c, judge_work, judge_done);
}
