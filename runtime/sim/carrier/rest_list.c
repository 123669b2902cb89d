/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of the simulated REST API.
 *
 * Happy path: filters in the query, PageSize entries at a time, newest first; next_page_uri leads on and
 * carries a PageToken.
 * Failure modes: a page that nobody was led to (without its token), a size beyond 1000: 400.
 */
#include "sim/carrier/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { URI_MAX = 1024 };

bool rest_matches(const struct carrier_form *query, const char *name, const char *value)
{
    const char *want = carrier_form_get(query, name);

    return !want || strcmp(want, value) == 0;
}

/* Days since 1970 of "2026-11-27", also with a time behind; -1: none. */
static int64_t day_of(const char *z)
{
    struct tm tm = {.tm_year = 0};

    return strptime(z, "%Y-%m-%d", &tm) ? (int64_t)timegm(&tm) / 86400 : -1;
}

bool rest_in_time(const struct carrier_form *query, const char *name, int64_t unix_s)
{
    static const char signs[] = {'\0', '<', '>'};
    int64_t day = unix_s / 86400, want;
    char field[64];

    for (size_t i = 0; i < sizeof(signs); i++) {
        const char *z;
        snprintf(field, sizeof(field), "%s%c", name, signs[i]);
        z = carrier_form_get(query, field);
        if (!z)
            continue;
        want = day_of(z);
        if ((signs[i] == '\0' && day != want) || (signs[i] == '<' && day > want) ||
            (signs[i] == '>' && day < want))
            return false;
    }
    return true;
}

static size_t number_of(const struct carrier_form *query, const char *name, size_t otherwise)
{
    const char *z = carrier_form_get(query, name);

    return z ? (size_t)strtoul(z, NULL, 10) : otherwise;
}

/* The same list at another page: the filters stay. */
static json_t *page_uri(const struct rest_ask *a, const char *resource, size_t size, size_t page)
{
    struct carrier_form f = {.n = 0};
    struct buf b;
    char text[64];
    json_t *out;

    for (size_t i = 0; i < a->form.n; i++) {
        if (strncmp(a->form.fields[i].name, "Page", 4) != 0)
            carrier_form_add(&f, a->form.fields[i].name, a->form.fields[i].value);
    }
    snprintf(text, sizeof(text), "%zu", size);
    carrier_form_add(&f, "PageSize", text);
    snprintf(text, sizeof(text), "%zu", page);
    carrier_form_add(&f, "Page", text);
    if (page > 0) {
        snprintf(text, sizeof(text), "PA%032zx", page);
        carrier_form_add(&f, "PageToken", text);
    }
    buf_init(&b, URI_MAX);
    buf_addf(&b, "/2010-04-01/Accounts/%s/%s.json?", a->d->account, resource);
    carrier_form_write(&f, &b);
    out = json_string(buf_text(&b));
    buf_fini(&b);
    carrier_form_fini(&f);
    return out;
}

void rest_page(struct rest_ask *a, const char *resource, const char *member, json_t *all)
{
    size_t size = number_of(&a->form, "PageSize", REST_PAGE);
    size_t page = number_of(&a->form, "Page", 0), n = json_array_size(all);
    size_t from = page * size, end = from + size < n ? from + size : n;
    json_t *some = json_array();

    if (size == 0 || size > REST_PAGE_MAX || page > n ||
        (page > 0 && !carrier_form_get(&a->form, "PageToken"))) {
        json_decref(all);
        json_decref(some);
        rest_refuse(a, 400, 20001, "PageSize is 1 to 1000, and a Page needs its PageToken");
        return;
    }
    for (size_t i = from; i < end; i++)
        json_array_append(some, json_array_get(all, i));
    json_decref(all);
    rest_answer(a, 200,
                json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", member, some, "page",
                          (json_int_t)page, "page_size", (json_int_t)size, "start",
                          (json_int_t)from, "end", (json_int_t)(end > from ? end - 1 : from), "uri",
                          page_uri(a, resource, size, page), "first_page_uri",
                          page_uri(a, resource, size, 0), "previous_page_uri",
                          page > 0 ? page_uri(a, resource, size, page - 1) : json_null(),
                          "next_page_uri",
                          end < n ? page_uri(a, resource, size, page + 1) : json_null()));
}
