/* SPDX-License-Identifier: Apache-2.0 */
/* Media Streams messages.
 *
 * Happy path
 *   - media, mark and clear with exactly the fields Twilio knows become a struct carrier_message;
 *   - connected, start, media, dtmf, mark and stop are written with every number as a string.
 *
 * Failure modes
 *   - not JSON, a field too many or too few, another stream, an unknown event: 31951;
 *   - a payload that is not base64, or is empty: 31930.
 */
#include "sim/carrier/message.h"

#include "sim/carrier/twiml_run.h"
#include "sim/speech/sound.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 4, 5))) static int refuse(char *why, size_t cap, int code,
                                                        const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, cap, fmt, ap);
    va_end(ap);
    return code;
}

static int read_media(struct carrier_message *m, json_t *root, char *why, size_t cap)
{
    json_t *media = json_object_get(root, "media");
    json_t *payload = json_object_get(media, "payload");
    size_t n = json_string_length(payload);
    ssize_t got;

    if (!json_is_object(media) || json_object_size(media) != 1 || !json_is_string(payload))
        return refuse(why, cap, TWILIO_MESSAGE, "media must hold exactly a payload");
    m->audio = malloc(n + 1);
    if (!m->audio)
        return refuse(why, cap, TWILIO_MEDIA, "out of memory");
    got = sim_base64_decode(m->audio, json_string_value(payload), n);
    if (got <= 0)
        return refuse(why, cap, TWILIO_MEDIA, "the payload is %s", got ? "not base64" : "empty");
    m->n_audio = (size_t)got;
    return 0;
}

static int read_mark(struct carrier_message *m, json_t *root, char *why, size_t cap)
{
    json_t *mark = json_object_get(root, "mark");
    json_t *name = json_object_get(mark, "name");

    if (!json_is_object(mark) || json_object_size(mark) != 1 || !json_is_string(name))
        return refuse(why, cap, TWILIO_MESSAGE, "mark must hold exactly a name");
    if (json_string_length(name) >= sizeof(m->mark))
        return refuse(why, cap, TWILIO_MESSAGE, "the mark's name is too long");
    snprintf(m->mark, sizeof(m->mark), "%s", json_string_value(name));
    return 0;
}

static int read_clear(struct carrier_message *m, json_t *root, char *why, size_t cap)
{
    (void)m;
    (void)root;
    (void)why;
    (void)cap;
    return 0;
}

static const struct {
    const char *name;
    enum carrier_message_kind kind;
    size_t n_fields;
    int (*read)(struct carrier_message *m, json_t *root, char *why, size_t cap);
} kinds[] = {
    {"media", CARRIER_MEDIA, 3, read_media},
    {"mark", CARRIER_MARK, 3, read_mark},
    {"clear", CARRIER_CLEAR, 2, read_clear},
};

static int read_root(struct carrier_message *m, json_t *root, const char *stream_sid, char *why,
                     size_t cap)
{
    const char *event = json_string_value(json_object_get(root, "event"));
    const char *sid = json_string_value(json_object_get(root, "streamSid"));

    if (!json_is_object(root) || !event)
        return refuse(why, cap, TWILIO_MESSAGE, "no event");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, event) != 0)
            continue;
        if (!sid || strcmp(sid, stream_sid) != 0)
            return refuse(why, cap, TWILIO_MESSAGE, "%s: streamSid is not ours", event);
        if (json_object_size(root) != kinds[i].n_fields)
            return refuse(why, cap, TWILIO_MESSAGE, "%s: a field is missing or too many", event);
        m->kind = kinds[i].kind;
        return kinds[i].read(m, root, why, cap);
    }
    return refuse(why, cap, TWILIO_MESSAGE, "unknown event %.40s", event);
}

int carrier_message_read(struct carrier_message *out, const char *text, size_t n,
                         const char *stream_sid, char *why, size_t cap)
{
    struct carrier_message m = {0};
    json_error_t err;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &err);
    int code;

    if (!root)
        return refuse(why, cap, TWILIO_MESSAGE, "not JSON: %.80s", err.text);
    code = read_root(&m, root, stream_sid, why, cap);
    json_decref(root);
    if (code) {
        carrier_message_fini(&m);
        return code;
    }
    *out = m;
    return 0;
}

