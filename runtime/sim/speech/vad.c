/* SPDX-License-Identifier: Apache-2.0 */
/* vad.c - who is speaking, from the energy of 10 ms frames.
 *
 *   quiet ──4 of 6 frames loud──▶ speaking ──silence_duration_ms without a loud frame──▶ quiet
 *
 *   - loud: above the noise floor by 6 to 18 dB (by threshold) and above an absolute level
 *   - the floor falls at once and rises slowly, in speech even slower, so that steady noise becomes
 *     floor and a long sentence does not
 *   - the mean is taken out first: a constant is not speech. */
#include "sim/speech/vad.h"

#include <math.h>

#define FLOOR_START_DB (-58.0F)
#define FLOOR_MIN_DB   (-66.0F)
#define LOUD_MIN_DB    (-50.0F)
#define RISE_DB        0.06F /* per frame: 6 dB/s */
#define RISE_SPEECH_DB 0.01F /* 1 dB/s */
#define FULL_SCALE     32768.0F

enum { START_FRAMES = 6, START_LOUD = 4, FRAME_MS = 10 };

void vad_init(struct vad *v, const struct vad_opts *o)
{
    *v = (struct vad){.opts = *o, .floor_db = FLOOR_START_DB};
}

void vad_tune(struct vad *v, const struct vad_opts *o)
{
    v->opts = *o;
}

static float level_db(const int16_t *pcm)
{
    float mean = 0, sum = 0;

    for (int i = 0; i < VAD_FRAME; i++)
        mean += (float)pcm[i];
    mean /= VAD_FRAME;
    for (int i = 0; i < VAD_FRAME; i++)
        sum += ((float)pcm[i] - mean) * ((float)pcm[i] - mean);
    return 10.0F * log10f(sum / VAD_FRAME / (FULL_SCALE * FULL_SCALE) + 1e-9F);
}

static bool is_loud(struct vad *v, float db)
{
    float over_db = 6.0F + 12.0F * v->opts.threshold;
    bool loud = db > v->floor_db + over_db && db > LOUD_MIN_DB;

    if (db < v->floor_db)
        v->floor_db = fmaxf(db, FLOOR_MIN_DB);
    else
        v->floor_db += v->speaking || loud ? RISE_SPEECH_DB : RISE_DB;
    return loud;
}

enum vad_event vad_frame(struct vad *v, const int16_t *pcm, uint64_t *at_ms)
{
    uint32_t window = (1u << START_FRAMES) - 1;
    bool loud = is_loud(v, level_db(pcm));
    uint64_t padding;

    v->now_ms += FRAME_MS;
    v->recent = (v->recent << 1) | loud;
    if (loud)
        v->loud_ms = v->now_ms;
    if (!v->speaking && __builtin_popcount(v->recent & window) >= START_LOUD) {
        padding = v->opts.prefix_padding_ms + START_FRAMES * FRAME_MS;
        v->begun_ms = v->now_ms > padding ? v->now_ms - padding : 0;
        v->speaking = true;
        *at_ms = v->begun_ms;
        return VAD_STARTED;
    }
    if (v->speaking && v->now_ms - v->loud_ms >= v->opts.silence_duration_ms) {
        v->speaking = false;
        v->recent = 0;
        *at_ms = v->now_ms;
        return VAD_STOPPED;
    }
    return VAD_NOTHING;
}
