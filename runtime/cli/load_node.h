/* SPDX-License-Identifier: Apache-2.0 */
/* load_node.h - the process under load: a node of our own, or a relay; where it runs and what it
 * costs, as Linux tells it. */
#ifndef CLI_LOAD_NODE_H
#define CLI_LOAD_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct load_node {
    pid_t pid;
    char listen[48], url[64], data[64];
    char cert[96], key[96]; /* a throw-away pair in `data`, with TLS anywhere */
};

struct load_node_opts {
    const char *agents; /* NULL: the usual folder */
    uint16_t model_port;
    unsigned max_calls;
    unsigned cores; /* media threads; 0: as the node decides */
    bool model_tls, carrier_tls;
    bool pinned; /* it gets all processors but the last one, we and its database the last one */
};

/* 0, or an error; stop it in any case. */
int load_node_start(struct load_node *n, const struct load_node_opts *o);
int load_relay_start(struct load_node *n, const struct load_node_opts *o);
void load_node_stop(struct load_node *n);

int load_processors(void);
double load_node_cpu_s(const struct load_node *n); /* of all its threads so far */
double load_node_rss_mb(const struct load_node *n);

#endif
