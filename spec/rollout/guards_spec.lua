-- SPDX-License-Identifier: Apache-2.0
local guards = require "ringdown.rollout.guards"
local statistics = require "ringdown.rollout.statistics"

local function near(expected, actual, digits)
  assert.is_near(expected, actual, 0.5 * 10 ^ -(digits or 4))
end

describe("statistics", function()
  it("have the intervals that others compute, too", function()
    local low, high = statistics.wilson(12, 100, 1.96)
    near(.0700, low)
    near(.1981, high)
    low, high = statistics.wilson(0, 50, 1.96)
    near(0, low)
    near(.0714, high)
    for _, v in ipairs { { 12, 100, 9, 300, .0900, .0336, .1694 }, { 8, 100, 9, 300, .0500, .0032, .1214 },
      { 3, 50, 3, 150, .0400, -.0141, .1430 }, { 30, 400, 24, 1200, .0550, .0310, .0857 } } do
      local d, from, to = statistics.newcombe(v[1], v[2], v[3], v[4], 1.96)
      near(v[5], d)
      near(v[6], from)
      near(v[7], to)
    end
  end)

  it("know Pearson's statistic, and how likely a crowd is", function()
    near(0, statistics.chi_squared(50, 150, .25))
    near(16.6667, statistics.chi_squared(75, 125, .25))
    near(.000258, statistics.at_least(5, 20, .03), 6)
    near(1, statistics.at_least(0, 20, .03))
  end)

  it("bet evenly on a split as asked for, and a fortune on another one", function()
    assert.is_true(statistics.split_odds(250, 750, .25) < 1)
    assert.is_true(statistics.split_odds(350, 650, .25) > 1000)
    assert.equal(math.huge, statistics.split_odds(1, 10, 0))
  end)

  it("take calls of the same few people for fewer than they are", function()
    local k, n = statistics.weighed(10, 100, { nn = 100, kn = 10, kk = 10 })
    assert.same({ 10, 100 }, { k, n }) -- everybody once
    -- fifty callers twice, five of them failed both times
    k, n = statistics.weighed(10, 100, { nn = 200, kn = 20, kk = 20 })
    near(50, n)
    near(.1, k / n)
  end)
end)

local function arm(n, counts, more)
  local a = { calls = n, n = n, callers = n, metrics = {} }
  for name, k in pairs(counts) do
    a.metrics[name] = { k = k, n = n }
  end
  for key, value in pairs(more or {}) do
    a[key] = value
  end
  return a
end

local function evidence(canary, baseline, more)
  local e = { percent_bp = 2500, bake_s = 86400, baked_s = 100000, min_canary = 50, min_baseline = 50, canary = canary,
    baseline = baseline }
  for key, value in pairs(more or {}) do
    e[key] = value
  end
  return e
end

local function finding(verdict, guard)
  for _, f in ipairs(verdict.findings) do
    if f.guard == guard then
      return f
    end
  end
end

