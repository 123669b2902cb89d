-- SPDX-License-Identifier: Apache-2.0
-- emergency.people: who can be asked about an emergency, in which order, and the two ways to reach them beside the
-- caller's own call: a text, and a phone that rings. Every text is a fact, on the disk, before it is sent.
local host = require "ringdown.host"
local json = require "ringdown.json"
local rest = require "ringdown.twilio.rest"
local tw = require "ringdown.emergency.twiml"

local M = {}

local BODY_MAX = 460 -- three segments of plain letters
local RING_SECONDS = 30

---@class ringdown.emergency.person
---@field name string "on_call 2": the agent's word for them, and which of them
---@field number string

---@param def table the agent
---@param group string? a name of `people`
---@return ringdown.emergency.person[]
function M.of(def, group)
  local numbers, list = group and def.people[group] or {}, {}
  if type(numbers) == "string" then
    numbers = { numbers }
  end
  for i, number in ipairs(numbers) do
    list[i] = { name = #numbers > 1 and ("%s %d"):format(group, i) or group, number = number }
  end
  return list
end

---Whom a rule hands the caller to, and whom it texts. Without words about it: whoever there is, for life is at stake.
---@return ringdown.emergency.person[] transfer
---@return ringdown.emergency.person[] text
function M.of_rule(def, rule)
  local transfer, text = M.of(def, rule.transfer), M.of(def, rule.text and rule.text.to)
  if rule.severity ~= "life" then
    return transfer, text
  end
  local anybody = M.of(def, def.people.on_call and "on_call" or "office")
  transfer = #transfer > 0 and transfer or #text > 0 and text or anybody
  return transfer, #text > 0 and text or transfer
end

-- At a letter's end, so that what follows stays readable.
local function cut(text, n)
  if #text <= n then
    return text
  end
  local last = utf8.offset(text, 0, n - 2)
  return text:sub(1, last - 1) .. "..."
end
M.cut = cut

local function fact(type, members)
  return host.fact(type, json.encode(members))
end

---@param from string? our number
---@param to string
---@param body string
---@param id string of our own
---@return boolean? sent
---@return string? why not
function M.text(from, to, body, id)
  body = cut(body, BODY_MAX)
  if not from or from == "" then
    return nil, "there is no number of ours to send it from"
  elseif not rest.ready() then
    return nil, "Twilio cannot be asked: set twilio.sid and twilio.token"
  end
  fact("text", { id = id, direction = "out", from = from, to = to, body = body, status = "accepted",
    template = "emergency" })
  host.durable() -- on a disk that takes nothing an emergency is told all the same
  local message, why, code = rest.write { path = "Messages.json", form = { From = from, To = to, Body = body } }
  local failed = not message and code ~= "unknown"
  fact("text", { id = id, direction = "out", from = from, to = to, status = failed and "failed" or "queued",
    error_code = math.type(code) and tostring(code) or nil })
  return not failed or nil, why
end

---@param from string?
---@param to string
---@param words string
---@param language string
---@return boolean? rings
---@return string? why not
function M.ring(from, to, words, language)
  if not from or from == "" or not rest.ready() then
    return nil, "there is no number of ours to call from, or Twilio cannot be asked"
  end
  local call, why = rest.write { path = "Calls.json",
    form = { From = from, To = to, Timeout = RING_SECONDS, Twiml = tw.announcement(words, language) } }
  return call and true, why
end

return M
