-- SPDX-License-Identifier: Apache-2.0
-- Calls that we make ourselves: marked as what they are, and nobody's evidence; and when the cluster rings itself.
local events = require "spec.support.events"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

describe("a call that we make ourselves", function()
  local url

  setup(function()
    url = pg.database()
  end)

  local function call(n, trial)
    local c = events.call(n)
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1", trial = trial })
    c:add("decision", { system = "openai", first = "openai", first_reason = "split", reason = "split",
      model = "gpt-realtime-2.1" })
    c:add("usage", { kind = "response", model = "gpt-realtime-2.1", complete = true, raw = events.usage })
    c:add("ended", { reason = "caller_hangup", duration_ms = 30000 })
    events.ingest(url, c.list)
    return c.stream
  end

  it("says so in its webhook, whatever number it is from; and it costs what it costs, towards no cap", function()
    local real, made, synthetic = call(1), call(2, "call"), call(3, "synthetic")
    local odd = call(4, "sales")
    local rows, by = pg.query(url, "select call, is_test, trial, is_own_test(c) as ours, "
      .. "(call_spent(c)).micro_usd as spent, (select kind from calls_measured m where m.call = c.call) as kind "
      .. "from calls c"), {}
    for _, row in ipairs(rows) do
      by[row.call] = row
    end
    local function is(which, test, trial, kind)
      assert.same({ test, trial, test, kind }, { by[which].is_test, by[which].trial, by[which].ours, by[which].kind })
    end
    is(real, false, nil, "real")
    is(odd, false, nil, "real")
    is(made, true, "call", "test")
    is(synthetic, true, "synthetic", "test")
    assert.is_true(by[real].spent > 0)
    assert.equal(by[real].spent, by[made].spent)
    assert.equal(0, by[synthetic].spent)
    assert.equal(by[real].spent, pg.query(url, "select synthetic_spent(now() - interval '10 years') as n")[1].n)
  end)

  it("is a trial for whoever goes on with it, too", function()
    local c = events.call(9)
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1", process = 1, account = "AC1",
      trial = "synthetic" })
    c:add("decision", { system = "openai", reason = "synthetic" })
    c:add("state", { state = "live" })
    events.ingest(url, c.list)
    local row = pg.query(url, ([[select to_number, started_at from calls where call = '%s']]):format(c.stream))[1]
    local answer = pg.query(url, ("select adopt_call(%s::jsonb, %s::timestamptz + interval '20 seconds') as a"):format(
      pg.literal(json.encode { call = c.stream, to = row.to_number, account = "AC1", node = "n2", process = 2,
        cause = "stream_elsewhere", nonce = "1" }), pg.literal(row.started_at)))[1].a
    answer = type(answer) == "string" and json.decode(answer) or answer
    assert.equal("synthetic", answer.trial, json.encode(answer))
  end)
end)

describe("when the cluster rings itself", function()
  local url

  setup(function()
    url = pg.database()
  end)

  before_each(function()
    pg.run(url, "truncate synthetic_calls; delete from call_costs; delete from calls")
  end)

  local function begin(at_s, o)
    o = o or {}
    local said = pg.query(url, ("select synthetic_begin('{\"node\": \"n1\", \"every_s\": 900, \"again_s\": 60, "
      .. "\"cap_micro_usd\": %d}', timestamptz '2026-11-27 10:00+00' + interval '%d seconds')::text as a"):format(
      o.cap or 0, at_s))[1].a
    return type(said) == "string" and json.decode(said) or said
  end

  local function told(run, good)
    return pg.query(url, ("select synthetic_told('{\"run\": %d, \"good\": %s, \"call\": \"CA%d\", "
      .. "\"agent\": \"dentist\", \"first_audio_ms\": 300}') as n"):format(run, tostring(good), run))[1].n
  end

  it("is each quarter of an hour, once in the cluster", function()
    local first = begin(0).run
    assert.is_number(first)
    assert.same({ due_s = 900 }, begin(0))
    assert.equal(0, told(first, true))
    assert.same({ due_s = 1 }, begin(899))
    assert.is_number(begin(900).run)
  end)

  it("is a minute after the first that failed; the second in a row is counted as that", function()
    assert.equal(1, told(begin(0).run, false))
    assert.same({ due_s = 1 }, begin(59))
    assert.equal(2, told(begin(60).run, false))
    assert.same({ due_s = 840 }, begin(120))
    assert.equal(3, told(begin(960).run, false))
    assert.equal(0, told(begin(1860).run, true))
    assert.equal(1, told(begin(2760).run, false))
  end)

  it("does not wait for ever for one whose node is gone", function()
    local lost = begin(0).run
    assert.is_number(begin(900).run)
    assert.equal(0, pg.query(url, ("select synthetic_failed() as n from synthetic_calls where run = %d"):format(
      lost))[1].n)
  end)

  it("is not, once the day's money is spent", function()
    pg.run(url, [[insert into calls (call, agent, system, trial, is_test, started_at) values
      ('CA1', 'dentist', 'openai', 'synthetic', true, '2026-11-27 09:00+00');
      insert into call_costs (call, micro_usd, micro_usd_exact) values ('CA1', 2000000, 2000000)]])
    assert.same({ spent_micro_usd = 2000000 }, begin(0, { cap = 2000000 }))
    assert.is_number(begin(0, { cap = 2000001 }).run)
  end)
end)
