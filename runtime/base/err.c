/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - words for error numbers.
 *
 * Three families share the negative numbers: ours (below -10000), libuv's name resolution and end
 * of file (-3000 to -4095, spelled out here because base/ does not link libuv), and -errno. What
 * none of them knows gets one fixed text, so that a log line never holds NULL. */
#include "base/err.h"

#include <stddef.h>
#include <string.h>

#define X(name, code, text) {(code), (text)},
static const struct {
    int code;
    const char *text;
} texts[] = {
    {0, "ok"},
    RD_ERRORS(X){-3000, "address family for host is not supported"},
    {-3001, "name could not be resolved for now; is the DNS server reachable?"},
    {-3002, "bad flags for name resolution"},
    {-3003, "name resolution was cancelled"},
    {-3004, "name could not be resolved"},
    {-3005, "address family is not supported"},
    {-3006, "out of memory while resolving a name"},
    {-3007, "the name has no address"},
    {-3008, "unknown host name"},
    {-3009, "host name is too long"},
    {-3010, "service is not available for this socket type"},
    {-3011, "socket type is not supported"},
    {-3013, "bad hints for name resolution"},
    {-3014, "protocol of the name is unknown"},
    {-4094, "unknown error"},
    {-4095, "end of file"},
};
#undef X

const char *rd_strerror(int err)
{
    const char *text;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].code == err)
            return texts[i].text;
    /* strerrordesc_np() is static and untranslated, unlike strerror(). */
    text = err < 0 && err > -4000 ? strerrordesc_np(-err) : NULL;
    return text ? text : "unknown error";
}
