/* SPDX-License-Identifier: Apache-2.0 */
/* migration.h - the files of sql/ as a list, and what a database's history says about them. Knows no
 * database. Any thread. */
#ifndef STORE_MIGRATION_H
#define STORE_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>

enum {
    MIGRATION_NAME = 64,
    MIGRATION_CHECKSUM = 65, /* SHA-256 in hex, terminated */
    MIGRATION_BINARY = 24,
    MIGRATIONS_MAX = 1000,
    MIGRATION_BYTES_MAX = 1024 * 1024
};

struct migration {
    unsigned version;                     /* 1, 2, 3… without a gap */
    char name[MIGRATION_NAME];            /* "initial" of 0001_initial.sql */
    char checksum[MIGRATION_CHECKSUM];    /* of the file's bytes */
    char oldest_binary[MIGRATION_BINARY]; /* the oldest ringdown that can work with this schema */
    char *sql;                            /* owns; NULL in a history */
};

struct migration_list {
    struct migration *items; /* owns; in order */
    size_t n;
};

/* Version and name of "0001_initial.sql". False when it is named otherwise. */
bool migration_parse_name(const char *file, unsigned *version, char name[MIGRATION_NAME]);

/* The line "-- oldest-binary: 0.1.0" among the leading comments. False when it is not there. */
bool migration_parse_binary(const char *sql, char out[MIGRATION_BINARY]);

/* Reads and checks a folder. RD_ECONFIG with a sentence in `why`; *out is empty then. */
int migration_list_read(struct migration_list *out, const char *folder, char *why, size_t cap);
void migration_list_fini(struct migration_list *l);

/* 0: all of `applied` is ours, and those of `files` from applied->n on wait (none, when the database is
 * newer than we are and accepts us). RD_ECONFIG: history was edited; RD_ESTATE: the schema needs a
 * newer binary than `binary`. Both with a sentence. */
int migration_compare(const struct migration_list *files, const struct migration_list *applied,
                      const char *binary, char *why, size_t cap);

#endif
