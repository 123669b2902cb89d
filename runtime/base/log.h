/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - facts, one per line: level, a dotted event name, then typed fields.
 *
 *   log_info("call.ended", F_CALL(sid), F_STR("reason", "caller_hangup"), F_INT("dur_ms", 48210));
 *   level=info ts=2026-11-22T16:47:51.123Z ev=call.ended call=CA..e1f reason=caller_hangup dur_ms=48210
 *
 * The type of a field decides how it may appear: a phone number keeps country and last digits, what
 * people said (F_WORDS) and DTMF appear only at debug, secrets never; what a script raises is scrubbed. Lines are handed to a writer
 * thread through a bounded queue, so that a slow terminal cannot stop a media thread; what does not
 * fit is counted and reported by the next line that fits. Any thread. Never call it per frame. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

enum log_type {
    LOG_T_STR,
    LOG_T_INT,
    LOG_T_DOUBLE,
    LOG_T_PHONE,
    LOG_T_WORDS,
    LOG_T_SECRET,
    LOG_T_ERR,
    LOG_T_RAISED
};

struct log_field {
    const char *key;
    enum log_type type;
    const char *str; /* borrowed */
    int64_t num;
    double real;
};

#define F_STR(k, v)    ((struct log_field){.key = (k), .type = LOG_T_STR, .str = (v)})
#define F_INT(k, v)    ((struct log_field){.key = (k), .type = LOG_T_INT, .num = (int64_t)(v)})
#define F_DOUBLE(k, v) ((struct log_field){.key = (k), .type = LOG_T_DOUBLE, .real = (v)})
#define F_PHONE(k, v)  ((struct log_field){.key = (k), .type = LOG_T_PHONE, .str = (v)})
#define F_WORDS(k, v)  ((struct log_field){.key = (k), .type = LOG_T_WORDS, .str = (v)})
#define F_SECRET(k, v) ((struct log_field){.key = (k), .type = LOG_T_SECRET, .str = (v)})
/* What a script says when it raises: its place and words, without numbers, addresses and keys in them. */
#define F_RAISED(k, v) ((struct log_field){.key = (k), .type = LOG_T_RAISED, .str = (v)})
#define F_ERR(v)       ((struct log_field){.key = "err", .type = LOG_T_ERR, .num = (v)})
#define F_CALL(sid)    F_STR("call", (sid))
/* What the operator can do about it; every error and warning should carry one. */
#define F_FIX(v) F_STR("fix", (v))

/* Lines go straight to stderr until log_start() has made the writer thread. */
void log_config(enum log_level level, enum log_format format);
int log_start(void);
void log_stop(void); /* writes what is queued, joins the thread */
bool log_on(enum log_level level);
int log_level_parse(const char *name, enum log_level *out); /* RD_ECONFIG */
const char *log_level_name(enum log_level level);

/* Another level than the configured one for so long; 0 ms: the configured one again. */
void log_level_for(enum log_level level, uint64_t ms);

/* Debug lines of one call (those with F_CALL of it), whatever the level: at most LOG_WATCH_SECOND in a second
 * and LOG_WATCH_LINES in all, for at most so long; the line `log.watch_over` says how many there were. Watching it
 * again begins anew; 0 ms ends it. RD_EFULL when LOG_WATCHES are watched; RD_ETOOBIG. */
enum { LOG_WATCHES = 8, LOG_WATCH_CALL = 64, LOG_WATCH_SECOND = 100, LOG_WATCH_LINES = 5000 };
int log_watch(const char *call, uint64_t ms);

struct log_state {
    enum log_level configured, now;
    uint64_t now_left_ms; /* until the configured one is back; 0: it is */
    struct {
        char call[LOG_WATCH_CALL];
        uint64_t left_ms, lines, dropped;
    } watches[LOG_WATCHES];
    size_t n_watches;
};
void log_state(struct log_state *out);

/* Lines lost because the queue was full, since the start. */
uint64_t log_lost(void);

/* Errors and warnings since the start, for status and tests. */
uint64_t log_count(enum log_level level);

void log_fields(enum log_level level, const char *event, const struct log_field *f, int n);

/* From now on lines go to `take` instead of stderr, on the thread that logs: for commands that show
 * things their own way. NULL: to stderr again. Before there are threads. */
typedef void(log_take_fn)(enum log_level level, const char *event, const struct log_field *f,
                          int n);
void log_take(log_take_fn *take);

/* `also` sees each line that is written, too, on the thread that logs: it must neither wait nor allocate.
 * NULL: nobody. What it leads to may go when no thread logs any more. */
void log_also(log_take_fn *also);

#define LOG_COUNT_(...) \
    ((int)(sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)))
#define LOG_(level, event, ...)                                                                   \
    do {                                                                                          \
        if (log_on(level))                                                                        \
            log_fields(level, event, (struct log_field[]){__VA_ARGS__}, LOG_COUNT_(__VA_ARGS__)); \
    } while (0)
#define log_error(event, ...) LOG_(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  LOG_(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  LOG_(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) LOG_(LOG_DEBUG, event, __VA_ARGS__)

#endif
