-- SPDX-License-Identifier: Apache-2.0
-- missed: a call that nobody took is answered by the agent's text `missed`, once in a while and by day.
--
-- No text goes to who withheld the number, whose carrier does not vouch for it, who hung up within two seconds
-- (machines that look for numbers in use do), who got through meanwhile, or who must not be texted anyway (post.lua).
local calls = require "ringdown.call"
local host = require "ringdown.host"
local log = require "ringdown.log"
local post = require "ringdown.texts.post"
local quiet = require "ringdown.texts.quiet"
local sms = require "ringdown.sms"
local time = require "ringdown.time"

local M = {}

local ROBOT_MS = 2000
local ANSWER_MS = 4000 -- for the database

---@class ringdown.missed what the gateway tells of a missed call
---@field call string
---@field from string? as the carrier says it; nobody's number too: "anonymous", "Restricted", "+266696687"
---@field to string
---@field why string "gave_up", "not_answered", "no_capacity", "script_failed", "failed"
---@field since_us integer when it began
---@field ms integer? how long it was, for one that was answered
---@field verstat string? what the carriers say about the caller's number

local function reason_against(missed, def, number)
  if not def.sms or not def.sms.templates.missed then
    return "no_template"
  elseif not post.is_vouched(def, missed.verstat) then
    return "stir"
  elseif not number then
    return "withheld"
  elseif missed.why == "gave_up" and (missed.ms or ROBOT_MS) < ROBOT_MS then
    return "robot"
  end
end

---@param missed ringdown.missed
---@param def table the agent
function M.run(missed, def)
  local text = { id = "missed-" .. missed.call, call = missed.call, from = missed.to, to = missed.from,
    template = "missed", kind = "missed", since_us = missed.since_us }
  local call = calls.new(def, { CallSid = missed.call, From = missed.from, To = missed.to })
  local why, sent = reason_against(missed, def, call.caller.number)
  if not why then
    text.body = sms.words(def, call, "missed")
    text.due_at = quiet.until_when(def.sms.quiet, missed.from, def.time_zone, time.unix())
    sent, why = post.send(def, text)
  elseif why ~= "no_template" then
    post.keep_refusal(def, text, why)
  end
  log.fact("info", sent and "missed.texted" or "missed.not_texted", missed.call,
    { reason = log.known(why or sent.status), missed = log.known(missed.why) })
end

---A text about a missed call that waited for the morning. Its row says what it is.
---@param text ringdown.text
---@param def table
function M.run_due(text, def)
  local until_unix = def.sms and quiet.until_when(def.sms.quiet, text.to, def.time_zone, time.unix())
  if until_unix then
    host.query("select put_text_off($1, to_timestamp($2::double precision))", { text.id, tostring(until_unix) },
      ANSWER_MS)
    return
  end
  text.kind, text.due, text.due_at = "missed", true, nil
  local sent, why = post.send(def, text)
  log.fact("info", sent and "missed.texted" or "missed.not_texted", text.call or "",
    { reason = log.known(why or sent.status) })
end

return M
