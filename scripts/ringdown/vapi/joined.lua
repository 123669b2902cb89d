-- SPDX-License-Identifier: Apache-2.0
-- vapi.joined: the operation `vapi_joined`: a call was sent to Vapi ten seconds ago, and no webhook says that Vapi has
-- it. One look: it has, and only the webhook is missing; or it has not, which counts against it as a failed call.
--
-- Failure modes: Vapi's API does not answer either: counted all the same. The caller hung up in time: nobody's fault.
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local rest = require "ringdown.twilio.rest"
local told = require "ringdown.vapi.told"

local M = {}

local TARGET = "vapi"
local has_it = { ["in-progress"] = true, forwarding = true, ended = true }
local going = { queued = true, ringing = true, ["in-progress"] = true }

-- Straight, and not by vapi.rest: that it answers says nothing about its calls.
local function look(sid)
  local reply, why = host.vapi("GET", "/call?limit=100", nil, 5000)
  if not reply or reply.status ~= 200 then
    return nil, why or ("Vapi answered %d"):format(reply.status)
  end
  for _, call in ipairs(json.decode(reply.body) or {}) do
    if type(call) == "table" and told.sid_of(call) == sid then
      return call
    end
  end
  return nil, "Vapi shows no such call"
end

local function tell_breaker(how, why)
  local ticket = host.breaker_ask(TARGET)
  if ticket then
    host.breaker_tell(TARGET, ticket, how, why)
  end
end

local function caller_is_gone(sid)
  local call = rest.ready() and rest.fetch_call(sid)
  return call and not going[call.status]
end

local function failed(p, why)
  tell_breaker("failed", "a call was not taken")
  host.alarm("critical", "vapi.not_joined", "", "a call that was sent to Vapi was not taken there")
  log.fact("error", "vapi.not_joined", p.call, { agent = log.known(p.agent or ""), why = log.known(why),
    fix = log.known "see status.vapi.ai; is the number imported there, and is there an assistant?" })
  return { joined = false, why = why }
end

---@param p { call: string, agent: string? }
function M.run(p)
  if not host.vapi_ready() then
    return { joined = false, why = "there is no key for Vapi" }
  end
  local call, why = look(p.call)
  if call then
    told.tell(p.call, p.agent or "", call)
  end
  if call and has_it[call.status] and (call.status ~= "ended" or call.startedAt) then
    tell_breaker "worked"
    host.alarm_over("vapi.not_joined", "")
    return { joined = true }
  elseif caller_is_gone(p.call) then
    return { joined = false, why = "the caller has hung up" }
  end
  return failed(p, call and ("for Vapi the call is %s, %s"):format(tostring(call.status),
    tostring(call.endedReason or "and not answered")) or why)
end

return M
