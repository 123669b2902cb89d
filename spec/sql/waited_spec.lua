-- SPDX-License-Identifier: Apache-2.0
-- What the caller waited for, and what each turn cost.
local events = require "spec.support.events"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

describe("of each turn", function()
  local url, c

  before_each(function()
    url = pg.database()
    c = events.call(1)
    c:add("decision", { system = "openai", reason = "split", model = "gpt-realtime-2.1" })
  end)

  local function told(name)
    local text = pg.run(url, ("select %s('%s')"):format(name, c.stream))
    return assert(json.decode(text))
  end

  local function turn(seq, role, more)
    local body = { seq = seq, role = role, text = "words", interrupted = false, item = role .. seq }
    for key, value in pairs(more or {}) do
      body[key] = value
    end
    c:add("turn", body)
  end

  local function usage(item, kind)
    local seconds = kind == "transcription"
    c:add("usage", { kind = kind or "response", model = seconds and "gpt-transcribe" or "gpt-realtime-2.1", item = item,
      complete = true, raw = not seconds and events.usage or { type = "duration", seconds = 6 } })
  end

  it("is kept how long the caller waited, for words, tools and sound", function()
    turn(1, "agent")
    turn(2, "caller") -- at 3000
    c:add("tool", { id = "t1", name = "check", done = false, arguments = "{}" }, 400)
    c:add("tool", { id = "t1", name = "check", done = true, output = "{}" }, 300)
    c:add("tool", { id = "t2", name = "late", done = false, arguments = "{}" }, 1300)
    turn(3, "agent", { caller_stopped_ms = 2900, first_audio_ms = 1700, first_text_ms = 1600, tool_ms = 300 })
    turn(4, "agent", { caller_stopped_ms = 5000, first_audio_ms = 10, tool_ms = 0, interrupted = true })
    events.ingest(url, c.list)
    local waits = told "call_waits"
    assert.equal(2, #waits)
    local first = waits[1]
    assert.same({ 3, 1600, 1700, 300 }, { first.turn, first.first_text_ms, first.first_audio_ms, first.tool_ms })
    assert.same({ { id = "t1", name = "check", after_ms = 500, ms = 300 } }, first.tools)
    assert.matches("2026%-11%-25T09:46:42.9", first.caller_stopped_at)
    assert.is_nil(tonumber(waits[2].first_text_ms))
    assert.is_true(waits[2].interrupted)
    assert.equal("2", pg.run(url, "select count(first_audio_ms) from turns"):match "%d+")
  end)

  it("is told what it cost, the calls of tools with it, and all of them are the lines of the bill", function()
    usage("agent1")
    turn(1, "agent")
    usage(nil, "transcription")
    turn(2, "caller")
    usage() -- called a tool
    usage("agent3")
    usage("agent4") -- was done before the turn before it was heard
    turn(3, "agent")
    turn(4, "agent")
    usage() -- and nothing came of it
    c:add("ended", { reason = "caller_hangup", duration_ms = 0 })
    events.ingest(url, c.list)
    local list, sum = {}, 0
    for i, one in ipairs(told "cost_by_turn") do
      list[i] = ("%s %s %d"):format(one.role, one.turn or "-", one.answers)
      sum = sum + one.micro_usd_exact
    end
    assert.same({ "agent 1 1", "caller 2 1", "agent 3 2", "agent 4 1", "agent - 1" }, list)
    local bill = pg.run(url, [[select sum(micro_usd_exact) from call_cost_lines
      where item in ('model', 'transcription')]])
    assert.equal(tonumber(bill:match "[%d.]+"), sum)
    assert.equal(2 * 119 - 2 * 64, told "cost_by_turn"[3].units.text_in)
  end)

  it("is told what is not known", function()
    c:add("usage", { kind = "response", model = "gpt-realtime-2.1", complete = false, item = "agent1" })
    c:add("usage", { kind = "response", model = "nobody-knows", complete = true, raw = events.usage, item = "agent2" })
    turn(1, "agent")
    turn(2, "agent")
    events.ingest(url, c.list)
    local costs = told "cost_by_turn"
    assert.matches("did not tell all", costs[1].reason)
    assert.matches("a rate is missing", costs[2].reason)
    assert.is_nil(costs[2].micro_usd_exact)
  end)
end)
