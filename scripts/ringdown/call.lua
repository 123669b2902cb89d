-- SPDX-License-Identifier: Apache-2.0
-- call: the call as an agent's hooks and tools see it.
local host = require "ringdown.host"
local time = require "ringdown.time"
local vars = require "ringdown.vars"

---@class ringdown.caller
---@field number string? "+13125550142"; nil when withheld
---@field name string? from the carrier's directory, or of the customer with that number: never a proof of who calls
---@field known boolean? a customer has this number; looked up only for agents that use it
---@field vip boolean? of that customer's facts

---@class ringdown.site
---@field id string
---@field name string
---@field time_zone string?
---@field prices table<string, string|number>?
---@field resources string[]? whom or what one can book there
---and whatever other facts were imported, by their names

---@class ringdown.visit what was booked in this call
---@field id integer
---@field start integer seconds since 1970
---@field stop integer
---@field day string "2026-11-27"
---@field time string "09:00"
---@field service string?
---@field name string?
---@field resource string
---@field site string

---@class ringdown.call
---@field visit ringdown.visit? the last visit booked in this call
---@field id string the carrier's id of the call
---@field caller ringdown.caller
---@field site ringdown.site
---@field vars table<string, any> what the agent declared in `vars`
---@field verified boolean is the caller who they say? Set by the tool verify_caller, or by your own check
---@field transfers integer how often somebody was asked to take the caller
local call = {}

local mark = {
  __name = "ringdown.call",
  __index = call,
  __newindex = function(self, name, value)
    if call[name] then
      error(("call.%s is the library's and cannot be changed"):format(name), 2)
    end
    rawset(self, name, value)
  end,
}

local M = {}

-- Numbers that stand for "no number": words on a keypad, ANONYMOUS and its like.
local nobodys = " +266696687 +86282452253 +8656696 +2562533 +7378742833 "

local defs = setmetatable({}, { __mode = "k" }) -- by call.agent: what its file said, which scripts need not see

local function text_or_nil(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- "northside-plumbing" → "Northside Plumbing"
local function title(name)
  return (name:gsub("[-_]", " "):gsub("%f[%w]%l", string.upper))
end
M.title = title

-- What a carrier's directory says is a name; longer than this it is something else.
local NAME_MAX = 256

-- The caller's name as the carrier says it, cut when it is longer than any name.
local function name_of(form)
  local name = text_or_nil(form.CallerName)
  if name and #name > NAME_MAX then
    local at = utf8.len(name) and utf8.offset(name, 0, NAME_MAX + 1) or NAME_MAX + 1
    name = name:sub(1, at - 1)
  end
  return name
end
M.name_of = name_of

function M.check_reason(reason)
  reason = reason or "agent"
  if type(reason) ~= "string" then
    error("call:hang_up takes a reason as text, or nothing", 3)
  end
  return reason
end

-- The number of who calls, of what the carrier says; nil when withheld.
local function number_of(from)
  return from and from:match("^%+[1-9]%d+$") and not nobodys:find((" %s "):format(from), 1, true) and from or nil
end
M.number_of = number_of

---@param def table the agent
---@param form table<string, string> what the carrier's webhook said
---@return ringdown.call
---@return fun(): string? check of its vars
function M.new(def, form)
  local values, check = vars.new(def.vars)
  local agent = { name = def.name }
  defs[agent] = def
  return setmetatable({
    id = text_or_nil(form.CallSid) or "",
    caller = {
      number = number_of(text_or_nil(form.From)),
      name = name_of(form),
    },
    called = text_or_nil(form.To),
    verstat = text_or_nil(form.StirVerstat),
    site = def.site or { id = "default", name = title(def.name) },
    vars = values,
    verified = false,
    verify_attempts = 0,
    agent = agent,
    transfers = 0,
    zone = def.time_zone,
    language = def.languages[1],
  }, mark), check
end

---The agent of a call, also of one that a tool sees.
---@param seen ringdown.call
---@return table
function M.def_of(seen)
  return defs[seen.agent]
end

---Says exact words to the caller, beside the conversation with the model.
---@param words string|table<string, string> a text, or one per language
---@return boolean? sent
---@return string? why
function call:say(words)
  if type(words) == "table" then
    words = words[self.language]
  end
  if type(words) ~= "string" or words == "" then
    error("call:say needs words, as a text or as { en = \"…\" } with the agent's first language", 2)
  end
  return host.say(words)
end

---Hangs up once what is being said was heard.
---@param reason string? for the records; "agent" if left out
---@return boolean? sent
---@return string? why
function call:hang_up(reason)
  return host.hang_up(M.check_reason(reason))
end

---Hands the caller to one of the agent's people, once what is being said was heard. When nobody answers,
---the caller comes back to the agent; see `on.transfer_failed`. At most 3 times per call.
---@param name string a name of the agent's `people`
---@param options { ring: "all"|"in_turn"|nil }? several numbers ring at once, or one after the other
---@return boolean? sent
---@return string? why
function call:transfer(name, options)
  local sent, why = require("ringdown.transfer").want(self, name, options)
  if not sent then
    return nil, why
  end
  return host.transfer(name)
end

---Before the caller says what must not be kept (card data): until call:resume() the model hears
---silence, and neither transcript nor recording holds what the caller says. Keys still come to
---`on.dtmf`; records show each as "*". Ends by itself after 3 minutes.
---@return boolean? sent
---@return string? why
function call:pause()
  return host.pause(true)
end

---The model hears the caller again, and what is said is kept again.
---@return boolean? sent
---@return string? why
function call:resume()
  return host.pause(false)
end

---Writes a line to the log: call:log("booked", { day = "2026-11-24" }). Texts appear at debug level.
---@param event string
---@param facts table<string, any>?
function call:log(event, facts)
  if type(event) ~= "string" or not event:match("^[%l%d_.]+$") then
    error("call:log needs an event name of lower case letters, digits, _ and .", 2)
  elseif facts ~= nil and type(facts) ~= "table" then
    error("call:log takes what there is to tell as a table, like { day = \"2026-11-24\" }", 2)
  end
  require("ringdown.log").fact("info", "agent." .. event, self.id, facts)
end

---In a tool that writes: a text that is the same for this call, tool and arguments, for targets that do
---the same request only once (`idempotency_key`).
---@return string
function call.key()
  error("call:key() is for tools with effect = \"write\"", 2)
end

---The time on the agent's wall clock (its `time_zone`).
---@return ringdown.moment
function call:now()
  return time.at(self.zone)
end

return M
