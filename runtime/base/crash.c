/* SPDX-License-Identifier: Apache-2.0 */
/* crash.c - the last thing a process does.
 *
 *   signal ─▶ alarm(5) ─▶ open, write the head, the signal, the thread ─▶ backtrace() ─▶ a line a frame ─▶ end
 *          ─▶ the handler before us, or the default action: the exit code and the core are what they would be
 *
 * All is prepared at the start: the path, the head, which files are loaded where (those that come later are
 * "?"), and backtrace() once, because its first call loads a library. In the handler nothing is allocated,
 * locked or formatted by libc.
 *
 * Failure modes
 * - the handler itself crashes: all signals are blocked in it, so the kernel ends the process; what was
 *   written until then stays, without "end"
 * - it hangs, in the unwinder for example: SIGALRM ends the process after five seconds
 * - another thread crashes meanwhile: it waits for the end
 * - a sanitizer wants the signal: its handler is left in place behind ours and gets it as it came. Not when
 *   it was sent (kill -SEGV, abort()): then there is nothing for it to explain */
#include "base/crash.h"

#include "base/str.h"

#include <elf.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { HEAD_MAX = 512, LINE_MAX_BYTES = 256, HANG_S = 5, STACK_BYTES = 64 * 1024 };

static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

struct module {
    uintptr_t base, from, to; /* where it was linked to begin; what it takes */
    char name[CRASH_MODULE], build[CRASH_BUILD];
};

static struct {
    char path[PATH_MAX], head[HEAD_MAX];
    size_t n_head;
    struct module modules[CRASH_MODULES];
    size_t n_modules;
    struct sigaction before[SIGNALS];
    pthread_key_t stack; /* each thread's */
    bool has_key;
    atomic_bool crashed;
} crash;

/* --- in the handler --- */

struct line {
    char text[LINE_MAX_BYTES];
    size_t n;
};

static void add(struct line *l, const char *z)
{
    while (*z && l->n < sizeof(l->text))
        l->text[l->n++] = *z++;
}

static void add_number(struct line *l, uint64_t v, unsigned base)
{
    char digits[24];
    size_t n = sizeof(digits) - 1;

    digits[n] = '\0';
    do {
        digits[--n] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v && n);
    add(l, digits + n);
}

static void put(int fd, struct line *l)
{
    add(l, "\n");
    (void)!write(fd, l->text, l->n);
    l->n = 0;
}

static const struct module *module_of(uintptr_t at)
{
    for (size_t i = 0; i < crash.n_modules; i++)
        if (at >= crash.modules[i].from && at < crash.modules[i].to)
            return &crash.modules[i];
    return NULL;
}

static void put_frame(int fd, struct line *l, uintptr_t at)
{
    const struct module *m = module_of(at);

    add(l, "frame ");
    add_number(l, at, 16);
    add(l, " ");
    add_number(l, m ? at - m->base : 0, 16);
    add(l, " ");
    add(l, m ? m->name : "?");
    add(l, " ");
    add(l, m && *m->build ? m->build : "-");
    put(fd, l);
}

/* Where it happened: the frames below the handler's begin there, but not when the code jumped into nothing. */
static uintptr_t program_counter(const void *context)
{
#if defined(__x86_64__)
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static void put_frames(int fd, struct line *l, uintptr_t pc)
{
    static void *frames[CRASH_FRAMES + 8];
    int n = backtrace(frames, CRASH_FRAMES + 8), first = 0;

    for (int i = 0; i < n && !first; i++)
        if ((uintptr_t)frames[i] == pc)
            first = i + 1;
    put_frame(fd, l, pc);
    if (!first) /* the handler and what the kernel put between */
        first = n > 2 ? 2 : n;
    for (int i = first; i < n && i < first + CRASH_FRAMES - 1; i++)
        put_frame(fd, l, (uintptr_t)frames[i]);
}

/* abort() is a signal that we send ourselves: malloc and the stack protector end a process by it. */
static bool somebody_sent(const siginfo_t *info)
{
    return info->si_code <= 0 && !(info->si_code == SI_TKILL && info->si_pid == getpid());
}

static void write_note(int fd, int number, const siginfo_t *info, const void *context)
{
    static struct line l;
    char thread[17] = "";
    struct timespec now;

    (void)!write(fd, crash.head, crash.n_head);
    add(&l, "signal ");
    add_number(&l, (uint64_t)number, 10);
    add(&l, somebody_sent(info) ? " 0" : " 1");
    put(fd, &l);
    add(&l, "address ");
    add_number(&l, info->si_code > 0 ? (uintptr_t)info->si_addr : 0, 16);
    put(fd, &l);
    (void)prctl(PR_GET_NAME, thread);
    add(&l, "thread ");
    add(&l, thread);
    put(fd, &l);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    add(&l, "time ");
    add_number(&l, (uint64_t)now.tv_sec, 10);
    put(fd, &l);
    put_frames(fd, &l, program_counter(context));
    add(&l, "end");
    put(fd, &l);
}

static void end_if_it_hangs(void)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t one;

    (void)sigaction(SIGALRM, &dfl, NULL);
    sigemptyset(&one);
    sigaddset(&one, SIGALRM);
    (void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    (void)alarm(HANG_S);
}

/* Once the handler is over: a fault happens again, what was sent is sent again. */
static void pass_on(int number, bool fault)
{
    struct sigaction next = {.sa_handler = SIG_DFL};

    for (size_t i = 0; i < SIGNALS && fault; i++)
        if (signals[i] == number)
            next = crash.before[i];
    (void)sigaction(number, &next, NULL);
    if (!fault)
        (void)raise(number);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int fd;

    while (atomic_exchange(&crash.crashed, true))
        (void)pause(); /* another thread is at it, and ends us */
    end_if_it_hangs();
    fd = open(crash.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        write_note(fd, number, info, context);
        (void)close(fd);
    }
    pass_on(number, info->si_code > 0);
}

/* --- which files are loaded --- */

static void read_build(struct module *m, const ElfW(Phdr) * h)
{
    const char *p = (const char *)(m->base + h->p_vaddr), *end = p + h->p_memsz;

    while (end - p >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)p;
        const char *name = p + sizeof(*note), *bytes = name + ((note->n_namesz + 3U) & ~3U);

        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0) {
            rd_hex(m->build, (const uint8_t *)bytes,
                   note->n_descsz < CRASH_BUILD / 2 ? note->n_descsz : CRASH_BUILD / 2);
            return;
        }
        p = bytes + ((note->n_descsz + 3U) & ~3U);
    }
}

