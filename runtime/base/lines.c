/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c - "NAME=value" lines, looked through from the front. A line without = has an empty value.
 */
#include "base/lines.h"

bool lines_next(const char **at, struct rd_str *name, struct rd_str *value)
{
    const char *line = *at;
    size_t n = strcspn(line, "\n"), k;

    if (!*line)
        return false;
    for (k = 0; k < n && line[k] != '=';)
        k++;
    *name = (struct rd_str){line, k};
    *value = (struct rd_str){line + k + (k < n), n - k - (k < n)};
    *at = line + n + (line[n] == '\n');
    return true;
}

struct rd_str lines_find(const char *lines, struct rd_str name)
{
    struct rd_str found, value;

    while (lines && lines_next(&lines, &found, &value))
        if (rd_str_eq(found, name))
            return value;
    return (struct rd_str){NULL, 0};
}
