/* SPDX-License-Identifier: Apache-2.0 */
/* libraries.h - OpenSSL, libuv, libcurl and zlib, as they were found at run time. */
#ifndef IO_LIBRARIES_H
#define IO_LIBRARIES_H

#include "base/libraries.h"

void io_libraries(library_seen *seen, void *arg);

#endif
