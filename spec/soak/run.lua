-- SPDX-License-Identifier: Apache-2.0
-- One soak, from an idle cluster to an idle cluster.
--
--   local result = run { seconds = 600, calls = 20, nodes = 1, seed = 1, every = 3, events = { … }, tell = print }
--   result.series[node][name] = { { t =, v = }, … }     what was watched, each `sample` seconds
--   result.idle = { before =, rested =, after = }       lists of watch.node(), one of each node
--   result.timeline = { { t =, name = }, … }            what happened when
--   result.books, result.counts, result.kinds, result.answers, result.complaints, result.seconds
--
--   idle ─▶ callers come, things happen ─▶ rest ─▶ callers come, things happen ─▶ the last one leaves ─▶ idle
--           the first fifth: it warms              four fifths: it must be flat                           books
--
-- The rest is what makes a small leak seen: no call is on the line, so memory holds what is kept for good, and the
-- same is asked again in the end. Short soaks have none; then idle is compared with what was before the first call.
local books = require "spec.soak.books"
local churns = require "spec.soak.churn"
local clusters = require "spec.chaos.cluster"
local dice = require "spec.chaos.dice"
local events = require "spec.soak.events"
local onlookers = require "spec.soak.onlookers"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local talk = require "spec.soak.talk"
local watch = require "spec.soak.watch"

local REST_FROM_S, WARM, LOOK_S, SAMPLE_S, TELL_S = 300, 0.2, 0.05, 5, 15
local LEAVE_S, SHIPPED_S = 180, 60 -- the longest call; until the database has all
local QUIET_S, JOBS_S = 12, 60 -- until pools are calm; until jobs are over

local Run = {}
Run.__index = Run

function Run:tell(fmt, ...)
  if self.o.tell then
    self.o.tell(("%7.1f s  " .. fmt):format(proc.now() - self.began, ...))
  end
end

-- ── what happens ────────────────────────────────────────────────────────────────────────────────

function Run:inject()
  local name = events.pick(self.world.chance, self.o.events)
  local finish, seconds = events[name].begin(self.world)
  if finish == false then
    return
  end
  self.counts[name] = (self.counts[name] or 0) + 1
  table.insert(self.timeline, { t = proc.now() - self.began, name = name })
  if finish then
    table.insert(self.open, { at = proc.now() + seconds, finish = finish })
  end
end

