/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - a coroutine that runs one entry of a script and may wait for C. The only door into a
 * script that can wait, step aside or be cancelled.
 *
 *   READY --task_run--> READY (stepped aside) | WAITING | DONE | FAILED;  WAITING --task_resume-->
 * READY
 *
 * Same thread as its VM. */
#ifndef LUA_TASK_H
#define LUA_TASK_H

#include "lua/vm.h"

struct task;

enum task_state {
    TASK_READY,   /* wants task_run() */
    TASK_WAITING, /* until task_resume() */
    TASK_DONE,    /* results are on task_lua() */
    TASK_FAILED   /* task_why() tells */
};

/* A waiting task became READY. Called from task_resume(); queue it, do not run it from here. */
typedef void(task_ready_fn)(struct task *t, void *arg);

/* Takes a function and its n_args arguments from the VM's stack. RD_EBUDGET when the VM is spent,
 * -ENOMEM; the stack is popped all the same. */
int task_new(struct task **out, struct vm *v, int n_args, task_ready_fn *ready, void *arg);

/* The same for function `name` of a module; only arguments are on the stack. */
int task_new_module(struct task **out, struct vm *v, const char *module, const char *name,
                    int n_args, task_ready_fn *ready, void *arg);

/* Runs a READY task for at most share_ms (0: until it waits or ends), then it steps aside. */
enum task_state task_run(struct task *t, uint32_t share_ms);

/* Cancels what it waits for and frees it. NULL is fine. Never from inside its own Lua. */
void task_free(struct task *t);

lua_State *task_lua(struct task *t);
struct vm *task_vm(struct task *t);
enum task_state task_state(const struct task *t);
int task_error(const struct task *t);           /* FAILED: RD_ESCRIPT or RD_EBUDGET */
const char *task_message(const struct task *t); /* FAILED: the error without traceback */
const char *task_why(struct task *t);           /* FAILED: message and traceback */

/* For C functions that scripts call.
 *
 * task_check_wait() raises where waiting is impossible (while a file loads, inside a gsub or sort
 * callback): call it before starting anything. Then `return task_wait(L, cancel, ptr)`: the
 * function returns to Lua what is pushed before task_resume(). cancel(ptr) is called instead when
 * the task is freed first; it must make sure that nobody resumes the task. */
typedef void(task_cancel_fn)(void *ptr);
struct task *task_check_wait(lua_State *L);
int task_wait(lua_State *L, task_cancel_fn *cancel, void *ptr);
void task_resume(struct task *t, int n_values);

/* The task that runs now; NULL in vm_call(). */
struct task *task_of(lua_State *L);
void *task_arg(struct task *t);

#endif
