/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.c - real script threads on a temporary folder; messages are collected under a lock. */
#include "unit/agent/fake_node.h"

#include "ports/agent.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 60, CREDITS = 64 };

static const char form[] = "{\"CallSid\":\"CA0123456789abcdef0123456789abcdef\","
                           "\"From\":\"+13125550142\",\"To\":\"+13125550100\"}";

static void to_media(void *arg, unsigned media_thread, struct message *m)
{
    struct fake_node *n = arg;

    pthread_mutex_lock(&n->lock);
    assert_true(n->n_got < FAKE_MESSAGES);
    n->media_thread[n->n_got] = media_thread;
    n->got[n->n_got++] = m;
    pthread_cond_signal(&n->came);
    pthread_mutex_unlock(&n->lock);
}

static bool site_of(void *arg, const char *agent, struct rd_str number, struct buf *out)
{
    (void)arg;
    return strcmp(agent, "test") == 0 && rd_str_eq(number, RD_STR(FAKE_SITE_NUMBER)) &&
           buf_add(out, FAKE_SITE, sizeof(FAKE_SITE) - 1) == 0;
}

static void keep_fact(void *arg, const struct script_fact *f)
{
    struct fake_node *n = arg;

    if (strcmp(f->type, "opened") == 0 || strcmp(f->type, "input") == 0)
        return; /* told of every call, for replays; no test waits for them */
    pthread_mutex_lock(&n->lock);
    assert_true(n->n_facts < FAKE_FACTS);
    (void)snprintf(n->facts[n->n_facts++], FAKE_FACT, "%s %llu %s {%.*s}", f->type,
                   (unsigned long long)f->call, f->agent, RD_STR_ARG(f->members));
    pthread_cond_signal(&n->came);
    pthread_mutex_unlock(&n->lock);
}

void fake_node_init(struct fake_node *n)
{
    *n = (struct fake_node){
        .folder = "/tmp/agents-XXXXXX", .library = "scripts", .deadline_ms = 60000};
    assert_non_null(mkdtemp(n->folder));
    buf_init(&n->complaints, 65536);
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->came, NULL);
}

static void write_file(const char *folder, const char *file, const char *text)
{
    char path[400];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void remove_folder(const char *folder)
{
    char path[400];
    struct dirent **files;
    int count = scandir(folder, &files, NULL, NULL);

    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
        (void)unlink(path);
        free(files[i]);
    }
    if (count >= 0)
        free(files);
    (void)rmdir(folder);
}

void fake_node_fini(struct fake_node *n)
{
    credits_free(n->credits);
    script_pool_stop(n->pool);
    agent_set_unref(n->agents);
    for (unsigned i = 0; i < n->n_got; i++)
        message_free(n->got[i]);
    buf_fini(&n->complaints);
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->came);
    remove_folder(n->folder);
    if (strcmp(n->library, "scripts") != 0) {
        char path[100];

        (void)snprintf(path, sizeof(path), "%s/ringdown", n->library);
        remove_folder(path);
        remove_folder(n->library);
    }
}

void fake_agent(struct fake_node *n, const char *file, const char *text)
{
    write_file(n->folder, file, text);
}

void fake_library(struct fake_node *n, const char *file, const char *text)
{
    char real[4096], from[4400], to[400], folder[100];
    struct dirent **files;
    int count;

    (void)snprintf(n->library, sizeof(n->library), "/tmp/library-XXXXXX");
    assert_non_null(mkdtemp(n->library));
    (void)snprintf(folder, sizeof(folder), "%s/ringdown", n->library);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_non_null(realpath("scripts/ringdown", real));
    count = scandir(real, &files, NULL, NULL);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        (void)snprintf(from, sizeof(from), "%s/%s", real, files[i]->d_name);
        (void)snprintf(to, sizeof(to), "%s/%.200s", folder, files[i]->d_name);
        if (files[i]->d_name[0] != '.' && strcmp(files[i]->d_name, file) != 0)
            assert_int_equal(symlink(from, to), 0);
        free(files[i]);
    }
    free(files);
    write_file(folder, file, text);
}

void fake_load(struct fake_node *n)
{
    assert_int_equal(agent_set_load(&n->agents, n->folder, n->library, &n->complaints), 0);
    assert_non_null(buf_text(&n->complaints));
}

