/* SPDX-License-Identifier: Apache-2.0 */
/* mail.c - a mail's way to the server.
 *
 *   loop: mail_send() ─ thread ─▶ connect, TLS, login, MAIL FROM, RCPT TO, DATA, QUIT ─ async ─▶ done()
 *
 * - The helper thread has what it needs in `struct mail`, and tells the loop once, as the last thing it does.
 * - At most MAILS_AT_ONCE of them: a mail server that hangs costs four threads for 20 s and nothing else.
 *
 * Failure modes: a server that does not answer, offers no TLS, has another certificate, refuses the
 * password, the sender or a recipient: each has its own word in `why`, which never repeats the URL (a
 * password stands in it). "refused", for good, is only what the server said of this mail (5xx to a recipient
 * or to the text) and of our password: whatever else went wrong may go well in a minute. Given up meanwhile: the connection is cut, which ends every wait but that for a
 * name, of which curl is told within a second. */
#include "io/mail.h"

#include "base/err.h"
#include "base/now.h"
#include "base/urgent.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { CONNECT_S = 5, TIMEOUT_S = 20, RESPONSE_S = 10 };
enum { MESSAGE_MAX = 4 * MAIL_BODY_MAX };

struct mail {
    char *url, *ca_file, *from; /* own; before the thread begins, as the following */
    struct curl_slist *to;      /* owns; NULL: only hello is said */
    struct buf text;
    size_t at;  /* the thread's: how much of the text went */
    bool asked; /* the same: the server was told of a recipient, so its word is about this mail */
    CURLcode code;
    long answer; /* the server's last word */
    char curl_why[CURL_ERROR_SIZE];
    atomic_bool stop;
    pthread_mutex_t lock; /* of the following */
    int fd;               /* the connection; -1: none */
    pthread_t thread;

    uv_async_t over; /* the loop's, as the following */
    mail_done_fn *done;
    void *arg;
};

static atomic_uint at_once;

/* --- the helper thread --- */

static size_t on_read(char *out, size_t size, size_t n, void *arg)
{
    struct mail *m = arg;
    size_t left = m->text.n - m->at;

    n *= size;
    n = n < left ? n : left;
    memcpy(out, m->text.data + m->at, n);
    m->at += n;
    return n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct mail *m = arg;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&m->stop);
}

static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    struct mail *m = arg;

    (void)purpose;
    pthread_mutex_lock(&m->lock);
    m->fd = fd;
    pthread_mutex_unlock(&m->lock);
    return CURL_SOCKOPT_OK;
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct mail *m = arg;

    pthread_mutex_lock(&m->lock);
    if (m->fd == fd)
        m->fd = -1;
    pthread_mutex_unlock(&m->lock);
    return close(fd);
}

/* Servers tell what they can do; nobody reads it. */
static size_t on_words(char *p, size_t size, size_t n, void *arg)
{
    (void)p;
    (void)arg;
    return size * n;
}

/* What goes over the line, a command at a time. The login is among it: it is looked at and not kept. */
static int on_line(CURL *c, curl_infotype type, char *data, size_t n, void *arg)
{
    static const char rcpt[] = "RCPT TO:";
    struct mail *m = arg;

    (void)c;
    if (type == CURLINFO_HEADER_OUT && n >= sizeof(rcpt) - 1 &&
        memcmp(data, rcpt, sizeof(rcpt) - 1) == 0)
        m->asked = true;
    return 0;
}

/* user:password@ stands before the host; [v6] in brackets. */
static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://"), *at;
    size_t n;

    if (!host)
        return false;
    host += 3;
    n = strcspn(host, "/?#");
    at = memchr(host, '@', n);
    if (at) {
        n -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    if (n >= 5 && strncmp(host, "[::1]", 5) == 0)
        return n == 5 || host[5] == ':';
    if (strncasecmp(host, "localhost", 9) == 0)
        return n == 9 || host[9] == ':';
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.:") >= n;
}

static CURLcode set_up_letter(CURL *c, struct mail *m)
{
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(c, CURLOPT_READDATA, m);
    curl_easy_setopt(c, CURLOPT_MAIL_RCPT, m->to);
    return curl_easy_setopt(c, CURLOPT_MAIL_FROM, m->from);
}

