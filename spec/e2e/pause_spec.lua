-- SPDX-License-Identifier: Apache-2.0
-- takes: 19 s
-- Card data: between pause and resume nobody hears the caller, and nothing of it is kept.
local node = require "spec.e2e.support.node"
local sims = require "spec.e2e.support.sim"

describe("a caller who pays by card", function()
  local sim, n, watch, report, events

  setup(function()
    sim = sims.start()
    n = node.start { agents = "spec/e2e/agents", sim = sim }
    watch = n:watch()
    local _, reports = n:call { scenarios = { "pays-by-card" } }
    report = reports[1]
    watch:wait_for_ends(1)
    events = watch:events()
  end)

  teardown(function()
    watch:stop()
    sim:keep_frames()
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
  end)

  local function all(kind)
    local list = {}
    for _, event in ipairs(events) do
      if event.type == kind then
        table.insert(list, event)
      end
    end
    return list
  end

  it("is served to the end", function()
    assert.equal("", report.why)
    assert.equal(0, report.violations)
  end)

  it("is not heard by the model, which gets silence in the same rhythm", function()
    local bytes = 0
    for _, frame in ipairs(sim:frames()) do
      if frame.type == "input_audio_buffer.append" then
        bytes = bytes + #frame.audio // 4 * 3 - #frame.audio:match "=*$"
      end
    end
    local ended = n:wait_log("call.ended")
    assert.is_true(bytes >= (ended.frames_in - 10) * 160, bytes // 160 .. " of " .. ended.frames_in .. " frames")
    for _, heard in ipairs(sim:facts "heard") do
      assert.is_nil(tostring(heard.text):find("card", 1, true))
    end
  end)

  it("is not on record with the card, but with the pause", function()
    for _, turn in ipairs(watch:turns(report.call)) do
      assert.is_nil(turn.text:find("four one", 1, true))
    end
    local pauses = all "pause"
    assert.same({ true, "agent" }, { pauses[1].on, pauses[1].by })
    assert.same({ false, "agent" }, { pauses[2].on, pauses[2].by })
    assert.is_nil(pauses[3])
  end)

  it("pressed keys that only the script learnt", function()
    local keys = all "dtmf"
    assert.equal(4, #keys)
    for _, key in ipairs(keys) do
      assert.equal("*", key.digit)
    end
  end)

  it("is heard again afterwards", function()
    local said = {}
    for _, turn in ipairs(watch:turns(report.call)) do
      said[turn.role .. ": " .. turn.text] = true
    end
    assert.is_true(said["caller: Was that all?"])
  end)
end)
