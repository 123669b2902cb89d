/* SPDX-License-Identifier: Apache-2.0 */
/* sound.c - speech for the doubles, from espeak-ng or from files.
 *
 *   text ─▶ espeak-ng --stdout ─▶ WAV 22.05 kHz ─▶ low-pass, 8 kHz ─▶ trim ─▶ level ─▶ cache ─▶
 * copy
 *
 *   - the program is run with posix_spawn, its text as an argument: no shell ever sees it
 *   - pauses inside a sentence are shortened to PAUSE_MAX_MS, so that one utterance stays one turn
 *     for a voice activity detector with a silence of half a second
 *   - every sentence leaves with the same loudness; peaks are kept below full scale
 *   - not installed: -ENOENT; it wrote no WAV, failed or hung: -EIO; too long a text: RD_ETOOBIG
 *   - a full cache simply stops caching. */
#include "sim/speech/sound.h"

#include "base/err.h"
#include "sim/speech/sound_wav.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <speex/speex_resampler.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SILENT_MAX_MS = 60 * 1000, /* espeak-ng writes nothing for so long: it hangs */
    RATE_HZ = 8000,
    FRAME = RATE_HZ / 100, /* 10 ms, the grain of trimming */
    MARGIN_FRAMES = 2,     /* kept around what is loud */
    PAUSE_MAX_FRAMES = 25, /* 250 ms */
    TEXT_MAX = 8192,
    FILE_MAX = 64 * 1024 * 1024,
    CACHE_MAX = 2048
};

#define LEVEL_RMS  2600.0 /* -22 dBFS over what is loud */
#define PEAK_MAX   30000.0
#define QUIET_PART 0.01 /* of the loudest frame's RMS: -40 dB */

extern char **environ;

struct cached {
    struct cached *next;
    char *voice, *text;
    struct sound sound;
};

