/* SPDX-License-Identifier: Apache-2.0 */
/* public_address.c - which addresses are the public internet, by IANA's special-purpose registries.
 *
 * - IPv4: everything outside the table of blocks that are private, local or reserved.
 * - IPv6: only 2000::/3, less the blocks in it that lead back inside. Addresses that carry an IPv4
 *   address (mapped, NAT64, 6to4) are what that address is: a tunnel is no way round.
 *
 * Failure: an unknown family is refused. */
#include "io/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static const struct {
    uint32_t net;
    unsigned bits;
    const char *what;
} blocks4[] = {
    {0x00000000, 8, "an address of this machine"},   {0x0a000000, 8, "a private address"},
    {0x64400000, 10, "a carrier's private address"}, {0x7f000000, 8, "a loopback address"},
    {0xa9fe0000, 16, "a link-local address"}, /* the clouds' metadata service, too */
    {0xac100000, 12, "a private address"},           {0xc0000000, 24, "a reserved address"},
    {0xc0000200, 24, "a reserved address"},          {0xc01fc400, 24, "a reserved address"},
    {0xc034c100, 24, "a reserved address"},          {0xc0586300, 24, "a reserved address"},
    {0xc0a80000, 16, "a private address"},           {0xc0af3000, 24, "a reserved address"},
    {0xc6120000, 15, "a reserved address"},          {0xc6336400, 24, "a reserved address"},
    {0xcb007100, 24, "a reserved address"},          {0xe0000000, 4, "a multicast address"},
    {0xf0000000, 4, "a reserved address"},
};

/* Inside 2000::/3, yet not the internet. */
static const struct {
    uint8_t net[6];
    unsigned bits;
} blocks6[] = {
    {{0x20, 0x01, 0x00}, 23},             /* protocol assignments: Teredo, ORCHID, benchmarks */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},       /* documentation */
    {{0x3f, 0xff, 0x00}, 20},             /* documentation */
    {{0x26, 0x20, 0x00, 0x4f, 0x80}, 48}, /* AS112 */
};

static const char *refused4(uint32_t address)
{
    for (size_t i = 0; i < sizeof(blocks4) / sizeof(blocks4[0]); i++)
        if ((address ^ blocks4[i].net) >> (32 - blocks4[i].bits) == 0)
            return blocks4[i].what;
    return NULL;
}

static uint32_t read4(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool begins(const uint8_t *address, const uint8_t *net, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (memcmp(address, net, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ net[whole]) >> (8 - rest) == 0;
}

/* Where the IPv4 address stands that this one carries; -1: it carries none. */
static int carried4(const uint8_t *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, 0xff}, nat64[12] = {0x00, 0x64, 0xff, 0x9b};

    if (begins(a, mapped, 96) || begins(a, nat64, 96))
        return 12;
    return a[0] == 0x20 && a[1] == 0x02 ? 2 : -1; /* 6to4 */
}

static const char *refused6(const uint8_t *a)
{
    int at = carried4(a);

    if (at >= 0)
        return refused4(read4(a + at));
    if (memcmp(a, &in6addr_loopback, 16) == 0)
        return "a loopback address";
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
        return "a link-local address";
    if (a[0] >> 1 == 0xfc >> 1)
        return "a private address";
    if (a[0] == 0xff)
        return "a multicast address";
    if (a[0] >> 5 != 1)
        return "a reserved address";
    for (size_t i = 0; i < sizeof(blocks6) / sizeof(blocks6[0]); i++)
        if (begins(a, blocks6[i].net, blocks6[i].bits))
            return "a reserved address";
    return NULL;
}

const char *address_refused(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return refused4(ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr));
    if (a->sa_family == AF_INET6)
        return refused6(((const struct sockaddr_in6 *)(const void *)a)->sin6_addr.s6_addr);
    return "no internet address";
}

unsigned address_port(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)a)->sin_port);
    if (a->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)a)->sin6_port);
    return 0;
}

/* Only to an address of its own can a machine bind. */
bool address_is_ours(const struct sockaddr *a)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {0};
    bool v6 = a->sa_family == AF_INET6;
    socklen_t n = v6 ? sizeof(at.v6) : sizeof(at.v4);
    bool ours;
    int fd;

    if (!v6 && a->sa_family != AF_INET)
        return false;
    memcpy(&at, a, n);
    if (v6)
        at.v6.sin6_port = 0;
    else
        at.v4.sin_port = 0;
    fd = socket(a->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* who cannot be told is refused */
    ours = bind(fd, &at.any, n) == 0;
    close(fd);
    return ours;
}
