/* SPDX-License-Identifier: Apache-2.0 */
/* fault.h - how the double misbehaves on request: words, separated by commas.
 *
 * One request each, in the order they stand, with whose turn it is in front: `call-` (POST /call), `get-`
 * (reads), `write-` (other writes), `inbound-` (Twilio's fetch of a call's document):
 *   429           not done, and no word when to come back      429-after   with Retry-After: 1
 *   500, 503      not done                                     lost        done, and the line is cut
 *   stall         done, and answered after 10 s                array       400 with several sentences
 *   full          400, "Over Concurrency Limit"                well        nothing
 *
 * From now on:
 *   no-twiml      a call with bypass is made, and there is no document in the answer
 *   no-join       Twilio's stream is taken, and nobody comes to speak on it
 *   no-report     the end-of-call-report is lost               no-hooks    all server messages are
 *   twice         server messages come twice                   backwards   each pair the wrong way round
 *   forged        with a wrong secret or signature             old         signed ten minutes ago
 *   burst         all audio at once, as fast as the line takes it */
#ifndef SIM_VAPI_FAULT_H
#define SIM_VAPI_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum vapi_fault {
    VAPI_WELL,
    VAPI_BUSY,
    VAPI_BUSY_AFTER,
    VAPI_BROKEN,
    VAPI_UNAVAILABLE,
    VAPI_LOST,
    VAPI_STALL,
    VAPI_MESSAGES,
    VAPI_FULL
};
enum vapi_turn { VAPI_TURN_CALL, VAPI_TURN_GET, VAPI_TURN_WRITE, VAPI_TURN_INBOUND, VAPI_TURNS };
enum { VAPI_FAULTS_MAX = 64 };

struct vapi_faults {
    struct {
        enum vapi_fault faults[VAPI_FAULTS_MAX];
        size_t n, at;
    } turns[VAPI_TURNS];
    bool no_twiml, no_join, no_report, no_hooks, twice, backwards, forged, old, burst;
};

/* NULL and "": none. RD_ECONFIG with a sentence in `why`. */
int vapi_faults_read(struct vapi_faults *f, const char *words, char *why, size_t cap);
enum vapi_fault vapi_faults_next(struct vapi_faults *f, enum vapi_turn turn);

#endif
