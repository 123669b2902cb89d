/* SPDX-License-Identifier: Apache-2.0 */
/* sound_wav.c - WAV files, read and written.
 *
 *   RIFF size WAVE  { id size bytes [pad] } …      chunks we look at: "fmt ", "data"
 *
 *   - chunks in any order before "data", unknown ones are skipped
 *   - a wrong length never reads beyond the bytes that are there
 *   - anything but 16-bit PCM with one or two channels at 8 to 48 kHz is RD_EPROTO. */
#include "sim/speech/sound_wav.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static unsigned get_u16(const uint8_t *p)
{
    return (unsigned)(p[0] | p[1] << 8);
}

static void put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

struct wav {
    unsigned channels, rate_hz;
    const uint8_t *data;
    size_t n_data;
};

static int read_format(struct wav *w, const uint8_t *p, size_t n)
{
    if (n < 16)
        return RD_EPROTO;
    w->channels = get_u16(p + 2);
    w->rate_hz = get_u32(p + 4);
    if (get_u16(p) != 1 || get_u16(p + 14) != 16)
        return RD_EPROTO;
    if (w->channels < 1 || w->channels > 2 || w->rate_hz < 8000 || w->rate_hz > 48000)
        return RD_EPROTO;
    return 0;
}

static int find_chunks(struct wav *w, const uint8_t *bytes, size_t n)
{
    size_t at = 12;

    if (n < 12 || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WAVE", 4) != 0)
        return RD_EPROTO;
    while (n - at >= 8) {
        const uint8_t *chunk = bytes + at;
        size_t size = get_u32(chunk + 4);
        size_t left = n - at - 8;

        if (size > left)
            size = left;
        if (memcmp(chunk, "fmt ", 4) == 0 && read_format(w, chunk + 8, size))
            return RD_EPROTO;
        if (memcmp(chunk, "data", 4) == 0) {
            w->data = chunk + 8;
            w->n_data = size;
            return w->channels ? 0 : RD_EPROTO;
        }
        at += 8 + size + (size & 1 && size < left);
    }
    return RD_EPROTO;
}

int sound_wav_parse(struct sound *out, unsigned *rate_hz, const uint8_t *bytes, size_t n)
{
    struct wav w = {0};
    struct sound s = {0};
    int rc = find_chunks(&w, bytes, n);

    if (rc)
        return rc;
    s.n = w.n_data / 2 / w.channels;
    s.pcm = malloc(s.n ? s.n * sizeof(*s.pcm) : 1);
    if (!s.pcm)
        return -ENOMEM;
    for (size_t i = 0; i < s.n; i++) {
        const uint8_t *p = w.data + i * 2 * w.channels;
        int sum = (int16_t)get_u16(p);

        if (w.channels == 2)
            sum = (sum + (int16_t)get_u16(p + 2)) / 2;
        s.pcm[i] = (int16_t)sum;
    }
    *out = s;
    *rate_hz = w.rate_hz;
    return 0;
}

void sound_wav_header(uint8_t out[SOUND_WAV_HEADER], unsigned channels, unsigned rate_hz,
                      uint32_t n_bytes)
{
    static const uint8_t fixed[] = {'R', 'I', 'F', 'F', 0,   0,  0, 0, 'W', 'A', 'V',
                                    'E', 'f', 'm', 't', ' ', 16, 0, 0, 0,   1,   0};

    memset(out, 0, SOUND_WAV_HEADER);
    memcpy(out, fixed, sizeof(fixed));
    put_u32(out + 4, n_bytes + SOUND_WAV_HEADER - 8);
    out[22] = (uint8_t)channels;
    put_u32(out + 24, rate_hz);
    put_u32(out + 28, rate_hz * 2 * channels);
    out[32] = (uint8_t)(2 * channels);
    out[34] = 16;
    out[36] = 'd';
    out[37] = 'a';
    out[38] = 't';
    out[39] = 'a';
    put_u32(out + 40, n_bytes);
}
