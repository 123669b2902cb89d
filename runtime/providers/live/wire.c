/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - the client events of GPT-Live.
 *
 *   struct brief ──▶ session.start: model, instructions, the telephone's audio, voice, and a backend that may
 *                    use the tools (delegation "responses")
 *   the call core ─▶ session.commentary.append (to be said), session.thinking.append (to be known),
 *                    response.item.create, response.create
 *
 * The service refuses members that it does not know: nothing is written that is not documented.
 *   - the backend is given the instructions too: it alone calls tools
 *   - a text of more than 500 tokens goes in pieces, cut between words; tokens are counted as three bytes
 *     each, which is more than they have in most languages
 *   - tools that are no array of named objects: RD_ECONFIG, nobody is called */
#include "providers/live/wire.h"

#include "base/err.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_VOICE   "marin"
#define TOOL_NAME_CHARS 64

#define SAY_EXACTLY                                                                              \
    "Say exactly these quoted words to the caller now, word for word, in the language they are " \
    "written in, and nothing else: \\u201c"
#define SAY_MORE "Then these, directly after: \\u201c"

/* `head` as it is, then `s` escaped, then the closing quote. */
static int add_string(struct buf *out, const char *head, struct rd_str s)
{
    int rc = buf_add_str(out, head);

    if (!rc)
        rc = buf_add_json(out, s);
    return rc ? rc : buf_add(out, "\"", 1);
}

static struct rd_str or_else(const char *s, const char *otherwise)
{
    return rd_str(s && *s ? s : otherwise);
}

/* --- session.start --- */

