/* SPDX-License-Identifier: Apache-2.0 */
/* talk_model.h - the model that an agent speaks by, in text: OpenAI's Realtime API with
 * output_modalities ["text"], or its double. Loop's thread only. */
#ifndef CLI_TALK_MODEL_H
#define CLI_TALK_MODEL_H

#include "io/loop.h"
#include "io/tls.h"
#include "ports/brief.h"

#include <stdbool.h>

struct talk_model;

/* None is called from inside a function of the model's. */
struct talk_model_events {
    void (*said)(const char *text, void *arg);
    void (*called)(const char *id, const char *name, const char *arguments, void *arg);
    void (*settled)(void *arg); /* ready, or with nothing more to say for now */
    void (*complained)(const char *why, void *arg);
    void (*over)(const char *why, void *arg); /* the connection is gone; last */
};

struct talk_model_opts {
    struct loop *loop;
    struct tls_client *tls;
    const char *url, *key, *model;
    const struct talk_model_events *events;
    void *arg;
};

/* The brief is copied; what is said first belongs to it. 0: `over` is called once, at the latest after
 * talk_model_close(), which frees. */
int talk_model_open(struct talk_model **out, const struct talk_model_opts *o,
                    const struct brief *b);
void talk_model_close(struct talk_model *m); /* NULL is fine; no events any more */

bool talk_model_idle(const struct talk_model *m); /* ready, and nothing is being said */

void talk_model_hear(struct talk_model *m, const char *text);  /* the caller; is answered */
void talk_model_spoke(struct talk_model *m, const char *text); /* was said for it */
void talk_model_told(struct talk_model *m, const char *text, bool answers); /* by the system */
void talk_model_result(struct talk_model *m, const char *id, const char *output, bool goes_on);

#endif
