/* SPDX-License-Identifier: Apache-2.0 */
/* messages.h - every message that crosses threads. One heap block each (io/mailbox.h), owned by
 * whoever holds it; a mailbox passes it on; the receiver frees it. Strings are copies inside the
 * same block, so a message never points into another thread's memory.
 *
 *   accepter ──MSG_SOCKET──▶ media        media ──MSG_CALL_OPEN, _EVENT──▶ script
 *   media ──MSG_RECORD──▶ control         script ──MSG_CALL_OPENED, _COMMAND──▶ media
 *   media ──MSG_SWEEP──▶ script (and whoever wants one now ──▶ media)
 *   media ──MSG_RESUME──▶ script ──MSG_RESUMED──▶ media       anybody ──MSG_ERRAND──▶ script
 *   anybody ──MSG_OPERATE──▶ script, which tells by callbacks
 *   control ──MSG_CALL_COMMAND──▶ media    whoever ends the node ──MSG_STOP──▶ media, script
 */
#ifndef PORTS_MESSAGES_H
#define PORTS_MESSAGES_H

#include "base/str.h"
#include "ports/agent.h"
#include "ports/brief.h"
#include "ports/records.h"

#include <stdint.h>

/* A call's place in the call directory: slot number and generation. 0 is no call. */
typedef uint64_t call_handle;

enum message_type {
    MSG_SOCKET, /* fd: an accepted socket, now the receiver's */
    MSG_CALL_OPEN, /* a webhook wants a VM and a route: s[0] agent name, s[1] webhook form as JSON object,
                       * s[2] the number's site as JSON object, or empty; s[3] what another node knew of it as JSON
                       * object (adopt_call), or empty; s[4] what is known about where its agent's calls go, as JSON
                       * object, or empty; number: media thread that waits, aux: its request number */
    MSG_CALL_OPENED, /* the answer: s[0] system ("openai", "vapi", or "" = failed), s[1] reason or error,
                       * s[2] vapi assistant, s[3] the decision as JSON object; brief: refs, where its audio
                       * runs through us; aux: request number */
    MSG_CALL_ATTACHED, /* the stream is here: number: media thread that has the call */
    MSG_CALL_EVENT,    /* agent_event type in kind; s[0] id, s[1] name, s[2] text, number */
    MSG_RESUME, /* the carrier asks how the call goes on: s[0] "resume" (a <Dial> or a stream is over) or
                        * "accept" (who was dialled is asked whether he takes the call), s[1] its form as JSON
                        * object; s[2] of no call: which errand rang him up; number: media thread that waits,
                        * aux: its request number */
    MSG_RESUMED, /* the answer: s[0] "stream" (brief: refs), "twiml" (s[1] the document), "hang_up" or
                        * "fallback" (s[1] why); s[2] whom a transfer was to that is over, s[3] why not;
                        * aux: request number */
    MSG_ERRAND, /* something to be done for an agent beside or without a call: s[0] agent name, s[1] kind,
                        * s[2] what it is about as JSON object; call: the one it belongs to, or 0;
                        * number: the media thread that has it, or that waits for a reply; then aux: its
                        * request number */
    MSG_OPERATE, /* a job of the library, of no agent: s[0] kind, s[1] what it is about as JSON object,
                  * s[2] who wants it; ptr: whom it tells (owned by the message) */
    MSG_CALL_COMMAND, /* command in kind; see enum call_command */
    MSG_RECORD,       /* a record for control: kind is record_type; payload as JSON in s[0] */
    MSG_ADOPTED, /* what the database says to a call of another node: s[0] its JSON, empty: it does not
                  * answer; aux: the request number */
    MSG_ACCEPTED,   /* the same to whether somebody takes a call of another node */
    MSG_PINNED,     /* the same to where this call went when the carrier asked before */
    MSG_VAPI_KNOWN, /* the same to which call of ours a webhook of Vapi is about */
    MSG_REPLIED, /* what an errand answers to whom it was begun for: s[0] the document, empty: it has none;
                  * aux: the request number */
    MSG_QUERIED, /* the database answered: look into your list of answers */
    MSG_DURABLE, /* what was recorded is on the disk: kind 0 or an error; aux: the ticket */
    MSG_RELOAD,  /* agents changed: take the new set */
    MSG_SWEEP,   /* look whether everything you have should be there */
    MSG_STOP     /* finish: drain, then leave the loop */
};

enum call_command {
    CMD_TOOL_RESULT, /* s[0] call_id, s[1] output; number: 1 = let the model go on */
    CMD_SAY,         /* s[0] exact words, beside the conversation */
    CMD_HANG_UP,     /* s[0] reason; after what is being said was heard */
    CMD_FALLBACK,    /* s[0] reason; the script failed */
    CMD_INSTRUCT,    /* s[0] instructions for one more answer */
    CMD_PAUSE,       /* number: 1 = nothing of the caller is kept or heard by the model, 0 = again;
                        * s[0] who */
    CMD_KEEP_OPEN,   /* number: 1 = neither silence, length nor the agent ends it; 0 = again */
    CMD_CARRIER_ENDED, /* the carrier's status callback said that the call is over */
    CMD_STREAM_LOST,   /* the carrier asks what comes after the stream: it is over, seen or not */
    CMD_CLAIMED,       /* another node has taken this call */
    CMD_OPERATOR_END,  /* s[0] who; the operator wants it to end, after what is said was heard */
    CMD_SPENT,         /* it has cost what it may: it ends as one that has been as long as it may */
    CMD_WHISPER,       /* s[0] text, s[1] who; number: 1 = the model answers at once */
    CMD_TRANSFER, /* s[0] whom to, s[1] who; nobody: the agent, after what is being said was heard */
    CMD_TRANSFER_BEGUN, /* s[0] whom to: the script asks the carrier itself, now */
    CMD_HAND_ON, /* the node leaves: another one goes on with the call; number: 1 = even with one that is
                        * kept open */
    CMD_LOOKED,          /* s[0] call.vars as JSON; who asked by AGENT_LOOK gets it */
    CMD_TRANSFER_REFUSED /* s[0] why, s[1] what the model is told then; number: 1 = nobody knows, it may
                          * still happen */
};

enum { MESSAGE_STRINGS = 5 };

struct message {
    enum message_type type;
    int kind;
    call_handle call;
    uint32_t number;
    uint64_t aux;
    int fd;
    uint64_t sent_us;
    struct brief *brief;              /* refs */
    struct rd_str s[MESSAGE_STRINGS]; /* NUL-terminated copies in this block */
    void *ptr;
    struct credits *credits; /* the reservation this message used; NULL: none */
    struct message *next;
};

#endif
