-- SPDX-License-Identifier: Apache-2.0
-- rollout.guards: may this stage go on? Pure: evidence in, findings and one verdict out.
--
-- The canary is what the split sent to OpenAI, the baseline what it left on Vapi, both since the stage began. Some
-- rules need no baseline and look at every call (a crowd of failures, a run of calls that never connected), others
-- compare shares whenever twenty more calls are there. Who looks often finds something wrong sooner or later, also
-- in two equal systems; margins and limits are such that all rules together do so in less than one stage of a
-- hundred, and that errors of 10 % instead of 3 % are found within 400 calls (`ringdown rollout simulate` measures).
--
-- Failure modes: too few calls, or none of one arm: nobody advances, nothing is held. A metric that one arm does not
-- have is held against its absolute limit. Nobody to compare with (100 %): absolute limits alone.
local statistics = require "ringdown.rollout.statistics"

local M = {}

M.LOOK = 20 -- canary calls between two looks: a second look at the same calls is none
M.CALLERS_MIN = 30 -- below, a few people are what differs
local SPLIT_CALLERS_MIN, SPLIT_ODDS = 200, 1000
local LATENCY_CALLS, LATENCY_SHARE, LATENCY_Z = 20, 0.05, 3.3
local USUAL, USUAL_CALLS_MIN = 0.03, 100 -- share of errors of a system that works; calls that tell another
local MANY = 400 -- calls of a stage: from here on, crowds must be denser

---Crowds: of so many calls in a row, so many (`most`) may not fail. Where failures are more usual, more may.
M.crowds = { { calls = 20, most = 7 }, { calls = 50, most = 9 }, { calls = 100, most = 13 } }
M.run = 4 -- calls in a row that never connected
M.refused = 2 -- within 20 calls: the provider says that the account is not good for it
local MUCH, FOR_EACH = 0.035, 2 -- usual share of errors above which each point adds so many to the limit
local LIMIT_Z, LIMIT_Z_ALONE = 1.9, 1.65 -- the latter where nobody is left to compare with
local CHANCE = 4e-5
local RUN_CHANCE = 2.5e-6

---What is compared. margin: surely so much worse, and it fails. tolerance: worse by this much must be ruled out before
---the stage may advance. limit: the share that is too much whoever else has as much. severe: back, else hold.
M.metrics = {
  { name = "error_end", words = "calls ended by a fault", margin = 0.01, z = 2.85, tolerance = 0.10, limit = 0.05,
    severe = true },
  { name = "no_audio", words = "callers who heard nothing for 5 s", margin = 0.02, z = 2.6, tolerance = 0.10,
    limit = 0.05, severe = true },
  { name = "short_hangup", words = "callers gone within 15 s", margin = 0.03, z = 2.8, tolerance = 0.15, limit = 0.35 },
  { name = "transfer", words = "calls handed to a person", margin = 0.05, z = 2.8, tolerance = 0.20, limit = 0.60 },
  { name = "tool_error", words = "calls with a tool that failed", margin = 0.03, z = 2.8, tolerance = 0.15,
    limit = 0.20 },
}
M.latency_ms = 3000 -- first words of the canary, 19 of 20 calls
M.connect_ms = 10000 -- from the redirect to Vapi until it has the call

---@class ringdown.rollout.arm
---@field calls integer finished, with all calls of all callers
---@field n integer the first three a day of each caller: those that are compared
---@field counted integer? like n, and of the whole stage: n is of the newest calls and stops growing (nil: n)
---@field callers integer
---@field decided integer? callers, with those whose calls are not over
---@field metrics table<string, { k: integer, n: integer, spread: table? }>
---@field recent string? of the compared calls, oldest first: "0" went well, "1" fault, "c" never connected, "r"
---  refused; "x", "C", "R": the same of somebody who met a fault before
---@field latency { n: integer, p95_ms: integer }? canary: first words; baseline: until connected. How many first words
---  came late is a metric, "latency"
---@field emergencies { late: integer, calls: string[] }? about life, not taken by a person in time

