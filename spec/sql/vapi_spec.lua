-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

local ID = "8f2c1d7e-1111-4222-8333-444455556666"
local SID = ("CA%032x"):format(1)

describe("a call that Vapi runs", function()
  local url, node

  before_each(function()
    url = pg.database()
    node = events.node("n1")
    node.common = { node = "n1", call = SID, agent = "northside-plumbing" }
  end)

  local function one(sql)
    return pg.query(url, sql)[1]
  end

  local function redirected()
    local c = events.call(1)
    c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1" })
    c:add("decision", { system = "vapi", reason = "split", version = "v7" })
    return c
  end

  local function told(o)
    o.vapi_id, o.seen_by = ID, o.seen_by or "webhook"
    return node:add("vapi", o)
  end

  local costs = {
    { type = "transcriber", transcriber = { provider = "deepgram", model = "nova-2" },
      minutes = 4.0292, cost = 0.04029 },
    { type = "model", model = { provider = "openai", model = "gpt-4o" }, promptTokens = 1200, completionTokens = 300,
      cost = 0.006 },
    { type = "voice", voice = { provider = "11labs", voiceId = "burt" }, characters = 1234, cost = 0.03702 },
    { type = "vapi", subType = "normal", minutes = 4.0292, cost = 0.20146 },
  }

  local function whole_story()
    redirected()
    local list = redirected().list
    told { status = "in-progress", created_at = "2026-11-25T09:46:41.000Z" }
    told { hang = true }
    told { status = "ended", ended_reason = "customer-ended-call", ended_at = "2026-11-25T09:50:44.000Z",
      started_at = "2026-11-25T09:46:42.000Z" }
    told { status = "ended", ended_reason = "customer-ended-call", ended_at = "2026-11-25T09:50:44.000Z",
      started_at = "2026-11-25T09:46:42.000Z", created_at = "2026-11-25T09:46:41.000Z", cost = 0.28477, costs = costs,
      metrics = { turnLatencyAverage = 812 }, seen_by = "poll" }
    node:add("vapi_words", { vapi_id = ID, created_at = "2026-11-25T09:46:41.000Z", first = 1, words = {
      { role = "agent", text = "Northside Plumbing", at_ms = 900 }, { role = "caller", text = "my boiler leaks",
        at_ms = 3000 } } })
    node:add("vapi_words", { vapi_id = ID, created_at = "2026-11-25T09:46:41.000Z", first = 3, words = {
      { role = "agent", text = "I am sorry", at_ms = 6000 } } })
    for _, e in ipairs(node.list) do
      list[#list + 1] = e
    end
    return list
  end

  it("is one row like any other: how it ended, how long it was, what was said", function()
    events.ingest(url, whole_story())
    local call = one "select * from calls"
    assert.same({ "vapi", "ended", "customer-ended-call", "2026-11-25T09:50:44+00:00", 242000, 3 },
      { call.system, call.state, call.ended_reason, call.ended_at, call.duration_ms, call.turns })
    local v = one "select * from vapi_calls"
    assert.same({ "ended", "ok", 1, 284770, "both", 812 }, { v.status, v.ended_class, v.hangs, v.cost_micro_usd,
      v.seen_by, v.metrics.turnLatencyAverage })
    assert.same({ { role = "agent", heard = "Northside Plumbing" }, { role = "caller", heard = "my boiler leaks" },
      { role = "agent", heard = "I am sorry" } }, pg.query(url, "select role, heard from turns order by seq"))
  end)

  it("is the same whatever came first, and however often", function()
    local function all(where)
      return pg.run(where, [[select to_jsonb(c) from calls c; select to_jsonb(v) - 'updated_at' from vapi_calls v;
        select to_jsonb(t) from turns t order by seq; select to_jsonb(l) from call_cost_lines l order by line]])
    end
    local list = whole_story()
    events.ingest(url, list)
    local expected = all(url)
    math.randomseed(7)
    for _ = 1, 6 do
      local other, mixed = pg.database(), { table.unpack(list) }
      for i = #mixed, 2, -1 do
        local j = math.random(i)
        mixed[i], mixed[j] = mixed[j], mixed[i]
      end
      for from = 1, #mixed, 3 do
        events.ingest(other, { table.unpack(mixed, from, math.min(from + 3, #mixed)) })
      end
      assert.equal(expected, all(other))
    end
  end)

  it("that runs over a line of ours is told by that line, and costs what both say", function()
    local c = redirected()
    c:add("state", { state = "live" })
    c:add("turn", { seq = 1, role = "agent", text = "Northside", interrupted = false })
    events.ingest(url, c.list)
    events.ingest(url, { told { status = "ended", cost = 0.1, ended_at = "2026-11-25T09:47:40.000Z",
      started_at = "2026-11-25T09:46:40.000Z" }, node:add("vapi_words", { vapi_id = ID, first = 1,
      created_at = "2026-11-25T09:46:41.000Z", words = { { role = "agent", text = "Northside" } } }) })
    c:add("ended", { reason = "caller_hangup", duration_ms = 60000, turns = 1 })
    events.ingest(url, c.list)
    assert.same({ duration_ms = 60000, ended_reason = "caller_hangup", turns = 1 },
      one "select duration_ms, ended_reason, turns from calls")
    assert.same({ n = 1 }, one "select count(*) as n from turns")
    assert.is_true(one(("select vapi_call_for('{\"sid\":\"%s\"}', '2026-11-25 10:00Z') as k"):format(SID)).k.line)
  end)

  it("that Vapi took from OpenAI is heard, asked for and paid there", function()
    local c = events.call(1)
    c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1" })
    c:add("decision", { system = "openai", reason = "split", version = "v7" })
    c:add("state", { state = "live" })
    c:add("turn", { seq = 1, turn = 1, role = "agent", text = "Northside", interrupted = false })
    c:add("failover", { from_system = "openai", to_system = "vapi", why = "silent" })
    events.ingest(url, c.list)
    local function told_for()
      return one(("select vapi_call_for('{\"sid\":\"%s\"}', '2026-11-25 10:00Z') as k"):format(SID)).k
    end
    local function owed()
      return one("select vapi_owes_since('2026-11-25 09:50Z') as s").s
    end
    assert.equal("northside-plumbing", told_for().agent)
    assert.equal(200, owed())
    assert.same({ unknown = true }, one("select micro_usd is null as unknown from call_cost('" .. SID .. "')"))
    events.ingest(url, { told { route = "bypass", status = "in-progress", created_at = "2026-11-25T09:47:41.000Z" },
      node:add("vapi_words", { vapi_id = ID, first = 1, created_at = "2026-11-25T09:47:41.000Z",
        words = { { role = "caller", text = "I smell gas", at_ms = 3000 } } }) })
    assert.is_nil(told_for().line)
    assert.equal(200, owed())
    assert.same({ { heard = "Northside" }, { heard = "I smell gas" } },
      pg.query(url, "select heard from turns order by epoch, seq"))
    events.ingest(url, { told { route = "bypass", status = "ended", cost = 0.1 } })
    one("select micro_usd from call_cost('" .. SID .. "')")
    assert.is_nil(one("select min(reason) as r from call_cost_lines where item = 'provider'").r)
  end)

  it("costs what Vapi says, line by line, and the carrier's minutes", function()
    events.ingest(url, whole_story())
    local by = {}
    for _, l in ipairs(pg.query(url, "select item, model, unit, quantity, micro_usd_exact from call_cost_lines")) do
      by[l.item .. " " .. (l.model or l.unit)] = l.micro_usd_exact
    end
    assert.same({ ["provider transcriber nova-2"] = 40290, ["provider model gpt-4o"] = 6000,
      ["provider voice burt"] = 37020, ["provider vapi normal"] = 201460, ["carrier minute"] = 42500,
      ["stream minute"] = 22000 }, by)
    assert.same({ micro_usd = 349270 }, one "select micro_usd from call_costs")
  end)

  it("keeps Vapi's total where its lines are not all", function()
    local list = redirected().list
    list[#list + 1] = told { status = "ended", ended_at = "2026-11-25T09:47:40.000Z", started_at =
      "2026-11-25T09:46:40.000Z", cost = 0.1, cost_breakdown = { llm = 0.02, vapi = 0.05, llmPromptTokens = 900 } }
    events.ingest(url, list)
    assert.same({ { model = "llm", usd = 20000 }, { model = "not broken down", usd = 30000 },
      { model = "vapi", usd = 50000 } }, pg.query(url,
      "select model, micro_usd_exact as usd from call_cost_lines where item = 'provider' order by model"))
  end)

  it("is unknown in cost until Vapi tells", function()
    local list = redirected().list
    list[#list + 1] = told { status = "ended", ended_at = "2026-11-25T09:47:40.000Z" }
    events.ingest(url, list)
    assert.same({ reason = "provider: Vapi has not told yet what it charges" },
      one "select micro_usd, reason from call_costs")
    events.ingest(url, { told { seen_by = "poll", status = "ended", cost = 0 } })
    assert.is_nil(one("select reason from call_costs").reason)
  end)

  it("is told by why", function()
    events.ingest(url, whole_story())
    local why = one(("select why('%s') as w"):format(SID)).w
    assert.same({ "customer-ended-call", "ok", ID }, { why.vapi.ended_reason, why.vapi.ended_class, why.vapi.vapi_id })
    assert.is_nil(why.vapi.cost_lines)
  end)

  it("knows how it ended by rule", function()
    local function class(reason)
      return one("select vapi_ended_class(" .. pg.literal(reason) .. ") as c").c
    end
    local expected = {
      ok = { "customer-ended-call", "assistant-ended-call", "assistant-ended-call-after-message-spoken",
        "assistant-ended-call-with-hangup-task", "assistant-said-end-call-phrase", "assistant-forwarded-call",
        "call.in-progress.twilio-completed-call", "call.in-progress.sip-completed-call", "vonage-completed",
        "manually-canceled", "call.ringing.hook-executed-say", "call.ending.hook-executed-transfer",
        "customer-ended-call-before-warm-transfer", "customer-ended-call-after-warm-transfer-attempt",
        "customer-ended-call-during-transfer" },
      limit = { "exceeded-max-duration", "silence-timed-out", "voicemail" },
      no_answer = { "customer-busy", "customer-did-not-answer", "twilio-reported-customer-misdialed",
        "call.forwarding.operator-busy", "call.forwarding.no-answer" },
      config = { "call.start.error-subscription-frozen", "call.start.error-subscription-insufficient-credits",
        "call.start.error-subscription-concurrency-limit-reached", "call.start.error-get-assistant",
        "call.start.error-get-transport", "assistant-not-found", "assistant-not-valid", "assistant-request-failed",
        "assistant-request-returned-no-assistant", "call-start-error-neither-assistant-nor-server-set" },
      provider = { "call.in-progress.error-providerfault-openai-llm-failed", "pipeline-error-openai-401-unauthorized",
        "call.in-progress.error-pipeline-no-available-llm-model", "pipeline-no-available-llm-model",
        "call.in-progress.error-providerfault-transport-never-connected" },
      vapi = { "call.in-progress.error-vapifault-worker-died", "worker-shutdown", "call.start.error-vapifault-get-org",
        "phone-call-provider-closed-websocket", "assistant-join-timed-out",
        "call.in-progress.error-vapifault-openai-voice-failed",
        "phone-call-provider-bypass-enabled-but-no-call-received" },
      other = { "call.in-progress.error-sip-inbound-call-failed-to-connect", "unknown-error", "scheduled-call-deleted",
        "a-reason-of-next-year" },
    }
    for of_class, reasons in pairs(expected) do
      for _, reason in ipairs(reasons) do
        assert.same({ reason, of_class }, { reason, class(reason) })
      end
    end
  end)

  it("had tools called by a node that does not have it, and what the agent remembers", function()
    local list = redirected().list
    list[#list + 1] = node:add("tool", { id = "call_1", name = "book", arguments = "{}", done = false })
    list[#list + 1] = node:add("tool", { id = "call_1", name = "book", output = '{"done":true}', done = true })
    list[#list + 1] = node:add("vars", { vars = { zip = "60614" } })
    events.ingest(url, list)
    assert.same({ name = "book", output = '{"done":true}' }, one "select name, output from tool_calls")
    assert.same({ call = SID, agent = "northside-plumbing", from = "+13125550142", to = "+13125550100" },
      one(("select vapi_call_for('{\"sid\":\"%s\"}', '2026-11-25 10:00Z') as k"):format(SID)).k)
    pg.run(url, ("select vapi_call_state('%s', '{\"verified\":true}')"):format(SID))
    local known = one(("select vapi_call_memory('%s', '2026-11-25 09:47Z') as k"):format(SID)).k
    assert.same({ "60614", "book", 1, true }, { known.vars.zip, known.history[1].tool, known.tools_lately,
      known.state.verified })
    assert.is_nil(one("select vapi_call_for('{\"sid\":\"CA00\"}') as k").k)
  end)

  it("remembers from one webhook to the next, without waiting for the journal", function()
    local list = redirected().list
    list[#list + 1] = node:add("vars", { vars = { zip = "60614", nights = 0 } })
    events.ingest(url, list)
    for _, state in ipairs { '{"verified":true,"vars":{"nights":1}}', '{"verified":true,"vars":{"name":"Ann"}}' } do
      pg.run(url, ("select vapi_call_state('%s', '%s')"):format(SID, state))
    end
    assert.same({ zip = "60614", nights = 1, name = "Ann" },
      one(("select vapi_call_memory('%s') as k"):format(SID)).k.vars)
  end)

  it("is asked for until all of it is told", function()
    local function owed(at)
      return one(("select vapi_owes_since('%s') as s"):format(at)).s
    end
    local list = redirected().list
    events.ingest(url, list)
    assert.equal(20, owed "2026-11-25 09:47Z")
    assert.is_nil(owed "2026-11-25 11:47Z") -- Vapi never heard of it
    events.ingest(url, { told { status = "in-progress" } })
    assert.equal(7220, owed "2026-11-25 11:47Z")
    assert.same({ { call = SID, agent = "northside-plumbing", status = "in-progress", costed = false,
      worded = false } }, pg.query(url, ("select * from vapi_calls_known(array['%s', 'CA00'])"):format(SID)))
    assert.same({ { call = SID, agent = "northside-plumbing", status = "in-progress", costed = false, worded = false,
      vapi_id = ID, age_s = 7220 } }, pg.query(url, "select * from vapi_owed('2026-11-25 11:47Z')"))
    assert.same({}, pg.query(url, "select * from vapi_owed('2026-11-26 11:47Z')"))
    events.ingest(url, whole_story())
    assert.is_nil(owed "2026-11-25 11:47Z")
    assert.same({}, pg.query(url, "select * from vapi_owed('2026-11-25 11:47Z')"))
  end)

  it("does a write once, whoever is asked", function()
    local key = ("a"):rep(64)
    local function begin()
      return one(("select mine, known from vapi_write_begin('%s', '%s')"):format(SID, key))
    end
    assert.same({ mine = true }, begin())
    assert.same({ mine = false }, begin())
    pg.run(url, ("select vapi_write_end('%s', '%s', '{\"done\":true}')"):format(SID, key))
    assert.same({ mine = false, known = '{"done":true}' }, begin())
    pg.run(url, ("select vapi_write_end('%s', '%s', null)"):format(SID, key))
    assert.same({ mine = true }, begin())
  end)

  it("of an earlier time is marked, and no evidence", function()
    node.common.call = "vapi" .. ID:gsub("-", "")
    events.ingest(url, { told { imported = true, seen_by = "poll", status = "ended", created_at =
      "2026-03-01T10:00:00.000Z", started_at = "2026-03-01T10:00:01.000Z", ended_at = "2026-03-01T10:02:01.000Z",
      from = "+13125550142", to = "+13125550100", cost = 0.1 } })
    assert.same({ imported = true, system = "vapi", reason = "imported", started_at = "2026-03-01T10:00:00+00:00",
      from_number = "+13125550142", duration_ms = 120000 },
      one "select imported, system, reason, started_at, from_number, duration_ms from calls")
  end)
end)
