/* SPDX-License-Identifier: Apache-2.0 */
/* new.c - `ringdown new agent NAME`: a first agent to change, with its prompt and its spec.
 *
 * The templates in scripts/ringdown/new/ are an agent that works, named front-desk; a new one is a copy
 * in which that name, and the number beside it, are its own. Their first line, the licence, stays here.
 *
 * Failure: a name that is none, files that are there already (nothing is overwritten), a folder that
 * cannot be written or made: a sentence, and nothing is left half-made. */
#include "base/buf.h"
#include "base/err.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown new agent NAME [--config FILE]\n\n"
    "Writes NAME.lua, NAME.md and NAME_spec.lua into the agents' folder: an agent that answers, "
    "takes\n"
    "messages, texts them and hands an emergency to a person. Never overwrites a file, and makes "
    "the\n"
    "folder when it is not there.\n\n"
    "NAME: lower case letters, digits and dashes, like front-desk.\n"
    "Exit code 0 when they are there, 1 when not, 2 for wrong arguments.\n";

enum { NAME_MAX_BYTES = 40, FILE_MAX = 64 * 1024, PATH_BYTES = 4096 };

static const char template_name[] = "front-desk", template_title[] = "Front Desk",
                  template_number[] = "+13125550150";

struct naming {
    char name[NAME_MAX_BYTES + 1], title[NAME_MAX_BYTES + 1], number[16];
};

/* One of the files, as template and as what becomes of it. */
struct copy {
    const char *template, *ending;
    char path[PATH_BYTES];
    bool made;
};

static bool is_name(const char *z)
{
    size_t n = strlen(z);

    if (n == 0 || n > NAME_MAX_BYTES || !islower((unsigned char)*z) || z[n - 1] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)z[i]) && !isdigit((unsigned char)z[i]) && z[i] != '-')
            return false;
    return true;
}

/* "front-desk" is Front Desk to people. The number is one that nobody has; two agents of one folder
 * must not have the same, so the name picks it. */
static void name_it(struct naming *n, const char *name)
{
    unsigned sum = 0;
    bool begins = true;
    size_t i;

    for (i = 0; name[i]; i++) {
        char c = name[i];

        sum = sum * 31 + (unsigned char)c;
        n->name[i] = c;
        n->title[i] = c == '-' ? ' ' : (char)(begins ? toupper((unsigned char)c) : c);
        begins = c == '-';
    }
    n->name[i] = n->title[i] = '\0';
    (void)snprintf(n->number, sizeof(n->number), "+131255501%02u", 50 + sum % 50);
}

/* --- a template becomes a file --- */

static int read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    char part[4096];
    size_t n;
    int rc = f ? 0 : -errno;

    while (!rc && (n = fread(part, 1, sizeof(part), f)) > 0)
        rc = buf_add(out, part, n);
    if (!rc && ferror(f))
        rc = -EIO;
    if (f)
        (void)fclose(f);
    return rc;
}

static int fill_in(struct buf *out, const char *text, const struct naming *n)
{
    const struct {
        const char *from, *to;
    } words[] = {
        {template_name, n->name}, {template_title, n->title}, {template_number, n->number}};
    int rc = 0;

    while (*text && !rc) {
        size_t i = 0, n_words = sizeof(words) / sizeof(words[0]);

        while (i < n_words && strncmp(text, words[i].from, strlen(words[i].from)) != 0)
            i++;
        rc = i < n_words ? buf_add_str(out, words[i].to) : buf_add(out, text, 1);
        text += i < n_words ? strlen(words[i].from) : 1;
    }
    return rc;
}

static const char *behind_licence(const char *text)
{
    const char *line = strstr(text, "SPDX-License-Identifier"), *end = strchr(text, '\n');

    return line && end && line < end ? end + 1 : text;
}

static int write_new(struct copy *c, const struct buf *text)
{
    int fd = open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    ssize_t n;

    if (fd < 0)
        return -errno;
    c->made = true;
    n = write(fd, text->data, text->n);
    return close(fd) || n != (ssize_t)text->n ? -EIO : 0;
}

