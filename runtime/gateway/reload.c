/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - the thread that keeps the agents in use the same as their source.
 *
 * - folder: told by io/watch.h, or by a look at names, sizes and times every 3 s where there are no
 *   events (network file systems, a folder that was swapped); a touch that changed no byte is no
 *   change
 * - release: told by reload_offer()
 * - asked (SIGHUP, `ringdown agents reload`): looks at once and loads whatever is there
 *
 * Failure modes: a folder that is being written to is looked at again when it rests; see
 * reload_load.c for agents that do not load. No loop, no watch, no memory: reload_start() fails. */
#include "base/err.h"
#include "gateway/reload_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { POLL_MS = 3000, AGAIN_MS = 200, MAILBOX = 64, OUTCOME_MAX = 1 << 20, WHY_MAX = 512 };

/* ---- one look ---- */

static void tell_control(struct reload *r)
{
    struct rd_str s = RD_STR("{\"type\":\"agents\"}");
    struct message *m = r->o.control ? message_new(MSG_RECORD, 0, &s, 1) : NULL;

    if (m)
        (void)mailbox_post(r->o.control, m);
}

static bool tried_already(struct reload *r, const struct tree *tree)
{
    if (strcmp(r->tried, tree_hash(tree)) == 0)
        return true;
    (void)snprintf(r->tried, sizeof(r->tried), "%s", tree_hash(tree));
    return false;
}

/* False: the folder is being written to; look again soon. */
static bool look_at_folder(struct reload *r, bool asked)
{
    const char *path = r->o.settings->agents_path;
    struct tree *tree = NULL;
    char why[WHY_MAX];
    uint64_t stamp;
    int rc = tree_read(&tree, path, why, sizeof(why));

    if (rc == -EAGAIN && !asked)
        return false;
    if (rc) {
        (void)tree_stamp(path, &r->stamp);
        r->tried[0] = '\0';
        reload_cannot(r, why);
        tell_control(r);
        return true;
    }
    r->stamp = tree_stamp_of(tree);
    if (r->watch)
        (void)watch_folders(r->watch, tree_folders(tree));
    if (!tried_already(r, tree) || asked)
        reload_take(r, tree, 0);
    tree_unref(tree);
    tell_control(r);
    /* A folder that was made between the reading and the watching. */
    return tree_stamp(path, &stamp) != 0 || stamp == r->stamp;
}

static void look_at_release(struct reload *r, bool asked)
{
    struct tree *tree;
    int64_t id;

    pthread_mutex_lock(&r->lock);
    tree = tree_ref(r->offered);
    id = r->offered_id;
    pthread_mutex_unlock(&r->lock);
    if (tree && (!tried_already(r, tree) || asked || id != r->in_use_id))
        reload_take(r, tree, id);
    tree_unref(tree);
    tell_control(r);
}

static void look(struct reload *r)
{
    uint64_t ticket;
    bool asked, rests = true;

    pthread_mutex_lock(&r->lock);
    ticket = r->asked;
    asked = ticket != r->done;
    pthread_mutex_unlock(&r->lock);
    if (r->from_folder)
        rests = look_at_folder(r, asked);
    else
        look_at_release(r, asked);
    pthread_mutex_lock(&r->lock);
    r->done = ticket;
    pthread_mutex_unlock(&r->lock);
    if (!rests)
        loop_timer_in(r->poll, AGAIN_MS);
}

static void on_changed(void *arg)
{
    look(arg);
}

static unsigned poll_ms(const struct reload *r)
{
    return r->o.poll_ms ? r->o.poll_ms : POLL_MS;
}

static void on_poll(void *arg)
{
    struct reload *r = arg;
    uint64_t stamp;

    loop_timer_in(r->poll, poll_ms(r));
    (void)tree_stamp(r->o.settings->agents_path, &stamp);
    if (stamp != r->stamp)
        look(r);
}

static void on_message(struct message *m, void *arg)
{
    struct reload *r = arg;
    enum message_type type = m->type;

    message_free(m);
    if (type == MSG_STOP)
        loop_stop(r->loop);
    else
        look(r);
}

/* ---- life ---- */

int reload_new(struct reload **out, const struct reload_opts *o)
{
    struct reload *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->o = *o;
    r->from_folder = strcmp(o->settings->agents_source, "database") != 0;
    pthread_mutex_init(&r->lock, NULL);
    buf_init(&r->outcome, OUTCOME_MAX);
    *out = r;
    return 0;
}

static int first_tree(struct reload *r, struct tree *release, struct tree **out, char *why,
                      size_t cap)
{
    *out = tree_ref(release);
    if (release)
        return 0;
    return r->from_folder ? tree_read(out, r->o.settings->agents_path, why, cap)
                          : tree_new(out, NULL, 0, why, cap);
}

