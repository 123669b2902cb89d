/* SPDX-License-Identifier: Apache-2.0 */
/* vad.h - server_vad of the OpenAI double: energy over an adaptive noise floor. Time is the time of
 * the audio that arrived, not of a clock: no audio, no silence. Pure. */
#ifndef SIM_SPEECH_VAD_H
#define SIM_SPEECH_VAD_H

#include <stdbool.h>
#include <stdint.h>

enum { VAD_FRAME = 80 }; /* samples: 10 ms at 8 kHz */

struct vad_opts {
    float threshold; /* 0..1, as in the API; higher asks for louder speech */
    uint32_t prefix_padding_ms, silence_duration_ms;
};

struct vad {
    struct vad_opts opts;
    float floor_db;
    uint32_t recent;            /* one bit per frame, newest lowest: was it loud? */
    uint64_t now_ms;            /* end of the last frame */
    uint64_t begun_ms, loud_ms; /* start of this speech; end of its last loud frame */
    bool speaking;
};

enum vad_event { VAD_NOTHING, VAD_STARTED, VAD_STOPPED };

void vad_init(struct vad *v, const struct vad_opts *o);
void vad_tune(struct vad *v, const struct vad_opts *o); /* other settings, same state */

/* `at_ms` of an event: VAD_STARTED: where the speech begins, prefix padding included;
 * VAD_STOPPED: where the silence was long enough. */
enum vad_event vad_frame(struct vad *v, const int16_t *pcm, uint64_t *at_ms);

#endif