/* The one thing that lives as long as the process: speech already spoken. */
static struct {
    pthread_mutex_t lock;
    struct cached *first;
    size_t n;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

void sound_fini(struct sound *s)
{
    free(s->pcm);
    s->pcm = NULL;
    s->n = 0;
}

static int sound_copy(struct sound *out, const struct sound *in)
{
    int16_t *pcm = malloc(in->n ? in->n * sizeof(*pcm) : 1);

    if (!pcm)
        return -ENOMEM;
    if (in->n)
        memcpy(pcm, in->pcm, in->n * sizeof(*pcm));
    *out = (struct sound){.pcm = pcm, .n = in->n};
    return 0;
}

/* The resampler's own delay is skipped, and silence pushed behind so that the end comes out. */
static size_t run_resampler(SpeexResamplerState *r, int16_t *out, size_t room, const int16_t *in,
                            size_t n)
{
    static const int16_t silence[512];
    size_t done = 0, used = 0;

    while (done < room) {
        const int16_t *from = used < n ? in + used : silence;
        spx_uint32_t n_in = (spx_uint32_t)(used < n ? n - used : 512);
        spx_uint32_t n_out = (spx_uint32_t)(room - done);

        if (speex_resampler_process_int(r, 0, from, &n_in, out + done, &n_out))
            break;
        if (used < n)
            used += n_in;
        done += n_out;
    }
    return done;
}

int sound_resample(struct sound *out, const int16_t *in, size_t n, unsigned from_hz, unsigned to_hz)
{
    struct sound s = {0};
    SpeexResamplerState *r;
    int err = 0;

    if (from_hz == to_hz)
        return sound_copy(out, &(struct sound){.pcm = (int16_t *)in, .n = n});
    r = speex_resampler_init(1, from_hz, to_hz, 7, &err);
    if (!r)
        return err == RESAMPLER_ERR_ALLOC_FAILED ? -ENOMEM : -EINVAL;
    s.n = (size_t)((uint64_t)n * to_hz / from_hz);
    s.pcm = malloc(s.n ? s.n * sizeof(*s.pcm) : 1);
    if (s.pcm) {
        speex_resampler_skip_zeros(r);
        s.n = run_resampler(r, s.pcm, s.n, in, n);
    }
    speex_resampler_destroy(r);
    if (!s.pcm)
        return -ENOMEM;
    *out = s;
    return 0;
}

static double frame_rms(const int16_t *pcm, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return n ? sqrt(sum / (double)n) : 0;
}

/* Cuts the silence around, shortens the pauses within. Works in place. */
static void trim(struct sound *s)
{
    size_t n_frames = s->n / FRAME, kept = 0, quiet = MARGIN_FRAMES, last_loud = 0;
    double loudest = 0;
    bool begun = false;

    for (size_t f = 0; f < n_frames; f++)
        loudest = fmax(loudest, frame_rms(s->pcm + f * FRAME, FRAME));
    for (size_t f = 0; f < n_frames; f++) {
        bool loud = frame_rms(s->pcm + f * FRAME, FRAME) > loudest * QUIET_PART;

        if (loud && !begun)
            kept = f < MARGIN_FRAMES ? f : MARGIN_FRAMES;
        if (loud && !begun && kept)
            memmove(s->pcm, s->pcm + (f - kept) * FRAME, kept * FRAME * sizeof(*s->pcm));
        begun = begun || loud;
        quiet = loud ? 0 : quiet + 1;
        if (!begun || quiet > PAUSE_MAX_FRAMES)
            continue;
        memmove(s->pcm + kept * FRAME, s->pcm + f * FRAME, FRAME * sizeof(*s->pcm));
        kept++;
        if (loud)
            last_loud = kept;
    }
    if (last_loud + MARGIN_FRAMES < kept)
        kept = last_loud + MARGIN_FRAMES;
    s->n = kept * FRAME;
}

static void level(struct sound *s)
{
    double loudest = 0, sum = 0, peak = 1, gain;
    size_t n_loud = 0;

    for (size_t i = 0; i + FRAME <= s->n; i += FRAME)
        loudest = fmax(loudest, frame_rms(s->pcm + i, FRAME));
    for (size_t i = 0; i + FRAME <= s->n; i += FRAME) {
        double rms = frame_rms(s->pcm + i, FRAME);
        if (rms > loudest * 0.1) {
            sum += rms * rms;
            n_loud++;
        }
    }
    if (!n_loud || loudest < 1)
        return;
    for (size_t i = 0; i < s->n; i++)
        peak = fmax(peak, fabs((double)s->pcm[i]));
    gain = fmin(LEVEL_RMS / sqrt(sum / (double)n_loud), PEAK_MAX / peak);
    for (size_t i = 0; i < s->n; i++)
        s->pcm[i] = (int16_t)lrint((double)s->pcm[i] * gain);
}

/* A program that hangs would keep whoever waits for us. */
static int await(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int rc = poll(&p, 1, SILENT_MAX_MS);

    return rc > 0 ? 0 : rc == 0 ? -EIO : -errno;
}

/* Everything from fd, until its end. */
static int read_all(uint8_t **out, size_t *n_out, int fd)
{
    size_t n = 0, cap = 1 << 16;
    uint8_t *bytes = malloc(cap);
    int rc = bytes ? 0 : -ENOMEM;

    while (rc == 0) {
        ssize_t got;

        rc = await(fd);
        if (rc == -EINTR) {
            rc = 0;
            continue;
        }
        if (rc)
            break;
        got = read(fd, bytes + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            rc = got < 0 ? -errno : 0;
            break;
        }
        n += (size_t)got;
        if (n == cap) {
            uint8_t *more = cap < FILE_MAX ? realloc(bytes, cap * 2) : NULL;
            rc = more ? 0 : cap < FILE_MAX ? -ENOMEM : RD_ETOOBIG;
            bytes = more ? more : bytes;
            cap *= 2;
        }
    }
    if (rc) {
        free(bytes);
        return rc;
    }
    *out = bytes;
    *n_out = n;
    return 0;
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -EIO;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int spawn(pid_t *pid, int out_fd, const char *text, const char *voice)
{
    char *argv[] = {"espeak-ng", "-v", (char *)voice, "--stdout", "--", (char *)text, NULL};
    posix_spawn_file_actions_t files;
    int rc = posix_spawn_file_actions_init(&files);

    if (rc)
        return -rc;
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out_fd, 1);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    rc = posix_spawnp(pid, argv[0], &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    return -rc;
}

static int run_espeak(uint8_t **wav, size_t *n, const char *text, const char *voice)
{
    int fds[2], rc, ended;
    pid_t pid = 0;

    if (pipe2(fds, O_CLOEXEC))
        return -errno;
    rc = spawn(&pid, fds[1], text, voice);
    close(fds[1]);
    if (rc == 0) {
        rc = read_all(wav, n, fds[0]);
        if (rc)
            kill(pid, SIGKILL);
        ended = wait_for(pid);
        if (rc == 0 && ended) {
            free(*wav);
            rc = ended;
        }
    }
    close(fds[0]);
    return rc;
}

static int to_8khz(struct sound *out, const uint8_t *wav, size_t n)
{
    struct sound raw = {0};
    unsigned rate_hz = 0;
    int rc = sound_wav_parse(&raw, &rate_hz, wav, n);

    if (rc)
        return rc;
    rc = sound_resample(out, raw.pcm, raw.n, rate_hz, RATE_HZ);
    sound_fini(&raw);
    return rc;
}

static int speak(struct sound *out, const char *text, const char *voice)
{
    uint8_t *wav = NULL;
    size_t n = 0;
    int rc = run_espeak(&wav, &n, text, voice);

    if (rc)
        return rc;
    rc = to_8khz(out, wav, n);
    free(wav);
    if (rc)
        return rc == RD_EPROTO ? -EIO : rc;
    trim(out);
    level(out);
    return 0;
}

static int cache_find(struct sound *out, const char *text, const char *voice)
{
    int rc = -ENOENT;

    pthread_mutex_lock(&cache.lock);
    for (struct cached *c = cache.first; c; c = c->next)
        if (strcmp(c->text, text) == 0 && strcmp(c->voice, voice) == 0) {
            rc = sound_copy(out, &c->sound);
            break;
        }
    pthread_mutex_unlock(&cache.lock);
    return rc;
}

/* Best effort: without memory it is spoken again next time. */
static void cache_keep(const struct sound *s, const char *text, const char *voice)
{
    struct cached *c = calloc(1, sizeof(*c));

    if (!c)
        return;
    c->text = strdup(text);
    c->voice = strdup(voice);
    pthread_mutex_lock(&cache.lock);
    if (c->text && c->voice && cache.n < CACHE_MAX && sound_copy(&c->sound, s) == 0) {
        c->next = cache.first;
        cache.first = c;
        cache.n++;
        c = NULL;
    }
    pthread_mutex_unlock(&cache.lock);
    if (c) {
        free(c->text);
        free(c->voice);
        free(c);
    }
}

int sound_say(struct sound *out, const char *text, const char *voice)
{
    int rc;

    if (!voice)
        voice = "en-us";
    if (strlen(text) > TEXT_MAX)
        return RD_ETOOBIG;
    rc = cache_find(out, text, voice);
    if (rc != -ENOENT)
        return rc;
    rc = speak(out, text, voice);
    if (rc == 0)
        cache_keep(out, text, voice);
    return rc;
}

int sound_load(struct sound *out, const char *path)
{
    uint8_t *wav = NULL;
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return -errno;
    rc = read_all(&wav, &n, fd);
    close(fd);
    if (rc)
        return rc;
    rc = to_8khz(out, wav, n);
    free(wav);
    return rc;
}

int sound_save_stereo(const char *path, const struct sound *left, const struct sound *right)
{
    size_t n = left->n > right->n ? left->n : right->n;
    uint8_t header[SOUND_WAV_HEADER];
    FILE *f;
    int rc = 0;

    if (n > UINT32_MAX / 8)
        return RD_ETOOBIG;
    f = fopen(path, "wbe");
    if (!f)
        return -errno;
    sound_wav_header(header, 2, RATE_HZ, (uint32_t)(n * 4));
    if (fwrite(header, sizeof(header), 1, f) != 1)
        rc = -EIO;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        int l = i < left->n ? left->pcm[i] : 0, r = i < right->n ? right->pcm[i] : 0;
        uint8_t pair[4] = {(uint8_t)l, (uint8_t)(l >> 8), (uint8_t)r, (uint8_t)(r >> 8)};

        if (fwrite(pair, sizeof(pair), 1, f) != 1)
            rc = -EIO;
    }
    if (fclose(f) && rc == 0)
        rc = -EIO;
    return rc;
}
