-- SPDX-License-Identifier: Apache-2.0
-- One run: a cluster, callers, faults by chance, and what the books say in the end.
--
--   local result = run { calls = 40, seconds = 60, seed = 1, faults = { "kill" }, every = 20, nodes = 2, tell = print }
--   … script = { { 3, "drop" }, { 9.5, "kill" } } instead of `faults` and `every`; waves = 5 instead of `seconds`
--   result.books (spec/chaos/books.lua), .faults[name] = how often, .complaints
--   run.is_good(result)      nothing was lost, nothing was there twice, nobody complained
local clusters = require "spec.chaos.cluster"
local crowds = require "spec.chaos.crowd"
local books = require "spec.chaos.books"
local dice = require "spec.chaos.dice"
local faults = require "spec.chaos.faults"
local proc = require "spec.e2e.support.proc"

local M = {}

local TELL_S, SHIPPED_S, LOOK_S, LATER_S, BACK_S = 5, 60, 0.05, 0.3, 60

local Run = {}
Run.__index = Run

function Run:tell(fmt, ...)
  if self.o.tell then
    self.o.tell(("%6.1f s  " .. fmt):format(proc.now() - self.began, ...))
  end
end

-- The next one of the script, else one by chance. False: it could not happen to anybody now.
function Run:inject()
  local name = self.o.script and self.o.script[self.n_faults + 1][2] or self.o.faults[self.world.chance(#self.o.faults)]
  local finish, seconds = faults[name].begin(self.world)
  if finish == false then
    return false
  end
  self.counts[name] = (self.counts[name] or 0) + 1
  if finish then
    self:tell("%s", name)
  end
  if finish then
    table.insert(self.open, { at = proc.now() + seconds, finish = finish })
  end
  return true
end

-- Ends the faults whose time is over; all: those too whose is not.
function Run:end_faults(all)
  local later = {}
  for _, fault in ipairs(self.open) do
    if all or proc.now() >= fault.at then
      fault.finish()
    else
      later[#later + 1] = fault
    end
  end
  self.open = later
end

function Run:progress()
  local crowd, reconnected = self.world.crowd, 0
  for _, call in pairs(crowd.calls) do
    reconnected = reconnected + math.max(0, #call.streams - 1)
  end
  local happened = {}
  for name, n in pairs(self.counts) do
    happened[#happened + 1] = name .. " " .. n
  end
  table.sort(happened)
  self:tell("%d calls on the line, %d over; %d streams again; %s", crowd:live(), crowd.over, reconnected,
    #happened > 0 and table.concat(happened, ", ") or "nothing has happened yet")
end

-- When the next fault is due; nil: there is no other one.
function Run:next_after(at)
  local o = self.o
  if not o.script then
    return at + o.every
  end
  local step = o.script[self.n_faults + 1]
  return step and self.began + step[1]
end

-- No new faults when the time is over.
function Run:go()
  local crowd, next_at, tell_at = self.world.crowd, self:next_after(self.began), self.began + TELL_S
  while crowd:look() do
    local now = proc.now()
    self.world.cluster:is_whole()
    self:end_faults()
    if next_at and now >= next_at and (self.o.script or self.o.waves or crowd:is_time_left()) then
      local did = self:inject()
      self.n_faults = self.n_faults + (did and 1 or 0)
      if did then
        next_at = self:next_after(next_at)
      else
        next_at = now + LATER_S
      end
    end
    if now >= tell_at then
      self:progress()
      tell_at = now + TELL_S
    end
    proc.sleep(LOOK_S)
  end
  self:end_faults(true)
end

-- Until everything is in PostgreSQL, and the books agree or not.
function Run:settle()
  local cluster, complaints = self.world.cluster, {}
  if not proc.wait_for(function() return cluster:is_whole() end, BACK_S) then
    complaints[1] = "a node did not come back: " .. cluster:last_words()
  elseif not cluster:wait_shipped(SHIPPED_S) then
    complaints[1] = "a journal was not shipped in time"
  end
  return complaints
end

local function run(_, o)
  local cluster = clusters.start { nodes = o.nodes }
  local self = setmetatable({ o = o, counts = {}, open = {}, n_faults = 0 }, Run)
  self.world = { cluster = cluster, chance = dice(o.seed or 1) }
  self.world.crowd = crowds.new(cluster, o)
  self.began = self.world.crowd.began
  local result = { faults = self.counts, o = o }
  local ok, why = xpcall(function()
    self:go()
    result.complaints = self:settle()
    result.books = books.compare(self.world)
    result.seconds = proc.now() - self.began
  end, debug.traceback)
  pcall(self.end_faults, self, true)
  self.world.crowd:stop()
  if o.keep then
    o.keep(self.world)
  end
  local complaints = cluster:stop()
  if not ok then
    error(why, 0)
  end
  for _, complaint in ipairs(complaints) do
    table.insert(result.complaints, complaint)
  end
  return result
end

-- What must be empty, or 0.
function M.wrong(result)
  local b, list = result.books, {}
  local function look(what, items)
    for _, item in ipairs(items) do
      list[#list + 1] = what .. ": " .. item
    end
  end
  look("lost turn", b.lost_turns)
  look("turn that is there twice", b.double_turns)
  look("lost effect", b.lost_effects)
  look("effect that is there twice", b.double_effects)
  look("events missing in", b.holes)
  if b.journal_lost + b.journal_dead > 0 then
    list[#list + 1] = ("events lost by the journals: %d, dead letters: %d"):format(b.journal_lost, b.journal_dead)
  end
  look("complaint", result.complaints)
  return list
end

function M.share_within(list, limit)
  local n = 0
  for _, ms in ipairs(list) do
    n = n + (ms <= limit and 1 or 0)
  end
  return #list > 0 and n / #list or 1
end

return setmetatable(M, { __call = run })
