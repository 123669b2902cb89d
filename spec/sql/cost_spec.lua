-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

describe("what a call costs", function()
  local url, c

  before_each(function()
    url = pg.database()
    c = events.call(1)
    c:add("decision", { system = "openai", reason = "split", model = "gpt-realtime-2.1" })
  end)

  local function usage(o)
    o.kind, o.model = o.kind or "response", o.model or "gpt-realtime-2.1"
    o.complete = o.complete == nil or o.complete
    c:add("usage", o)
  end

  local function ended(duration_ms, duration_s)
    c:add("ended", { reason = "caller_hangup", duration_ms = duration_ms or 0 })
    if duration_s then
      c:add("webhook", { kind = "status", status = "completed", duration_s = duration_s })
    end
    events.ingest(url, c.list)
  end

  local function cost()
    return pg.query(url, "select micro_usd, micro_usd_exact, reason from call_costs")[1]
  end

  -- Micro-dollars by "item unit".
  local function lines()
    local by = {}
    for _, l in ipairs(pg.query(url, "select item, unit, micro_usd_exact, reason from call_cost_lines")) do
      by[l.item .. " " .. (l.unit or "?")] = l.micro_usd_exact or l.reason
    end
    return by
  end

  local function model_alone()
    return pg.query(url, [[select floor((2 * sum(numerator) + 60000000) / 120000000) as micro_usd,
      sum(numerator) / 60000000 as exact from call_cost_lines where item = 'model']])[1]
  end

  local vector = { ["model text_in"] = 220, ["model text_cached"] = 25.6, ["model audio_in"] = 416,
    ["model text_out"] = 720, ["model audio_out"] = 5824 }

  it("is 7205.6 micro-dollars for the published example, 7206 when one has to be paid", function()
    usage { raw = events.usage }
    ended(0, 60)
    vector["carrier minute"] = 8500
    assert.same(vector, lines())
    assert.same({ micro_usd = 7206, exact = 7205.6 }, model_alone())
    assert.same({ micro_usd = 15706, micro_usd_exact = 15705.6 }, cost())
  end)

  it("is the same from counts that the core summed up", function()
    usage { usage = { text_in = 119, text_in_cached = 64, audio_in = 13, audio_in_cached = 0, text_out = 30,
      audio_out = 91, seconds = 0 } }
    ended(0, 60)
    assert.same({ micro_usd = 7206, exact = 7205.6 }, model_alone())
  end)

  it("rounds once, half up, and not line by line", function()
    for _ = 1, 5 do
      usage { usage = { text_in = 1, text_in_cached = 1 } } -- 0.4 each
    end
    ended(0, 60)
    assert.same({ micro_usd = 8502, micro_usd_exact = 8502 }, cost())
    c:add("usage", { kind = "transcription", model = "gpt-realtime-2.1-mini", complete = true,
      usage = { text_in = 25, text_in_cached = 25 } }) -- 1.5
    events.ingest(url, c.list)
    assert.same({ micro_usd = 8504, micro_usd_exact = 8503.5 }, cost())
  end)

  it("gives cached tokens of no kind to text first", function()
    usage { raw = { input_token_details = { text_tokens = 50, audio_tokens = 20, cached_tokens = 60 } } }
    ended(0, 60)
    assert.same({ { text_cached = 50, audio_cached = 10, text_out = 0 } },
      pg.query(url, "select text_cached, audio_cached, text_out from usage"))
  end)

  it("counts transcription to the second, and begun minutes of carrier and stream", function()
    usage { kind = "transcription", model = "gpt-transcribe", raw = { type = "duration", seconds = 2.4 },
      usage = { seconds = 2.4 } }
    ended(60001, 61)
    assert.same({ ["transcription minute"] = 180, ["carrier minute"] = 17000, ["stream minute"] = 8800 }, lines())
  end)

  it("counts the segments of texts", function()
    c:add("text", { id = "SM1", to = "+13125550142", segments = 2, status = "sent" })
    ended(0, 60)
    assert.equal(16600, lines()["texts segment"])
  end)

  it("is not known without a rate, and says which one is missing; the rest is", function()
    usage { model = "gpt-realtime-9", raw = events.usage }
    ended(0, 60)
    assert.is_nil(cost().micro_usd)
    assert.matches("model: no rate for audio_in of gpt%-realtime%-9 at that time; ringdown cost rates set adds one",
      cost().reason)
    assert.equal(8500, lines()["carrier minute"])
  end)

  it("is not known when the provider did not tell all", function()
    usage { raw = events.usage }
    usage { complete = false }
    ended(0, 60)
    assert.is_nil(cost().micro_usd)
    assert.matches("did not tell all", cost().reason)
    assert.equal(5824, lines()["model audio_out"])
  end)

  it("is not known when the agent spoke and nobody told the usage", function()
    c:add("turn", { seq = 1, role = "agent", text = "Hello" })
    ended(0, 60)
    assert.is_nil(cost().micro_usd)
    assert.matches("told no usage", cost().reason)
  end)

  it("is not known for a call that ran on Vapi, except for the carrier", function()
    c:add("decision", { system = "vapi", reason = "split" })
    ended(0, 60)
    assert.matches("Vapi", cost().reason)
    assert.equal(8500, lines()["carrier minute"])
  end)

  it("is asked when the carrier says that it is over, though nobody here had the call", function()
    c:add("decision", { system = "vapi", reason = "force" })
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1" })
    events.ingest(url, c.list)
    assert.is_nil(cost())
    local n = events.node "n2"
    n:add("webhook", { call = c.stream, kind = "status", status = "completed", duration_s = 61 })
    events.ingest(url, n.list)
    assert.equal(17000, lines()["carrier minute"])
    assert.matches("Vapi", cost().reason)
    c:add("decision", { system = "openai", reason = "split" })
    events.ingest(url, c.list)
    assert.same({ micro_usd = 17000, micro_usd_exact = 17000 }, cost())
  end)

  it("is measured by our clock until the carrier tells its minutes", function()
    ended(1000)
    assert.same({ { basis = "measured", quantity = 1 } },
      pg.query(url, "select basis, quantity from call_cost_lines where item = 'carrier'"))
    c:add("webhook", { kind = "status", status = "completed", duration_s = 121 })
    events.ingest(url, c.list)
    assert.same({ { basis = "reported", quantity = 3 } },
      pg.query(url, "select basis, quantity from call_cost_lines where item = 'carrier'"))
  end)

  it("uses the rate of the day, and keeps it beside the line", function()
    pg.run(url, [[update rates set valid_to = '2026-11-25 09:46:45Z' where what = 'openai' and unit = 'audio_out'
        and model = 'gpt-realtime-2.1';
      insert into rates (what, model, unit, micro_usd_per_million, valid_from)
        values ('openai', 'gpt-realtime-2.1', 'audio_out', 100000000, '2026-11-25 09:46:45Z')]])
    usage { usage = { audio_out = 10 } } -- at second 2
    c.ms = 20000
    usage { usage = { audio_out = 10 } }
    ended(0, 60)
    assert.same({ { rate = 64000000, cost = 640 }, { rate = 100000000, cost = 1000 } }, pg.query(url,
      [[select micro_usd_per_million as rate, micro_usd_exact as cost from call_cost_lines where item = 'model'
        order by 1]]))
  end)

  it("changes after a correction only when it is asked for again", function()
    usage { model = "new", usage = { audio_out = 10 } }
    ended(0, 60)
    assert.is_nil(cost().micro_usd)
    pg.run(url, [[insert into rates (what, model, unit, micro_usd_per_million)
      values ('openai', 'new', 'audio_out', 1000000)]])
    assert.is_nil(cost().micro_usd)
    assert.same({ { micro_usd = 8510 } }, pg.query(url, ("select (call_cost('%s')).micro_usd"):format(c.stream)))
    assert.same({ {} }, pg.query(url, "select (call_cost('nobody')).micro_usd"))
  end)

  it("refuses two rates for one day", function()
    local ok, _, state = pg.try(url, [[insert into rates (what, model, unit, micro_usd_per_million, valid_from)
      values ('sms', '', 'segment', 1, '2026-01-01')]])
    assert.is_false(ok)
    assert.equal("23P01", state)
  end)
end)
