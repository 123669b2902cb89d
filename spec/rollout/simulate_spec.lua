-- SPDX-License-Identifier: Apache-2.0
-- What the guards promise, over the same made-up stages each time. More of them, and other shares of errors, tells
-- `ringdown rollout simulate`.
local json = require "ringdown.json"
local simulate = require "ringdown.rollout.simulate"

local function found(stage, o)
  local n, runs = 0, 0
  for _, seed in ipairs(o.seeds) do
    o.seed = seed
    local r = simulate.many(stage, o)
    n, runs = n + r.found, runs + r.runs
  end
  return n / runs, ("%d of %d"):format(n, runs)
end

local function usual(changes)
  local shares = json.copy(simulate.usual)
  for name, share in pairs(changes) do
    shares[name] = share
  end
  return shares
end

describe("the guards, over hundreds of stages,", function()
  for _, stage in ipairs(simulate.stages) do
    it(("at %s %% find nothing in two equal systems, 99 times of 100"):format(stage.name), function()
      -- both as bad as they may be: where it is hardest
      local bad = usual { error_end = 0.06, latency = 0.04 }
      local share, text = found(stage, { runs = 150, seeds = { 11, 12, 13 }, calls = 400, usual = bad })
      assert.is_true(share <= 0.01, text)
    end)

    it(("at %s %% find 10 %% of errors instead of 3 %% within 400 calls, 9 times of 10"):format(stage.name), function()
      local worse = { error_end = 0.10 }
      local share, text = found(stage, { runs = 150, seeds = { 11, 12, 13 }, calls = 400, worse = worse })
      assert.is_true(share >= 0.90, text)
    end)

    it(("at %s %% find that first words come late in 15 of 100 calls"):format(stage.name), function()
      local share, text = found(stage, { runs = 50, seeds = { 11 }, calls = 400, worse = { latency = 0.15 } })
      assert.is_true(share >= 0.95, text)
    end)
  end

  it("find nothing, either, where the same 150 people call, who have their own ways", function()
    local o = { runs = 150, seeds = { 11, 12, 13 }, calls = 400, regulars = 150 }
    local share, text = found(simulate.stages[1], o)
    assert.is_true(share <= 0.01, text)
  end)

  it("say the same for the same seed", function()
    local o = { runs = 20, seed = 3, calls = 100, worse = { error_end = 0.2 } }
    assert.same(simulate.many(simulate.stages[1], o), simulate.many(simulate.stages[1], o))
  end)

  it("say that no runs are a mistake", function()
    local lines = {}
    local function tell(value)
      lines[#lines + 1] = value.note
    end
    for _, o in ipairs { { runs = 0 }, { calls = 0 } } do
      assert.is_true(simulate.show(o, tell, function() return false end).usage)
    end
    assert.equal(2, #lines)
  end)
end)