static bool good_name(const char *s)
{
    size_t n = s ? strlen(s) : 0;

    return n > 0 && n <= TOOL_NAME_CHARS &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

/* Rebuilt from what we know of it, so that nothing else gets on the wire. */
static int add_tool(struct buf *out, json_t *tool)
{
    const char *name = json_string_value(json_object_get(tool, "name"));
    json_t *about = json_object_get(tool, "description");
    json_t *parameters = json_object_get(tool, "parameters");
    char *text = NULL;
    int rc;

    if (!good_name(name) || (about && !json_is_string(about)) ||
        (parameters && !json_is_object(parameters)))
        return RD_ECONFIG;
    rc = add_string(out, "{\"type\":\"function\",\"name\":\"", rd_str(name));
    if (!rc && about)
        rc = add_string(out, ",\"description\":\"", rd_str(json_string_value(about)));
    if (!rc && parameters) {
        text = json_dumps(parameters, JSON_COMPACT | JSON_ENCODE_ANY);
        rc = text ? buf_addf(out, ",\"parameters\":%s", text) : -ENOMEM;
    }
    free(text);
    return rc ? rc : buf_add(out, "}", 1);
}

static int add_tools(struct buf *out, const char *tools_json)
{
    json_t *tools = json_loads(tools_json && *tools_json ? tools_json : "[]", 0, NULL);
    size_t n = json_array_size(tools);
    int rc = json_is_array(tools) ? 0 : RD_ECONFIG;

    if (!rc && n > 0)
        rc = buf_add_str(out, ",\"tools\":[");
    for (size_t i = 0; !rc && i < n; i++) {
        rc = i > 0 ? buf_add(out, ",", 1) : 0;
        if (!rc)
            rc = add_tool(out, json_array_get(tools, i));
    }
    if (!rc && n > 0)
        rc = buf_add(out, "]", 1);
    json_decref(tools);
    return rc;
}

int live_wire_start(struct buf *out, const struct brief *b)
{
    struct rd_str instructions = or_else(b->instructions, "");
    int rc;

    if (instructions.n > LIVE_INSTRUCTIONS_MAX)
        return RD_ECONFIG;
    buf_clear(out);
    if ((rc = add_string(out, "{\"type\":\"session.start\",\"session\":{\"model\":\"",
                         or_else(b->model, LIVE_MODEL))) ||
        (rc = add_string(out, ",\"instructions\":\"", instructions)) ||
        (rc = add_string(out,
                         ",\"audio\":{\"format\":{\"type\":\"audio/pcmu\",\"rate\":8000},"
                         "\"output\":{\"voice\":\"",
                         or_else(b->voice, DEFAULT_VOICE))) ||
        (rc = add_string(out,
                         "}},\"delegation\":{\"type\":\"responses\",\"responses\":{\"model\":\"",
                         or_else(b->backend, LIVE_BACKEND))) ||
        (rc = add_string(out, ",\"instructions\":\"", instructions)) ||
        (rc = add_tools(out, b->tools_json)))
        return rc;
    return buf_add_str(out, "}}}}");
}

/* --- what it shall say and know --- */

/* At most LIVE_APPEND_BYTES, cut behind a space if there is one, never within a letter. */
static struct rd_str take_piece(struct rd_str *text)
{
    size_t n = text->n;

    if (n > LIVE_APPEND_BYTES) {
        const char *space = memrchr(text->p, ' ', LIVE_APPEND_BYTES);

        n = LIVE_APPEND_BYTES;
        while (n > 1 && ((unsigned char)text->p[n] & 0xC0) == 0x80)
            n--;
        if (space && space > text->p)
            n = (size_t)(space + 1 - text->p);
    }
    *text = (struct rd_str){text->p + n, text->n - n};
    return (struct rd_str){text->p - n, n};
}

int live_wire_append(struct buf *out, enum live_append kind, bool first, struct rd_str *text)
{
    bool exactly = kind == LIVE_SAY_EXACTLY;
    struct rd_str piece;
    int rc;

    if (first && text->n > (size_t)LIVE_APPEND_BYTES * LIVE_APPENDS / 2)
        return RD_ETOOBIG; /* spaces may make pieces half as long */
    piece = take_piece(text);
    buf_clear(out);
    rc = buf_addf(out, "{\"type\":\"session.%s.append\",\"delegation_id\":null,\"content\":\"%s",
                  kind == LIVE_KNOW ? "thinking" : "commentary",
                  !exactly ? ""
                  : first  ? SAY_EXACTLY
                           : SAY_MORE);
    if (!rc)
        rc = buf_add_json(out, piece);
    return rc ? rc : buf_add_str(out, exactly ? "\\u201d\"}" : "\"}");
}

static int add_past_tool(struct buf *out, const struct history_item *it)
{
    int rc = buf_add_str(out, "Earlier in this call the tool ");

    if ((!rc && (rc = buf_add(out, it->name.p, it->name.n))) ||
        (!rc && (rc = buf_add_str(out, " was called with "))) ||
        (!rc && (rc = buf_add(out, it->text.p, it->text.n))) ||
        (!rc && (rc = buf_add_str(out, " and returned: "))))
        return rc;
    return rc ? rc : buf_add(out, it->output.p, it->output.n);
}

int live_wire_past(struct buf *out, const struct history_item *it)
{
    int rc;

    buf_clear(out);
    if (it->kind == HISTORY_TOOL)
        return add_past_tool(out, it);
    rc = buf_add_str(out, it->kind == HISTORY_CALLER ? "Earlier in this call the caller said: "
                                                     : "Earlier in this call you said: ");
    return rc ? rc : buf_add(out, it->text.p, it->text.n);
}

/* --- tools, and the end --- */

int live_wire_tool_result(struct buf *out, struct rd_str call_id, struct rd_str output)
{
    int rc;

    buf_clear(out);
    if ((rc = add_string(out,
                         "{\"type\":\"response.item.create\",\"item\":{\"type\":"
                         "\"function_call_output\",\"call_id\":\"",
                         call_id)) ||
        (rc = add_string(out, ",\"output\":\"", output)))
        return rc;
    return buf_add_str(out, "}}");
}

int live_wire_continue(struct buf *out)
{
    buf_clear(out);
    return buf_add_str(out, "{\"type\":\"response.create\"}");
}

int live_wire_close(struct buf *out)
{
    buf_clear(out);
    return buf_add_str(out, "{\"type\":\"session.close\"}");
}
