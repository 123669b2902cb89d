/* SPDX-License-Identifier: Apache-2.0 */
/* erase.c - `ringdown erase --caller NUMBER`: forgets a person, everywhere this installation reaches,
 * and says where it does not.
 *
 * Journal first (so that nothing of theirs arrives later), then the database, then the journal once
 * more for what came meanwhile, then the recordings on this machine. Opt-outs stay: they are
 * hashes under cluster.secret, and forgetting one would be a text too many.
 *
 * - without --yes: what would be erased, and nothing is
 * - one of our own numbers: refused; it is in every call */
#include "base/err.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "io/tls.h"
#include "store/journal_file.h"
#include "store/journal_folder.h"
#include "store/recording_file.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown erase --caller NUMBER [--yes] [--json] [--config FILE]\n\n"
    "Forgets a caller: whose calls they were and what was said in them, in the journal and its "
    "dead\n"
    "letters, in the database, in recordings on this machine, in customers and appointments. What\n"
    "is left: that there were calls, how long and at what cost, and opt-outs as keyed hashes.\n"
    "Without --yes it only tells what there is. Ends by telling what it cannot reach.\n"
    "Exit code 1 when something could not be erased: do it again once the cause is mended.\n";

static const char unreachable[] =
    "Not reached by this command, and yours to ask for or to wait out:\n"
    "  Twilio         its call log, recordings and messages: console.twilio.com, or its API\n"
    "  OpenAI         what was sent to the model: its retention settings\n"
    "  Vapi           calls it ran: its recordings and transcripts; its dashboard, or its API\n"
    "  agents' hosts  what agents sent to the hosts in needs.hosts, and alerts to their channels\n"
    "  other nodes    their journals and recordings: run this command there as well\n"
    "  backups, logs  database dumps; logs hold numbers only as +1..42\n"
    "  a live node    the last events in its memory (ringdown calls), until it is restarted\n";

enum { ROUNDS_MAX = 3 };

struct erasing {
    const struct settings *settings;
    const char *number;
    struct asking ask;
    json_t *result; /* owns; of erase_caller() */
    int64_t scrubbed;
    int recordings, failures;
};

static bool is_number(const char *z)
{
    size_t n = strlen(z);

    if (n < 3 || n > 16 || z[0] != '+' || z[1] == '0')
        return false;
    for (size_t i = 1; i < n; i++)
        if (!isdigit((unsigned char)z[i]))
            return false;
    return true;
}

/* ---- the journal ---- */

/* The caller's calls, as the database knows them: their events need not name the number. */
static int their_calls(struct erasing *e, char ***out)
{
    static const char sql[] = "select call from calls where $1 in (from_number, to_number)";
    int n;
    char **calls;

    if (pg_query(e->ask.pg, sql, 1, &e->number))
        return -EIO;
    n = pg_rows(e->ask.pg);
    calls = calloc((size_t)n + 1, sizeof(*calls));
    for (int i = 0; calls && i < n; i++)
        calls[i] = strdup(pg_text(e->ask.pg, i, 0));
    *out = calls;
    return calls ? n : -ENOMEM;
}

static int64_t scrub_file(struct erasing *e, const char *path, char **calls, int n)
{
    struct journal_file *file;
    int64_t scrubbed;

    if (journal_file_look(&file, path))
        return -EIO;
    scrubbed = journal_file_scrub(file, (const char *const *)calls, (size_t)n, e->number);
    journal_file_close(file);
    return scrubbed;
}

/* How many events lost their words; the failures are told and counted. */
static int64_t scrub_journal(struct erasing *e, char **calls, int n_calls)
{
    char folder[PATH_MAX], **paths = NULL;
    int64_t all = 0;
    int n;

    journal_folder_of(e->settings->data, folder);
    n = journal_folder_list(folder, &paths);
    for (int i = 0; i < n; i++) {
        int64_t scrubbed = scrub_file(e, paths[i], calls, n_calls);

        if (scrubbed < 0) {
            fprintf(stderr, "ringdown erase: %s cannot be changed; ringdown journal verify\n",
                    paths[i]);
            e->failures++;
        } else {
            all += scrubbed;
        }
    }
    journal_folder_free(paths, n);
    return all;
}

/* Files that were put aside cannot be read in order, so nobody knows who is in them. */
static void tell_damaged(struct erasing *e)
{
    char folder[PATH_MAX];
    int n;

    (void)snprintf(folder, sizeof(folder), "%s/journal", e->settings->data);
    n = journal_folder_damaged(folder);
    if (n == 0)
        return;
    fprintf(stderr,
            "ringdown erase: %d damaged file%s put aside in %s may still name them; remove what "
            "you do not need\n",
            n, n == 1 ? "" : "s", folder);
    e->failures++;
}

/* ---- the database ---- */

static int erase_in_database(struct erasing *e)
{
    uint8_t hash[32];
    char hex[2 + 2 * sizeof(hash) + 1] = "\\x";
    const char *secret = e->settings->cluster_secret;
    json_t *result;

    hmac_sha256(hash, secret, strlen(secret), e->number, strlen(e->number));
    rd_hex(hex + 2, hash, sizeof(hash));
    result = ask_json(&e->ask, "select erase_caller($1, $2::bytea, 'ringdown erase')", 2,
                      (const char *const[]){e->number, secret[0] ? hex : NULL});
    if (!result)
        return -EIO;
    if (e->result) /* a later round finds what came meanwhile; the first found nearly all */
        json_decref(result);
    else
        e->result = result;
    return 0;
}

