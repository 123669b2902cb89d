-- SPDX-License-Identifier: Apache-2.0
-- session: one call with one agent: routing, brief, tools, hooks. The runtime makes one per VM, specs
-- make them by ringdown.fake.
local brief = require "ringdown.brief"
local budgets = require "ringdown.budget"
local calls = require "ringdown.call"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local routing = require "ringdown.routing"
local tool = require "ringdown.tool"
local twiml = require "ringdown.twilio.twiml"

local M = {}

---@class ringdown.session
---@field def table the agent
---@field call ringdown.call
local session = {}
session.__index = session

---@param def table the agent
---@param form table<string, string> the webhook's
---@return ringdown.session
function M.new(def, form)
  local call, check_vars = calls.new(def, form)
  return setmetatable({ def = def, call = call, check_vars = check_vars, writes = {}, budget = budgets.new() }, session)
end

---Where this call goes.
---@return "openai"|"vapi" system
---@return string reason
---@return string assistant "" unless vapi
function session:route()
  local def = self.def
  local has = { openai = def.openai ~= nil, vapi = def.vapi ~= nil }
  local system, reason = routing.decide(def.routing, def.name, has, self.call)
  return system, reason, def.vapi and def.vapi.assistant or ""
end

---@return table
function session:brief()
  return brief.render(self.def, self.call)
end

---Names of the hooks that the agent has, " utterance ended ".
---@return string
function session:hooks()
  local names = { "" }
  for name in pairs(self.def.on) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " ") .. " "
end

local ARGUMENTS_MAX = 64 * 1024
local FILLER_AFTER_MS = 1200 -- sooner, the answer itself is there

-- ── tools ───────────────────────────────────────────────────────────────────────────────────────
local function answer(value)
  local text, why = json.encode(value)
  if not text then
    error("a tool's result must be plain data: " .. why, 0)
  end
  return text
end

local function failed(t)
  return answer { failed = true, say = t.failed }
end

function session:find_tool(name)
  local names = {}
  for i, t in ipairs(self.def.tools) do
    if t.name == name then
      return t
    end
    names[i] = t.name
  end
  local there = #names > 0 and nearest.hint(name, names) or "there are no tools"
  return nil, answer { error = ("There is no tool '%s'; %s."):format(tostring(name), there) }
end

local function read_arguments(t, text)
  local given, why = {}, nil
  if #text > ARGUMENTS_MAX then
    return nil, answer { error = "The arguments are longer than 64 KiB; shorten them and call again." }
  end
  if text:match("%S") then
    given, why = json.decode(text)
  end
  if type(given) ~= "table" then
    return nil, answer { error = "The arguments are not a JSON object; correct them and call again.",
      problems = json.array { why or "not an object" } }
  end
  local args, problems = tool.check(t, given)
  if not args then
    return nil, answer { error = "The arguments are wrong; ask the caller if needed, correct them and call again.",
      problems = problems }
  end
  return args
end

-- A write with the same arguments happens once per call. One whose outcome nobody knows (it was late,
-- or broke half-way) is not repeated either.
local unknown_outcome = answer { unknown = true,
  say = "Say that it is not certain whether this worked, and that someone will check and call back." }

-- Expected outcomes are values; whatever is raised becomes the tool's `failed` sentence in C.
local function output_of(value, why)
  if value == nil and why ~= nil then
    return answer { refused = tostring(why) }
  elseif value == nil then
    return answer { done = true }
  elseif type(value) == "table" then
    return answer(value)
  end
  return answer { result = value }
end

