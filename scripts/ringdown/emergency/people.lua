-- SPDX-License-Identifier: Apache-2.0
-- emergency.people: who can be asked about an emergency, in which order, and the two ways to reach them beside the
-- caller's own call: a text, and a phone that rings.
local host = require "ringdown.host"
local numbers = require "ringdown.numbers"
local on_duty = require "ringdown.on_duty"
local rest = require "ringdown.twilio.rest"
local tw = require "ringdown.emergency.twiml"

local M = {}

local BODY_MAX = 460 -- three segments of plain letters
local RING_SECONDS = 30

---@class ringdown.emergency.person
---@field name string "on_call 2": the agent's word for them, and which of them
---@field number string

---Emergency and premium numbers are refused when an agent loads; whatever way one came here, it is not rung.
---@param def table the agent
---@param group string? a name of `people`
---@return ringdown.emergency.person[]
function M.of(def, group)
  local given, list = group and def.people[group] or {}, {}
  if type(given) == "string" then
    given = { given }
  end
  for i, number in ipairs(given) do
    if not numbers.never(number) then
      list[#list + 1] = { name = #given > 1 and ("%s %d"):format(group, i) or group, number = number }
    end
  end
  return list
end

---Whom to turn to when a life is at stake and no rule says whom. Each of them once.
---@param def table the agent
---@return ringdown.emergency.person[]
function M.anybody(def)
  local list, known = {}, {}
  for _, group in ipairs(on_duty.groups(def, "on_call", "office")) do
    for _, person in ipairs(M.of(def, group)) do
      list[#list + 1] = not known[person.number] and person or nil
      known[person.number] = true
    end
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
  transfer = #transfer > 0 and transfer or #text > 0 and text or M.anybody(def)
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

---"+1********88": enough to know one's own.
---@param number string
---@return string
function M.masked(number)
  return #number > 6 and number:sub(1, 2) .. ("*"):rep(#number - 4) .. number:sub(-2) or "***"
end

---@param id string "gas-leak"
---@return string "Gas Leak"
function M.title(id)
  return (id:gsub("[-_]", " "):gsub("%f[%w]%l", string.upper))
end

---Nobody is asked whether it may be sent. Should the carrier not deliver it, the errand that runs hears of it.
---@param def table the agent
---@param text { id: string, call: string?, from: string?, to: string, body: string, kind: "emergency"|"drill"|nil }
---@return boolean? sent
---@return string? why not
function M.text(def, text)
  if not text.from or text.from == "" then
    return nil, "there is no number of ours to send it from"
  elseif not rest.ready() then
    return nil, "Twilio cannot be asked: set twilio.sid and twilio.token"
  end
  text.body = cut(text.body, BODY_MAX)
  text.kind = text.kind or "emergency"
  text.template = text.kind
  return require("ringdown.texts.post").send_urgently(def, text)
end

-- Its phone rings, and follows `twiml`.
local function call(from, to, twiml)
  if not from or from == "" or not rest.ready() then
    return nil, "there is no number of ours to call from, or Twilio cannot be asked"
  end
  local made, why = rest.write { path = "Calls.json",
    form = { From = from, To = to, Timeout = RING_SECONDS, Twiml = twiml } }
  return made and true, why
end

---Somebody's phone rings and tells something.
---@param from string?
---@param to string
---@param words string
---@param language string
---@return boolean? rings
---@return string? why not
function M.ring(from, to, words, language)
  return call(from, to, tw.announcement(words, language))
end

---Somebody's phone rings and asks for a 1. The key comes as the letter "accept" of the errand that runs.
---@param from string?
---@param to string
---@param words string
---@param language string
---@return boolean? rings
---@return string? why not
function M.ring_and_ask(from, to, words, language)
  return call(from, to, tw.screening(words, language, host.address()))
end

return M
