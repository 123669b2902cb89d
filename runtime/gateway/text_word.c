/* SPDX-License-Identifier: Apache-2.0 */
/* text_word.c - STOP and its relatives. English ones are those that the carrier knows, too, and what
 * people write around them; nobody but us minds the Spanish ones. Only letters count: "Stop.", "STOP,
 * please" and what a phone puts in between unseen are the same. A longer text that begins with such
 * a word is just a text. */
#include "gateway/texts.h"

#include <ctype.h>
#include <strings.h>

enum { LETTERS_MAX = 24 };

/* The letters of a text alone, in capitals; false when there are too many, or digits. */
static bool letters_of(char out[LETTERS_MAX + 1], struct rd_str body)
{
    size_t n = 0;

    for (size_t i = 0; i < body.n; i++) {
        unsigned char c = (unsigned char)body.p[i];

        if (c >= '0' && c <= '9')
            return false;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            continue;
        if (n == LETTERS_MAX)
            return false;
        out[n++] = (char)toupper(c);
    }
    out[n] = '\0';
    return n > 0;
}

enum text_word text_word_of(struct rd_str body)
{
    static const struct {
        const char *letters;
        enum text_word means;
    } known[] = {
        {"STOP", TEXT_STOP},         {"STOPALL", TEXT_STOP},       {"STOPPLEASE", TEXT_STOP},
        {"PLEASESTOP", TEXT_STOP},   {"STOPNOW", TEXT_STOP},       {"STOPIT", TEXT_STOP},
        {"STOPTEXTING", TEXT_STOP},  {"STOPTEXTINGME", TEXT_STOP}, {"STOPTHANKS", TEXT_STOP},
        {"STOPMESSAGES", TEXT_STOP}, {"UNSUBSCRIBE", TEXT_STOP},   {"UNSUBSCRIBEME", TEXT_STOP},
        {"CANCEL", TEXT_STOP},       {"END", TEXT_STOP},           {"QUIT", TEXT_STOP},
        {"REVOKE", TEXT_STOP},       {"OPTOUT", TEXT_STOP},        {"OPTMEOUT", TEXT_STOP},
        {"REMOVEME", TEXT_STOP},     {"ALTO", TEXT_STOP},          {"PARAR", TEXT_STOP},
        {"START", TEXT_START},       {"UNSTOP", TEXT_START},       {"YES", TEXT_YES},
        {"HELP", TEXT_HELP},         {"INFO", TEXT_HELP},
    };
    char letters[LETTERS_MAX + 1];

    if (!letters_of(letters, body))
        return TEXT_WORDS;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(letters, known[i].letters) == 0)
            return known[i].means;
    return TEXT_WORDS;
}
