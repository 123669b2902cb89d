/* SPDX-License-Identifier: Apache-2.0 */
/* libraries.c - what the libraries say of themselves; headers would tell what was there at build. */
#include "io/libraries.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <uv.h>
#include <zlib.h>

void io_libraries(library_seen *seen, void *arg)
{
    seen(arg, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
    seen(arg, "libuv", uv_version_string());
    seen(arg, "libcurl", curl_version_info(CURLVERSION_NOW)->version);
    seen(arg, "zlib", zlibVersion());
}
