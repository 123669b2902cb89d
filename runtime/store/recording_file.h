/* SPDX-License-Identifier: Apache-2.0 */
/* recording_file.h - the files of recorded calls: their names, their WAV header, mending what a
 * crash left, removing. Blocking; never on a media thread.
 *
 *   <data>/recordings/2026/11/26/CA…-1795348800123456.wav.part ──finish──▶ ….wav
 *
 * A path is what records carry: below the data folder, "recordings/2026/11/26/CA…-179….wav". Folders
 * are 0700, files 0600. */
#ifndef STORE_RECORDING_FILE_H
#define STORE_RECORDING_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORDING_PATH = 160,          /* bytes of a path, terminated */
    RECORDING_SID = 64,            /* bytes of a CallSid in it */
    RECORDING_HEADER = 58,         /* bytes before the sound */
    RECORDING_BYTES_PER_MS = 2 * 8 /* µ-law at 8 kHz, two channels */
};

/* RIFF/WAVE, format 7 (µ-law), 8 kHz, stereo: left the caller, right the agent. */
void recording_header(uint8_t out[RECORDING_HEADER], uint64_t sound_bytes);

/* Letters and digits of the sid only: it came from outside. RD_ETOOBIG. */
int recording_path(char *out, size_t cap, const char *sid, uint64_t epoch_us);

/* Exactly the shape above: no other file can be meant. */
bool recording_path_ok(const char *path);

/* Makes the folders and path.part with a header; -errno. */
int recording_create(int *fd, const char *data, const char *path);

/* Writes the true header, to the disk, and gives the file its name. Closes fd. -errno: it keeps the
 * name .part, and the next start mends it. */
int recording_finish(int fd, const char *data, const char *path, uint64_t sound_bytes);

/* Opens one that is whole, for reading; `bytes` is its length. The descriptor, or RD_EREFUSED as below,
 * -errno. */
int recording_open(const char *data, const char *path, uint64_t *bytes);

/* Removes one recording, whole or .part, and its day's folder if that is empty; `bytes` is what it
 * took. RD_EREFUSED when the path is no recording's, follows no symbolic link. -errno. */
int recording_remove(const char *data, const char *path, uint64_t *bytes);

struct recording_found {
    const char *path; /* borrowed */
    uint64_t bytes;
    bool mended; /* it was a .part: cut by a crash */
};
typedef void(recording_found_fn)(void *arg, const struct recording_found *f);

/* Every recording there is; those a crash left are mended first (one without sound is removed and
 * told with bytes 0). */
void recording_scan(const char *data, recording_found_fn *fn, void *arg);

/* What all of them take, those that are being written too. */
uint64_t recording_bytes(const char *data);

/* Bytes free on the disk of that folder for programs without privileges; UINT64_MAX if unknown. */
uint64_t recording_disk_free(const char *data);

#endif
