/* SPDX-License-Identifier: Apache-2.0. module: gateway */
/* fuzz_token.c - the last segment of a stream's address. No guess is a token of ours; what was written is
 * read back, until it expires; and no letter of it can be changed, added or left out. */
#include "check.h"

#include "base/err.h"
#include "gateway/token.h"

#include <stdlib.h>

static const struct rd_str secret = {"5f1d0e7a29b84c36a1e0d9c7b6a59483", 32};
static const uint64_t now_unix_s = 1795600000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct token *a, const struct token *b)
{
    return a->node == b->node && a->call == b->call && a->nonce == b->nonce &&
           a->expires_unix_s == b->expires_unix_s && strcmp(a->call_sid, b->call_sid) == 0;
}

/* One letter at `where` becomes another, comes in between, or goes. */
static void try_changed(const char *text, uint8_t how, uint8_t where, char letter)
{
    size_t n = strlen(text), at = where % n;
    struct token out;
    char *copy = malloc(n + 1);

    check(copy != NULL);
    memcpy(copy, text, at);
    if (how % 3 == 0) {
        memcpy(copy + at, text + at, n - at);
        if (copy[at] == letter)
            letter ^= 1;
        copy[at] = letter;
    } else if (how % 3 == 1) {
        copy[at] = letter;
        memcpy(copy + at + 1, text + at, n - at);
        n++;
    } else {
        memcpy(copy + at, text + at + 1, n - at - 1);
        n--;
    }
    check(token_read(&out, (struct rd_str){copy, n}, secret, now_unix_s) == RD_EAUTH);
    free(copy);
}

static void try_own(const uint8_t *data, size_t size)
{
    struct token t = {0}, back;
    char text[TOKEN_MAX];

    memcpy(&t.node, data + 3, sizeof(t.node));
    memcpy(&t.call, data + 7, sizeof(t.call));
    memcpy(&t.nonce, data + 15, sizeof(t.nonce));
    t.expires_unix_s = now_unix_s + data[23];
    (void)rd_str_copy(t.call_sid, sizeof(t.call_sid),
                      (struct rd_str){(const char *)data + 24, size - 24});
    if (token_write(text, &t, secret))
        return;
    check(token_read(&back, rd_str(text), secret, now_unix_s) == 0 && same(&t, &back));
    check(token_read(&back, rd_str(text), secret, t.expires_unix_s + 1) == RD_EAUTH);
    check(token_read(&back, rd_str(text), RD_STR("another"), now_unix_s) == RD_EAUTH);
    check(token_read(&back, rd_str(text), RD_STR(""), now_unix_s) == RD_EAUTH);
    try_changed(text, data[0], data[1], (char)data[2]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct token out;

    check(token_read(&out, (struct rd_str){(const char *)data, size}, secret, 0) == RD_EAUTH);
    if (size > 24)
        try_own(data, size);
    return 0;
}
