-- SPDX-License-Identifier: Apache-2.0
local plan = require "ringdown.rollout.plan"
local states = require "ringdown.rollout.states"

local function record(changes)
  local r = states.new "sales"
  r.version = 3
  for key, value in pairs(changes or {}) do
    r[key] = value
  end
  return r
end

local function apply(changes, order)
  order.who = order.who or "alice"
  return states.apply(record(changes), order)
end

local running = { state = "running", stage = "25", percent_bp = 2500 }

describe("a rollout", function()
  it("goes from a draft through its stages to the end, and no further", function()
    local r = record { state = "draft" }
    local seen = {}
    for _, order in ipairs { { command = "start" }, { command = "advance" }, { command = "advance", ready = true },
      { command = "advance", ready = true }, { command = "advance", ready = true } } do
      order.who = "alice"
      r = assert(states.apply(r, order))
      seen[#seen + 1] = ("%s %s"):format(r.state, plan.show(r.percent_bp))
    end
    assert.same({ "pilot 0 %", "running 25 %", "running 50 %", "running 100 %", "done 100 %" }, seen)
    local next_one, why = states.apply(r, { command = "start", who = "alice" })
    assert.is_nil(next_one)
    assert.matches("it is done. Now: sales is done in stage '100' at 100 %%", why)
  end)

  it("remembers what it was, and counts anew from each stage on", function()
    local r = apply(running, { command = "advance", ready = true })
    assert.same({ version = 3, percent_bp = 2500, stage = "25", state = "running", mode = "split", kill = false },
      r.previous)
    assert.equal("now", r.since)
  end)

  it("skips no stage, goes nowhere it was, and knows its own", function()
    for to, words in pairs { ["100"] = "stages are not skipped: '50' comes before '100'",
      ["25"] = "is not after the stage", pilot = "is not after the stage",
      ["75"] = "it has no stage '75': pilot, 25, 50, 100" } do
      local next_one, why = apply(running, { command = "advance", ready = true, to = to })
      assert.is_nil(next_one)
      assert.is_truthy(why:find(words, 1, true), why)
    end
    assert.equal(5000, apply(running, { command = "advance", ready = true, to = "50" }).percent_bp)
  end)

  it("goes on when its guards are ready, or when somebody says why all the same", function()
    assert.is_nil((apply(running, { command = "advance" })))
    assert.is_nil((apply(running, { command = "advance", force = true })))
    assert.equal(5000, apply(running, { command = "advance", force = true, reason = "quiet week" }).percent_bp)
  end)

  it("goes on by itself where it may, and never to everybody", function()
    local auto = { command = "advance", who = states.GUARDS, ready = true }
    assert.is_nil((apply(running, auto)))
    local at_25 = { state = "running", stage = "25", percent_bp = 2500, auto_advance = true }
    assert.equal(5000, apply(at_25, auto).percent_bp)
    assert.is_nil((apply({ state = "running", stage = "50", percent_bp = 5000, auto_advance = true }, auto)))
    assert.is_nil((apply({ state = "running", stage = "100", percent_bp = 10000, auto_advance = true }, auto)))
  end)

  it("is held with its share, and goes on with what it has shown", function()
    local held = apply(running, { command = "hold" })
    assert.same({ "paused", 2500, "person" }, { held.state, held.percent_bp, held.held_for })
    assert.is_nil((apply({ state = "paused" }, { command = "hold" })))
    local again = states.apply(held, { command = "start", who = "alice" })
    assert.same({ "running", 2500, nil }, { again.state, again.percent_bp, again.held_for })
    assert.is_nil(again.since)
  end)

  it("needs a reason to go on after a guard held it, and is not held for the same calls again", function()
    local held = apply(running, { command = "hold", who = states.GUARDS, guard = "latency" })
    assert.is_nil((states.apply(held, { command = "start", who = "alice" })))
    local again = states.apply(held, { command = "start", who = "alice", reason = "new region" })
    assert.equal("now", again.since)
  end)

  it("goes back from anywhere, to nobody, a stage or a share", function()
    for _, state in ipairs { "pilot", "running", "paused", "done" } do
      local r = apply({ state = state, percent_bp = 5000, stage = "50" }, { command = "rollback" })
      assert.same({ "rolled_back", 0, "pilot" }, { r.state, r.percent_bp, r.stage })
    end
    local at_50 = { state = "running", percent_bp = 5000, stage = "50" }
    assert.same(2500, apply(at_50, { command = "rollback", to = "25" }).percent_bp)
    assert.same(1250, apply(at_50, { command = "rollback", to = "12.5%" }).percent_bp)
    assert.is_nil((apply(at_50, { command = "rollback", to = "100" })))
    assert.is_nil((apply(at_50, { command = "rollback", to = "50" })))
    local _, why = apply(at_50, { command = "rollback", to = "150" })
    assert.matches("is no percentage: write 0 to 100", why)
  end)

  it("rests a day after it went back, and needs a reason", function()
    local back = { state = "rolled_back", percent_bp = 0, stage = "pilot" }
    assert.is_nil((apply(back, { command = "start", since_s = 90000 })))
    assert.is_nil((apply(back, { command = "start", reason = "mended", since_s = 3600 })))
    local forced = { command = "start", reason = "mended", since_s = 3600, force = true }
    assert.equal("pilot", apply(back, forced).state)
    local later = { command = "start", reason = "mended", since_s = 86400 }
    assert.equal("pilot", apply(back, later).state)
    local to_25 = apply({ state = "rolled_back", percent_bp = 2500, stage = "25" }, later)
    assert.same({ "running", 2500, "now" }, { to_25.state, to_25.percent_bp, to_25.since })
  end)

  it("is killed and released, and is what it was", function()
    local killed = apply(running, { command = "kill" })
    assert.same({ true, "killed", 2500 }, { killed.kill, killed.state, killed.percent_bp })
    assert.is_nil((states.apply(killed, { command = "start", who = "alice" })))
    local back = states.apply(killed, { command = "release", who = "alice" })
    assert.same({ false, "running", "split" }, { back.kill, back.state, back.mode })
    local fixed = states.apply(killed, { command = "fix", system = "openai", who = "alice" })
    assert.same({ false, "running", "openai" }, { fixed.kill, fixed.state, fixed.mode })
    assert.equal("split", states.apply(fixed, { command = "rollback", who = "alice" }).mode)
  end)

  it("goes back to nobody also before it has begun: until then calls go where the file says", function()
    for _, draft in ipairs { { state = "draft" }, { state = "draft", version = 0 },
      { state = "draft", mode = "openai" } } do
      local r = assert(apply(draft, { command = "rollback" }))
      assert.same({ "rolled_back", 0, "pilot", "split" }, { r.state, r.percent_bp, r.stage, r.mode })
    end
    assert.equal(2500, apply({ state = "draft" }, { command = "rollback", to = "25" }).percent_bp)
    local next_one, why = apply({ state = "draft" }, { command = "rollback", to = "50", file_bp = 2000 })
    assert.is_nil(next_one)
    assert.matches("50 %% is not less than the 20 %% it has", why)
    assert.equal("rolled_back", apply({ state = "draft" }, { command = "rollback", file_bp = 0 }).state)
    assert.is_nil((apply({ state = "rolled_back" }, { command = "rollback" })))
  end)

  it("is forced no more once it starts", function()
    local fixed = apply({ state = "draft" }, { command = "fix", system = "openai" })
    assert.same({ "openai", "draft" }, { fixed.mode, fixed.state })
    local started = states.apply(fixed, { command = "start", who = "alice" })
    assert.same({ "split", "pilot", 0 }, { started.mode, started.state, started.percent_bp })
    local held = { state = "paused", percent_bp = 2500, stage = "25", mode = "openai" }
    assert.equal("split", apply(held, { command = "start" }).mode)
  end)

  it("rests a day after it went back, whatever was forced meanwhile", function()
    local back = { state = "rolled_back", percent_bp = 0, stage = "pilot" }
    local function after(changes, ...)
      local r = record(changes)
      for _, command in ipairs { ... } do
        r = assert(states.apply(r, { command = command, who = "alice", changes = {}, system = "openai" }))
        r.version = r.version + 1
      end
      return r
    end
    assert.equal("rolled_back", after(back, "kill", "release").state)
    assert.equal("rolled_back", after(back, "kill", "plan", "release").state)
    assert.equal("rolled_back", after(running, "kill", "rollback", "release").state)
    assert.equal("rolled_back", after(back, "kill", "fix", "release").state)
    assert.same({ "running", 2500 }, { after(running, "kill", "plan", "plan", "release").state, 2500 })
    local killed = after(running, "kill", "rollback")
    assert.is_true(killed.kill)
    local next_one, why = states.apply(killed, { command = "start", who = "alice", reason = "x", force = true })
    assert.is_nil(next_one)
    assert.matches("forced to Vapi; ringdown force off %-%-agent sales", why)
  end)

  it("keeps callers where they are, unless that is said", function()
    local _, why = apply(running, { command = "plan", changes = { salt = "v2" } })
    assert.matches("callers change sides", why)
    assert.is_nil((apply(running, { command = "plan", changes = { unit = "call" } })))
    local moved = apply(running, { command = "plan", changes = { salt = "v2" }, reshuffle = true })
    assert.same({ "v2", "now" }, { moved.salt, moved.since })
    assert.equal("v2", apply({ state = "pilot" }, { command = "plan", changes = { salt = "v2" } }).salt)
    local stages = plan.parse("10,100", {})
    assert.is_nil((apply(running, { command = "plan", changes = { stages = stages } })))
    local pilot = { state = "pilot", stage = "pilot" }
    assert.is_nil(apply(pilot, { command = "plan", changes = { stages = stages } }).stage)
    assert.equal(2500, apply(running, { command = "plan", changes = { allow = { "+13125550142" } } }).percent_bp)
  end)
end)

describe("a plan", function()
  it("is written as people do", function()
    local stages = assert(plan.parse("pilot,10,50,100", { bake = "1h,24h", min = "30" }))
    assert.same({ "pilot", "10", "50", "100" }, { stages[1].name, stages[2].name, stages[3].name, stages[4].name })
    assert.same({ 1000, 3600, 30, 30 }, { stages[2].percent_bp, stages[2].bake_s, stages[2].min_canary,
      stages[2].min_baseline })
    assert.same({ 86400, 86400, 0 }, { stages[3].bake_s, stages[4].bake_s, stages[4].min_baseline })
    assert.same({}, plan.check(plan.default))
  end)

  it("says what is wrong with it", function()
    for text, words in pairs { ["25,50"] = "the last stage must be 100 %, not 50 %",
      ["50,25,100"] = "must be more than", ["25,101"] = "'101' is no percentage",
      ["-5,100"] = "is no percentage", ["100"] = "2 to 20 stages",
      ["25,25,100"] = "two stages are called '25'", ["abc,100"] = "is no percentage",
      ["12.345,100"] = "two decimals" } do
      local stages, why = plan.parse(text, {})
      assert.is_nil(stages, text)
      assert.is_truthy(why:find(words, 1, true), why)
    end
    assert.matches("is no time", select(2, plan.parse("25,100", { bake = "soon" })))
    assert.matches("is no number of calls", select(2, plan.parse("25,100", { min = "many" })))
    assert.matches("percent_bp must be a whole number", plan.check { { name = "x", percent_bp = 1.5 },
      { name = "100", percent_bp = 10000 } }[1])
  end)

  it("shows shares as they are", function()
    for bp, text in pairs { [0] = "0 %", [2500] = "25 %", [1250] = "12.5 %", [1] = "0.01 %", [10000] = "100 %",
      [1000] = "10 %" } do
      assert.equal(text, plan.show(bp))
    end
  end)
end)
