-- SPDX-License-Identifier: Apache-2.0
-- takes: 33 s
-- The three conversations of examples/scenarios, at once, with the agent that answers them out of the box.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

describe("three callers at once", function()
  local sim, n, watch, ok, reports, events
  local by_name = {}

  setup(function()
    sim = sims.start { scenarios = "examples/scenarios" }
    n = node.start { sim = sim, env = { DISPATCH_KEY = "demo" } }
    watch = n:watch()
    ok, reports, events = n:call { scenarios = { "booking", "cut-in", "question-and-goodbye" } }
    for _, report in ipairs(reports) do
      by_name[report.scenario] = report
    end
    watch:wait_for_ends(3)
  end)

  teardown(function()
    watch:stop()
    sim:keep_frames()
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
  end)

  local function turns(scenario)
    return watch:turns(by_name[scenario].call)
  end

  it("each did what its scenario says", function()
    for _, report in ipairs(reports) do
      assert.equal("", report.why, report.scenario)
      assert.equal(0, report.violations, report.scenario)
    end
    assert.equal(3, #reports)
    assert.is_true(ok)
  end)

  it("the model had nothing to complain about", function()
    assert.same({}, sim:facts "violation")
  end)

  it("what the model is told was heard is never more than was heard", function()
    local cuts = sim:facts "truncate"
    local heard = {}
    for _, event in ipairs(events) do
      if event.ev == "clear" and event.barge_in then
        heard.call = event.call
      elseif event.ev == "agent.silent" and event.call == heard.call and not heard.ms then
        heard.ms = event.heard_ms
      end
    end
    assert.equal(1, #cuts)
    assert.is_true(cuts[1].audio_end_ms <= heard.ms, cuts[1].audio_end_ms .. " of " .. heard.ms .. " ms heard")
    assert.is_true(cuts[1].audio_end_ms <= cuts[1].generated_ms)
    assert.is_true(cuts[1].audio_end_ms > 0)
  end)

  it("the transcripts are in the order of the conversation", function()
    local said = {}
    for i, turn in ipairs(turns "booking") do
      said[i] = turn.role .. ": " .. turn.text
    end
    assert.same({
      "agent: You are speaking with an automated assistant, and this call may be recorded. "
        .. "Northside Plumbing, how can I help?",
      "caller: Hi, can a plumber come tomorrow morning?",
      "agent: We have eight, nine and ten.",
      "caller: Nine is good.",
      "agent: You are booked for tomorrow at nine. Anything else?",
      "caller: No thank you, that was everything. Goodbye.",
      "agent: Thank you for calling, and goodbye.",
    }, said)
    local roles = {}
    for i, turn in ipairs(turns "question-and-goodbye") do
      roles[i] = turn.role
    end
    assert.same({ "agent", "caller", "agent", "caller", "agent", "caller", "agent" }, roles)
  end)

  it("the transcript ends where the caller cut in", function()
    local list = turns "cut-in"
    assert.equal("Please tell me everything that you repair.", list[2].text)
    assert.is_true(list[3].interrupted)
    assert.is_nil(list[3].text:find("whatever else", 1, true))
    assert.equal("Sorry, I only want the price of a visit.", list[4].text)
  end)

  it("the node counts what the network counts", function()
    local calls = n:calls()
    assert.equal(3, #calls.ended)
    for _, call in ipairs(calls.ended) do
      local seen
      for _, report in ipairs(reports) do
        seen = report.call == call.call and report or seen
      end
      assert.equal("agent_hangup", call.reason)
      assert.equal(seen.barge_ins, call.barge_ins)
      assert.equal(seen.media_received, call.totals.frames_out)
      assert.is_true(seen.frames_sent - call.totals.frames_in <= proc.promised(2),
        "frames after the close are not ours")
      assert.equal(0, call.totals.bad_frames)
    end
    assert.equal(0, n:status().calls)
  end)

  it("a late look at one call finds it", function()
    local call = n:transcript(by_name.booking.call)
    assert.equal("ended", call.state)
    assert.equal(3, call.tool_calls)
    assert.equal("Thank you for calling, and goodbye.", call.last_words.text)
  end)

  it("a person who looks at one call reads its row and then what was said and done", function()
    local text, code = n:ringdown("calls", by_name.booking.call)
    assert.equal(0, code)
    assert.matches("^CALL .-\n" .. by_name.booking.call .. " .-agent_hangup\n\n", text)
    local booked = "%-%- tool book_appointment .*%-%- answer of book_appointment .-\"booked\":true"
    assert.matches("%-%- live %-%-.*" .. booked .. ".*%-%- ended: agent_hangup", text)
    assert.is_nil(text:find(by_name["cut-in"].call:sub(-4) .. "  ", 1, true))
    assert.is_nil(text:find("not kept", 1, true))
    text, code = n:ringdown("calls", "CA00000000000000000000000000000000")
    assert.equal("ringdown calls: no such call here; ringdown calls lists them\n", text)
    assert.equal(1, code)
  end)

  it("nothing in the log asks for anything", function()
    assert.same({}, n:complaints())
  end)
end)
