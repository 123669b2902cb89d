/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings through the admin listener: whole, in pieces, to many at once, and no other file. */
#include "control/playback.h"
#include "unit/control/fake_admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SOUND_BYTES = 700001 }; /* more than is read, or queued, at once */

static const char recording[] = "recordings/2026/11/27/CA1-1795800000000000.wav";
static const char played[] = "{\"status\":200,\"file\":{\"path\":\"recordings/2026/11/27/"
                             "CA1-1795800000000000.wav\",\"name\":\"CA1-1.wav\"}}";
static const char played_by_seven[] =
    "{\"status\":200,\"file\":{\"holder\":7,\"path\":\"recordings/2026/11/27/"
    "CA1-1795800000000000.wav\",\"name\":\"CA1-1.wav\"}}";

static char sound_at(size_t i)
{
    return (char)(i * 31 + i / 251);
}

static void make_recording(const struct world *w)
{
    static char bytes[SOUND_BYTES];
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", w->data, recording);
    for (char *p = path + strlen(w->data) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        (void)mkdir(path, 0700);
        *p = '/';
    }
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = sound_at(i);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, sizeof(bytes), f), sizeof(bytes));
    assert_int_equal(fclose(f), 0);
}

static void remove_recordings(const struct world *w)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", w->data, recording);
    (void)unlink(path);
    for (char *slash; (slash = strrchr(path, '/')) && slash > path + strlen(w->data) - 1;) {
        *slash = '\0';
        (void)rmdir(path);
    }
}