---@class ringdown.rollout.evidence
---@field percent_bp integer
---@field bake_s integer? what the stage asks for; nil: it is the last one
---@field baked_s integer
---@field min_canary integer
---@field min_baseline integer
---@field canary ringdown.rollout.arm
---@field baseline ringdown.rollout.arm?

local function percent(share)
  return ("%.1f %%"):format(share * 100)
end

local function add(findings, guard, verdict, text, numbers)
  findings[#findings + 1] = { guard = guard, verdict = verdict, text = text, numbers = numbers }
end

-- ---- whoever looks at every call ----

-- How often the baseline fails, at worst; what is usual when nobody knows.
local function usual_share(e)
  local usual = e.usual or e.baseline and e.baseline.metrics.error_end
  if not usual or usual.n < USUAL_CALLS_MIN then
    return USUAL
  end
  local _, high = statistics.wilson(usual.k, usual.n, 0.5)
  return math.max(math.min(high, 0.5), USUAL)
end

-- The more calls a stage has had, the likelier one crowd among them is chance.
local function rarer(calls)
  return math.min((MANY / math.max(calls, 1)) ^ 2, 1)
end

---@param crowd { calls: integer, most: integer }
---@param share number of errors that is usual
---@param calls integer that the stage has had
---@return integer so many may not fail
function M.crowd_limit(crowd, share, calls)
  local limit, chance = crowd.most, CHANCE * rarer(calls)
  while limit < crowd.calls and statistics.at_least(limit, crowd.calls, share) > chance do
    limit = limit + 1
  end
  return limit
end

local function run_limit(share, calls)
  local limit, chance = M.run, RUN_CHANCE * rarer(calls)
  while share ^ limit > chance and limit < 50 do
    limit = limit + 1
  end
  return limit
end

local function failures(recent)
  local at, from = {}, recent:find("[^0]")
  while from do
    at[#at + 1] = from
    from = recent:find("[^0]", from + 1)
  end
  return at
end

-- The most failures that so many calls in a row ever had.
local function worst_window(at, calls)
  local first, worst = 1, 0
  for last = 1, #at do
    while at[last] - at[first] >= calls do
      first = first + 1
    end
    worst = math.max(worst, last - first + 1)
  end
  return worst
end

---Rules that look at every call. Crowds are of callers, so that one who always fails is no crowd; a run is of calls.
---@param recent string as in an arm
---@param share number
---@param calls integer that the stage has had
---@param findings table[]
function M.fast(recent, share, calls, findings)
  local of_people = recent:gsub("[xCR]", "")
  local at = failures(of_people)
  for _, crowd in ipairs(M.crowds) do
    local worst = worst_window(at, crowd.calls)
    local limit = worst >= crowd.most and M.crowd_limit(crowd, share, calls) or crowd.most
    if worst >= limit then
      add(findings, "crowd_of_" .. crowd.calls, "rollback", ("%d of %d calls in a row failed; %d are too many")
        :format(worst, math.min(#of_people, crowd.calls), limit), { failed = worst, of = crowd.calls, limit = limit })
    end
  end
  recent = recent:lower()
  local run = run_limit(share, calls)
  if recent:find(("[cr]"):rep(run)) then
    add(findings, "never_connected", "rollback", ("%d calls in a row never reached the model"):format(run),
      { run = run })
  end
  local _, refused = recent:sub(-20):gsub("r", "")
  if refused >= M.refused then
    add(findings, "refused", "rollback", ("the provider refused %d of the last calls: key, quota or billing")
      :format(refused), { refused = refused })
  end
end

-- ---- shares ----

-- The difference, and whether it can be so by chance.
local function compare(metric, canary, baseline, share)
  local k_c, n_c = statistics.weighed(canary.k, canary.n, canary.spread)
  local k_b, n_b = statistics.weighed(baseline.k, baseline.n, baseline.spread)
  local d, low = statistics.newcombe(k_c, n_c, k_b, n_b, metric.z)
  local _, sure_low, high = statistics.newcombe(k_c, n_c, k_b, n_b, 1.96)
  local verdict = "inconclusive"
  if low > math.max(metric.margin, metric.severe and share / 4 or 0) then
    verdict = "fail"
  elseif high <= metric.tolerance and sure_low <= 0 then
    verdict = "pass"
  end
  return verdict, d, sure_low, high
end

-- Too much whoever else has as much: the share alone. Where errors are usual, more is too much than elsewhere.
local function is_too_much(metric, canary, baseline, share)
  local k, n = statistics.weighed(canary.k, canary.n, canary.spread)
  local limit = metric.limit + (metric.name == "error_end" and math.max(share - MUCH, 0) * FOR_EACH or 0)
  return statistics.wilson(k, n, baseline and LIMIT_Z or LIMIT_Z_ALONE) > limit, limit
end

local function ratio(metric, canary, baseline, share, findings)
  local words = ("%s: %d of %d calls (%s)"):format(metric.words, canary.k, canary.n, percent(canary.k / canary.n))
  local too_much, limit = is_too_much(metric, canary, baseline, share)
  local numbers = { k_canary = canary.k, n_canary = canary.n, limit = limit }
  if too_much or not baseline then
    add(findings, metric.name, too_much and "fail" or "pass", ("%s; surely more than %s is too much"):format(words,
      percent(limit)), numbers)
    return
  end
  local verdict, d, low, high = compare(metric, canary, baseline, share)
  numbers.k_baseline, numbers.n_baseline = baseline.k, baseline.n
  numbers.difference, numbers.low, numbers.high = d, low, high
  add(findings, metric.name, verdict, ("%s, baseline %d of %d (%s): %+.1f points, between %+.1f and %+.1f")
    :format(words, baseline.k, baseline.n, percent(baseline.k / baseline.n), d * 100, low * 100, high * 100), numbers)
end

local function enough(e)
  local b = e.baseline
  if e.canary.n < e.min_canary or e.canary.callers < math.min(M.CALLERS_MIN, e.min_canary) then
    return false
  end
  return e.percent_bp >= 10000 or b ~= nil and b.n >= e.min_baseline
end

local function ratios(e, share, findings)
  for _, metric in ipairs(M.metrics) do
    local canary = e.canary.metrics[metric.name]
    local baseline = e.percent_bp < 10000 and e.baseline and e.baseline.metrics[metric.name]
    if canary and canary.n > 0 then
      ratio(metric, canary, baseline and baseline.n >= e.min_baseline and baseline or nil, share, findings)
    end
  end
end

-- ---- the rest ----

-- One call of twenty may be slow: surely more than that is too many. The raw 95th percentile says so by chance.
local function slow_canary(e, findings)
  local c, m = e.canary.latency, e.canary.metrics.latency
  if not m or m.n < LATENCY_CALLS then
    return
  end
  local k, n = statistics.weighed(m.k, m.n, m.spread)
  local slow = statistics.wilson(k, n, LATENCY_Z) > LATENCY_SHARE
  add(findings, "latency", slow and "fail" or "pass", ("first words later than %.1f s in %d of %d calls (%s)%s; surely "
    .. "more than %s is too much"):format(M.latency_ms / 1000, m.k, m.n, percent(m.k / m.n),
    c and (", within %.1f s in 19 of 20"):format(c.p95_ms / 1000) or "", percent(LATENCY_SHARE)),
    { k = m.k, n = m.n, p95_ms = c and c.p95_ms, limit_ms = M.latency_ms, limit = LATENCY_SHARE })
end

local function latency(e, findings)
  slow_canary(e, findings)
  local b = e.baseline and e.baseline.latency
  if b and b.n >= LATENCY_CALLS and b.p95_ms > M.connect_ms then
    add(findings, "baseline_connects", "warn", ("Vapi has the call within %.1f s in 19 of 20 calls; that is no "
      .. "baseline to compare with"):format(b.p95_ms / 1000), { p95_ms = b.p95_ms, n = b.n, limit_ms = M.connect_ms })
  end
end

local function split(e, findings)
  local c = e.canary.decided or e.canary.callers
  local b = e.baseline and (e.baseline.decided or e.baseline.callers) or 0
  if e.percent_bp >= 10000 or c + b < SPLIT_CALLERS_MIN then
    return
  end
  local share = e.percent_bp / 10000
  local odds = statistics.split_odds(c, b, share)
  local broken = odds > SPLIT_ODDS
  add(findings, "split", broken and "hold" or "pass", ("%d of %d callers came to the canary (%s, should be %s)%s")
    :format(c, c + b, percent(c / (c + b)), percent(share), broken and ": the bucketing is broken" or ""),
    { canary = c, baseline = b, share = share, chi_squared = statistics.chi_squared(c, b, share),
      odds = math.min(odds, 1e12) })
end

local function emergencies(e, findings)
  local late = e.canary.emergencies
  if late and late.late > 0 then
    add(findings, "emergency", "hold", ("%d emergenc%s about life not taken by a person in time: %s"):format(late.late,
      late.late == 1 and "y" or "ies", table.concat(late.calls or {}, ", ")), { late = late.late, calls = late.calls })
  end
end

-- ---- one verdict ----

local severe = {}
for _, metric in ipairs(M.metrics) do
  severe[metric.name] = metric.severe
end

-- What fails at a look must have failed at the one before.
local function confirm(findings, last, is_look)
  local failing = {}
  for _, f in ipairs(findings) do
    if f.verdict == "fail" then
      local again = is_look and last and last.failing[f.guard]
      f.verdict = not again and "failing" or severe[f.guard] and "rollback" or "hold"
      failing[f.guard] = true
    end
  end
  return failing
end

local rank = { pass = 0, warn = 1, inconclusive = 2, failing = 3, hold = 4, rollback = 5 }

local function overall(e, findings, is_enough)
  local worst = "pass"
  for _, f in ipairs(findings) do
    if rank[f.verdict] > rank[worst] then
      worst = f.verdict
    end
  end
  if rank[worst] >= rank.failing then
    return worst
  elseif not is_enough then
    local late = e.bake_s and e.bake_s > 0 and e.baked_s > 2 * e.bake_s
    return late and "hold" or "insufficient", late
  elseif worst ~= "pass" then
    return "inconclusive"
  end
  return e.baked_s >= (e.bake_s or 0) and "ready" or "pass"
end

---@param e ringdown.rollout.evidence
---@param last { n: integer, failing: table<string, boolean> }? what the last look left
---@return { verdict: string, findings: table[], look: { n: integer, failing: table } }
---  verdict: rollback, hold, failing (once), insufficient, inconclusive, pass, ready (may advance)
function M.evaluate(e, last)
  local findings, share = {}, usual_share(e)
  local counted = e.canary.counted or e.canary.n
  M.fast(e.canary.recent or "", share, counted, findings)
  emergencies(e, findings)
  split(e, findings)
  local is_enough = enough(e)
  local is_look = counted >= (last and last.n or 0) + M.LOOK
  if is_enough then
    ratios(e, share, findings)
  end
  latency(e, findings)
  local failing = confirm(findings, last, is_look)
  local verdict, late = overall(e, findings, is_enough)
  if late then
    add(findings, "samples", "hold", ("after twice the time of this stage there are %d of %d calls on OpenAI and %d "
      .. "of %d on Vapi"):format(e.canary.n, e.min_canary, e.baseline and e.baseline.n or 0, e.min_baseline))
  end
  return { verdict = verdict, findings = findings, look = is_look and { n = counted, failing = failing } or last }
end

return M
