/* SPDX-License-Identifier: Apache-2.0. module: gateway */
/* fuzz_url.c - addresses that others name: a script's request, a redirect, Vapi's answer, a DSN, a mail
 * address, a database. Whatever passes the fence goes to the one host that was allowed, over https; whatever
 * Vapi names and is believed is a socket over TLS at Vapi; and what libcurl would connect to is what was
 * looked at. */
#include "check.h"

#include "base/err.h"
#include "io/http_fence.h"
#include "io/mail.h"
#include "io/public_address.h"
#include "observe/sentry.h"
#include "providers/vapi/address.h"
#include "store/database.h"

#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The host as libcurl reads it: freed with curl_free(). NULL: it would not go anywhere. */
static char *host_of(const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL;

    check(u != NULL);
    if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        host = NULL;
    curl_url_cleanup(u);
    return host;
}

static void try_fence(const char *url)
{
    static const char *const hosts[] = {"api.good.example", NULL};
    static const struct http_fence fence = {0};
    char why[HTTP_WHY_MAX];
    struct http_place place;
    char *host;

    if (http_fence_check(&fence, hosts, url, &place, why)) {
        check(why[0] != '\0' && strnlen(why, sizeof(why)) < sizeof(why));
        return;
    }
    host = host_of(url);
    check(host && strcasecmp(host, "api.good.example") == 0);
    check(strcmp(place.host, "api.good.example") == 0 && place.https && place.port < 65536);
    curl_free(host);
}

static void try_vapi(struct rd_str text, const char *url)
{
    static const char at_home[] = ".vapi.ai";
    char *host;
    size_t n;

    if (!vapi_address_ok(RD_STR("https://api.vapi.ai"), text))
        return;
    check(text.n >= 6 && strncasecmp(text.p, "wss://", 6) == 0);
    host = host_of(url);
    n = host ? strlen(host) : 0;
    check(n > 8 && strcasecmp(host + n - 8, at_home) == 0);
    curl_free(host);
}

static void try_dsn(const char *text)
{
    struct sentry_dsn dsn;

    if (sentry_dsn_parse(&dsn, text))
        return;
    check(dsn.key[0] && strncmp(dsn.url, "http", 4) == 0);
    check(!strchr(dsn.url, '@') && !strchr(dsn.key, '\n') && !strchr(dsn.key, '\r'));
}

static void try_mail(const char *text)
{
    if (!mail_address_valid(text))
        return;
    check(strlen(text) <= MAIL_ADDRESS_MAX && strchr(text, '@') == strrchr(text, '@'));
    for (const char *p = text; *p; p++)
        check(*p > ' ' && (unsigned char)*p < 0x7f && !strchr("<>,;:\"\\()[]", *p));
}

static void try_database(const char *text)
{
    char why[256] = "";

    if (!database_url_valid(text, why, sizeof(why)))
        check(why[0] != '\0');
}

static void try_address(const uint8_t *data, size_t size)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6}, mapped = v6;
    const char *refused;

    if (size < 16)
        return;
    memcpy(&v4.sin_addr, data, 4);
    memcpy(&v6.sin6_addr, data, 16);
    memset(mapped.sin6_addr.s6_addr + 10, 0xff, 2);
    memcpy(mapped.sin6_addr.s6_addr + 12, data, 4);
    refused = address_refused((const struct sockaddr *)&v4);
    if (data[0] == 127 || data[0] == 10 || data[0] == 0 || data[0] >= 224 ||
        (data[0] == 169 && data[1] == 254) || (data[0] == 192 && data[1] == 168) ||
        (data[0] == 172 && (data[1] & 0xf0) == 16))
        check(refused != NULL);
    if (refused) /* nor is there another way to write it */
        check(address_refused((const struct sockaddr *)&mapped) != NULL);
    refused = address_refused((const struct sockaddr *)&v6);
    if ((data[0] & 0xfe) == 0xfc || data[0] == 0xff || (data[0] == 0xfe && (data[1] & 0x80)))
        check(refused != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd_str text = {(const char *)data, size};
    char *url = malloc(size + 1);

    check(url != NULL);
    if (size > 0)
        memcpy(url, data, size);
    url[size] = '\0';
    try_fence(url);
    try_vapi(text, url);
    try_dsn(url);
    try_mail(url);
    try_database(url);
    try_address(data, size);
    free(url);
    return 0;
}