local function next_filler(self, t)
  if not t.filler then
    return nil
  end
  self.fillers = (self.fillers or 0) + 1
  return t.filler[(self.fillers - 1) % #t.filler + 1]
end

-- Not the same words twice.
local function second_filler(self, t)
  return t.filler and #t.filler > 1 and next_filler(self, t) or nil
end

-- The call as a tool sees it: hanging up waits, so that the model first gets the result. A write has a
-- key: the same for the same call, tool and arguments, and for nothing else.
local function call_for_tool(call, write)
  local function hang_up(seen, reason)
    rawset(seen, "hang_up_reason", calls.check_reason(reason))
    return true
  end
  local function key()
    if not write then
      error("call:key() is for tools with effect = \"write\"", 2)
    end
    return host.digest(call.id .. " " .. write)
  end
  return setmetatable({ hang_up = hang_up, key = key }, { __index = call, __newindex = call })
end

---@param name string
---@param arguments string JSON as the model wrote it
---@return string output JSON for the model
---@return boolean go_on the model answers now
---@return string? hang_up reason
function session:tool(name, arguments)
  local t, unknown = self:find_tool(name)
  if not t then
    return unknown, true
  end
  local args, wrong = read_arguments(t, arguments)
  if not args then
    return wrong, true
  end
  local began_ms = host.now_ms()
  local too_often = self.budget:take(began_ms, t.timeout_ms)
  if too_often then
    return answer { refused = too_often }, true
  end
  host.deadline(t.timeout_ms, failed(t), next_filler(self, t), FILLER_AFTER_MS, second_filler(self, t))
  local unverified = t.verify and require("ringdown.verify").refusal(t, self.def, self.call, args)
  if unverified then
    return answer { refused = unverified }, true
  end
  local key = t.effect == "write" and t.name .. answer(args)
  if key and self.writes[key] then
    return self.writes[key], true
  end
  if key then
    self.writes[key] = unknown_outcome
    local kept, lost = host.durable() -- that it was asked for, before anything happens
    if not kept then
      self.writes[key] = nil
      error("nothing was done, because it could not be recorded first: " .. lost, 0)
    end
  end
  local seen = call_for_tool(self.call, key)
  local value, why = t.run(seen, args)
  local too_much = self.check_vars()
  if too_much then
    error(too_much, 0)
  end
  self.budget:give_back(t.timeout_ms, host.now_ms() - began_ms)
  local output = output_of(value, why)
  if key then -- a refusal may be tried again: the day may have changed
    self.writes[key] = value ~= nil and output or nil
  end
  local reason = rawget(seen, "hang_up_reason")
  return output, reason == nil, reason
end

-- ── transfers ───────────────────────────────────────────────────────────────────────────────────
-- The numbers behind a name of the agent's people, or the number itself.
local function numbers_of(def, to)
  if to:match("^%+") then
    if to:match("^%+[1-9]%d+$") and #to >= 8 and #to <= 16 then
      return { to }
    end
    return nil, ("'%s' is no number; write it with + and the country code, like +13125550142"):format(to)
  end
  local numbers = def.people[to]
  if numbers and #numbers > 0 then
    return numbers
  end
  local names = {}
  for name in pairs(def.people) do
    names[#names + 1] = name
  end
  table.sort(names)
  local there = #names > 0 and nearest.hint(to, names) or "this agent has no people: give a number"
  return nil, ("nobody is called '%s'; %s"):format(to, there)
end

---Asks the carrier to dial somebody else for the caller. It then ends the stream by itself.
---@param to string a number, or one of the agent's people
---@return boolean asked
---@return string? why not
---@return boolean? unknown there was no answer: perhaps it happens all the same
function session:transfer(to)
  local rest = require "ringdown.twilio.rest" -- here, because most calls never need it and each has its own VM
  local numbers, wrong = numbers_of(self.def, to)
  if not numbers then
    return false, wrong
  elseif not rest.ready() then
    return false, "Twilio cannot be asked: set twilio.sid and twilio.token"
  end
  local document = twiml.transfer(numbers, host.resume_url())
  local done, why, code = rest.update_call(self.call.id, { Twiml = document })
  if done then
    return not done.over, done.over and "for Twilio the call is over already" or nil
  end
  return false, math.type(code) and ("%s (%d)"):format(why, code) or why, code == "unknown"
end

-- ── hooks ───────────────────────────────────────────────────────────────────────────────────────
---@param event string "utterance"
---@param text string
---@param number integer
function session:event(event, text, number)
  local hook = self.def.on[event]
  if not hook then
    return
  end
  if event == "silence" then
    hook(self.call, number)
  else
    hook(self.call, text)
  end
  local too_much = self.check_vars()
  if too_much then
    error(too_much, 0)
  end
end

---@param reason string
function session:ended(reason)
  local ok, why = pcall(self.event, self, "ended", reason, 0)
  require("ringdown.twilio.watchdog").after(self.call.id, reason)
  if not ok then
    error(why, 0)
  end
end

return M
