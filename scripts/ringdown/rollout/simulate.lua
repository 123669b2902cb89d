-- SPDX-License-Identifier: Apache-2.0
-- rollout.simulate: how often the guards are wrong, and how often they find what is wrong. Thousands of made-up stages,
-- the same ones for the same seed, are judged by the guards themselves, a look whenever the leader would have had one.
--
-- Callers come as they do: three in four call once, some often, and whoever was annoyed once is likelier to be again.
-- Or they are regulars, always the same ones, each with a share of faults, hang-ups and transfers that is their own.
-- Metrics besides the one that is made worse stay as the baseline has them.
local guards = require "ringdown.rollout.guards"
local json = require "ringdown.json"
local sorted = require "ringdown.sorted"

local M = {}

---What a system that works has.
M.usual = { error_end = 0.03, no_audio = 0.01, short_hangup = 0.08, transfer = 0.12, tool_error = 0.04, latency = 0.03 }
M.stages = { { name = "25", percent_bp = 2500, min_canary = 50, min_baseline = 50 },
  { name = "50", percent_bp = 5000, min_canary = 100, min_baseline = 100 },
  { name = "100", percent_bp = 10000, min_canary = 200, min_baseline = 0 } }

local RETURNS = 0.25 -- of calls: by somebody who called before
local AGAIN = 0.25 -- of later calls: as the caller's one before, whatever the share is
local CALLS_A_LOOK = 10 -- of the canary: what one minute brings where much is going on

local CALLS_BEFORE = 500
local STAGES_A_TURN = 100 -- then whoever else has the thread
local CALLS_MAX = 40 -- of all, for one of the canary
local DAY_CALLS, OF_A_DAY = 100, 3 -- calls of all in a day; of one caller, those that count
local OWN, OWN_STRENGTH = { error_end = true, short_hangup = true, transfer = true }, 2 -- the smaller the more theirs

