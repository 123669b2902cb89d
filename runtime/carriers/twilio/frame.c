/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c - one message of Media Streams, found in the receive buffer and left there.
 *
 * A message is one object with an event's name, a few words about the stream, and one object called
 * like the event. Numbers come as strings; a number as a number is fine too. Nothing is copied but
 * sids, nothing is allocated, and what is not understood is told, never guessed. */
#include "carriers/twilio/frame.h"

#include "base/err.h"
#include "media/base64.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The object without white space around it. That it is JSON, its walk finds out: parsing it first would be a
 * second look at the audio. */
static bool object_of(struct json_value *root, struct rd_str text)
{
    while (text.n > 0 && is_space(text.p[0]))
        text = (struct rd_str){text.p + 1, text.n - 1};
    while (text.n > 0 && is_space(text.p[text.n - 1]))
        text.n--;
    *root = (struct json_value){.type = JSON_OBJECT, .raw = text};
    return text.n >= 2 && text.p[0] == '{';
}

bool twilio_frame_read(struct twilio_frame *f, struct rd_str text)
{
    struct rd_str key, object_key = {"", 0};
    struct json_value root, v, object = {0};
    struct json_iter it;

    *f = (struct twilio_frame){0};
    if (!object_of(&root, text))
        return false;
    f->text = root.raw;
    json_iter_init(&it, &root);
    while (json_next(&it, &key, &v)) {
        if (rd_str_eq(key, RD_STR("event"))) {
            f->event = v;
        } else if (rd_str_eq(key, RD_STR("streamSid"))) {
            f->stream_sid = v;
        } else if (rd_str_eq(key, RD_STR("sequenceNumber"))) {
            f->sequence = v;
        } else if (v.type == JSON_OBJECT) {
            if (f->event.type == JSON_STRING && rd_str_eq(key, f->event.raw))
                f->body = v;
            object = v;
            object_key = key;
        }
    }
    /* The body may stand before the event's name; then it is the only object there is. */
    if (f->body.type == JSON_NONE && f->event.type == JSON_STRING &&
        rd_str_eq(object_key, f->event.raw))
        f->body = object;
    return it.err == 0 && it.end == root.raw.p + root.raw.n; /* nothing follows it */
}

bool twilio_frame_sid(char out[TWILIO_SID_BYTES], const struct json_value *v)
{
    if (v->type != JSON_STRING || v->raw.n == 0 || v->raw.n >= TWILIO_SID_BYTES)
        return false;
    for (size_t i = 0; i < v->raw.n; i++) {
        char c = v->raw.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
    }
    return rd_str_copy(out, TWILIO_SID_BYTES, v->raw);
}

bool twilio_frame_format_ok(const struct json_value *start)
{
    struct json_value format = json_get(start, "mediaFormat");
    struct json_value encoding = json_get(&format, "encoding");
    struct json_value rate = json_get(&format, "sampleRate");
    struct json_value channels = json_get(&format, "channels");
    uint64_t n_rate, n_channels;

    return json_is(&encoding, "audio/x-mulaw") && json_u64(&rate, &n_rate) && n_rate == 8000 &&
           json_u64(&channels, &n_channels) && n_channels == 1;
}

/* JSON allows base64's '/' to be written as "\/": resolved where it stands, messages are ours to
 * change and an escape is never shorter than what it means. */
static struct rd_str plain_payload(const struct json_value *v)
{
    char *text = (char *)v->raw.p;

    if (v->type != JSON_STRING || (v->escaped && json_copy(v, text, v->raw.n)))
        return (struct rd_str){NULL, 0};
    return v->escaped ? rd_str(text) : v->raw;
}

int twilio_frame_media(struct twilio_media *out, const struct json_value *media)
{
    struct json_value track = {0}, payload = {0}, v;
    struct rd_str key, text;
    struct json_iter it;
    uint64_t ms;
    ssize_t n_bytes;

    *out = (struct twilio_media){0};
    json_iter_init(&it, media);
    while (json_next(&it, &key, &v)) {
        if (rd_str_eq(key, RD_STR("payload")))
            payload = v;
        else if (rd_str_eq(key, RD_STR("timestamp")))
            out->timestamp = v;
        else if (rd_str_eq(key, RD_STR("chunk")))
            out->chunk = v;
        else if (rd_str_eq(key, RD_STR("track")))
            track = v;
    }
    if (!json_is(&track, "inbound") || !json_u64(&out->timestamp, &ms) || ms > UINT32_MAX)
        return RD_EPROTO;
    text = plain_payload(&payload);
    n_bytes = text.p ? base64_check(text.p, text.n) : RD_EPROTO;
    if (n_bytes <= 0)
        return RD_EREFUSED;
    out->span = (struct audio_span){text.p, text.n, (uint32_t)n_bytes};
    out->at_ms = (uint32_t)ms;
    out->rewritten = payload.escaped;
    return 0;
}

char twilio_frame_digit(const struct json_value *dtmf)
{
    static const char digits[] = "0123456789*#ABCD";
    struct json_value digit = json_get(dtmf, "digit");

    if (digit.type != JSON_STRING || digit.raw.n != 1 ||
        !memchr(digits, digit.raw.p[0], sizeof(digits) - 1))
        return 0;
    return digit.raw.p[0];
}

static char *put_u32(char *p, uint32_t n)
{
    char digits[10];
    size_t i = sizeof(digits);

    do
        digits[--i] = (char)('0' + n % 10);
    while (n /= 10);
    memcpy(p, digits + i, sizeof(digits) - i);
    return p + sizeof(digits) - i;
}

/* By hand: snprintf() took a seventh of what a piece of the model's audio costs. */
size_t twilio_mark_print(char out[TWILIO_MARK_BYTES], const struct carrier_mark *m)
{
    char *p = out;

    *p++ = 'g';
    p = put_u32(p, m->generation);
    *p++ = '.';
    p = put_u32(p, m->item);
    *p++ = '.';
    p = put_u32(p, m->bytes);
    *p = '\0';
    return (size_t)(p - out);
}

/* One decimal number of a mark's name, spelled the one way we spell it. */
static bool take_u32(struct rd_str *s, uint32_t *out)
{
    uint64_t sum = 0;
    size_t i = 0;

    while (i < s->n && i < 10 && s->p[i] >= '0' && s->p[i] <= '9')
        sum = sum * 10 + (uint64_t)(s->p[i++] - '0');
    if (i == 0 || sum > UINT32_MAX || (s->p[0] == '0' && i > 1))
        return false;
    *s = (struct rd_str){s->p + i, s->n - i};
    *out = (uint32_t)sum;
    return true;
}

static bool take_char(struct rd_str *s, char c)
{
    if (s->n == 0 || *s->p != c)
        return false;
    *s = (struct rd_str){s->p + 1, s->n - 1};
    return true;
}

bool twilio_mark_read(struct carrier_mark *out, struct rd_str name)
{
    struct carrier_mark m;

    if (!take_char(&name, 'g') || !take_u32(&name, &m.generation) || !take_char(&name, '.') ||
        !take_u32(&name, &m.item) || !take_char(&name, '.') || !take_u32(&name, &m.bytes) ||
        name.n > 0)
        return false;
    *out = m;
    return true;
}
