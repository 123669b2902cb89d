/* SPDX-License-Identifier: Apache-2.0 */
/* loopback.c - whoever binds a port learns whether it is taken: that is how both questions are asked.
 *
 * Failure: between finding a free port and its use somebody else may take it; then the child says so. */
#include "cli/loopback.h"

#include "io/accepter.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 10000, LOOK_MS = 50 };

int loopback_address(char *address, size_t cap)
{
    char why[128];
    int fd, rc = listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why));

    if (rc)
        return rc;
    (void)snprintf(address, cap, "127.0.0.1:%u", listen_port(fd));
    (void)close(fd);
    return 0;
}

int loopback_wait(const char *address, pid_t child)
{
    char why[128];
    int fd;

    for (int waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
        int rc = listen_tcp(&fd, address, why, sizeof(why));

        if (rc == -EADDRINUSE)
            return 0;
        if (rc == 0)
            (void)close(fd);
        if (waitpid(child, NULL, WNOHANG) == child)
            return -ECHILD;
        usleep(LOOK_MS * 1000);
    }
    return -ETIMEDOUT;
}