/* The head of the answer in w->got; how long the body is, which has to be the sound from `first` on. */
static size_t listen_to(struct world *w, const char *line, const char *headers, size_t first)
{
    static char all[SOUND_BYTES + 8192];
    char request[1024], *body;
    size_t n = 0;
    ssize_t got;
    int fd = dial(w);

    (void)snprintf(request, sizeof(request), "%s /api/v1/x HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                   line, headers);
    say(fd, request);
    while (n < sizeof(all) && (got = recv(fd, all + n, sizeof(all) - n, 0)) > 0)
        n += (size_t)got;
    close(fd);
    body = memmem(all, n, "\r\n\r\n", 4);
    assert_non_null(body);
    body[2] = '\0';
    (void)rd_str_copy(w->got, sizeof(w->got), rd_str(all));
    body += 4;
    n -= (size_t)(body - all);
    for (size_t i = 0; strstr(w->got, "audio/wav") && i < n; i++)
        if (body[i] != sound_at(first + i))
            fail_msg("byte %zu is another", i);
    return n;
}

static void want_head(const struct world *w, const char *text)
{
    if (!strstr(w->got, text))
        fail_msg("wanted %s, got: %s", text, w->got);
}

static void play_it(struct world *w)
{
    w->node->api_result = played;
    assert_int_equal(listen_to(w, "GET", "", 0), SOUND_BYTES);
    want_head(w, "HTTP/1.1 200 OK\r\n");
    want_head(w, "\r\ncontent-length: 700001\r\n");
    want_head(w, "\r\ncontent-type: audio/wav\r\n");
    want_head(w, "\r\ncache-control: private, no-store\r\n");
    want_head(w, "\r\naccept-ranges: bytes\r\n");
    want_head(w, "\r\ncontent-disposition: inline; filename=\"CA1-1.wav\"\r\n");
    want_head(w, "\r\nx-content-type-options: nosniff\r\n");
    assert_int_equal(listen_to(w, "GET", "Range: bytes=300000-699999\r\n", 300000), 400000);
    want_head(w, "HTTP/1.1 206 Partial Content\r\n");
    want_head(w, "\r\ncontent-range: bytes 300000-699999/700001\r\n");
    assert_int_equal(listen_to(w, "GET", "Range: bytes=-1\r\n", 700000), 1);
    assert_int_equal(listen_to(w, "GET", "Range: bytes=700001-\r\n", 0), 0);
    want_head(w, "HTTP/1.1 416 ");
    want_head(w, "\r\ncontent-range: bytes */700001\r\n");
    assert_int_equal(listen_to(w, "HEAD", "Range: bytes=700001-\r\n", 0), 0);
    want_head(w, "\r\ncontent-length: 0\r\n");
    assert_int_equal(listen_to(w, "GET", "Range: bytes=5-\r\nIf-Range: \"x\"\r\n", 0), SOUND_BYTES);
    assert_int_equal(listen_to(w, "HEAD", "", 0), 0);
    want_head(w, "\r\ncontent-length: 700001\r\n");
}

static void test_a_recording_is_played_whole_or_in_pieces(void **state)
{
    make_recording(*state);
    play(state, play_it);
    remove_recordings(*state);
}

static void play_what_is_none(struct world *w)
{
    w->node->api_result = played;
    want(ask(w, "GET /api/v1/x", ""), 410, "recording-gone");
    w->node->api_result = "{\"status\":200,\"file\":{\"path\":\"recordings/2026/11/27/../../../"
                          "etc/passwd\",\"name\":\"a.wav\"}}";
    want(ask(w, "GET /api/v1/x", ""), 503, "recording-unreadable");
    w->node->api_result = "{\"status\":200,\"file\":{\"path\":\"x\",\"name\":\"a\\r\\nb: c\"}}";
    want(ask(w, "GET /api/v1/x", ""), 500, "broken");
}

static void test_no_other_file_is_played(void **state)
{
    play(state, play_what_is_none);
}

/* Seventeen players who take nothing: the last is told to come later; then they leave in the middle. */
static void crowd_listens(struct world *w)
{
    static const char text[] = "GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fds[PLAYBACK_MAX];

    w->node->api_result = played;
    for (int i = 0; i < PLAYBACK_MAX; i++) {
        int little = 4096;

        fds[i] = dial(w);
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
        say(fds[i], text);
        w->got[0] = '\0';
        assert_non_null(strstr(hear(fds[i], w->got, 4096, "audio/wav"), "audio/wav"));
    }
    want(ask(w, "GET /api/v1/x", ""), 503, "\r\nretry-after: 10\r\n");
    for (int i = 0; i < PLAYBACK_MAX; i++)
        close(fds[i]);
    for (int i = 0; i < 200 && !strstr(ask(w, "HEAD /api/v1/x", ""), "audio/wav"); i++)
        usleep(10000);
    want_head(w, "audio/wav");
}

static void one_token_listens(struct world *w)
{
    static const char text[] = "GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fds[PLAYBACK_OF_ONE];

    w->node->api_result = played_by_seven;
    for (int i = 0; i < PLAYBACK_OF_ONE; i++) {
        int little = 4096;

        fds[i] = dial(w);
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
        say(fds[i], text);
        w->got[0] = '\0';
        assert_non_null(strstr(hear(fds[i], w->got, 4096, "audio/wav"), "audio/wav"));
    }
    want(ask(w, "GET /api/v1/x", ""), 429, "This token has too many");
    w->node->api_result = played;
    ask(w, "HEAD /api/v1/x", "");
    want_head(w, "audio/wav");
    for (int i = 0; i < PLAYBACK_OF_ONE; i++)
        close(fds[i]);
}

static void test_one_token_has_not_all_places_of_players(void **state)
{
    make_recording(*state);
    play(state, one_token_listens);
    remove_recordings(*state);
}

/* More than there are helpers: each waits for one, and hears it to its end. */
static void all_listen(struct world *w)
{
    static const char text[] = "GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static char all[SOUND_BYTES + 8192];
    int fds[PLAYBACK_MAX];

    w->node->api_result = played;
    for (int i = 0; i < PLAYBACK_MAX; i++) {
        fds[i] = dial(w);
        say(fds[i], text);
    }
    for (int i = 0; i < PLAYBACK_MAX; i++) {
        size_t n = 0;
        ssize_t got;

        while (n < sizeof(all) && (got = recv(fds[i], all + n, sizeof(all) - n, 0)) > 0)
            n += (size_t)got;
        close(fds[i]);
        assert_true(n > SOUND_BYTES);
        for (size_t k = 0; k < SOUND_BYTES; k++)
            if (all[n - SOUND_BYTES + k] != sound_at(k))
                fail_msg("byte %zu is another", k);
    }
}

static void test_all_players_hear_it_to_its_end(void **state)
{
    make_recording(*state);
    play(state, all_listen);
    remove_recordings(*state);
}

static void test_there_is_room_for_so_many_players(void **state)
{
    make_recording(*state);
    play(state, crowd_listens);
    remove_recordings(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVES(test_a_recording_is_played_whole_or_in_pieces),
        LIVES(test_no_other_file_is_played),
        LIVES(test_all_players_hear_it_to_its_end),
        LIVES(test_there_is_room_for_so_many_players),
        LIVES(test_one_token_has_not_all_places_of_players),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
