/* SPDX-License-Identifier: Apache-2.0 */
/* fake_cluster.h - a data folder below /tmp with a PostgreSQL of its own, gone afterwards. */
#ifndef TEST_FAKE_CLUSTER_H
#define TEST_FAKE_CLUSTER_H

#include "store/cluster.h"

struct fake_cluster {
    char data[64];
    struct cluster *cluster;
};

void fake_cluster_up(struct fake_cluster *f);

/* Its connection string, valid until the next call. */
const char *fake_cluster_conninfo(const struct fake_cluster *f);

/* Stops it and removes the folder. */
void fake_cluster_down(struct fake_cluster *f);

#endif
