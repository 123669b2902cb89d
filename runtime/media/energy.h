/* SPDX-License-Identifier: Apache-2.0 */
/* energy.h - how loud a frame is, for meters and energy gates. Pure; any thread. */
#ifndef MEDIA_ENERGY_H
#define MEDIA_ENERGY_H

#include <stddef.h>
#include <stdint.h>

/* dB below full scale (0 is a full-scale square wave, -96 is silence). */
float energy_dbfs(const int16_t *pcm, size_t n);
float energy_ulaw_dbfs(const uint8_t *ulaw, size_t n);

#endif
