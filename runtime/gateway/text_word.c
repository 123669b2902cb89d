/* SPDX-License-Identifier: Apache-2.0 */
/* text_word.c - STOP and its relatives. English ones are those that the carrier knows, too; nobody
 * but us minds the Spanish ones. A longer text that begins with such a word is just a text. */
#include "gateway/texts.h"

#include <strings.h>

static bool is_around(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '.' || c == '!' || c == '"' ||
           c == '\'';
}

static struct rd_str trimmed(struct rd_str s)
{
    while (s.n > 0 && is_around(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_around(s.p[s.n - 1]))
        s.n--;
    return s;
}

enum text_word text_word_of(struct rd_str body)
{
    static const struct {
        const char *word;
        enum text_word means;
    } known[] = {
        {"STOP", TEXT_STOP},   {"STOPALL", TEXT_STOP}, {"UNSUBSCRIBE", TEXT_STOP},
        {"CANCEL", TEXT_STOP}, {"END", TEXT_STOP},     {"QUIT", TEXT_STOP},
        {"REVOKE", TEXT_STOP}, {"OPTOUT", TEXT_STOP},  {"ALTO", TEXT_STOP},
        {"PARAR", TEXT_STOP},  {"START", TEXT_START},  {"UNSTOP", TEXT_START},
        {"YES", TEXT_YES},     {"HELP", TEXT_HELP},    {"INFO", TEXT_HELP},
    };
    struct rd_str word = trimmed(body);

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (word.n == strlen(known[i].word) && strncasecmp(word.p, known[i].word, word.n) == 0)
            return known[i].means;
    return TEXT_WORDS;
}