describe("the guards", function()
  it("say what the numbers of both sides say", function()
    for _, case in ipairs { { 12, 100, 9, 300, "failing" }, { 8, 100, 9, 300, "inconclusive" },
      { 3, 50, 3, 150, "inconclusive" }, { 30, 400, 24, 1200, "failing" }, { 2, 100, 9, 300, "ready" } } do
      local v = guards.evaluate(evidence(arm(case[2], { error_end = case[1] }), arm(case[4], { error_end = case[3] })))
      assert.equal(case[5], v.verdict)
    end
  end)

  it("go back when twenty more calls say the same", function()
    local baseline = arm(300, { error_end = 9 })
    local first = guards.evaluate(evidence(arm(100, { error_end = 12 }), baseline))
    assert.equal("failing", first.verdict)
    local same = guards.evaluate(evidence(arm(110, { error_end = 13 }), baseline), first.look)
    assert.equal("failing", same.verdict)
    assert.equal("rollback", guards.evaluate(evidence(arm(120, { error_end = 14 }), baseline), first.look).verdict)
    local better = guards.evaluate(evidence(arm(120, { error_end = 6 }), baseline), first.look)
    assert.equal("ready", better.verdict)
    assert.same({}, better.look.failing)
  end)

  it("hold, and do not go back, for what is no fault", function()
    local baseline = arm(300, { short_hangup = 15 })
    local first = guards.evaluate(evidence(arm(100, { short_hangup = 30 }), baseline))
    assert.equal("hold", guards.evaluate(evidence(arm(120, { short_hangup = 36 }), baseline), first.look).verdict)
  end)

  it("wait for calls and for time", function()
    local good = { error_end = 1 }
    assert.equal("insufficient", guards.evaluate(evidence(arm(49, good), arm(140, good))).verdict)
    assert.equal("insufficient", guards.evaluate(evidence(arm(20, good), arm(49, good))).verdict)
    local few = arm(100, good, { callers = 29, decided = 90 })
    assert.equal("insufficient", guards.evaluate(evidence(few, arm(300, good))).verdict)
    assert.equal("pass", guards.evaluate(evidence(arm(100, good), arm(300, good), { baked_s = 86399 })).verdict)
    local late = guards.evaluate(evidence(arm(20, good), arm(60, good), { baked_s = 172801 }))
    assert.equal("hold", late.verdict)
    assert.matches("20 of 50 calls on OpenAI", finding(late, "samples").text)
  end)

  it("do not wait for a crowd of failures, a run, or an account that is closed", function()
    for _, case in ipairs { { ("0"):rep(30) .. ("1"):rep(7), "crowd_of_20" },
      { ("100"):rep(6) .. ("0"):rep(40) .. "1" },
      { ("10000"):rep(9), "crowd_of_50" }, { "0000cccc00", "never_connected" }, { "0ccc0c1" }, { "0r00r", "refused" },
      { "1" .. ("0"):rep(100) .. "11" } } do
      local v = guards.evaluate(evidence(arm(9, {}, { recent = case[1] })))
      assert.equal(case[2] and "rollback" or "insufficient", v.verdict)
      assert.equal(case[2] ~= nil, case[2] ~= nil and finding(v, case[2]) ~= nil)
    end
  end)

  it("allow more failures where more are usual", function()
    local recent = ("0"):rep(30) .. ("1"):rep(7)
    local v = guards.evaluate(evidence(arm(37, {}, { recent = recent }), nil, { usual = { k = 100, n = 1000 } }))
    assert.equal("insufficient", v.verdict)
    assert.equal(7, guards.crowd_limit({ calls = 20, most = 7 }, .03, 100))
    assert.is_true(guards.crowd_limit({ calls = 20, most = 7 }, .10, 100) > 8)
    assert.equal(8, guards.crowd_limit({ calls = 20, most = 7 }, .03, 10000)) -- one of many calls
  end)

  it("compare nothing that one side does not have, and limit it", function()
    local first = guards.evaluate(evidence(arm(100, { error_end = 1, no_audio = 20 }), arm(300, { error_end = 3 })))
    assert.equal("failing", finding(first, "no_audio").verdict)
    local more = evidence(arm(120, { error_end = 1, no_audio = 24 }), arm(300, { error_end = 3 }))
    assert.equal("rollback", guards.evaluate(more, first.look).verdict)
  end)

  it("hold a canary that is slow to speak for a while, and not for one call of twenty", function()
    local p95 = { latency = { n = 40, p95_ms = 3100 } }
    local first = guards.evaluate(evidence(arm(40, { error_end = 0, latency = 9 }, p95)))
    assert.equal("failing", first.verdict)
    assert.matches("later than 3.0 s in 9 of 40 calls", finding(first, "latency").text)
    assert.equal("hold", guards.evaluate(evidence(arm(60, { error_end = 0, latency = 13 }, p95)), first.look).verdict)
    assert.equal("pass", finding(guards.evaluate(evidence(arm(40, { latency = 3 }, p95))), "latency").verdict)
  end)

  it("go on looking where a stage has more calls than are compared", function()
    local baseline, last = arm(7500, { short_hangup = 600 }), nil
    for counted, verdict in ipairs { "failing", "hold" } do
      local canary = arm(2500, { short_hangup = 1000 }, { counted = 40000 + counted * 20, recent = ("0"):rep(400) })
      local v = guards.evaluate(evidence(canary, baseline), last)
      assert.equal(verdict, v.verdict)
      last = v.look
    end
    assert.equal(40040, last.n)
  end)

  it("take one caller who always fails for no crowd, and a line that is dead for dead", function()
    local one = ("0"):rep(30) .. "1" .. ("x0"):rep(20)
    assert.equal("insufficient", guards.evaluate(evidence(arm(71, {}, { recent = one }))).verdict)
    local dead = guards.evaluate(evidence(arm(34, {}, { recent = ("0"):rep(30) .. "cCCC" })))
    assert.equal("rollback", finding(dead, "never_connected").verdict)
    assert.equal("rollback", finding(guards.evaluate(evidence(arm(34, {}, { recent = "0r00R" }))), "refused").verdict)
  end)

  it("do not call a Vapi ready that takes ten seconds to take a call", function()
    local v = guards.evaluate(evidence(arm(100, { error_end = 1 }),
      arm(300, { error_end = 3 }, { latency = { n = 100, p95_ms = 12000 } })))
    assert.equal("inconclusive", v.verdict)
    assert.equal("warn", finding(v, "baseline_connects").verdict)
  end)

  it("hold at once for one emergency that nobody took", function()
    local v = guards.evaluate(evidence(arm(1, {}, { emergencies = { late = 1, calls = { "CA1" } } })))
    assert.equal("hold", v.verdict)
    assert.matches("CA1", finding(v, "emergency").text)
  end)

  it("find bucketing that is broken, and only that", function()
    local good = { error_end = 0 }
    assert.equal("hold", guards.evaluate(evidence(arm(200, good), arm(300, good))).verdict)
    assert.equal("ready", guards.evaluate(evidence(arm(130, good), arm(370, good))).verdict)
    local v = guards.evaluate(evidence(arm(130, good, { decided = 300 }), arm(370, good, { decided = 400 })))
    assert.matches("bucketing is broken", finding(v, "split").text)
  end)

  it("need nobody to compare with at 100 %", function()
    local last = { percent_bp = 10000, min_canary = 200, min_baseline = 0 }
    assert.equal("ready", guards.evaluate(evidence(arm(200, { error_end = 6 }), nil, last)).verdict)
    local first = guards.evaluate(evidence(arm(200, { error_end = 20 }), nil, last))
    assert.equal("failing", first.verdict)
    assert.equal("rollback", guards.evaluate(evidence(arm(220, { error_end = 22 }), nil, last), first.look).verdict)
  end)
end)
