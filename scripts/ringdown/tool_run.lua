-- SPDX-License-Identifier: Apache-2.0
-- tool_run: the model calls a tool. Arguments are read and checked, a write is done once, and whatever happens ends in
-- an answer that the model can work with. A call loads this when it uses its first tool.
local args_of = require "ringdown.tool_args"
local budgets = require "ringdown.budget"
local calls = require "ringdown.call"
local host = require "ringdown.host"
local json = require "ringdown.json"
local memory = require "ringdown.memory"
local nearest = require "ringdown.nearest"
local running = require "ringdown.running"

local M = {}

local ARGUMENTS_MAX = 64 * 1024
local FILLER_AFTER_MS = 1200 -- sooner, the answer itself is there
local LOOK_MS, SPARE_MS = 100, 300 -- waiting for a write that runs: how often it is looked at, and when that ends

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

---@param def table of the agent
---@param name string
---@return table? tool
function M.named(def, name)
  for _, t in ipairs(def.tools) do
    if t.name == name then
      return t
    end
  end
end

local function find_tool(self, name)
  local t, names = M.named(self.def, name), {}
  if t then
    return t
  end
  for i, other in ipairs(self.def.tools) do
    names[i] = other.name
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
  local args, problems = args_of.check(t, given)
  if not args then
    return nil, answer { error = "The arguments are wrong; ask the caller if needed, correct them and call again.",
      problems = problems }
  end
  return args
end

---What a write is known by within its call.
---@param t table the tool
---@param args table
---@return string
function M.key(t, args)
  return t.name .. answer(args)
end

-- A write with the same arguments happens once per call. One whose outcome nobody knows (it was late,
-- or broke half-way) is not repeated either.
M.unknown_outcome = answer { unknown = true,
  say = "Say that it is not certain whether this worked, and that someone will check and call back." }

-- Two at once: the second waits for what the first came to.
M.under_way = answer { under_way = true,
  say = "Say that this is still under way, and that it is not certain yet; do not call the tool again for it." }

-- What the same write came to, for one that must not do it again; nil when it may.
local function output_of_same(self, key, timeout_ms)
  local other, until_ms = self.running[key], host.now_ms() + timeout_ms - SPARE_MS
  while running.is(other) and host.now_ms() < until_ms do
    host.sleep(LOOK_MS)
  end
  if running.is(other) then
    return M.under_way
  end
  return other and other.output or self.writes[key]
end

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

-- The call as a tool sees it: hanging up and transfers wait, so that the model first gets the result. A write has
-- a key: the same for the same call, tool and arguments, and for nothing else.
local function call_for_tool(call, write)
  local function hang_up(seen, reason)
    rawset(seen, "hang_up_reason", calls.check_reason(reason))
    return true
  end
  local function transfer(seen, name, options)
    local wanted, why = require("ringdown.transfer").want(call, name, options)
    if not wanted then
      return nil, why
    end
    rawset(seen, "transfer_to", name)
    return true
  end
  local function key()
    if not write then
      error("call:key() is for tools with effect = \"write\"", 2)
    end
    return host.digest(call.id .. " " .. write)
  end
  return setmetatable({ hang_up = hang_up, transfer = transfer, key = key },
    { __index = call, __newindex = call })
end

-- Of a call whose tools Vapi may ask for by webhook. A webhook's own session has no system: it has claimed already.
local function ledger_of(self)
  local ledger = self.system and self.def.vapi and require "ringdown.vapi.ledger"
  return ledger and ledger.has(self) and ledger or nil
end

-- What a write came to that a webhook did; else it is ours, and `claimed` when that could be written down.
local function claim(self, ledger, key)
  if not ledger or not key then
    return nil, false
  end
  local asked, done, claimed = pcall(ledger.claim, self, key)
  if not asked then
    self.writes[key], self.running[key] = nil, nil
    error(done, 0)
  elseif done then
    self.writes[key], self.running[key] = done, nil
  end
  return done, claimed
end

-- What the same write came to that was asked for before; nil: it was not.
local function known_outcome(self, ledger, key, timeout_ms)
  local same = self.writes[key] and output_of_same(self, key, timeout_ms)
  if same == M.unknown_outcome and ledger then -- records come a moment behind what the ledger has
    same = ledger.known(self, key) or same
    self.writes[key] = same
  end
  return same
end

-- That it was asked for, before anything happens.
local function keep_asked(self, key, write)
  self.writes[key], self.running[key] = M.unknown_outcome, write
  local kept, lost = host.durable()
  if not kept then
    self.writes[key] = nil
    error("nothing was done, because it could not be recorded first: " .. lost, 0)
  end
end

-- Whatever a model in a loop has used up: an emergency can be reported, and the call be ended.
local always = { report_emergency = true, end_call = true }

---@param self ringdown.session
---@param name string
---@param arguments string JSON as the model wrote it
---@return string output JSON for the model
---@return boolean go_on the model answers now
---@return string? hang_up reason
---@return string? transfer_to
function M.run(self, name, arguments)
  local t, unknown = find_tool(self, name)
  if not t then
    return unknown, true
  end
  local args, wrong = read_arguments(t, arguments)
  if not args then
    return wrong, true
  end
  local began_ms = host.now_ms()
  self.budget = self.budget or budgets.new()
  local counted = not always[t.name]
  local too_often = counted and self.budget:take(began_ms, t.timeout_ms)
  if too_often then
    return answer { refused = too_often }, true
  end
  host.deadline(t.timeout_ms, failed(t), next_filler(self, t), FILLER_AFTER_MS, second_filler(self, t))
  local ledger = ledger_of(self)
  if ledger then
    ledger.catch_up(self)
  end
  local unverified = t.verify and require("ringdown.verify").refusal(t, self.def, self.call, args)
  if unverified then
    return answer { refused = unverified }, true
  end
  local key = t.effect == "write" and M.key(t, args)
  self.running = self.running or {}
  local same = key and known_outcome(self, ledger, key, t.timeout_ms)
  if same then
    self.budget:give_back(t.timeout_ms, host.now_ms() - began_ms)
    return same, true
  end
  local write <close> = key and running.begin(t.timeout_ms) or nil
  if key then
    keep_asked(self, key, write)
  end
  local done, claimed = claim(self, ledger, key)
  if done then
    write.output = done
    self.budget:give_back(t.timeout_ms, host.now_ms() - began_ms)
    return done, true
  end
  local seen = call_for_tool(self.call, key)
  local value, why = t.run(seen, args)
  local too_much = self.check_vars()
  if too_much then
    error(too_much, 0)
  end
  self:keep_vars()
  if counted then
    self.budget:give_back(t.timeout_ms, host.now_ms() - began_ms)
  end
  local output = output_of(value, why)
  local reason, whom = rawget(seen, "hang_up_reason"), rawget(seen, "transfer_to")
  if key then -- a refusal may be tried again: the day may have changed; so may a transfer nobody took
    self.writes[key] = value ~= nil and not whom and output or nil
    self.running[key], write.output = nil, output
    if claimed then
      ledger.settle(self, key, self.writes[key])
    end
  end
  memory.did(self.memory, t.name, output)
  return output, reason == nil and whom == nil, reason, whom
end

return M