/* ---- recordings ---- */

/* Gone, or never on this disk? Recordings are only below the data folder of their node. */
static bool is_their_disk(const struct erasing *e)
{
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof(folder), "%s/recordings", e->settings->data);
    return access(folder, F_OK) == 0;
}

static void delete_recordings(struct erasing *e)
{
    static const char gone[] = "select recording_gone($1, $2)";
    size_t i;
    json_t *r;
    uint64_t bytes;

    json_array_foreach(json_object_get(e->result, "recordings"), i, r)
    {
        const char *node = ask_text(r, "node"), *path = ask_text(r, "path");
        int rc;

        if (strcmp(node, e->settings->node_name) != 0) {
            printf("  recording on node %s: %s\n", node, path);
            continue;
        }
        rc = recording_remove(e->settings->data, path, &bytes);
        if (rc && (rc != -ENOENT || !is_their_disk(e))) {
            fprintf(stderr,
                    "ringdown erase: %s stays: %s in %s; is that the data folder of node "
                    "%s? Else delete it by hand\n",
                    path, rd_strerror(rc), e->settings->data, node);
            e->failures++;
            continue;
        }
        e->recordings++;
        (void)pg_query(e->ask.pg, gone, 2, (const char *const[]){node, path});
    }
}

/* ---- all of it ---- */

/* Until a round finds nothing new on its way. */
static int erase_everywhere(struct erasing *e)
{
    char **calls = NULL;
    int n = their_calls(e, &calls), rc = n < 0 ? n : 0;

    for (int round = 0; !rc && round < ROUNDS_MAX; round++) {
        int64_t scrubbed = scrub_journal(e, calls, n);

        rc = erase_in_database(e);
        e->scrubbed += scrubbed;
        if (scrubbed == 0)
            break;
    }
    for (int i = 0; i < n; i++)
        free(calls[i]);
    free(calls);
    tell_damaged(e);
    if (!rc)
        delete_recordings(e);
    return rc;
}

static int preview(struct erasing *e)
{
    static const char sql[] =
        "select jsonb_build_object('calls', (select count(*) from calls where $1 in (from_number, "
        "to_number)), 'customers', (select count(*) from customers where number = $1), 'ours', "
        "exists (select from phone_numbers where number = $1) or exists (select from calls where "
        "to_number = $1 and coalesce(direction, 'inbound') = 'inbound'))";
    json_t *found = ask_json(&e->ask, sql, 1, &e->number);
    int code = EXIT_OK;

    if (!found)
        return EXIT_FAILED;
    if (json_is_true(json_object_get(found, "ours"))) {
        fprintf(stderr,
                "ringdown erase: %s is a number that is called here, not a caller: its calls are "
                "those of everybody\n",
                e->number);
        code = EXIT_USAGE;
    } else {
        printf("%s: %" JSON_INTEGER_FORMAT " calls, %" JSON_INTEGER_FORMAT " customers\n",
               e->number, ask_int(found, "calls"), ask_int(found, "customers"));
    }
    json_decref(found);
    return code;
}

static void report(const struct erasing *e, bool json)
{
    const char *key;
    json_t *n;

    if (json) {
        json_dumpf(e->result, stdout, JSON_INDENT(2));
        putchar('\n');
        return;
    }
    puts("Erased:");
    printf("  %-16s %" PRId64 " events\n", "journal", e->scrubbed);
    json_object_foreach((json_t *)e->result, key, n)
    {
        if (json_is_integer(n))
            printf("  %-16s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(n));
    }
    printf("  %-16s %d files\n", "recordings", e->recordings);
    fputs(unreachable, stdout);
}

static int erase(struct erasing *e, bool yes, bool json)
{
    int code = preview(e);

    if (code || !yes) {
        if (!code)
            puts("Nothing was erased: add --yes to do it.");
        return code;
    }
    if (erase_everywhere(e)) {
        fputs("ringdown erase: not everything was erased; mend the cause and do it again\n",
              stderr);
        return EXIT_FAILED;
    }
    report(e, json);
    return e->failures ? EXIT_FAILED : EXIT_OK;
}

int cmd_erase(int argc, char **argv)
{
    bool yes = false, caller = false;
    const struct option_switch switches[] = {{"caller", &caller}, {"yes", &yes}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .max_words = 1};
    struct erasing e = {0};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (!caller || o.n_words != 1 || !is_number(o.words[0])) {
        fputs("ringdown erase: whom? ringdown erase --caller +13125550142\n", stderr);
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_KEEPER, &s);
    if (code)
        return code;
    e.settings = s;
    e.number = o.words[0];
    code = ask_open(&e.ask, s, "erase");
    if (!code)
        code = erase(&e, yes, o.json);
    json_decref(e.result);
    ask_close(&e.ask);
    settings_free(s);
    return code;
}