void fake_start(struct fake_node *n, unsigned threads)
{
    struct script_opts o = {.threads = threads,
                            .aside = n->aside,
                            .lent = n->lent,
                            .asker = n->asker,
                            .aside_asker = n->aside_asker,
                            .mailbox_capacity = 1024,
                            .agents_path = n->folder,
                            .library_path = n->library,
                            .secrets = n->secrets,
                            .http_resolve = n->http_resolve,
                            .vapi_api = n->vapi_api,
                            .vapi_key = n->vapi_key,
                            .kept_path = n->kept_path,
                            .twilio_api = "",
                            .twilio_sid = "",
                            .twilio_token = "",
                            .resume_url = "http://localhost/twilio/resume",
                            .call_deadline_ms = n->deadline_ms,
                            .to_media = to_media,
                            .site_of = site_of,
                            .keep_fact = keep_fact,
                            .arg = n};

    fake_load(n);
    assert_string_equal("", buf_text(&n->complaints));
    o.agents = n->agents;
    assert_int_equal(script_pool_start(&n->pool, &o), 0);
    assert_int_equal(credits_new(&n->credits, script_pool_mailbox(n->pool, 0), CREDITS), 0);
}

void fake_open(struct fake_node *n, call_handle call, const char *agent)
{
    struct rd_str s[] = {rd_str(agent), rd_str(form)};
    struct message *m = message_new(MSG_CALL_OPEN, call, s, 2);

    assert_non_null(m);
    m->number = 3;
    m->aux = call + 1000;
    assert_int_equal(credits_post(n->credits, m, false), 0);
}

void fake_event(struct fake_node *n, call_handle call, int kind, const char *id, const char *name,
                const char *text)
{
    struct rd_str s[] = {rd_str(id), rd_str(name), rd_str(text)};
    struct message *m = message_new(MSG_CALL_EVENT, call, s, 3);

    assert_non_null(m);
    m->kind = kind;
    m->number = 1;
    assert_int_equal(credits_post(n->credits, m, kind == AGENT_ENDED), 0);
}

void fake_attach(struct fake_node *n, call_handle call, unsigned media_thread)
{
    struct message *m = message_new(MSG_CALL_ATTACHED, call, NULL, 0);

    assert_non_null(m);
    m->number = media_thread;
    assert_int_equal(credits_post(n->credits, m, false), 0);
}

void fake_live_call(struct fake_node *n, call_handle call)
{
    struct message *m;

    fake_open(n, call, "test");
    m = fake_next(n);
    assert_non_null(m);
    assert_int_equal(m->type, MSG_CALL_OPENED);
    assert_string_equal(m->s[0].p, "openai");
    assert_string_equal(m->brief->opening, "Hi.");
    fake_attach(n, call, 5);
}

static bool wait_for(struct fake_node *n, const unsigned *came, const unsigned *taken)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    while (*came == *taken)
        if (pthread_cond_timedwait(&n->came, &n->lock, &until) == ETIMEDOUT)
            return false;
    return true;
}

struct message *fake_next(struct fake_node *n)
{
    struct message *m = NULL;

    pthread_mutex_lock(&n->lock);
    if (wait_for(n, &n->n_got, &n->n_taken))
        m = n->got[n->n_taken++];
    pthread_mutex_unlock(&n->lock);
    return m;
}

struct message *fake_next_command(struct fake_node *n, int command)
{
    struct message *m = fake_next(n);

    assert_non_null(m);
    assert_int_equal(m->type, MSG_CALL_COMMAND);
    assert_int_equal(m->kind, command);
    return m;
}

const char *fake_next_fact(struct fake_node *n)
{
    const char *fact = "(none)";

    pthread_mutex_lock(&n->lock);
    if (wait_for(n, &n->n_facts, &n->n_facts_taken))
        fact = n->facts[n->n_facts_taken++];
    pthread_mutex_unlock(&n->lock);
    return fact;
}

bool fake_vms_become(struct fake_node *n, unsigned vms)
{
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        if (script_pool_vms(n->pool) == vms)
            return true;
        usleep(1000);
    }
    return false;
}
