/* SPDX-License-Identifier: Apache-2.0 */
/* talk_script.c - a script pool of one thread, with the credits of one call. Facts are shown, not kept. */
#include "cli/talk_script.h"

#include "agent/host.h"
#include "cli/talk_screen.h"
#include "sim/carrier/double.h"

#include <errno.h>
#include <stdlib.h>

enum { CALL = 1, SCRIPT_MAILBOX = 512, CREDITS = 128 };

struct talk_script {
    struct script_pool *pool; /* owns, as the following */
    struct credits *credits;
    struct mailbox *inbox; /* borrows */
};

/* --- to the script --- */

static void give(struct talk_script *t, struct message *m, bool last)
{
    if (credits_post(t->credits, m, last))
        screen_line(SCREEN_NOTE, "the agent's script does not keep up");
}

void talk_script_tell(struct talk_script *t, const struct agent_event *e)
{
    struct message *m =
        message_new(MSG_CALL_EVENT, CALL, (struct rd_str[]){e->id, e->name, e->text}, 3);

    if (!m)
        return;
    m->kind = (int)e->type;
    m->number = e->number;
    give(t, m, e->type == AGENT_AWAY || e->type == AGENT_ENDED);
}

void talk_script_post(struct talk_script *t, enum message_type type, const struct rd_str *s, int n,
                      uint64_t aux)
{
    struct message *m = message_new(type, CALL, s, n);

    if (!m)
        return;
    m->aux = aux;
    give(t, m, false);
}

void talk_script_text(struct talk_script *t, const char *agent, const char *json)
{
    (void)script_pool_errand(t->pool, agent, "text_in", json, 0, 0);
}

unsigned talk_script_vms(struct talk_script *t)
{
    return script_pool_vms(t->pool);
}

/* --- from it: its thread --- */

static void to_media(void *arg, unsigned media_thread, struct message *m)
{
    struct talk_script *t = arg;

    (void)media_thread;
    (void)mailbox_post(t->inbox, m);
}

static void keep_fact(void *arg, const struct script_fact *f)
{
    struct talk_script *t = arg;
    struct message *m;
    struct buf object;

    buf_init(&object, 1 << 17);
    if (buf_addf(&object, "{%.*s}", RD_STR_ARG(f->members)) == 0 && buf_text(&object)) {
        m = message_new(MSG_RECORD, f->call,
                        (struct rd_str[]){rd_str(f->type), {object.data, object.n}}, 2);
        if (m)
            (void)mailbox_post(t->inbox, m);
    }
    buf_fini(&object);
}

/* --- start and stop --- */

int talk_script_start(struct talk_script **out, const struct talk_script_opts *opts)
{
    const struct settings *s = opts->settings;
    struct talk_script *t = calloc(1, sizeof(*t));
    struct script_opts o = {.threads = 1,
                            .mailbox_capacity = SCRIPT_MAILBOX,
                            .agents_path = s->agents_path,
                            .library_path = s->library_path,
                            .ca_file = s->ca_file[0] ? s->ca_file : NULL,
                            .agents = opts->agents,
                            .twilio_api = opts->twilio_api,
                            .twilio_sid = CARRIER_DOUBLE_ACCOUNT,
                            .twilio_token = CARRIER_DOUBLE_TOKEN,
                            .secrets = s->secrets,
                            .http_resolve = s->http_resolve,
                            .resume_url = opts->resume_url,
                            .call_deadline_ms = s->script_deadline_ms,
                            .asker = opts->asker,
                            .agent_asker = opts->agent_asker,
                            .to_media = to_media,
                            .keep_fact = keep_fact,
                            .arg = t};
    int rc;

    if (!t)
        return -ENOMEM;
    t->inbox = opts->inbox;
    rc = script_pool_start(&t->pool, &o);
    if (!rc)
        rc = credits_new(&t->credits, script_pool_mailbox(t->pool, 0), CREDITS);
    if (rc)
        talk_script_stop(t);
    else
        *out = t;
    return rc;
}

void talk_script_stop(struct talk_script *t)
{
    if (!t)
        return;
    credits_free(t->credits);
    script_pool_stop(t->pool);
    free(t);
}
