/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - one list of negative error numbers. 0 is success; -errno and libuv codes pass through; ours
 * start at -10001. A function that returns an error never calls its callback. Any thread. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define RD_ERRORS(X)                                              \
    X(RD_ESTATE, -10001, "not allowed in this state")             \
    X(RD_EPROTO, -10002, "peer broke the protocol")               \
    X(RD_EBUDGET, -10003, "agent used up its time or memory")     \
    X(RD_EFULL, -10004, "queue or buffer is full")                \
    X(RD_EAUTH, -10005, "not authenticated")                      \
    X(RD_ETOOBIG, -10006, "larger than the limit")                \
    X(RD_EGONE, -10007, "the call is over")                       \
    X(RD_ELATE, -10008, "deadline passed")                        \
    X(RD_ECONFIG, -10009, "configuration is wrong")               \
    X(RD_EREFUSED, -10010, "refused by the peer")                 \
    X(RD_ETLS, -10011, "TLS failed; is the certificate trusted?") \
    X(RD_ESCRIPT, -10012, "script raised an error")

enum rd_err {
#define X(name, code, text) name = (code),
    RD_ERRORS(X)
#undef X
};

/* Text for any code this program returns: ours, errno's or libuv's. Static, never NULL. */
const char *rd_strerror(int err);

#endif
