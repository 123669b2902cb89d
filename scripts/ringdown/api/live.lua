-- SPDX-License-Identifier: Apache-2.0
-- What the recent calls amount to: one summary per call, made of its records as they pass.
-- Bounded: the last ENDED_MAX calls that ended, and at most LIVE_MAX that did not (a record may be
-- dropped under load, so that the end of a call may never be heard of here).
local ENDED_MAX = 100
local LIVE_MAX = 2000

local Live = {}
Live.__index = Live

-- What each kind of record adds to its call.
local on = {}

function on.state(call, event) call.state = event.state end

function on.turn(call, event)
  call.turns = call.turns + 1
  call.last_words = { role = event.role, text = event.text }
end

-- A tool call is told twice: when it starts, and done.
function on.tool(call, event)
  if not event.done then call.tool_calls = call.tool_calls + 1 end
end

function on.barge_in(call) call.barge_ins = call.barge_ins + 1 end

function on.error(call, event)
  call.errors = call.errors + 1
  call.last_error = { code = event.code, message = event.message }
end

-- What names the call and not its totals.
local naming = { call = true, type = true, agent = true, from = true, to = true, at_ms = true, reason = true }

function on.ended(call, event)
  call.state = "ended"
  call.reason = event.reason
  call.totals = {}
  for key, value in pairs(event) do
    if not naming[key] then call.totals[key] = value end
  end
end

local function new_call(id, number)
  return { call = id, number = number, turns = 0, tool_calls = 0, barge_ins = 0, errors = 0 }
end

local function new()
  return setmetatable({ calls = {}, n_live = 0, ended = {}, next_number = 1 }, Live)
end

function Live:forget_oldest()
  local oldest
  for _, call in pairs(self.calls) do
    if not oldest or call.number < oldest.number then oldest = call end
  end
  if oldest then
    self.calls[oldest.call] = nil
    self.n_live = self.n_live - 1
  end
end

function Live:open(id)
  if self.n_live >= LIVE_MAX then self:forget_oldest() end
  local call = new_call(id, self.next_number)
  self.next_number = self.next_number + 1
  self.calls[id] = call
  self.n_live = self.n_live + 1
  return call
end

function Live:close(call)
  self.calls[call.call] = nil
  self.n_live = self.n_live - 1
  table.insert(self.ended, 1, call)
  self.ended[ENDED_MAX + 1] = nil
end

-- A call that ended is not opened again by what trails behind its end, only by a new state (its next
-- leg); then it goes on where it was.
function Live:reopen(id, event)
  for i, call in ipairs(self.ended) do
    if call.call == id then
      if event.type ~= "state" or event.state == "ended" then return nil end
      table.remove(self.ended, i)
      call.reason, call.totals = nil, nil
      self.calls[id] = call
      self.n_live = self.n_live + 1
      return call
    end
  end
  return self:open(id)
end

function Live:record(event)
  local id = event.call
  if type(id) ~= "string" or id == "" then return end
  local call = self.calls[id] or self:reopen(id, event)
  if not call then return end
  for _, key in ipairs { "agent", "from", "to" } do
    call[key] = call[key] or event[key]
  end
  local add = on[event.type]
  if add then add(call, event) end
  if event.type == "ended" then self:close(call) end
end

-- The summary of a call, live or ended; nil when it is not known (any more).
function Live:call(id)
  if self.calls[id] then return self.calls[id] end
  for _, call in ipairs(self.ended) do
    if call.call == id then return call end
  end
end

-- The ended ones, newest first.
function Live:ended_calls() return self.ended end

return { new = new, ENDED_MAX = ENDED_MAX, LIVE_MAX = LIVE_MAX }
