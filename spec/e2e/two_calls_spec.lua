-- SPDX-License-Identifier: Apache-2.0
-- takes: 19 s
-- Two calls at once, over both threads, with a tool and a caller who cuts in: short enough for a program
-- that was built with a sanitizer.
local node = require "spec.e2e.support.node"
local sims = require "spec.e2e.support.sim"

describe("two callers", function()
  local sim, n

  setup(function()
    sim = sims.start()
    n = node.start { agents = "spec/e2e/agents", sim = sim,
      env = { RINGDOWN_MEDIA_THREADS = "2", RINGDOWN_SCRIPT_THREADS = "2" } }
  end)

  it("have their conversations side by side, and nothing is left of them", function()
    local ok, reports = n:call { scenarios = { "small-talk", "late-words" } }
    for _, report in ipairs(reports) do
      assert.equal("", report.why, report.scenario)
    end
    assert.equal(2, #reports)
    assert.is_true(ok)
    n:signal "HUP" -- everything is read again while threads run
    assert.is_truthy(n:wait_log "agents.reloaded")
    assert.equal(0, n:status().calls)
    assert.same({}, sim:facts "violation")
    assert.same({}, n:complaints())
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
  end)
end)
