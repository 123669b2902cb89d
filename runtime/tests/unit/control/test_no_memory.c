/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the admin API, an event and its mask with each allocation failing: refused or whole, and nothing is
 * shown that is to be hidden. */
#include "failing_malloc.h"

#include "base/json.h"
#include "control/api_request.h"
#include "control/events.h"
#include "control/mask.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void request(void)
{
    const struct api_request r = {.method = RD_STR("POST"),
                                  .target = RD_STR("/api/v1/calls/CA1/whisper?limit=5&a=%C3%BC"),
                                  .authorization = RD_STR("Bearer rd_0123456789abcdef"),
                                  .content_type = RD_STR("application/json"),
                                  .body = RD_STR("{\"text\":\"hello\"}"),
                                  .peer = "127.0.0.1"};
    const struct problem *problem;
    struct api_asker asker;
    struct json_value v;
    struct buf out;

    buf_init(&out, API_PAYLOAD_MAX);
    problem = api_request_payload(&out, &r, &asker);
    if (problem)
        assert_true(failing_has_failed() && problem->status >= 500);
    else
        assert_int_equal(json_parse((struct rd_str){out.data, out.n}, &v), 0);
    buf_fini(&out);
}

static void event(void)
{
    static const char json[] =
        "{\"type\":\"turn\",\"call\":\"CA1\",\"text\":\"a secret word\",\"from\":\"+13125550142\"}";
    struct events *e;
    struct buf out;

    buf_init(&out, 1 << 16);
    if (mask_event(&out, rd_str(json)) == 0)
        assert_null(memmem(out.data, out.n, "secret word", 11));
    buf_clear(&out);
    if (events_new(&e)) {
        assert_true(failing_has_failed());
    } else {
        int64_t number = events_add(e, rd_str(json));

        assert_true(number == 1 || (number == -ENOMEM && events_refused(e) == 1));
        (void)events_after(e, 0, &out);
        events_free(e);
    }
    buf_fini(&out);
}

static void test_a_request_is_read_or_refused(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(request, FAILS_ONCE), 1, 1000);
    assert_in_range(failing_sweep(request, FAILS_FROM_THEN_ON), 1, 1000);
}

static void test_an_event_is_kept_or_counted(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(event, FAILS_ONCE), 2, 1000);
    assert_in_range(failing_sweep(event, FAILS_FROM_THEN_ON), 2, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_read_or_refused),
        cmocka_unit_test(test_an_event_is_kept_or_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
