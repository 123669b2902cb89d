/* SPDX-License-Identifier: Apache-2.0 */
/* question.h - an opening asks the database one thing and goes on when its answer has come back to its
 * media thread. */
#ifndef GATEWAY_QUESTION_H
#define GATEWAY_QUESTION_H

#include "gateway/opening.h"
#include "ports/messages.h"

#include <stddef.h>

/* `sql` gives one text for one parameter. The answer is a message of this type with the opening's number
 * in `aux` and the text in s[0], "" when there was none: nobody could be asked, or it was longer than
 * `bytes_max` (0: the asker's own limit). -ENOMEM, or what asker_ask() says: then nothing comes. Media
 * thread of the opening. */
int question_ask(struct opening *o, const char *sql, const char *param, size_t bytes_max,
                 enum message_type answer);

/* The same where nobody waits for what it gives. Any thread. */
int question_tell(struct node *n, const char *sql, const char *param);

#endif
