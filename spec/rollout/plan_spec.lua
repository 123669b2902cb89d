-- SPDX-License-Identifier: Apache-2.0
local guards = require "ringdown.rollout.guards"
local plan = require "ringdown.rollout.plan"

describe("what a stage asks for", function()
  it("is as much as the next one does, where the share is between two", function()
    assert.same({ bake_s = 86400, min_canary = 50, min_baseline = 50 },
      plan.wants { stage = "pilot", percent_bp = 1000 })
    assert.same({ bake_s = 172800, min_canary = 100, min_baseline = 100 },
      plan.wants { stage = "25", percent_bp = 3000 })
  end)

  it("is never nothing where callers meet OpenAI, whatever the plan says", function()
    local stages = assert(plan.parse("pilot,25,100", { bake = "0s", min = "0" }))
    assert.same({ bake_s = 0, min_canary = 1, min_baseline = 1 }, plan.wants { stages = stages, percent_bp = 2500 })
    assert.equal(1, plan.wants({ stages = stages, percent_bp = 10000 }).min_canary)
    local bare = { { name = "pilot", percent_bp = 0 }, { name = "20", percent_bp = 2000 },
      { name = "100", percent_bp = 10000 } }
    assert.equal(50, plan.wants({ stages = bare, percent_bp = 2000 }).min_canary)
    assert.equal(0, plan.wants({ stages = stages, percent_bp = 0 }).min_canary)
    local wants = plan.wants { stages = stages, percent_bp = 2500 }
    local one = { calls = 1, n = 1, callers = 1, metrics = { error_end = { k = 0, n = 1 } } }
    assert.equal("insufficient", guards.evaluate({ percent_bp = 2500, bake_s = 60, baked_s = 60,
      min_canary = wants.min_canary, min_baseline = wants.min_baseline, baseline = one,
      canary = { calls = 0, n = 0, callers = 0, metrics = {} } }).verdict)
  end)
end)

describe("a plan that asks for little", function()
  local function stages(bake, min)
    return assert(plan.parse("pilot,25,100", { bake = bake, min = min }))
  end

  it("is blind when a stage asks for no call, or for no time", function()
    assert.equal("stage '25' asks for no call and no time, stage '100' asks for no call and no time",
      plan.blind(stages("0s", "0")))
    assert.equal("stage '100' asks for no call", plan.blind(stages("1h", "50,0")))
    assert.equal("stage '25' asks for no time, stage '100' asks for no time", plan.blind(stages("0s", "50")))
    assert.is_nil(plan.blind(stages("1s", "1")))
    assert.is_nil(plan.blind(plan.default))
  end)

  it("is weak below thirty calls, or an hour", function()
    assert.equal("stage '25' asks for 1 call, stage '100' asks for 29 calls", plan.weak(stages("1h", "1,29")))
    assert.equal("stage '25' asks for 60 s", plan.weak(stages("1m,1h", "30")))
    assert.is_nil(plan.weak(stages("1h", "30")))
    assert.is_nil(plan.weak(plan.default))
  end)
end)
