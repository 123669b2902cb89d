-- SPDX-License-Identifier: Apache-2.0
-- vapi.shown: the errand `vapi_shown`: a webhook is about a call that Vapi has and that nobody here sent there. Has it?
-- Whose it is then, Vapi's own API says, and not what was posted. Nothing else is done.
--
-- Failure modes: there is no key, Vapi does not answer in time, or shows no such call, or one that ended long ago, or
-- one with another carrier's id: it is not shown, and the webhook is refused.
local host = require "ringdown.host"
local json = require "ringdown.json"
local rest = require "ringdown.vapi.rest"
local time = require "ringdown.time"
local told = require "ringdown.vapi.told"

local M = {}

local ENDED_S = 3600 -- a report comes behind the end, and again where it was not taken
local SOON_MS = 100 -- what is left for the answer's way

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function unix_of(stamp)
  local date, hour, minute = tostring(stamp):match "^(%d%d%d%d%-%d%d%-%d%d)T(%d%d):(%d%d)"
  local days = date and time.days(date)
  return days and days * 86400 + hour * 3600 + minute * 60
end

local function is_long_over(call)
  local ended = call.status == "ended" and unix_of(text(call.endedAt) or text(call.updatedAt) or call.createdAt)
  return call.status == "ended" and (not ended or time.unix() - ended > ENDED_S)
end

---@return string? number ours
---@return boolean known false: Vapi did not say it
local function number_of(call, policy, ms)
  local number = type(call.phoneNumber) == "table" and text(call.phoneNumber.number)
  local id = text(call.phoneNumberId)
  if number or not id then
    return number or nil, true
  end
  local one, _, code = rest.phone_number(id, policy, ms)
  return one and text(one.number) or nil, one ~= nil or code == "absent"
end

---@param p { vapi_id: string, sid: string?, within_ms: integer }
function M.look(p)
  if not host.vapi_ready() then
    return { shown = false }
  end
  local ms = math.max(p.within_ms - SOON_MS, 1)
  local policy = { first_ms = 100, max_ms = 200, attempts = 2, budget_ms = ms }
  local call, _, code = rest.call(p.vapi_id, policy, ms)
  if not call then
    return { shown = false, absent = code == "absent" }
  end
  local sid = told.sid_of(call)
  if call.id ~= p.vapi_id or is_long_over(call) or p.sid and sid and sid ~= p.sid then
    return { shown = false, absent = true }
  end
  local number, known = number_of(call, policy, ms)
  return { shown = known, sid = sid, assistant = text(call.assistantId), number = number,
    from = type(call.customer) == "table" and text(call.customer.number) or nil }
end

---@param p table
function M.run(p)
  host.reply(json.encode(M.look(p)))
end

return M
