-- SPDX-License-Identifier: Apache-2.0
-- takes: 30 s
-- A call outlives the session of its model: the caller hears that it goes on, and nothing they said is
-- lost. What is lost four times within a minute is the fallback's: see provider_spec, model-drops.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

-- How each node's model misbehaves, and who calls it.
local stories = {
  speaking = { fault = "drop-first-7000ms", scenarios = { "says-much" }, reason = "provider_lost" },
  answering = { scenarios = { "model-breaks-off", "model-closes" }, reason = "provider_lost" },
  expiring = { fault = "expire-16000ms", scenarios = { "says-much" }, reason = "provider_expires" },
}

describe("when the model's session is lost", function()
  local sim

  setup(function()
    sim = sims.start()
    for _, story in pairs(stories) do
      story.node = node.launch { agents = "spec/e2e/agents", sim = sim, fault = story.fault }
    end
    for _, story in pairs(stories) do
      story.node:wait_ready()
      story.watch = story.node:watch()
      story.placed = story.node:place { scenarios = story.scenarios }
    end
    for _, story in pairs(stories) do
      story.ok, story.reports, story.events = story.placed:wait()
    end
  end)

  teardown(function()
    sim:keep_frames()
    for _, story in pairs(stories) do
      story.watch:stop()
      story.node:ask_to_stop()
    end
    for _, story in pairs(stories) do
      assert.equal(0, story.node:stop())
    end
    assert.equal(0, sim:stop())
  end)

  local function goes_on(story, scenario)
    local report
    for _, each in ipairs(story.reports) do
      report = each.scenario == scenario and each or report
    end
    assert.equal("", report and report.why or story.reports.text)
    local turns, said, resumed = {}, {}, nil
    for _, turn in ipairs(story.watch:turns(report.call)) do
      table.insert(turns, turn.role)
      table.insert(said, turn.text)
    end
    for _, event in ipairs(story.watch:events()) do
      resumed = event.type == "resumed" and event.call == report.call and event or resumed
    end
    assert.equal(story.reason, resumed and resumed.reason)
    assert.is_true(resumed.gap_ms <= 1000 * proc.promised(1.5), resumed.gap_ms .. " ms")
    return turns, said
  end

  it("while the caller speaks: every word of theirs is heard, and answered once", function()
    assert.same({ "agent", "caller", "agent", "caller", "agent" }, goes_on(stories.speaking, "says-much"))
  end)

  for how, scenario in pairs { ["by a broken line"] = "model-breaks-off", ["by the model"] = "model-closes" } do
    it("while the agent speaks, " .. how .. ": the sentence is finished", function()
      local turns, said = goes_on(stories.answering, scenario)
      assert.same({ "agent", "caller", "agent", "agent", "caller", "agent" }, turns)
      local sentence = (said[3] .. " " .. said[4]):gsub("%s+", " ")
      assert.matches("with a view of the lake, and a very quiet one above the garden.", sentence, 1, true)
    end)
  end

  it("because it expires: nobody notices", function()
    assert.same({ "agent", "caller", "agent", "caller", "agent" }, goes_on(stories.expiring, "says-much"))
  end)
end)
