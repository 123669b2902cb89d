/* SPDX-License-Identifier: Apache-2.0 */
/* vm_private.h - what vm.c, task.c and sandbox.c share. For lua/ only. */
#ifndef LUA_VM_PRIVATE_H
#define LUA_VM_PRIVATE_H

#include "lua/slice.h"
#include "lua/vm.h"

#include <stdatomic.h>

struct task;

struct vm {
    lua_State *L;          /* owns */
    struct chunks *chunks; /* borrows */
    void *user;
    struct task *tasks;   /* all of them, linked */
    struct task *running; /* NULL: nobody, or vm_call() */
    size_t used, memory_max;
    unsigned refusals;      /* allocations refused while a script ran */
    bool in_script;         /* the memory limit holds only here: C never sees it */
    bool trusted;           /* no fences */
    bool preempted;         /* the hook made the running task step aside */
    const char *spent;      /* sticky: which limit was broken; NULL: none */
    struct slice slice;     /* of this entry */
    uint64_t step_aside_us; /* when the running task yields to its neighbours; 0: never */
    uint64_t stuck_us;      /* of the thread's own time: how long one may go on that cannot yield */
    uint64_t breathed_us;   /* when it last let others have the processor */
    uint32_t allocations;
    uint64_t instructions, instructions_max; /* 0: no limit */
    uint64_t work; /* bytes and steps inside the library since the last look at the clock */
};

/* Around every entry into Lua. share_us: how long before it steps aside; 0: it does not. */
void vm_enter(struct vm *v, const struct slice_used *before, uint64_t share_us);
void vm_leave(struct vm *v);

/* For C functions that take long on long arguments: looks at the clock as the hook does. True: the
 * running task should yield before it begins, and do the work when it is resumed. Raises when a limit
 * is broken. */
bool vm_has_had_its_share(lua_State *L);

/* The error of a finished entry as a code: a broken limit wins over whatever Lua says. */
int vm_status(struct vm *v, int lua_status);

/* sandbox.c: what a script finds in its globals. Runs protected. */
int sandbox_open(lua_State *L);
int sandbox_open_trusted(lua_State *L);

/* The chunk on top of the stack is the library's: its globals are out of reach of scripts. */
void sandbox_is_library(lua_State *L);

/* fence.c: replaces library functions that no instruction hook can stop. The string and table
 * libraries are in the globals. */
void fence_open(lua_State *L);

/* require.c */
int require_open(lua_State *L);         /* sets the global require */
int require_open_scripts(lua_State *L); /* sets it again: only what is meant for scripts */
int require_open_trusted(lua_State *L); /* adds to package.preload and package.searchers */
extern const char require_preload_key;  /* registry[&key]: name → open function */

/* view.c: what a script holds of the library. */
/* The module on top of the stack becomes the script's view of it. */
void view_of_module(lua_State *L, const char *name);
/* getmetatable() of scripts. */
int view_getmetatable(lua_State *L);
/* Before setmetatable() of a script: may it? Raises if not. */
void view_check_setmetatable(lua_State *L);

/* task.c */
void task_free_all(struct vm *v);

#endif
