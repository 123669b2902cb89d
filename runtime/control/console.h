/* SPDX-License-Identifier: Apache-2.0 */
/* console.h - the console's page and files. Loop's thread only. */
#ifndef CONTROL_CONSOLE_H
#define CONTROL_CONSOLE_H

#include "io/http_server.h"

/* Answers and says true, or says false: this path is none of it. */
bool console_serve(struct http_request *r);

#endif