function Run:end_events(all)
  local later = {}
  for _, event in ipairs(self.open) do
    if all or proc.now() >= event.at then
      event.finish()
    else
      later[#later + 1] = event
    end
  end
  self.open = later
end

-- ── what is seen ────────────────────────────────────────────────────────────────────────────────

function Run:sample()
  local t = proc.now() - self.began
  for i, n in ipairs(self.world.cluster.nodes) do
    local s = watch.node(n)
    for _, series in ipairs(s and watch.series or {}) do
      local points = self.series[i][series.name]
      points[#points + 1] = { t = t, v = s[series.name] }
    end
    self.last[i] = s or self.last[i]
  end
end

function Run:progress()
  local s, happened = self.last[1] or {}, 0
  for _, n in pairs(self.counts) do
    happened = happened + n
  end
  self:tell("%2d calls on the line, %d over; %d events; memory %.1f MB, heap %.1f MB, %d descriptors, mailbox %d, "
    .. "journal %d", self.world.crowd:open(), self.world.crowd.over, happened, (s.rss or 0) / 1048576,
    (s.heap or 0) / 1048576, s.fds or 0, s.mailbox or 0, s.journal or 0)
end

local function looks(cluster)
  local list = {}
  for i, n in ipairs(cluster.nodes) do
    list[i] = assert(watch.node(n), "a node does not answer: " .. n.child:text():sub(-2000))
  end
  return list
end

local function is_quiet(list)
  for _, s in ipairs(list) do
    if s.calls + s.scripts + s.journal > 0 then
      return false
    end
  end
  return true
end

-- Until nobody is on the line, everything is in the database, and pools have let go of what they keep for a while.
function Run:idle()
  local cluster, crowd = self.world.cluster, self.world.crowd
  self:end_events(true)
  proc.wait_for(function() return not crowd:look(false) end, LEAVE_S)
  if crowd:open() > 0 then
    table.insert(self.complaints, ("%d calls do not end"):format(crowd:open()))
  end
  if not cluster:wait_shipped(SHIPPED_S) then
    table.insert(self.complaints, "a journal was not shipped in time")
  end
  proc.sleep(self.o.quiet or QUIET_S)
  local list
  proc.wait_for(function() -- timed work begins now and then, also when nobody calls
    list = looks(cluster)
    return is_quiet(list)
  end, JOBS_S)
  return list
end

-- Callers come and things happen, so long.
function Run:churn(seconds)
  local until_at, crowd = proc.now() + seconds, self.world.crowd
  while proc.now() < until_at do
    local now = proc.now()
    crowd:look(true)
    self:end_events()
    if now >= self.event_at then
      self:inject()
      self.event_at = now + self.o.every * (0.5 + self.world.chance(1000) / 1000)
    end
    if now >= self.sample_at then
      self:sample()
      self.sample_at = now + (self.o.sample or SAMPLE_S)
    end
    if now >= self.tell_at then
      self:progress()
      self.tell_at = now + TELL_S
    end
    proc.sleep(LOOK_S)
  end
end

-- ── all of it ───────────────────────────────────────────────────────────────────────────────────

local function begin(o)
  local self = setmetatable({ o = o, counts = {}, timeline = {}, open = {}, complaints = {}, series = {}, last = {},
    idles = {}, event_at = 0, sample_at = 0, tell_at = 0 }, Run)
  local cluster = clusters.start { nodes = o.nodes, agent = talk.agent(1), model = talk.write, vapi = true,
    frames = false }
  for i = 1, #cluster.nodes do
    self.series[i] = {}
    for _, series in ipairs(watch.series) do
      self.series[i][series.name] = {}
    end
  end
  self.world = { cluster = cluster, chance = dice(o.seed or 1) }
  self.world.crowd = churns.new(cluster, { calls = o.calls, chance = dice((o.seed or 1) + 1) })
  self.began = proc.now()
  return self
end

-- The assistant at Vapi tells what ours would, and a rollout can be begun.
local function prepare(world)
  local cluster = world.cluster
  cluster.vapi:api("PATCH", "/assistant/5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30", { serverMessages = { "status-update",
    "end-of-call-report", "tool-calls", "hang", 'transcript[transcriptType="final"]' } })
  local said, code = cluster.nodes[1]:ringdown("rollout", "plan", "--stages", "25,50,75,100", "--min", "1", "--bake",
    "1h")
  assert(code == 0, "no rollout: " .. tostring(said))
end

function Run:go()
  local o = self.o
  prepare(self.world)
  self.idles.before = self:idle()
  if o.onlookers ~= false then
    self.onlookers = onlookers.start(self.world.cluster)
  end
  if o.seconds >= REST_FROM_S then
    self:churn(WARM * o.seconds)
    self:tell "rests"
    self.idles.rested = self:idle()
    self.rested_over = self.world.crowd.over
    self:churn((1 - WARM) * o.seconds)
  else
    self:churn(o.seconds)
  end
  self:tell "the last callers leave"
  if self.onlookers then
    self.answers = self.onlookers:stop()
    self.onlookers = nil
  end
  self.idles.after = self:idle()
  self.world.crowd:read() -- people are texted about their emergency after its call, too
  self.books = books.compare(self.world)
end

local function run(o)
  local self = begin(o)
  local ok, why = xpcall(self.go, debug.traceback, self)
  local cluster = self.world.cluster
  pcall(self.end_events, self, true)
  pcall(pg.start)
  if self.onlookers then
    self.onlookers:stop()
  end
  self.world.crowd:stop()
  if o.keep then
    o.keep(self.world)
  end
  local complaints = cluster:stop()
  if not ok then
    error(why, 0)
  end
  table.move(complaints, 1, #complaints, #self.complaints + 1, self.complaints)
  return { o = o, series = self.series, idle = self.idles, books = self.books, counts = self.counts,
    timeline = self.timeline, kinds = self.world.crowd.kinds, answers = self.answers or {},
    complaints = self.complaints,
    rested_over = self.rested_over or 0, over = self.world.crowd.over, seconds = proc.now() - self.began,
    folder = cluster.folder }
end

return run
