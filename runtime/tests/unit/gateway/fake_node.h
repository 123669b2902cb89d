/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.h - the fixture of stories with a whole node over loopback, without a provider: three agents,
 * room for two calls, and a carrier that posts what it signed. */
#ifndef TESTS_FAKE_NODE_H
#define TESTS_FAKE_NODE_H

#include "gateway/node_internal.h"
#include "media/base64.h"

#include <stdbool.h>

#define TOKEN       "7d3f9a0c5e1b48268f40d2c1b3a69e57"
#define OTHER_TOKEN "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
#define URL         "https://ringdown.test"
#define OPEN        "+13125550100"
#define BROKEN      "+13125550101"
#define SORRY       "+13125550102"

enum { MAX_CALLS = 2, ANSWER = 4096, PATIENCE_MS = 60000 };

struct story {
    struct loop *loop; /* of control, which nobody runs here */
    struct mailbox *control;
    struct settings settings;
    struct node *node;
    char folder[64], answer[ANSWER];
};

extern struct story s;

int story_set_up(void **state);
int story_tear_down(void **state);
void story_start_node(void); /* once more, after it was stopped */

/* `fields` are names and values in turn, by name, as they are signed; NULL ends them. */
void story_sign(char out[BASE64_ENCODED(20) + 1], const char *path, const char *token,
                const char *const *fields);

int story_dial(void);                                                              /* the socket */
int story_ask(const char *path, const char *signature, const char *const *fields); /* the same */
int story_hear(int fd); /* the status; the whole answer is in s.answer */

/* Asked and heard, signed with the token. */
int story_post(const char *path, const char *token, const char *const *fields);
int story_post_voice(const char *token, const char *sid, const char *to);
int story_post_status(const char *sid, const char *status);
const char *story_sid(unsigned n);

/* Of the last answer: the path of the stream that it offers; no stream but words; these words. */
bool story_offers(char path[256]);
bool story_is_fallback(void);
bool story_says(const char *words);

unsigned story_vms(void);
void story_wait_until_no_script_runs(void);

#define STORY(t) cmocka_unit_test_setup_teardown(t, story_set_up, story_tear_down)

#endif
