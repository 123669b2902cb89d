-- SPDX-License-Identifier: Apache-2.0
-- The call by which the cluster tries itself: when it rings, what it thinks of a call, whom it tells.
local fake = require "ringdown.fake.host"
local fake_node = require "ringdown.fake.node"
local json = require "ringdown.json"
local synthetic = require "ringdown.synthetic"

local NOW = 1795800000

describe("the synthetic call", function()
  local standing, status, node, in_a_row, may, recorded, report

  before_each(function()
    fake.reset()
    fake.set_unix(NOW)
    fake.known_agents = { { name = "desk", shown = "{}", numbers = {} },
      { name = "dentist", shown = "{}", numbers = { "+13125550100", "+13125550101" } } }
    standing = { synthetic_to = "dentist", synthetic_system = "openai", synthetic_every_s = 900,
      synthetic_first_audio_ms = 4000, synthetic_dollars = 5 }
    status = { node = "n1", calls = 3, max_calls = 100, draining = false, standing = standing }
    node = fake_node.new { status = status }
    fake.node = node
    may, in_a_row, recorded = { run = 7 }, 0, { { "true", "synthetic" } }
    fake.query_handlers[1] = { part = "synthetic_begin", answer = function() return { { json.encode(may) } } end }
    fake.query_handlers[2] = { part = "synthetic_told", answer = function() return { { tostring(in_a_row) } } end }
    fake.query_handlers[3] = { part = "from calls", answer = function() return recorded end }
    report = { call = "CA1", over = true, ended_by = "caller", spoke = "words", webhook_status = 200, webhook_ms = 8,
      stream_ms = 40, first_audio_ms = 350, said_ms = 3000, answer_ms = 800, duration_ms = 6000, violations = 0,
      verbs = "Connect", error = "" }
    node.rings = { report }
  end)

  after_each(function()
    fake.node = nil
  end)

  local function run()
    local notes = {}
    local result = synthetic.run({}, function(line) notes[#notes + 1] = line.note end)
    return result, notes
  end

  local function raised(kind)
    for _, alarm in ipairs(fake.alarms) do
      if alarm.kind == kind then
        return alarm.severity, alarm.text, alarm.subject
      end
    end
  end

  it("is off until somebody says whom to ring", function()
    standing.synthetic_to = ""
    assert.is_nil(run())
    assert.same({}, fake.queries)
    assert.is_nil(node.rang)
  end)

  it("rings, hears, finds its record, and says how it was", function()
    local result, notes = run()
    assert.same({ true, {} }, { result.good, notes })
    assert.same({ to = "+13125550100", system = "openai" }, json.decode(node.rang))
    assert.equal("synthetic", fake.facts[1].type)
    assert.same({ true, true, 350 }, { node.judged[1][1], node.judged[1][2].good, node.judged[1][2].first_audio_ms })
    assert.same({}, fake.alarms)
  end)

  it("rings a number as well as an agent", function()
    standing.synthetic_to = "+13125550101"
    run()
    assert.equal("+13125550101", json.decode(node.rang).to)
  end)

  for name, case in pairs {
    ["no agent"] = { "nobody", "'nobody' is no agent" },
    ["an agent without a number"] = { "desk", "has no number" },
  } do
    it("says that it is to ring " .. name, function()
      standing.synthetic_to = case[1]
      assert.is_nil(run())
      local severity, text = raised "synthetic.held"
      assert.equal("warning", severity)
      assert.matches(case[2], text, 1, true)
    end)
  end

  it("waits until it is time", function()
    may = { due_s = 300 }
    assert.is_nil(run())
    assert.is_nil(node.rang)
    assert.same({}, fake.alarms)
  end)

  it("stops when the day's money is spent, and says so", function()
    may = { spent_micro_usd = 5010000 }
    assert.is_nil(run())
    assert.is_nil(node.rang)
    assert.matches("$5.01 are spent", select(2, raised "synthetic.held"), 1, true)
  end)

  it("leaves the room to callers when there is little", function()
    status.calls = 91
    assert.is_nil(run())
    status.calls, status.draining = 1, true
    assert.is_nil(run())
    assert.same({}, fake.queries)
  end)

  it("tells nobody of the first that fails, and somebody of the second", function()
    report.first_audio_ms, in_a_row = -1, 1
    local result, notes = run()
    assert.same({ false, "greeting" }, { result.good, result.step })
    assert.matches("failed at the step greeting", notes[1])
    assert.is_nil((raised "synthetic.failed"))
    node.rings, in_a_row = { report }, 2
    run()
    local severity, text, subject = raised "synthetic.failed"
    assert.same({ "critical", "dentist" }, { severity, subject })
    assert.matches("2 synthetic calls in a row failed, the last one at the step greeting", text, 1, true)
    assert.matches("ringdown why CA1", text, 1, true)
  end)

  it("is over once one gets through", function()
    run()
    local over = {}
    for _, alarm in ipairs(fake.alarms_over) do
      over[alarm.kind .. " " .. alarm.subject] = true
    end
    assert.is_true(over["synthetic.failed dentist"])
  end)

  for name, case in pairs {
    ["nothing to ring with"] = { "ring", function() node.rings = { "there is no telephone" } end },
    ["a certificate to trust that is not there"] = { "ring", function()
      report.call, report.error = nil, "ca_file: no such file"
    end },
    ["an address that nobody answers"] = { "webhook", function()
      report.webhook_status, report.stream_ms, report.error = 0, -1, "11205: no answer"
    end },
    ["a token that is not Twilio's"] = { "webhook", function()
      report.webhook_status, report.stream_ms = 403, -1
    end },
    ["the fallback"] = { "webhook", function() report.stream_ms, report.ended_by = -1, "fallback" end },
    ["a provider that refuses"] = { "greeting", function()
      report.ended_by, report.said_ms, report.answer_ms = "fallback", -1, -1
    end },
    ["a provider that is lost"] = { "answer", function() report.ended_by, report.answer_ms = "fallback", -1 end },
    ["a call that is sent to somebody else"] = { "webhook", function()
      report.stream_ms, report.error = -1, "11200: the call was sent elsewhere, to https://api.vapi.ai/twilio"
    end },
    ["a balancer without WebSockets"] = { "stream", function()
      report.stream_ms, report.error = -1, "31920: the upgrade was answered with 400"
    end },
    ["silence"] = { "greeting", function() report.first_audio_ms, report.ended_by = -1, "timeout" end },
    ["a greeting that is late"] = { "greeting", function() report.first_audio_ms = 4001 end },
    ["what Twilio would not take"] = { "stream", function() report.violations = 1 end },
    ["no answer"] = { "answer", function() report.answer_ms, report.ended_by = -1, "timeout" end },
    ["an end that nobody wanted"] = { "hang_up", function() report.ended_by = "error" end },
    ["a record that is missing"] = { "record", function() recorded = {} end },
    ["a record that is not over"] = { "record", function() recorded = { { "false", "synthetic" } } end },
    ["one that counts as a caller's"] = { "record", function() recorded = { { "true", "" } } end },
  } do
    it("names the step of " .. name, function()
      case[2]()
      local result = run()
      assert.same({ case[1], false }, { result.step, result.good })
      assert.is_string(result.why)
      assert.is_string(synthetic.remedies[result.step])
    end)
  end

  it("wants no answer to a hum", function()
    report.spoke, report.answer_ms, report.ended_by = "hum", -1, "timeout"
    assert.is_true(run().good)
  end)
end)