static bool set_up(CURL *c, struct mail *m)
{
    CURLcode bad = CURLE_OK;

    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)RESPONSE_S);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(c, CURLOPT_USE_SSL,
                     (long)(is_loopback(m->url) ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, m->curl_why);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_words);
    curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_line);
    curl_easy_setopt(c, CURLOPT_DEBUGDATA, m);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, m);
    curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, m);
    curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, m);
    bad |= curl_easy_setopt(c, CURLOPT_URL, m->url);
    bad |= m->to ? set_up_letter(c, m) : curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "NOOP");
    if (m->ca_file)
        bad |= curl_easy_setopt(c, CURLOPT_CAINFO, m->ca_file);
    return bad == CURLE_OK;
}

static void *run(void *arg)
{
    struct mail *m = arg;
    CURL *c = curl_easy_init();
    sigset_t pipe; /* a connection that was cut is no reason to end the process */

    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    (void)pthread_setname_np(pthread_self(), "mail");
    breathing_thread();
    m->code = CURLE_OUT_OF_MEMORY;
    if (c && set_up(c, m))
        m->code = curl_easy_perform(c);
    if (c)
        (void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &m->answer);
    curl_easy_cleanup(c);
    (void)uv_async_send(&m->over);
    return NULL;
}

/* --- what came of it --- */

struct verdict {
    int err;
    const char *code, *words;
};

static struct verdict not_sent(int err, const char *words)
{
    return (struct verdict){err, "not_sent", words};
}

/* What the server's own word means; 0 in `err`: it said nothing that tells. */
static struct verdict verdict_of_answer(const struct mail *m)
{
    if (m->code != CURLE_OK && m->answer >= 400 && m->answer < 500)
        return not_sent(-EAGAIN, "the mail server wants to be asked later");
    if (m->code == CURLE_LOGIN_DENIED)
        return (struct verdict){RD_EAUTH, "refused",
                                "the mail server refuses user and password of smtp.url"};
    if (m->code != CURLE_OK && m->answer >= 500 && m->answer < 600)
        return m->asked
                   ? (struct verdict){RD_EREFUSED, "refused", "the mail server refuses this mail"}
                   : not_sent(RD_EREFUSED, "the mail server takes nothing from us");
    return (struct verdict){0};
}

/* What curl's word means to whoever wants it delivered. */
static struct verdict verdict_of(const struct mail *m)
{
    struct verdict said = verdict_of_answer(m);

    if (said.err)
        return said;
    switch (m->code) {
    case CURLE_OK:
        return (struct verdict){0, "", ""};
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return not_sent(-ECONNREFUSED, "the mail server cannot be reached");
    case CURLE_USE_SSL_FAILED:
        return not_sent(RD_ETLS, "the mail server offers no TLS, and nothing is sent without; "
                                 "smtps:// and port 465, or another server");
    case CURLE_SSL_CONNECT_ERROR:
        return not_sent(RD_ETLS, "the mail server did not get as far as TLS");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return not_sent(RD_ETLS, "the mail server's certificate is not trusted; name its authority "
                                 "in smtp.ca");
    case CURLE_OPERATION_TIMEDOUT:
        return (struct verdict){-ETIMEDOUT, m->at ? "unknown" : "not_sent",
                                "the mail server does not answer"};
    default:
        return (struct verdict){-EIO, m->at ? "unknown" : "not_sent",
                                "the mail did not go through"};
    }
}

