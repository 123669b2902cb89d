-- SPDX-License-Identifier: Apache-2.0
-- sms: the texts an agent may send. `sms = { booked = "See you {{visit.start | day_time}}.", … }` in its file names
-- them; sms.send() sends one to the caller or to one of the agent's people.
--
-- Nobody writes a text freely: a text is one of the agent's templates, and what goes into it is quoted from the
-- call, from the visit that was booked, or from arguments the tool declared. How it is sent, and what is refused,
-- is in texts/post.lua, which calls load when they send their first text.
local host = require "ringdown.host"
local sorted = require "ringdown.sorted"
local time = require "ringdown.time"

---@class ringdown.sms.spec by name the texts there are; these names have a meaning of their own:
---@field missed ringdown.words? answers a call that nobody took, once in `window`
---@field help ringdown.words? answers HELP; without it Twilio's own answer has to do
---@field quiet string? when no missed call is answered, on the recipient's clock: "21:00-08:00" if left out
---@field window string? one text about missed calls in that time, and no text twice: "4h"
---@field caps { call: integer?, day: integer?, agent: integer? }? texts per call (3), to one number in a day (5),
---  of the agent in a day (500)
---@field countries string[]? where texts may go, { "US", "CA" }; the agent's own `countries` if left out
---@field stir "A"|"B"|nil texts only to callers whose carrier vouches for their number so much
---@field service string? a messaging service (MG…) that sends, instead of the number that was called
---@field segments integer? the longest text, in parts of 160 (or 70) characters: 4
---@field [string] ringdown.words

local M = {}

if host.loading then -- calls find only what was loaded with the agent
  require "ringdown.template"
  require "ringdown.texts.lures"
end

-- What a booking leaves in call.visit, and what a tool was given.
local more_paths = { ["args.*"] = true, ["visit.start"] = false, ["visit.stop"] = false, ["visit.service"] = true,
  ["visit.name"] = true, ["visit.resource"] = true, ["visit.site"] = true, ["visit.id"] = false }

---Reads a text as it is sent.
---@param def table the agent
---@param text string
---@param complain fun(line: integer, text: string)?
---@return ringdown.template
function M.compile(def, text, complain)
  return require("ringdown.template").compile(text, def.vars, def.hours ~= nil, complain or function() end, more_paths)
end

-- ── sending ─────────────────────────────────────────────────────────────────────────────────────
---The words of a text in the language of the call.
---@param def table the agent
---@param call ringdown.call
---@param name string
---@param args table<string, any>?
---@return string words what came from outside leads nobody anywhere any more
---@return boolean lured it would have: a text to a caller is not sent then
function M.words(def, call, name, args)
  local texts = def.sms and def.sms.templates[name]
  if not texts then
    local hint = require("ringdown.nearest").hint(tostring(name), sorted.keys(def.sms and def.sms.templates))
    error(("there is no text sms.%s; %s"):format(tostring(name), hint), 0)
  end
  local language = texts[call.language] and call.language or def.languages[1]
  local words = require("ringdown.template").render(M.compile(def, texts[language]), {
    agent = call.agent, site = call.site, caller = call.caller, call = { id = call.id }, vars = call.vars,
    hours = { text = def.hours_text }, now = time.at(call.zone), visit = call.visit, args = args or {},
  }, { zone = call.zone, language = language, marked = true })
  return require("ringdown.texts.lures").sift(words, call.called or def.numbers[1], def.vars)
end

---The answer to HELP, which is served without a script.
---@param def table the agent
---@return string
function M.help(def)
  local calls = require "ringdown.call"
  return (M.words(def, calls.new(def, { To = def.numbers[1] }), "help"))
end

---Sends one of the agent's texts: sms.send(call, "booked"), sms.send(call, "visit_today", { to = "on_call" }).
---Whether a person reads it, nobody knows; `call.texts` in a spec shows what was sent.
---@param call ringdown.call
---@param name string of a text in the agent's `sms`
---@param o { to: string?, args: table<string, any>? }? to: one of the agent's people instead of the caller; args: what
---  {{args.…}} stands for
---@return { id: string, status: string }? sent nil when it was not
---@return string? why not, as a sentence the model can act on
function M.send(call, name, o)
  return require("ringdown.texts.post").template(call, name, o or {})
end

return M