/* The program itself has no name there. */
static void name_module(struct module *m, const char *path)
{
    char self[PATH_MAX] = "";
    const char *slash;

    if (!*path && readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
        path = self;
    slash = strrchr(path, '/');
    (void)rd_str_copy(m->name, sizeof(m->name), rd_str(slash ? slash + 1 : path));
    for (char *p = m->name; *p; p++)
        if (*p <= ' ' || *p > '~')
            *p = '_';
}

static int on_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct module *m = &crash.modules[crash.n_modules];

    (void)size;
    (void)arg;
    if (crash.n_modules == CRASH_MODULES)
        return 1;
    *m = (struct module){.base = info->dlpi_addr, .from = UINTPTR_MAX};
    name_module(m, info->dlpi_name ? info->dlpi_name : "");
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        uintptr_t at = m->base + h->p_vaddr;

        if (h->p_type == PT_NOTE && !*m->build)
            read_build(m, h);
        if (h->p_type != PT_LOAD)
            continue;
        m->from = at < m->from ? at : m->from;
        m->to = at + h->p_memsz > m->to ? at + h->p_memsz : m->to;
    }
    crash.n_modules++;
    return 0;
}

/* The program itself comes first. */
bool crash_module(const char *name, const char *build, uintptr_t *base, bool *own)
{
    for (size_t i = 0; i < crash.n_modules; i++) {
        const struct module *m = &crash.modules[i];

        if (!*m->build || strcmp(m->name, name) != 0 || strcmp(m->build, build) != 0)
            continue;
        *base = m->base;
        *own = i == 0;
        return true;
    }
    return false;
}

/* --- each thread's stack for it --- */

static void give_back_stack(void *stack)
{
    const stack_t none = {.ss_flags = SS_DISABLE};

    (void)sigaltstack(&none, NULL);
    (void)munmap(stack, STACK_BYTES);
}

void crash_thread(void)
{
    stack_t now;
    void *p;

    /* A sanitizer gives each thread one of its own. */
    if (!crash.has_key || sigaltstack(NULL, &now) || !(now.ss_flags & SS_DISABLE))
        return;
    p = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return;
    now = (stack_t){.ss_sp = p, .ss_size = STACK_BYTES};
    if (sigaltstack(&now, NULL) || pthread_setspecific(crash.stack, p))
        give_back_stack(p);
}

/* --- beginning and end --- */

static void write_head(const char *node, const char *release)
{
    int n = snprintf(crash.head, sizeof(crash.head),
                     "ringdown crash 1\nnode %.100s\nrelease %.200s\n", node, release);
    char *p = crash.head + strlen("ringdown crash 1\n"), *between = strstr(p, "\nrelease ");

    crash.n_head = (size_t)n;
    for (; p < crash.head + n - 1; p++) /* a name has no line of its own */
        if (*p > 0 && *p < ' ' && p != between)
            *p = ' ';
}

int crash_start(const char *folder, const char *node, const char *release)
{
    struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    void *frame;

    if (snprintf(crash.path, sizeof(crash.path), "%s/" CRASH_PREFIX "%lld-%ld", folder,
                 (long long)time(NULL), (long)getpid()) >= (int)sizeof(crash.path))
        return -ENAMETOOLONG;
    write_head(node, release);
    atomic_store(&crash.crashed, false);
    crash.n_modules = 0;
    (void)dl_iterate_phdr(on_module, NULL);
    (void)backtrace(&frame, 1);
    if (!crash.has_key && pthread_key_create(&crash.stack, give_back_stack))
        return -EAGAIN;
    crash.has_key = true;
    crash_thread();
    sigfillset(&ours.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], &ours, &crash.before[i]))
            return -errno;
    return 0;
}

void crash_stop(void)
{
    for (size_t i = 0; i < SIGNALS; i++)
        (void)sigaction(signals[i], &crash.before[i], NULL);
}