int reload_first(struct reload *r, struct tree *release, int64_t id, struct agent_set **out,
                 char *why, size_t cap)
{
    struct tree *tree = NULL;
    struct buf complaints;
    int rc = first_tree(r, release, &tree, why, cap);

    if (rc)
        return rc;
    buf_init(&complaints, (size_t)cap);
    rc = reload_make_first(r, tree, id, &complaints);
    if (rc)
        (void)snprintf(why, cap, "%s", complaints.n ? buf_text(&complaints) : rd_strerror(rc));
    buf_fini(&complaints);
    r->stamp = tree_stamp_of(tree);
    (void)tried_already(r, tree);
    r->offered = tree_ref(release);
    r->offered_id = id;
    tree_unref(tree);
    if (!rc)
        *out = agent_set_ref(r->in_use);
    return rc;
}

static int start_watching(struct reload *r)
{
    struct watch_opts o = {.changed = on_changed, .arg = r};
    int rc = loop_timer_new(&r->poll, r->loop, on_poll, r);

    if (rc || !r->from_folder || strcmp(r->o.settings->agents_watch, "on") != 0)
        return rc;
    rc = watch_new(&r->watch, r->loop, &o);
    if (!rc)
        rc = watch_folders(r->watch, tree_folders(agent_set_tree(r->in_use)));
    if (rc >= 0)
        loop_timer_in(r->poll, 0); /* what changed since reload_first() */
    return rc < 0 ? rc : 0;
}

static void *run(void *arg)
{
    struct reload *r = arg;

    (void)pthread_setname_np(pthread_self(), "reload");
    (void)loop_run(r->loop);
    return NULL;
}

int reload_start(struct reload *r, struct script_pool *scripts)
{
    int rc = loop_new(&r->loop);

    r->scripts = scripts;
    if (!rc)
        rc = mailbox_new(&r->mailbox, r->loop, MAILBOX, on_message, r);
    if (!rc)
        rc = start_watching(r);
    if (!rc)
        rc = -pthread_create(&r->thread, NULL, run, r);
    r->running = rc == 0;
    return rc;
}

static void post(struct reload *r, enum message_type type)
{
    struct message *m = r->mailbox ? message_new(type, 0, NULL, 0) : NULL;

    if (m)
        (void)mailbox_post(r->mailbox, m); /* full: it is being asked often enough */
}

void reload_hush(struct reload *r)
{
    if (!r || !r->running)
        return;
    post(r, MSG_STOP);
    pthread_join(r->thread, NULL);
    r->running = false;
}

void reload_stop(struct reload *r)
{
    if (!r)
        return;
    reload_hush(r);
    watch_free(r->watch);
    loop_timer_free(r->poll);
    if (r->mailbox)
        mailbox_free(r->mailbox);
    if (r->loop)
        loop_free(r->loop);
    for (size_t i = 0; i < r->n_broken; i++)
        free(r->broken[i]);
    free(r->broken);
    agent_set_unref(r->in_use);
    tree_unref(r->offered);
    buf_fini(&r->outcome);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- any thread ---- */

uint64_t reload_ask(struct reload *r)
{
    uint64_t ticket;

    pthread_mutex_lock(&r->lock);
    ticket = ++r->asked;
    pthread_mutex_unlock(&r->lock);
    post(r, MSG_RELOAD);
    return ticket;
}

int reload_answer(struct reload *r, uint64_t ticket, struct buf *out)
{
    int rc = -EAGAIN;

    pthread_mutex_lock(&r->lock);
    if (r->done >= ticket)
        rc = r->outcome.n ? buf_add(out, r->outcome.data, r->outcome.n)
                          : buf_add_str(out, "{\"taken\":true,\"changed\":[],\"errors\":[]}");
    pthread_mutex_unlock(&r->lock);
    return rc;
}

void reload_offer(struct reload *r, struct tree *release, int64_t id)
{
    struct tree *before;

    pthread_mutex_lock(&r->lock);
    before = r->offered;
    r->offered = tree_ref(release);
    r->offered_id = id;
    pthread_mutex_unlock(&r->lock);
    tree_unref(before);
    post(r, MSG_RELOAD);
}

struct agent_set *reload_unkept(struct reload *r)
{
    struct agent_set *set = NULL;

    pthread_mutex_lock(&r->lock);
    if (r->unkept)
        set = agent_set_ref(r->in_use);
    r->unkept = false;
    pthread_mutex_unlock(&r->lock);
    return set;
}

int64_t reload_release(struct reload *r)
{
    int64_t id;

    pthread_mutex_lock(&r->lock);
    id = r->in_use_id;
    pthread_mutex_unlock(&r->lock);
    return id;
}
