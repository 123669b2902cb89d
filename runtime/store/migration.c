/* SPDX-License-Identifier: Apache-2.0 */
/* migration.c - a folder of numbered files becomes a list that can be trusted.
 *
 * - every *.sql is called NNNN_what_changes.sql, numbers run 1, 2, 3… and each file says which
 *   binary it still accepts
 * - a file is known by the SHA-256 of its bytes: one that was changed after a database applied it
 *   describes a schema that exists nowhere
 *
 * Failure modes: each ends in a sentence with the file's name and the way out. */
#include "store/migration.h"

#include "base/err.h"
#include "base/str.h"
#include "io/tls.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789";

bool migration_parse_name(const char *file, unsigned *version, char name[MIGRATION_NAME])
{
    size_t n_digits = strspn(file, digits);
    const char *begin = file + n_digits + 1;
    size_t n;

    if (n_digits != 4 || file[4] != '_')
        return false;
    n = strspn(begin, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (n == 0 || n >= MIGRATION_NAME || strcmp(begin + n, ".sql") != 0)
        return false;
    *version = (unsigned)strtoul(file, NULL, 10);
    memcpy(name, begin, n);
    name[n] = '\0';
    return *version > 0;
}

/* Three numbers with dots between them. */
static bool parse_version(const char *text, unsigned long out[3])
{
    char *end = NULL;

    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)*text))
            return false;
        out[i] = strtoul(text, &end, 10);
        if (i < 2 && *end++ != '.')
            return false;
        text = end;
    }
    return *text == '\0';
}

/* What cannot be read counts as newer: better to refuse than to write into an unknown schema. */
static bool newer_than(const char *a, const char *b)
{
    unsigned long x[3], y[3];

    if (!parse_version(a, x) || !parse_version(b, y))
        return true;
    for (int i = 0; i < 3; i++)
        if (x[i] != y[i])
            return x[i] > y[i];
    return false;
}

bool migration_parse_binary(const char *sql, char out[MIGRATION_BINARY])
{
    static const char key[] = "-- oldest-binary:";
    unsigned long ignored[3];

    for (const char *line = sql; strncmp(line, "--", 2) == 0;) {
        const char *end = strchrnul(line, '\n');

        if (strncmp(line, key, sizeof(key) - 1) == 0) {
            const char *value = line + sizeof(key) - 1;
            size_t n;

            value += strspn(value, " ");
            n = strspn(value, "0123456789.");
            if (n >= MIGRATION_BINARY)
                return false;
            memcpy(out, value, n);
            out[n] = '\0';
            return parse_version(out, ignored);
        }
        line = *end ? end + 1 : end;
    }
    return false;
}

static int complain(char *why, size_t cap, const char *file, const char *what)
{
    (void)snprintf(why, cap, "%s: %s", file, what);
    return RD_ECONFIG;
}

static void take_checksum(struct migration *m, size_t n)
{
    uint8_t digest[32];

    sha256(digest, m->sql, n);
    rd_hex(m->checksum, digest, sizeof(digest));
}

/* One file into m->sql, terminated. */
static int read_sql(struct migration *m, const char *path, char *why, size_t cap)
{
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f)
        return complain(why, cap, path, strerror(errno));
    m->sql = malloc(MIGRATION_BYTES_MAX + 1);
    n = m->sql ? fread(m->sql, 1, MIGRATION_BYTES_MAX + 1, f) : 0;
    (void)fclose(f);
    if (!m->sql)
        return -ENOMEM;
    if (n == 0 || n > MIGRATION_BYTES_MAX)
        return complain(why, cap, path,
                        "cannot be read, is empty or above 1 MiB; install it again");
    m->sql[n] = '\0';
    if (strlen(m->sql) != n)
        return complain(why, cap, path, "contains a zero byte; install it again");
    take_checksum(m, n);
    if (!migration_parse_binary(m->sql, m->oldest_binary))
        return complain(why, cap, path,
                        "does not say which binary it accepts; its first comment lines need "
                        "\"-- oldest-binary: 0.1.0\"");
    return 0;
}

