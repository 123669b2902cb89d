-- SPDX-License-Identifier: Apache-2.0
-- What the guards promise, over the same made-up stages each time. More of them, and other shares of errors, tells
-- `ringdown rollout simulate`.
local simulate = require "ringdown.rollout.simulate"

describe("the guards, over hundreds of stages,", function()
  for _, stage in ipairs(simulate.stages) do
    it(("at %s %% find nothing in two equal systems, 99 times of 100"):format(stage.name), function()
      local r = simulate.many(stage, { runs = 300, seed = 11, calls = 400 })
      assert.is_true(r.found / r.runs <= 0.01, ("%d of %d"):format(r.found, r.runs))
    end)

    it(("at %s %% find 10 %% of errors instead of 3 %% within 400 calls, 9 times of 10"):format(stage.name), function()
      local r = simulate.many(stage, { runs = 150, seed = 12, calls = 400, worse = { error_end = 0.10 } })
      assert.is_true(r.found / r.runs >= 0.90, ("%d of %d"):format(r.found, r.runs))
    end)
  end

  it("say the same for the same seed", function()
    local o = { runs = 20, seed = 3, calls = 100, worse = { error_end = 0.2 } }
    assert.same(simulate.many(simulate.stages[1], o), simulate.many(simulate.stages[1], o))
  end)
end)
