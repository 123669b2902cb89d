/* SPDX-License-Identifier: Apache-2.0 */
/* account.h - what an error says about the account, told at the first one: its credit is used up, or its
 * key is refused. Any thread. */
#ifndef OPENAI_ACCOUNT_H
#define OPENAI_ACCOUNT_H

/* `code` of a verdict. Nothing when it is about something else. */
void account_refuses(const char *code);

/* A session was opened by the node's own key: it was about nothing that still holds. */
void account_works(void);

#endif
