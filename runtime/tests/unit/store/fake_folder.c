/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_folder.h"

#include "store/journal_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

int fake_folder_make(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = NULL;

    if (asprintf(&path, "%s/ringdown-journal-XXXXXX", base && *base ? base : "/tmp") < 0)
        return -1;
    *state = mkdtemp(path);
    return *state ? 0 : -1;
}

int fake_folder_remove(void **state)
{
    char *command = NULL;
    int rc = asprintf(&command, "rm -rf '%s'", (char *)*state);

    if (rc > 0)
        rc = system(command); /* NOLINT(bugprone-command-processor): our own folder */
    free(command);
    free(*state);
    return rc;
}

const struct journal_event *fake_event(const char *stream, uint32_t seq)
{
    static char body[64];
    static struct journal_event e;

    (void)snprintf(body, sizeof(body), "{\"n\":%u}", seq);
    e = (struct journal_event){.stream = rd_str(stream),
                               .started_us = 1790000000000000,
                               .epoch = 1790000000000001,
                               .seq = seq,
                               .at_us = 1790000000000000 + seq,
                               .type = "turn",
                               .body = rd_str(body)};
    return &e;
}

int fake_files(const char *folder)
{
    char **paths;
    int n = journal_folder_list(folder, &paths);

    journal_folder_free(paths, n);
    return n;
}

const char *fake_file(const char *folder, int at)
{
    static char path[PATH_MAX];
    char **paths;
    int n = journal_folder_list(folder, &paths);

    assert_true(at < n);
    (void)rd_str_copy(path, sizeof(path), rd_str(paths[at]));
    journal_folder_free(paths, n);
    return path;
}

size_t fake_seqs(const char *path, const char *stream, uint32_t *seqs, size_t max)
{
    struct journal_file *f = NULL;
    struct journal_row *rows[200];
    int64_t after = 0;
    size_t found = 0;
    int n;

    assert_int_equal(0, journal_file_look(&f, path));
    while ((n = journal_file_read(f, after, 200, SIZE_MAX, rows)) > 0) {
        for (int i = 0; i < n; i++)
            if (rd_str_eq(rows[i]->event.stream, rd_str(stream)) && found < max)
                seqs[found++] = rows[i]->event.seq;
        after = rows[n - 1]->id;
        journal_rows_free(rows, (size_t)n);
    }
    assert_int_equal(0, n);
    journal_file_close(f);
    return found;
}
