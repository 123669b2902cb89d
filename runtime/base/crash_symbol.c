/* SPDX-License-Identifier: Apache-2.0 */
/* crash_symbol.c - what a function is called: libraries by their dynamic symbols, this program by the table
 * that a linker leaves in its file unless it was stripped. Only of the same file as then (its build id). */
#include "base/crash.h"
#include "base/str.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    const char *p;
    size_t n;
};

/* `count` entries of `size` from there; NULL: they are not in the file. */
static const void *part(const struct image *i, uint64_t at, uint64_t count, uint64_t size)
{
    return count > SIZE_MAX / size || at > i->n || count * size > i->n - at ? NULL : i->p + at;
}

static const char *name_in(const struct image *i, const ElfW(Shdr) * names, uint32_t at)
{
    const char *text = part(i, names->sh_offset, names->sh_size, 1);

    if (!text || at >= names->sh_size || !memchr(text + at, '\0', names->sh_size - at))
        return NULL;
    return text + at;
}

static bool find(const struct image *i, uintptr_t offset, char *out, size_t cap)
{
    const ElfW(Ehdr) *head = part(i, 0, 1, sizeof(*head));
    const ElfW(Shdr) *sections = head && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0
                                     ? part(i, head->e_shoff, head->e_shnum, sizeof(*sections))
                                     : NULL;

    for (size_t s = 0; sections && s < head->e_shnum; s++) {
        const ElfW(Sym) * symbols;
        size_t n = sections[s].sh_size / sizeof(*symbols);

        if (sections[s].sh_type != SHT_SYMTAB || sections[s].sh_link >= head->e_shnum)
            continue;
        symbols = part(i, sections[s].sh_offset, n, sizeof(*symbols));
        for (size_t k = 0; symbols && k < n; k++) {
            const char *name;

            if (ELF64_ST_TYPE(symbols[k].st_info) != STT_FUNC || offset < symbols[k].st_value ||
                offset - symbols[k].st_value >= symbols[k].st_size)
                continue;
            name = name_in(i, &sections[sections[s].sh_link], symbols[k].st_name);
            return name && rd_str_copy(out, cap, rd_str(name));
        }
    }
    return false;
}

static bool own_symbol(uintptr_t offset, char *out, size_t cap)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p;
    bool found;

    if (fd < 0)
        return false;
    p = fstat(fd, &st) || st.st_size <= 0
            ? MAP_FAILED
            : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (p == MAP_FAILED)
        return false;
    found = find(&(struct image){p, (size_t)st.st_size}, offset, out, cap);
    (void)munmap(p, (size_t)st.st_size);
    return found;
}

bool crash_symbol(char *out, size_t cap, const char *module, const char *build, uintptr_t offset)
{
    uintptr_t base;
    Dl_info info;
    bool own;

    if (!crash_module(module, build, &base, &own))
        return false;
    /* The address is made from a file; it is not followed, only looked up.
     * NOLINTNEXTLINE(performance-no-int-to-ptr) */
    if (dladdr((const void *)(base + offset), &info) && info.dli_sname)
        return rd_str_copy(out, cap, rd_str(info.dli_sname));
    return own && own_symbol(offset, out, cap);
}
