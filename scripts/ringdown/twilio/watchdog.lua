-- SPDX-License-Identifier: Apache-2.0
-- watchdog: a call that we ended must be over at Twilio too. A while after the end it looks, and hangs
-- up a caller who was left on an open line. And an operator's hand, where only Twilio can end a call.
local host = require "ringdown.host"
local log = require "ringdown.log"
local rest = require "ringdown.twilio.rest"

local M = {}

local WAIT_MS = 4000
local PATIENCE_MS = 55000 -- for a Twilio that is slow, busy and down in turn; the VM waits for it
local FIX = "nobody knows whether this call is over: is twilio.api reachable, are twilio.sid and its token right?"

local LEFT_OPEN = "none, it is hung up now; if it repeats, see whether public.url reaches /twilio/resume"
local NOT_ENDED = "hang this call up in Twilio's console: the caller may still be on the line"

-- Only ends that we meant. After provider_failed, script_failed or carrier_lost Twilio asks
-- /twilio/resume and the call may well go on, with a person.
local ours = { agent_hangup = true, silence = true, max_duration = true, operator = true }

---@param call_id string
---@param reason string
---@return boolean completed by us
function M.after(call_id, reason)
  if not ours[reason] or not rest.ready() then
    return false
  end
  host.deadline(PATIENCE_MS, "")
  host.sleep(WAIT_MS)
  local call, why = rest.fetch_call(call_id)
  if not call then
    log.fact("warn", "watchdog.no_answer", call_id, { why = log.known(why), fix = log.known(FIX) })
    return false
  end
  if call.status ~= "in-progress" then
    return false
  end
  log.fact("warn", "watchdog.left_open", call_id, { fix = log.known(LEFT_OPEN) })
  call, why = rest.update_call(call_id, { Status = "completed" })
  if not call then
    log.fact("error", "watchdog.not_ended", call_id, { why = log.known(why), fix = log.known(NOT_ENDED) })
  end
  return call ~= nil and not call.over
end

---The errand of an operator who ends a call whose caller is with somebody else.
---@param order { call: string }
function M.run(order)
  local call, why = rest.update_call(order.call, { Status = "completed" })
  if not call then
    log.fact("error", "watchdog.not_ended", order.call, { why = log.known(why), fix = log.known(NOT_ENDED) })
  end
end

return M
