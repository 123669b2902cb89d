/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h - RFC 4648 section 4, strict: padding required, no white space. Pure; any thread. */
#ifndef MEDIA_BASE64_H
#define MEDIA_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BASE64_ENCODED(n_bytes) (((n_bytes) + 2) / 3 * 4)

/* Writes BASE64_ENCODED(n) characters, no terminator; returns how many. */
size_t base64_encode(char *out, const uint8_t *in, size_t n);

/* Bytes written to out (room for n / 4 * 3), or RD_EPROTO. */
ssize_t base64_decode(uint8_t *out, const char *in, size_t n);

/* The same of a text that passed base64_check(), or of a part of one that begins and ends at multiples
 * of four characters. */
size_t base64_decode_checked(uint8_t *out, const char *in, size_t n);

/* How many bytes the text stands for without decoding it; RD_EPROTO when a character, the length or
 * the padding is wrong. This is the check every caller frame gets before it is passed on. */
ssize_t base64_check(const char *in, size_t n);

#endif
