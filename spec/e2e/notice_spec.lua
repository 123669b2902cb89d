-- SPDX-License-Identifier: Apache-2.0
-- takes: 16 s
-- The notice is owed to every caller: one who talks over it hears it later.
local node = require "spec.e2e.support.node"
local sims = require "spec.e2e.support.sim"

local NOTICE = "You are speaking with an automated assistant, and this call may be recorded."

describe("a caller who talks over the notice", function()
  local sim, n, watch, report, turns

  setup(function()
    sim = sims.start { scenarios = "spec/e2e/scenarios" }
    n = node.start { sim = sim }
    watch = n:watch()
    local _, reports = n:call { scenarios = { "talks-over-the-notice" } }
    report = reports[1]
    watch:wait_for_ends(1)
    turns = watch:turns(report.call)
  end)

  teardown(function()
    watch:stop()
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
  end)

  it("is answered first", function()
    assert.equal("", report.why)
    assert.equal(0, report.violations)
  end)

  it("hears the notice after the answer, and to its end", function()
    local answered
    for i, turn in ipairs(turns) do
      if turn.text:find("I am listening", 1, true) then answered = i end
    end
    assert.is_truthy(answered)
    assert.equal(NOTICE, turns[answered + 1].text)
    assert.is_false(turns[answered + 1].interrupted)
  end)

  it("is on record with nothing before it was heard, then with its wording and all that was said", function()
    local first
    for i, event in ipairs(watch:events()) do
      if event.type == "notice" then
        assert.equal(NOTICE, event.text)
        first = i
      elseif event.type == "turn" then
        assert.is_truthy(first and first < i, "a turn before the notice")
        assert.is_nil(event.withheld)
      end
    end
    assert.is_truthy(first)
  end)

  it("is not on record as having heard it before", function()
    assert.is_true(turns[1].interrupted)
    assert.is_nil(turns[1].text:find("recorded", 1, true))
    assert.equal("caller", turns[2].role)
  end)
end)
