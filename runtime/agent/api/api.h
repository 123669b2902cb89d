/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - the module "ringdown.host": what the Lua library may ask of C. Agents cannot require it;
 * they see the library's kinder half. One file per table. */
#ifndef AGENT_API_API_H
#define AGENT_API_API_H

#include <lua.h>
#include <stdint.h>

/* For require(): the module while an agent's file is loaded, and during a call. */
int api_open_loading(lua_State *L);
int api_open_call(lua_State *L);
int api_open_harmless(lua_State *L);  /* in a synthetic call: nobody outside can be touched */
int api_open_operation(lua_State *L); /* in an operation: of no agent and no call */

/* What scripts get instead of a result: nil, a sentence, a word for programs. Returns 3. */
int api_push_failure(lua_State *L, const char *why, const char *code);

/* A task that waits gets its three results from a function and `n_args` arguments that stand on its VM's own
 * stack. When that raises, because the VM is full, the script hears nil and why. */
struct task;
void api_resume(struct task *t, int n_args);

/* Each adds its functions to the table on top. */
void api_host_register(lua_State *L);      /* files, zones, positions, log: always */
void api_call_register(lua_State *L);      /* say, hang_up, deadline, sleep: during a call */
void api_http_register(lua_State *L);      /* twilio, vapi: during a call or an operation */
void api_fetch_register(lua_State *L);     /* http: during a call */
void api_digest_register(lua_State *L);    /* digest: during a call, and in specs */
void api_retry_register(lua_State *L);     /* delays and breakers: during a call */
void api_durable_register(lua_State *L);   /* durable: during a call */
void api_fact_register(lua_State *L);      /* fact: during a call or an errand */
void api_line_register(lua_State *L);      /* the caller's line: during an errand */
void api_alarm_register(lua_State *L);     /* alarms: during a call or an operation */
void api_nap_register(lua_State *L);       /* sleep: during a call or an operation */
void api_rows_register(lua_State *L);      /* query alone: during an operation */
void api_alert_register(lua_State *L);     /* mail, post, open alarms: during an operation */
void api_operation_register(lua_State *L); /* tell, stopping, who, agents: during an operation */
void api_probe_register(lua_State *L);     /* sessions and hellos that cost nothing: the same */
struct script_lent;
void api_node_push(lua_State *L, const struct script_lent *lent); /* host.node, onto the stack */
void api_kept_register(lua_State *L);   /* files of our own: during an operation */
void api_inbox_register(lua_State *L);  /* wait, answer, texts: during an errand */
void api_query_register(lua_State *L);  /* query, db: during a call */
void api_number_register(lua_State *L); /* number_hash: during a call */
void api_vapi_register(lua_State *L);   /* reply, find, first: during an errand */

/* The clock of host.now_ms(). */
uint64_t api_now_ms(void);

/* MSG_DURABLE came; borrows m. */
struct script_thread;
struct message;
void api_durable_arrived(struct script_thread *t, const struct message *m);

/* MSG_QUERIED came. And when the thread ends: what arrived too late. */
void api_query_arrived(struct script_thread *t);
void api_query_free(struct script_thread *t);

#endif
