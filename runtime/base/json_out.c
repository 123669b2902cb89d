/* SPDX-License-Identifier: Apache-2.0 */
/* json_out.c - see json_out.h; strings are escaped by buf_add_json(), which also mends bad UTF-8. */
#include "base/json_out.h"

#include <inttypes.h>

static int add_value(struct buf *out, const struct json_member *m)
{
    int rc;

    switch (m->type) {
    case JSON_OUT_INT:
        return buf_addf(out, "%" PRId64, m->num);
    case JSON_OUT_BOOL:
        return buf_add_str(out, m->num ? "true" : "false");
    case JSON_OUT_RAW:
        return buf_add(out, m->str.p, m->str.n);
    case JSON_OUT_STRING:
        break;
    }
    rc = buf_add_str(out, "\"");
    if (!rc)
        rc = buf_add_json(out, m->str);
    return rc ? rc : buf_add_str(out, "\"");
}

static bool is_left_out(const struct json_member *m)
{
    return !m->str.p && (m->type == JSON_OUT_STRING || m->type == JSON_OUT_RAW);
}

int json_members(struct buf *out, struct json_members members, bool first)
{
    int written = 0, rc;

    for (int i = 0; i < members.n; i++) {
        const struct json_member *m = &members.m[i];

        if (is_left_out(m))
            continue;
        rc = buf_addf(out, "%s\"%s\":", first && written == 0 ? "" : ",", m->key);
        if (!rc)
            rc = add_value(out, m);
        if (rc)
            return rc;
        written++;
    }
    return written;
}

int json_add_object(struct buf *out, struct json_members members)
{
    int rc = buf_add_str(out, "{");

    if (!rc)
        rc = json_members(out, members, true);
    return rc < 0 ? rc : buf_add_str(out, "}");
}