static int is_sql(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 4, ".sql") == 0;
}

/* One entry of the sorted folder, which must be the next number. */
static int add_file(struct migration_list *l, const char *folder, const char *file, char *why,
                    size_t cap)
{
    struct migration *m = &l->items[l->n];
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    if (!migration_parse_name(file, &m->version, m->name))
        return complain(why, cap, path,
                        "is not named NNNN_what_changes.sql (four digits, then small letters, "
                        "digits and _); rename it or move it away");
    if (m->version != l->n + 1) {
        (void)snprintf(
            why, cap,
            "%s: %04zu was expected here; migrations are numbered 1, 2, 3… without gap or "
            "repetition, so restore the missing file or renumber the new one",
            path, l->n + 1);
        return RD_ECONFIG;
    }
    l->n++; /* from here on it is freed with the list */
    return read_sql(m, path, why, cap);
}

static int add_files(struct migration_list *l, const char *folder, struct dirent **entries, int n,
                     char *why, size_t cap)
{
    int rc = 0;

    if (n == 0 || n > MIGRATIONS_MAX)
        return complain(why, cap, folder,
                        "has no migrations in it (or too many); it is the folder sql/ that is "
                        "installed beside scripts/");
    l->items = calloc((size_t)n, sizeof(*l->items));
    if (!l->items)
        return -ENOMEM;
    for (int i = 0; i < n && !rc; i++)
        rc = add_file(l, folder, entries[i]->d_name, why, cap);
    return rc;
}

int migration_list_read(struct migration_list *out, const char *folder, char *why, size_t cap)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_sql, alphasort);
    int rc;

    *out = (struct migration_list){0};
    if (n < 0) {
        (void)snprintf(why, cap, "%s: %s; it is the folder sql/ that is installed beside scripts/",
                       folder, strerror(errno));
        return RD_ECONFIG;
    }
    rc = add_files(out, folder, entries, n, why, cap);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    if (rc)
        migration_list_fini(out);
    if (rc == -ENOMEM)
        (void)snprintf(why, cap, "no memory for the migrations of %s", folder);
    return rc;
}

void migration_list_fini(struct migration_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i].sql);
    free(l->items);
    *l = (struct migration_list){0};
}

static int edited(const struct migration *file, const struct migration *was, char *why, size_t cap)
{
    (void)snprintf(
        why, cap,
        "%04u_%s.sql is not what this database applied as %04u_%s: a migration is never "
        "changed once it ran. Restore the released file and put the change into a new one",
        file->version, file->name, was->version, was->name);
    return RD_ECONFIG;
}

/* What the database has beyond our files: made by a newer release, which says whom it accepts. */
static int accepts_us(const struct migration *was, const char *binary, char *why, size_t cap)
{
    if (!newer_than(was->oldest_binary, binary))
        return 0;
    (void)snprintf(
        why, cap,
        "the database has migration %04u_%s, which needs ringdown %s or newer, and this is "
        "%s. Install that version; a schema is not taken back",
        was->version, was->name, was->oldest_binary, binary);
    return RD_ESTATE;
}

int migration_compare(const struct migration_list *files, const struct migration_list *applied,
                      const char *binary, char *why, size_t cap)
{
    int rc = 0;

    for (size_t i = 0; i < applied->n && !rc; i++) {
        const struct migration *was = &applied->items[i];

        if (was->version != i + 1) {
            (void)snprintf(
                why, cap,
                "the table schema_migrations has no row for %04zu although later ones are "
                "there: it was edited. Restore it from a backup",
                i + 1);
            return RD_ECONFIG;
        }
        if (i >= files->n)
            rc = accepts_us(was, binary, why, cap);
        else if (strcmp(files->items[i].checksum, was->checksum) != 0)
            rc = edited(&files->items[i], was, why, cap);
    }
    return rc;
}
