/* SPDX-License-Identifier: Apache-2.0 */
/* vm.h - one Lua VM: memory limit, instruction and time budget, a closed set of libraries and
 * modules. Scripts are entered by vm_call() (runs to its end) or as tasks (task.h: may wait).
 * Not thread-safe; one thread at a time. */
#ifndef LUA_VM_H
#define LUA_VM_H

#include "base/buf.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm;
struct chunks; /* compiled modules, shared between VMs; see chunks_* below */

/* Where tests own the time. */
struct vm_time {
    uint64_t (*wall_us)(void *arg);
    uint64_t (*cpu_us)(void *arg); /* that the calling thread has computed */
    void *arg;
};

struct vm_opts {
    size_t memory_max; /* bytes; 0: 8 MiB, trusted: 64 MiB */
    uint32_t slice_ms; /* of computing, per entry, then it is stopped; 0: 1000, trusted: no limit */
    uint32_t wall_ms; /* the same on the wall, however busy the machine is; 0: ten times slice_ms */
    uint64_t instructions_max; /* over the VM's life; 0: 2e9, trusted: no limit */
    struct chunks *chunks;     /* borrows; where require() finds modules */
    bool trusted; /* our own tools (busted, control handlers): full standard libraries */
    const struct vm_time *time; /* NULL: the real one */
    void *user;
};

int vm_new(struct vm **out, const struct vm_opts *o);
void vm_free(struct vm *v); /* cancels and frees its tasks; NULL is fine */
lua_State *vm_lua(struct vm *v);
struct vm *vm_of(lua_State *L);
void *vm_user(struct vm *v);
struct chunks *vm_chunks(struct vm *v);
/* Collects what making it left behind, and keeps it small from here on. */
void vm_trim(struct vm *v);
size_t vm_memory(const struct vm *v);
bool vm_spent(const struct vm *v);            /* broke a limit; refuses every further entry */
const char *vm_spent_why(const struct vm *v); /* which limit, for the log; "" when none */

/* The next require(name) loads the module again; until then its memory is not wanted. Whoever holds
 * what it returned keeps that. */
void vm_forget(struct vm *v, const char *name);

/* What require(name) finds before it looks for files. "cjson.safe" is always there. */
int vm_preload(struct vm *v, const char *name, lua_CFunction open);

/* Calls the function below its n_args arguments on the stack, n_results back. On error the stack
 * holds nothing of the call and `why` has message and traceback. RD_ESCRIPT, RD_EBUDGET, -ENOMEM.
 */
int vm_call(struct vm *v, int n_args, int n_results, struct buf *why);

/* The same for a module: require(module), then its function `name`. The arguments are on the stack.
 */
int vm_call_module(struct vm *v, const char *module, const char *name, int n_args, int n_results,
                   struct buf *why);

/* Where modules come from: "ringdown.agent" is <dir>/ringdown/agent.lua, first folder that has it
 * wins, but modules of the library ("ringdown.…") come from the first folder only. Source is read
 * and compiled once, and each VM loads from the compiled form. `hash` of all source that was loaded
 * makes an agent's version. */
int chunks_new(struct chunks **out, const char *const *dirs);

/* The same over folders that were read into memory: one for the library's modules, one for all
 * others and for files. `find` borrows a text by its path below the folder ("lib/prices.lua"); p is
 * NULL when there is none. Borrowed until chunks_freeze(). */
struct chunks_shelf {
    const char *name; /* of the folder: messages show its last part, "agents/x.lua" */
    struct rd_str (*find)(const void *arg, const char *path);
    const void *arg;
};
int chunks_new_shelves(struct chunks **out, const struct chunks_shelf *library,
                       const struct chunks_shelf *own);

/* Would loading from these give the same set again? Also of a frozen one. */
bool chunks_same(const struct chunks *c, const struct chunks_shelf *library,
                 const struct chunks_shelf *own);

/* Each text outside the library that was loaded, by its path below the folder. */
void chunks_each_file(const struct chunks *c, void (*fn)(void *arg, const char *path), void *arg);
void chunks_free(struct chunks *c);
int chunks_load(struct chunks *c, lua_State *L, const char *module,
                struct buf *why); /* pushes a function */

/* A module, or a text for chunks_file(), that no folder has: made of those that were loaded. */
int chunks_put(struct chunks *c, lua_State *L, const char *module, struct rd_str text,
               struct buf *why);
int chunks_put_file(struct chunks *c, const char *name, struct rd_str text);
int chunks_hash(struct chunks *c, char out[17]);

/* A text beside the modules (an agent's prompt), looked for in the last folder and part of the
 * hash. Borrowed from the chunks. -ENOENT, RD_ETOOBIG (above 256 KiB), RD_ECONFIG (a path that
 * leaves it). */
int chunks_file(struct chunks *c, const char *name, struct rd_str *out);

/* How a loaded module calls itself in messages: "agents/x.lua"; its name when it is unknown. */
const char *chunks_shown(const struct chunks *c, const char *module);

/* The source of a loaded module; empty when unknown or after chunks_freeze(). */
struct rd_str chunks_source(const struct chunks *c, const char *module);

/* From here on nothing is read from disk and the set may be shared by threads: what was not loaded
 * before is not part of it. */
void chunks_freeze(struct chunks *c);

#endif
