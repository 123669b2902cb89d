-- SPDX-License-Identifier: Apache-2.0
-- vapi.calls: a session for one webhook of a call that Vapi runs, as it was after the one before: vars, writes that
-- were done, whether the caller was verified. All of it is in the database before the webhook is answered. Two webhooks
-- of a call at the same time are one after the other, on whichever nodes they are: each has what the one before left.
--
-- Failure modes: without the database a session begins from nothing, and nothing is written. The one before does not
-- come to its end: the next one waits for a while, and goes on without.
local adopted = require "ringdown.adopted"
local budgets = require "ringdown.budget"
local control = require "ringdown.vapi.control"
local desk = require "ringdown.vapi.desk"
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local sessions = require "ringdown.session"

local M = {}

local ASK_MS = 3000
local HOLD_MS = 20000 -- longer than Vapi waits
local WAIT_MS, FIRST_WAIT_MS, LONGEST_WAIT_MS = 8000, 20, 320

-- Nobody else on any node is called so.
local function holder_of(p)
  return ("%d %s"):format(host.now_ms(), tostring(p))
end

---@return table? known
---@return boolean? held somebody else has the call
local function open(p, holder)
  local asked, rows = pcall(host.query, "select vapi_call_open($1, $2, $3)::text", { p.call, holder, HOLD_MS }, ASK_MS)
  if not asked or not rows then
    return nil
  end
  local answer = rows[1] and rows[1][1] and json.decode(rows[1][1])
  if type(answer) ~= "table" then
    return nil, true
  end
  return type(answer.memory) == "table" and answer.memory or nil
end

local function memory_of(p)
  local asked, rows = pcall(host.query, "select vapi_call_memory($1)::text", { p.call }, ASK_MS)
  local known = asked and rows and rows[1] and rows[1][1] and json.decode(rows[1][1])
  return type(known) == "table" and known or nil
end

-- What the webhooks before left, once they are done.
local function remembered(p, holder)
  local wait_ms, waited_ms = FIRST_WAIT_MS, 0
  while true do
    local known, held = open(p, holder)
    if not held then
      return known
    elseif waited_ms >= WAIT_MS then
      log.fact("warn", "vapi.call_busy", p.call, { waited_ms = waited_ms,
        fix = log.known "a tool of this call takes very long; what it leaves in call.vars may be lost" })
      return memory_of(p)
    end
    host.sleep(wait_ms)
    waited_ms = waited_ms + wait_ms
    wait_ms = math.min(wait_ms * 2, LONGEST_WAIT_MS)
  end
end

local function plain(value)
  return type(value) == "table" and value or {}
end

-- So that a model in a loop is stopped, whichever webhooks it comes by.
local function budget(n)
  local used = budgets.new()
  for i = 1, math.min(tonumber(n) or 0, 1000) do
    used.times[i] = host.now_ms()
  end
  return used
end

---@param p ringdown.vapi.call and `from`, `to`
---@param def table the agent
---@return ringdown.session
---@return fun() close lets the next webhook of the call go on
function M.open(p, def)
  local holder = holder_of(p)
  local known = remembered(p, holder)
  local session = sessions.new(def, { CallSid = p.call, From = p.from, To = p.to,
    StirVerstat = known and known.verstat or nil })
  control.take(p)
  host.emergency = desk.reporter(p)
  if known then
    known.vars = plain(known.vars)
    adopted.restore(session, known)
    local state = plain(known.state)
    session.call.verified = state.verified == true
    session.call.verify_attempts = math.tointeger(state.verify_attempts) or 0
    session.call.transfers = math.tointeger(state.transfers) or 0
    session.budget = budget(known.tools_lately)
  end
  return session, function()
    pcall(host.query, "select vapi_call_close($1, $2)", { p.call, holder }, ASK_MS)
  end
end

---@class ringdown.vapi.state what there is to remember
---@field vars table<string, string> JSON of each
---@field rest string JSON

---@param session ringdown.session
---@return ringdown.vapi.state
function M.state_of(session)
  local vars = {}
  for name, value in pairs(json.decode(session:vars_text())) do
    vars[name] = json.encode(value)
  end
  return { vars = vars, rest = json.encode { verified = session.call.verified,
    verify_attempts = session.call.verify_attempts, transfers = session.call.transfers } }
end

-- The members that are not as they were; one that is gone is null.
local function changed(now, before)
  local members = {}
  for name, text in pairs(now) do
    members[#members + 1] = text ~= before[name] and json.encode(name) .. ":" .. text or nil
  end
  for name in pairs(before) do
    members[#members + 1] = now[name] == nil and json.encode(name) .. ":null" or nil
  end
  return members
end

---Before Vapi has its answer, because the next webhook may come right behind it. `vars` are facts as well, but those
---come later to where the next one looks.
---@param p ringdown.vapi.call
---@param session ringdown.session
---@param before ringdown.vapi.state
---@return ringdown.vapi.state now
function M.remember(p, session, before)
  local now = M.state_of(session)
  local vars = changed(now.vars, before.vars)
  if #vars > 0 or now.rest ~= before.rest then
    local text = ('%s,"vars":{%s}}'):format(now.rest:sub(1, -2), table.concat(vars, ","))
    pcall(host.query, "select vapi_call_state($1, $2::jsonb)", { p.call, text }, ASK_MS)
  end
  return now
end

return M
