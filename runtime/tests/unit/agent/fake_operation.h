/* SPDX-License-Identifier: Apache-2.0 */
/* fake_operation.h - a pool of script threads whose library has operations that do what a test needs,
 * and somebody who asks for them. */
#ifndef TESTS_AGENT_FAKE_OPERATION_H
#define TESTS_AGENT_FAKE_OPERATION_H

#include "store/asker.h"
#include "unit/agent/fake_node.h"

/* What the pool is to begin with; set before operation_set_up(), but for the folders. */
struct operation_stand {
    char data[64], kept[80]; /* kept is a folder in data */
    char vapi_api[64];
    bool aside;                     /* beside the calls */
    const struct script_lent *lent; /* the node around the scripts */
    struct asker *asker, *aside_asker;
};

/* What whoever asked heard. */
struct operation_heard {
    pthread_mutex_t lock;
    pthread_cond_t came;
    unsigned lines, ends;
    int rc;
    char text[2000], traceback[4000], last_line[200];
};

extern struct fake_node node;
extern struct operation_stand stand;
extern struct operation_heard heard;

int operation_set_up(void **state);
int operation_tear_down(void **state);

#define LIVES(test) cmocka_unit_test_setup_teardown(test, operation_set_up, operation_tear_down)

int post(const char *kind, const char *json, const atomic_bool *stop, uint32_t budget_ms);
void wait_for_ends(unsigned ends);
void wait_for_line(void);

/* It is asked for, and comes to this. */
void expect(const char *kind, const char *json, const char *result);

#endif
