-- SPDX-License-Identifier: Apache-2.0
-- vapi.control: tells a call that Vapi runs what to do. Its control address comes with webhooks or by asking; whoever
-- knows it controls the call, so it is in no log and no record.
--
-- What a call's own script says to the caller's line (`host.say`, `host.hang_up`…) goes there, in the VM of an errand
-- that took the line. Without an address, Twilio ends the call or dials; words cannot be said then.
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local rest = require "ringdown.twilio.rest"
local twiml = require "ringdown.twilio.twiml"
local vapi = require "ringdown.vapi.rest"

local M = {}

---@class ringdown.vapi.call
---@field call string the carrier's id
---@field vapi_id string
---@field control string? where it is controlled

-- Asked for once; a call without one stays without.
local function address(p)
  if not p.control and not p.asked then
    p.asked = true
    local call = host.vapi_ready() and p.vapi_id ~= "" and vapi.call(p.vapi_id)
    local monitor = call and type(call.monitor) == "table" and call.monitor or {}
    p.control = type(monitor.controlUrl) == "string" and monitor.controlUrl or nil
  end
  return p.control
end

local function tell_failed(p, why, code)
  log.fact("warn", "vapi.not_controlled", p.call, { why = log.known(vapi.plain(why, code)),
    fix = log.known "its assistant must allow call control, and Twilio's credentials must be set" })
end

---@param p ringdown.vapi.call
---@param message table as Vapi's documents have it
---@return boolean? done
---@return string? why
function M.send(p, message)
  local url = address(p)
  if not url then
    return nil, "Vapi did not tell where this call is controlled"
  end
  local reply, why = host.vapi_control(url, json.encode(message))
  if reply and reply.status >= 200 and reply.status <= 299 then
    return true
  end
  return nil, why or ("Vapi answered %d"):format(reply.status)
end

---@param p ringdown.vapi.call
---@param words string
function M.say(p, words)
  return M.send(p, { type = "say", content = words, endCallAfterSpoken = false })
end

---@param p ringdown.vapi.call
---@param text string
function M.instruct(p, text)
  return M.send(p, { type = "add-message", message = { role = "system", content = text },
    triggerResponseEnabled = true })
end

---@param p ringdown.vapi.call
---@return boolean? done
---@return string? why
function M.hang_up(p)
  local done, why, code = M.send(p, { type = "end-call" })
  if not done and rest.ready() then
    done, why, code = rest.update_call(p.call, { Status = "completed" })
  end
  if not done then
    tell_failed(p, why, code)
  end
  return done and true, why
end

---@param p ringdown.vapi.call
---@param number string
---@return boolean? done
---@return string? why
function M.transfer(p, number)
  local done, why, code = M.send(p, { type = "transfer", destination = { type = "number", number = number } })
  if not done and rest.ready() then
    done, why, code = rest.update_call(p.call,
      { Twiml = twiml.transfer({ number }, host.resume_url() .. "?after=fallback") })
  end
  if not done then
    tell_failed(p, why, code)
  end
  return done and true, why
end

---What this VM says to the caller's line goes to Vapi from now on.
---@param p ringdown.vapi.call
function M.take(p)
  function host.say(words)
    return M.say(p, words)
  end

  function host.instruct(text)
    return M.instruct(p, text)
  end

  function host.hang_up()
    return M.hang_up(p)
  end

  function host.pause()
    return nil, "Vapi has the caller: what is said there cannot be paused"
  end

  function host.transfer_begun()
    return true
  end
  host.transfer_refused = host.transfer_begun

  function host.take_line()
    return host.first("line of " .. p.call)
  end
end

return M