local names = {}
for _, metric in ipairs(guards.metrics) do
  names[#names + 1] = metric.name
end
names[#names + 1] = "latency"

-- xorshift64*, so that a seed is the same everywhere.
local function random_of(seed)
  local state = seed * 2685821657736338717 + 88172645463325252
  if state == 0 then
    state = 88172645463325252
  end
  return function()
    state = state ~ state >> 12
    state = state ~ state << 25
    state = state ~ state >> 27
    return (state * 2685821657736338717 >> 11) / 9007199254740992.0
  end
end

local function new_arm()
  local arm = { n = 0, callers = 0, metrics = {}, recent = {} }
  for i, name in ipairs(names) do
    local m = { k = 0, n = 0, spread = { nn = 0, kn = 0, kk = 0 } }
    arm.metrics[name], arm[i] = m, m
  end
  return arm
end

-- Which metrics a call is bad in: a set of bits, mostly none.
local function outcome_of(shares)
  local none = 1
  for i = 1, #names do
    none = none * (1 - shares[i])
  end
  return function(random)
    if random() < none then
      return 0
    end
    local bits
    repeat
      bits = 0
      for i = 1, #names do
        bits = random() < shares[i] and bits | 1 << (i - 1) or bits
      end
    until bits ~= 0
    return bits
  end
end

-- One more call of a caller: (n + 1)² = n² + 2n + 1, and so on. `n` of a metric and `nn` are the same for all and are
-- written when somebody looks.
local function count(arm, caller, bits)
  local counts, n = caller.counts, caller.calls
  arm.n, arm.nn = arm.n + 1, (arm.nn or 0) + 2 * n + 1
  if counts or bits ~= 0 then
    counts = counts or { 0, 0, 0, 0, 0, 0 }
    for i = 1, #names do
      local s, k, bad = arm[i].spread, counts[i], bits >> (i - 1) & 1
      arm[i].k = arm[i].k + bad
      s.kn = s.kn + k + bad * (n + 1)
      s.kk = s.kk + 2 * k * bad + bad
      counts[i] = k + bad
    end
    caller.counts = counts
  end
  caller.calls, caller.was = n + 1, bits
end

-- Of a beta distribution, by Joehnk: a share of somebody's own, around the usual one.
local function own_share(mean, random)
  local a, b = mean * OWN_STRENGTH, (1 - mean) * OWN_STRENGTH
  while true do
    local x, y = random() ^ (1 / a), random() ^ (1 / b)
    if x + y > 0 and x + y <= 1 then
      return x / (x + y)
    end
  end
end

local function regulars_of(n, usual, share, random)
  local callers = {}
  for i = 1, n do
    local shares = {}
    for m, name in ipairs(names) do
      shares[m] = OWN[name] and own_share(usual[name], random) or usual[name]
    end
    callers[i] = { canary = random() < share, calls = 0, outcome = outcome_of(shares) }
  end
  return callers
end

local function may_count(caller, day)
  if caller.day ~= day then
    caller.day, caller.today = day, 0
  end
  caller.today = caller.today + 1
  return caller.today <= OF_A_DAY
end

-- Who calls: somebody new, or one of those who called before; nil: their call does not count.
local function whose(callers, share, day, random)
  if callers.regulars or #callers > 0 and random() < RETURNS then
    local caller = callers[1 + math.floor(random() * #callers)]
    return may_count(caller, day) and caller or nil
  end
  local caller = { canary = random() < share, calls = 0, day = day, today = 1 }
  callers[#callers + 1] = caller
  return caller
end

-- As guards.fast reads it: who met a fault before is no second one of a crowd.
local function mark_of(caller, is_fault, random)
  if not is_fault then
    return "0"
  end
  local again, never = caller.failed, random() < 0.5
  caller.failed = true
  return never and (again and "C" or "c") or again and "x" or "1"
end

local function call(arm, caller, outcome, random)
  arm.callers = arm.callers + (caller.calls == 0 and 1 or 0)
  local own = caller.outcome
  local bits = own and own(random) or caller.calls > 0 and random() < AGAIN and caller.was or outcome(random)
  count(arm, caller, bits)
  if caller.canary then
    arm.recent[arm.n] = mark_of(caller, bits & 1 == 1, random)
  end
end

local function shares_of(usual, worse)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = worse and worse[name] or usual[name]
  end
  return list
end

local function seen(arm)
  for i = 1, #names do
    local m = arm[i]
    m.n, m.spread.nn = arm.n, arm.nn or 0
  end
  return arm
end

local function look(stage, canary, baseline, usual, last)
  canary = { n = canary.n, callers = canary.callers, metrics = seen(canary).metrics,
    recent = table.concat(canary.recent) }
  return guards.evaluate({ percent_bp = stage.percent_bp, bake_s = 0, baked_s = 0, min_canary = stage.min_canary,
    min_baseline = stage.min_baseline, baseline = seen(baseline), canary = canary, usual = usual }, last)
end

local function guard_of(verdict)
  for _, f in ipairs(verdict.findings) do
    if f.verdict == verdict.verdict then
      return f.guard
    end
  end
end

-- Two weeks of the baseline before the rollout began.
local function before(share, random)
  local k = 0
  for _ = 1, CALLS_BEFORE do
    k = k + (random() < share and 1 or 0)
  end
  return { k = k, n = CALLS_BEFORE }
end

---One stage.
---@param stage table
---@param o { calls: integer, usual: table<string, number>, worse: table<string, number>?, regulars: integer? } calls of
---  the canary; how many people call, if always the same
---@param random fun(): number
---@return string? verdict "rollback" or "hold"; nil: nothing was found
---@return integer calls of the canary by then
---@return string? guard which said so
function M.stage(stage, o, random)
  local canary, baseline = new_arm(), new_arm()
  local share, last, next_look = stage.percent_bp / 10000, nil, CALLS_A_LOOK
  local callers = o.regulars and regulars_of(o.regulars, o.usual, share, random) or {}
  callers.regulars = o.regulars
  local usual = before(o.usual.error_end, random)
  local ours, theirs = outcome_of(shares_of(o.usual, o.worse)), outcome_of(shares_of(o.usual))
  local calls, calls_max = 0, o.calls * CALLS_MAX -- of regulars, all may be on one side
  while canary.n < o.calls and calls < calls_max do
    local caller = whose(callers, share, calls // DAY_CALLS, random)
    calls = calls + 1
    if caller then
      call(caller.canary and canary or baseline, caller, caller.canary and ours or theirs, random)
    end
    if canary.n >= next_look then
      next_look = canary.n + CALLS_A_LOOK
      local verdict = look(stage, canary, baseline, usual, last)
      last = verdict.look
      if verdict.verdict == "rollback" or verdict.verdict == "hold" then
        return verdict.verdict, canary.n, guard_of(verdict)
      end
    end
  end
  return nil, canary.n
end

---Many stages of one kind.
---@param o { runs: integer, seed: integer, calls: integer, usual: table?, worse: table?, regulars: integer?,
---  rest: fun()? } rest is called now and then
---@return { stage: string, found: integer, runs: integer, median: integer?, by: table<string, integer> }
function M.many(stage, o)
  local random, found, by = random_of(o.seed), {}, {}
  for i = 1, o.runs do
    if o.rest and i % STAGES_A_TURN == 0 then
      o.rest()
    end
    local how = { calls = o.calls, usual = o.usual or M.usual, worse = o.worse,
      regulars = o.regulars }
    local verdict, calls, guard = M.stage(stage, how, random)
    if verdict then
      found[#found + 1] = calls
      by[guard] = (by[guard] or 0) + 1
    end
  end
  table.sort(found)
  return { stage = stage.name, found = #found, runs = o.runs, median = found[(#found + 1) // 2], by = by }
end

local function line(tell, name, r)
  local by = {}
  for _, guard in ipairs(sorted.keys(r.by)) do
    by[#by + 1] = ("%s %d"):format(guard, r.by[guard])
  end
  tell { text = ("%-34s  %-5s  %6.2f %%  %-6s  %s"):format(name, r.stage .. " %", 100 * r.found / r.runs,
    r.median or "-", table.concat(by, ", ")) }
end

-- Both systems alike; then errors of 10 % where 3 % are usual, hang-ups, and first words that come late.
local cases = {
  { name = "both alike, 1 % errors", usual = 0.01 },
  { name = "both alike, 3 % errors", usual = 0.03 },
  { name = "both alike, 6 % errors", usual = 0.06 },
  { name = "both alike, 4 % slow", usual = 0.03, slow = 0.04 },
  { name = "both alike, 150 regular callers", usual = 0.03, regulars = 150 },
  { name = "canary 10 % errors, baseline 3 %", usual = 0.03, worse = { error_end = 0.10 } },
  { name = "canary 20 % errors, baseline 3 %", usual = 0.03, worse = { error_end = 0.20 } },
  { name = "canary 25 % hang up, baseline 8 %", usual = 0.03, worse = { short_hangup = 0.25 } },
  { name = "canary 15 % slow, 3 % usual", usual = 0.03, worse = { latency = 0.15 } },
}

---The operation: a table for people, the same for programs.
---@param o { seed: integer?, runs: integer?, calls: integer? }
---@param stopping fun(): boolean
---@param rest fun()? called now and then: no script may go on for minutes
function M.show(o, tell, stopping, rest)
  local seed, runs, calls = o.seed or 1, o.runs or 500, o.calls or 400
  if runs < 1 or calls < 1 then
    tell { note = "--runs and --calls need at least 1" }
    return { usage = true }
  end
  local rows = json.array {}
  tell { text = ("%d stages of each kind, %d calls on OpenAI each, seed %d: stopped by the guards"):format(runs, calls,
    seed) }
  tell { text = ("%-34s  %-5s  %8s  %-6s  %s"):format("", "stage", "stopped", "median", "by") }
  for i, case in ipairs(cases) do
    local usual = json.copy(M.usual)
    usual.error_end, usual.latency = case.usual, case.slow or usual.latency
    for j, stage in ipairs(M.stages) do
      if stopping() then
        return { seed = seed, runs = runs, calls = calls, rows = rows, failed = true }
      end
      tell { progress = ("%d of %d"):format((i - 1) * #M.stages + j, #cases * #M.stages) }
      local r = M.many(stage, { runs = runs, seed = seed, calls = calls, usual = usual, worse = case.worse,
        regulars = case.regulars, rest = rest })
      r.case, rows[#rows + 1] = case.name, r
      line(tell, case.name, r)
    end
  end
  return { seed = seed, runs = runs, calls = calls, rows = rows }
end

return M