static int make(struct copy *c, const struct settings *s, const struct naming *n)
{
    char template[PATH_BYTES];
    struct buf from, to;
    int rc;

    buf_init(&from, FILE_MAX);
    buf_init(&to, 2 * FILE_MAX);
    (void)snprintf(template, sizeof(template), "%s/ringdown/new/%s", s->library_path, c->template);
    rc = read_file(template, &from);
    if (rc)
        fprintf(stderr, "ringdown new: %s: %s; is Ringdown installed completely?\n", template,
                rd_strerror(rc));
    if (!rc)
        rc = fill_in(&to, behind_licence(buf_text(&from)), n);
    if (!rc) {
        rc = write_new(c, &to);
        if (rc)
            fprintf(stderr, "ringdown new: %s: %s\n", c->path, rd_strerror(rc));
    }
    buf_fini(&from);
    buf_fini(&to);
    return rc;
}

/* Is one of them there already? An agent may be a folder, too. */
static bool complain_taken(const struct copy *copies, size_t n, const char *folder,
                           const char *name)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s/init.lua", folder, name);
    for (size_t i = 0; i <= n; i++) {
        const char *file = i < n ? copies[i].path : path;

        if (access(file, F_OK) == 0) {
            fprintf(stderr, "ringdown new: %s is there already; take another name, or remove it\n",
                    file);
            return true;
        }
    }
    return false;
}

static void say_next(const char *name, const char *spec)
{
    int width = (int)(strlen(spec) > strlen(name) ? strlen(spec) : strlen(name));

    printf("\nNext:\n"
           "  ringdown talk %-*s   type as a caller\n"
           "  ringdown test %-*s   run its spec\n"
           "  ringdown check %-*s  what is wrong with it, once you have changed it\n",
           width, name, width, spec, width, "--agents");
}

/* The first agent of all brings its folder. */
static int make_folder(const char *folder, bool *made)
{
    *made = mkdir(folder, 0777) == 0;
    if (*made || errno == EEXIST)
        return 0;
    fprintf(stderr,
            "ringdown new: cannot make the agents' folder %s: %s; make it, or name another one "
            "(agents.path, RINGDOWN_AGENTS)\n",
            folder, strerror(errno));
    return -errno;
}

static int make_all(const struct settings *s, const char *name)
{
    struct copy copies[] = {{.template = "agent.lua", .ending = ".lua"},
                            {.template = "prompt.md", .ending = ".md"},
                            {.template = "spec.lua", .ending = "_spec.lua"}};
    size_t n = sizeof(copies) / sizeof(copies[0]);
    struct naming naming;
    bool made_folder;
    int rc;

    name_it(&naming, name);
    for (size_t i = 0; i < n; i++)
        (void)snprintf(copies[i].path, sizeof(copies[i].path), "%s/%s%s", s->agents_path, name,
                       copies[i].ending);
    if (complain_taken(copies, n, s->agents_path, name))
        return EXIT_FAILED;
    rc = make_folder(s->agents_path, &made_folder);
    for (size_t i = 0; i < n && !rc; i++)
        rc = make(&copies[i], s, &naming);
    for (size_t i = 0; i < n; i++) {
        if (rc && copies[i].made)
            (void)unlink(copies[i].path);
        else if (!rc)
            puts(copies[i].path);
    }
    if (rc && made_folder)
        (void)rmdir(s->agents_path);
    if (!rc)
        say_next(name, copies[2].path);
    return rc ? EXIT_FAILED : EXIT_OK;
}

int cmd_new(int argc, char **argv)
{
    struct options o = {.usage = usage, .max_words = 2};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words != 2 || strcmp(o.words[0], "agent") != 0) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!is_name(o.words[1])) {
        fprintf(stderr,
                "ringdown new: \"%s\" is no name for an agent; use up to %d lower case letters, "
                "digits and dashes, like front-desk\n",
                o.words[1], NAME_MAX_BYTES);
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code == EXIT_OK)
        code = make_all(s, o.words[1]);
    settings_free(s);
    return code;
}