static void mail_free(struct mail *m)
{
    if (m->url)
        explicit_bzero(m->url, strlen(m->url));
    free(m->url);
    free(m->ca_file);
    free(m->from);
    curl_slist_free_all(m->to);
    buf_fini(&m->text);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void on_closed(uv_handle_t *h)
{
    mail_free(h->data);
}

/* The thread is at its end, or about to be: what it wrote is ours then. */
static void leave(struct mail *m)
{
    curl_global_cleanup();
    atomic_fetch_sub(&at_once, 1);
    uv_close((uv_handle_t *)&m->over, on_closed);
}

static void on_over(uv_async_t *h)
{
    struct mail *m = h->data;
    struct mail_result r = {0};
    char why[MAIL_WHY_MAX] = "";
    struct verdict v;

    pthread_join(m->thread, NULL);
    v = verdict_of(m);
    r.err = v.err;
    r.code = v.code;
    if (m->answer >= 400 && v.err)
        (void)snprintf(why, sizeof(why), "%s (it said %ld)", v.words, m->answer);
    else if (v.err)
        (void)snprintf(why, sizeof(why), "%s%s%.120s%s", v.words, *m->curl_why ? " (" : "",
                       m->curl_why, *m->curl_why ? ")" : "");
    r.why = why;
    m->done(&r, m->arg);
    leave(m);
}

void mail_cancel(struct mail *m)
{
    atomic_store(&m->stop, true);
    pthread_mutex_lock(&m->lock);
    if (m->fd >= 0)
        (void)shutdown(m->fd, SHUT_RDWR);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    leave(m);
}

/* --- the beginning --- */

static char *between(const char *before, const char *text, const char *after)
{
    char *out = NULL;

    return asprintf(&out, "%s%s%s", before, text, after) < 0 ? NULL : out;
}

static bool add_recipients(struct mail *m, const char *const *to)
{
    for (; *to; to++) {
        char *angled = between("<", *to, ">");
        struct curl_slist *more = angled ? curl_slist_append(m->to, angled) : NULL;

        free(angled);
        if (!more)
            return false;
        m->to = more;
    }
    return true;
}

/* letter NULL: hello alone. */
static int fill(struct mail *m, const struct mail_server *s, const struct mail_letter *letter,
                char *why, size_t cap)
{
    int rc = letter ? mail_write(&m->text, letter, (int64_t)(unix_us() / 1000000), why, cap) : 0;

    if (rc)
        return rc;
    m->url = strdup(s->url);
    m->from = letter ? between("<", letter->from, ">") : strdup("");
    m->ca_file = s->ca_file && *s->ca_file ? strdup(s->ca_file) : NULL;
    if (!m->url || !m->from || (s->ca_file && *s->ca_file && !m->ca_file) ||
        (letter && !add_recipients(m, letter->to)))
        return -ENOMEM;
    return 0;
}

/* 0: the handle lives, and so does what is counted. */
static int begin(struct mail *m, struct loop *l)
{
    int rc = uv_async_init(loop_uv(l), &m->over, on_over);

    if (rc)
        return rc;
    m->over.data = m;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        uv_close((uv_handle_t *)&m->over, on_closed);
        return 1;
    }
    if (pthread_create(&m->thread, NULL, run, m)) {
        curl_global_cleanup();
        uv_close((uv_handle_t *)&m->over, on_closed);
        return 1;
    }
    return 0;
}

int mail_send(struct mail **out, struct loop *l, const struct mail_server *s,
              const struct mail_letter *letter, mail_done_fn *done, void *arg, char *why,
              size_t cap)
{
    struct mail *m;
    int rc = RD_EFULL;

    (void)snprintf(why, cap, "too many mails are on their way");
    if (atomic_fetch_add(&at_once, 1) >= MAILS_AT_ONCE) {
        atomic_fetch_sub(&at_once, 1);
        return rc;
    }
    rc = -ENOMEM;
    m = calloc(1, sizeof(*m));
    if (m) {
        buf_init(&m->text, MESSAGE_MAX);
        pthread_mutex_init(&m->lock, NULL);
        m->fd = -1;
        m->done = done;
        m->arg = arg;
        rc = fill(m, s, letter, why, cap);
    }
    if (rc) {
        if (m)
            mail_free(m);
    } else {
        rc = begin(m, l);
        if (rc < 0) /* no handle that would free it */
            mail_free(m);
    }
    if (!rc) {
        *out = m;
        return 0;
    }
    atomic_fetch_sub(&at_once, 1);
    if (rc != -EINVAL)
        (void)snprintf(why, cap, "%s", rd_strerror(rc < 0 ? rc : -ENOMEM));
    return rc < 0 ? rc : -ENOMEM;
}

int mail_hello(struct mail **out, struct loop *l, const struct mail_server *s, mail_done_fn *done,
               void *arg, char *why, size_t cap)
{
    return mail_send(out, l, s, NULL, done, arg, why, cap);
}
