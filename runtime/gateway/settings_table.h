/* SPDX-License-Identifier: Apache-2.0 */
/* settings_table.h - the one table of what can be configured. Loading, validation, did-you-mean,
 * printing, the manual and the reference in docs/ are all driven by it. Inside gateway/, for the manual
 * and for tests. */
#ifndef GATEWAY_SETTINGS_TABLE_H
#define GATEWAY_SETTINGS_TABLE_H

#include "gateway/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
    SETTING_TEXT,
    SETTING_ADDRESS, /* host:port or [v6]:port */
    SETTING_URL,     /* `allowed`: its schemes */
    SETTING_FILE,    /* must be readable */
    SETTING_FOLDER,
    SETTING_CHOICE, /* `allowed`: the words; stored as text, or as the word's place for enums */
    SETTING_NUMBER, /* min .. max */
    SETTING_HEX,    /* 32 bytes, written as 64 hex digits */
    SETTING_TOKENS, /* one or two; a list, or text with a comma */
    SETTING_MAP,    /* a table of names and texts; text with commas. Kept as "name=text" lines */
    SETTING_LIST    /* a list of tables; JSON in the environment. Kept as JSON */
};

/* In the order the table is read by people, not the one that packs best.
 * NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct setting {
    const char *key, *env;
    enum setting_type type;
    const char *fallback; /* the default; "" is off, NULL is worked out at start */
    size_t offset;        /* in struct settings: char *, int, or an enum for `index` */
    const char *about;    /* one line for people */
    const char *allowed;  /* words separated by one space */
    const char *remedy;   /* not NULL: needed to serve; says how to get it */
    int min, max;
    bool secret; /* also as ENV_FILE; never printed */
    bool index;  /* a choice kept as the word's place in `allowed` */
};

enum origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENV, ORIGIN_SECRET_FILE, ORIGIN_MADE };

/* One value on its way into the settings, and afterwards the memory of where it came from. */
struct setting_origin {
    enum origin from;
    int line; /* in the configuration file; 0: unknown */
};

struct setting_value {
    char *text; /* owns; NULL: not given */
    struct setting_origin origin;
    bool bad; /* complained of already */
};

/* Where the value lives in the struct: text, or an int (numbers and words kept by their place). */
static inline bool setting_is_text(const struct setting *s)
{
    return s->type != SETTING_NUMBER && !s->index;
}

static inline char **setting_text_field(const struct setting *s, const struct settings *in)
{
    return (char **)(void *)((char *)(uintptr_t)in + s->offset);
}

static inline int *setting_int_field(const struct setting *s, const struct settings *in)
{
    return (int *)(void *)((char *)(uintptr_t)in + s->offset);
}

const struct setting *settings_table(size_t *n);
enum { SETTINGS_MAX = 80 };

/* The setting of that key (or alias), or -1. */
int setting_find(const char *key);
/* True when some key starts with `prefix` and a dot. */
bool setting_is_group(const char *prefix);

/* Mistakes, kept until all are known. Each is one line; those of the file come in its order. */
struct complaints {
    struct complaint {
        int line, order;
        char *text; /* owns */
    } * v;          /* owns */
    size_t n;
    bool lost; /* no memory for one: the list is not empty all the same */
};
void complain(struct complaints *c, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
size_t complaints_count(const struct complaints *c);
/* Appends them to `out`, sorted, and frees the list. */
int complaints_flush(struct complaints *c, struct buf *out);

/* Runs the configuration file and takes over what it returned. 0 even when keys were complained of;
 * RD_ECONFIG when the file could not be read or run (complained of too); -ENOMEM. */
int settings_read_file(const char *file, struct setting_value *values, struct complaints *c);

/* The list of tables on top of the stack as JSON; RD_ETOOBIG: deeper or longer than a list may be;
 * RD_EPROTO: a value that is no text, number, truth or table. */
struct lua_State;
int settings_list_json(struct lua_State *L, struct buf *out);

/* Environment over the file. `environ` is NULL-terminated NAME=value. */
int settings_read_env(char *const *environment, struct setting_value *values, struct complaints *c);

/* The place of the word of n letters in a list with single spaces; -1 when it is not there. */
int setting_word(const char *list, const char *word, size_t n);

/* Checks one text against the setting's rules; false with the reason in `why`. */
bool setting_valid(const struct setting *s, const char *text, char *why, size_t cap);

/* The line on which `path` ("public.url") is given in the Lua source; 0 when it cannot be told. */
int settings_line(const char *source, const char *path);

/* The data folder, made when absent, and 32 random bytes in hex kept in it, made once and never
 * shared with other users. Complains; -ENOMEM. */
int settings_make_data(const char *data, struct complaints *c);
int settings_make_secret(const char *data, char **hex, struct complaints *c);

/* "ringdown.lua:12: " or "OPENAI_API_KEY: ", for the front of a complaint about this value. */
void setting_where(const struct setting *s, const struct setting_origin *o, const char *file,
                   char *out, size_t cap);

#endif
