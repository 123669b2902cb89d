/* SPDX-License-Identifier: Apache-2.0 */
/* fake_vapi.h - the fixture of tests that follow one leg to Vapi: a pool on the fake loop, the core that hears
 * of it, and Vapi's side in a few words. */
#ifndef TESTS_FAKE_VAPI_H
#define TESTS_FAKE_VAPI_H

#include "providers/vapi/vapi.h"
#include "unit/providers/fake_core.h"
#include "unit/providers/fake_http.h"
#include "unit/providers/fake_io.h"

extern struct fake_core vapi_core;
extern struct vapi_pool *vapi;
extern struct brief vapi_agent;

#define VAPI_CALL                                                                           \
    "{\"id\":\"c-1\",\"status\":\"queued\",\"transport\":{\"provider\":\"vapi.websocket\"," \
    "\"websocketCallUrl\":\"wss://api.vapi.ai/c-1/transport\"}}"

int vapi_set_up(void **state);
int vapi_put_away(void **state); /* closes the leg and checks that nothing is left */

struct provider_leg *vapi_opened(void); /* it asks */
struct provider_leg *vapi_ready(void);  /* on connection 0 */

/* Vapi speaks. */
void vapi_update(const char *role, const char *status);
void vapi_transcript(const char *role, const char *type, const char *words);
void vapi_sounds(unsigned ms);  /* speech, in frames of 20 ms, each in its time */
void vapi_silence(unsigned ms); /* the same without sound */
void vapi_burst(unsigned ms);   /* speech, all at once */

/* The caller does, as the core hands it on. */
void vapi_caller_audio(unsigned ms);

#define VAPI_STORY(name) cmocka_unit_test_setup_teardown(name, vapi_set_up, vapi_put_away)

#endif
