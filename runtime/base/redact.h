/* SPDX-License-Identifier: Apache-2.0 */
/* redact.h - takes out of a text what must not be kept: card numbers become "[card]", US social
 * security numbers "[ssn]", long runs of digits that were read out "[digits]".
 *
 * Taken out:
 * - 13 to 19 digits, grouped as people group them, that pass the card check (Luhn)
 * - 123-45-6789 and 123 45 6789 where such numbers exist; any 9 digits near "social" or "SSN"
 * - spoken, best effort (English, Spanish, "double", "oh"): 9 digit words or more in a row; 13 to 19
 *   are a card without the check, because one misheard word breaks it
 * Left alone: phone numbers, dates, times, prices, addresses, ZIP codes.
 * Not recognised: numbers in words above nine ("forty-one eleven"), digits of other scripts.
 *
 * Linear in the text, no memory but the buffers. UTF-8 stays UTF-8. Any thread. Fuzzed by
 * tests/fuzz/fuzz_redact.c. */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/buf.h"
#include "base/str.h"

/* Appends the text without those numbers. 0, -ENOMEM, RD_EFULL (then part of it was added). */
int redact_text(struct buf *out, struct rd_str text);

/* The same for a value whose name says more: 9 digits under "ssn" are one. */
int redact_named(struct buf *out, struct rd_str name, struct rd_str text);

/* The same for JSON, which stays JSON: strings are redacted inside, and a number that is taken out
 * becomes a string. A value that is a carrier's sid or a UUID as a whole is left alone. What is no JSON
 * is treated as text. */
int redact_json(struct buf *out, struct rd_str json);

#endif