void carrier_message_fini(struct carrier_message *m)
{
    free(m->audio);
    m->audio = NULL;
}

/* A tree as text; takes the tree. */
static int write_tree(struct buf *b, json_t *tree)
{
    char *text = tree ? json_dumps(tree, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    int rc = text ? 0 : -ENOMEM;

    buf_clear(b);
    if (text)
        rc = buf_add_str(b, text);
    free(text);
    json_decref(tree);
    return rc;
}

static json_t *number_text(uint64_t v)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, v);
    return json_string(text);
}

int carrier_write_connected(struct buf *b)
{
    return write_tree(b, json_pack("{s:s, s:s, s:s}", "event", "connected", "protocol", "Call",
                                   "version", "1.0.0"));
}

int carrier_write_start(struct buf *b, struct carrier_stream_ids *ids,
                        const struct twiml_action *stream)
{
    json_t *params = json_object();

    for (size_t i = 0; i < stream->n_params; i++)
        json_object_set_new(params, stream->params[i].name, json_string(stream->params[i].value));
    return write_tree(
        b, json_pack("{s:s, s:o, s:s, s:{s:s, s:s, s:s, s:[s], s:{s:s, s:i, s:i}, s:o}}", "event",
                     "start", "sequenceNumber", number_text(++ids->sequence), "streamSid",
                     ids->stream_sid, "start", "accountSid", ids->account_sid, "streamSid",
                     ids->stream_sid, "callSid", ids->call_sid, "tracks", "inbound", "mediaFormat",
                     "encoding", "audio/x-mulaw", "sampleRate", 8000, "channels", 1,
                     "customParameters", params));
}

int carrier_write_media(struct buf *b, struct carrier_stream_ids *ids, uint64_t timestamp_ms,
                        const uint8_t *ulaw, size_t n)
{
    int rc;

    buf_clear(b);
    rc = buf_addf(b,
                  "{\"event\":\"media\",\"sequenceNumber\":\"%" PRIu64 "\",\"streamSid\":\"%s\","
                  "\"media\":{\"track\":\"inbound\",\"chunk\":\"%" PRIu64
                  "\",\"timestamp\":\"%" PRIu64 "\",\"payload\":\"",
                  ++ids->sequence, ids->stream_sid, ++ids->chunk, timestamp_ms);
    if (rc == 0)
        rc = buf_reserve(b, (n + 2) / 3 * 4);
    if (rc)
        return rc;
    b->n += sim_base64_encode(b->data + b->n, ulaw, n);
    return buf_add_str(b, "\"}}");
}

int carrier_write_dtmf(struct buf *b, struct carrier_stream_ids *ids, char digit)
{
    char text[2] = {digit, '\0'};

    return write_tree(b,
                      json_pack("{s:s, s:o, s:s, s:{s:s, s:s}}", "event", "dtmf", "sequenceNumber",
                                number_text(++ids->sequence), "streamSid", ids->stream_sid, "dtmf",
                                "track", "inbound_track", "digit", text));
}

int carrier_write_mark(struct buf *b, struct carrier_stream_ids *ids, const char *name)
{
    return write_tree(b, json_pack("{s:s, s:o, s:s, s:{s:s}}", "event", "mark", "sequenceNumber",
                                   number_text(++ids->sequence), "streamSid", ids->stream_sid,
                                   "mark", "name", name));
}

int carrier_write_stop(struct buf *b, struct carrier_stream_ids *ids)
{
    return write_tree(b,
                      json_pack("{s:s, s:o, s:s, s:{s:s, s:s}}", "event", "stop", "sequenceNumber",
                                number_text(++ids->sequence), "streamSid", ids->stream_sid, "stop",
                                "accountSid", ids->account_sid, "callSid", ids->call_sid));
}
