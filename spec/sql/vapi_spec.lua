-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local json = require "cjson"
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

  it("remembers what was last, whichever node told it", function()
    local later = events.node("n2")
    later.common = node.common
    local list = redirected().list
    list[#list + 1] = later:add("vars", { vars = { nights = 1 } })
    list[#list + 1] = node:add("vars", { vars = { nights = 2 } })
    list[#list - 1].epoch = list[#list].epoch + 1000000 -- its process was started later
    list[#list].at_us = list[#list - 1].at_us + 1000
    events.ingest(url, list)
    assert.same({ nights = 2 }, one("select vars from calls").vars)
  end)

  it("ended no sooner than it began, whatever Vapi's clock says", function()
    local list = redirected().list
    list[#list + 1] = told { status = "ended", cost = 0.1, ended_at = "2026-11-24T09:00:00.000Z" }
    events.ingest(url, list)
    assert.same({ same = true, n = 1 }, one [[select c.ended_at = c.started_at as same,
      (select count(*) from call_costs) as n from calls c]])
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

  local function webhook(ask)
    return one(("select vapi_webhook('%s', '2026-11-25 10:00Z') as k"):format(json.encode(ask))).k
  end

  local function first_of(of_call)
    return node:add("vapi", { vapi_id = ID, seen_by = "webhook", status = "in-progress", not_routed = of_call,
      from = "+13125550142", to = "+13125550100", created_at = "2026-11-25T09:46:41.000Z" })
  end

  it("and did not get from us is a row, marked, asked for, and no evidence", function()
    assert.same({}, webhook { sid = SID, vapi_id = ID })
    events.ingest(url, { first_of(true) })
    assert.same({ call = SID, agent = "northside-plumbing", from = "+13125550142", to = "+13125550100", vapi_id = ID },
      webhook { sid = SID, vapi_id = ID })
    events.ingest(url, { told { status = "ended", ended_reason = "customer-ended-call", cost = 0.1,
      started_at = "2026-11-25T09:46:42.000Z", ended_at = "2026-11-25T09:50:44.000Z" } })
    assert.same(
      { system = "vapi", reason = "not_routed", direct_to_vapi = true, state = "ended", duration_ms = 242000 },
      one "select system, reason, direct_to_vapi, state, duration_ms, route_reason, failed_over_to from calls")
    -- Asking Vapi, and what is taken over from before, are about the same row.
    assert.same({ n = 1 }, one(("select count(*) as n from vapi_calls_known(array['%s'])"):format(SID)))
    events.ingest(url, { told { imported = true, seen_by = "poll", status = "ended", cost = 0.1 } })
    assert.same({ n = 1, imported = false, seen_by = "both" }, one [[select count(*) over () as n, imported, seen_by
      from calls join vapi_calls using (call)]])
    pg.run(url, "update calls set started_at = now()")
    assert.same({ n = 0, k = 0 }, one("select rollout_usual('northside-plumbing') as k").k)
    assert.same({ n = 0 }, one "select count(*) as n from rollout_split('northside-plumbing', '2026-01-01', 5000)")
  end)

  it("and was told by Vapi's name first is one row, with all that is known, in whichever order it is told", function()
    local other = "vapi" .. ID:gsub("-", "")
    local function told_as(name, list)
      node.common.call = name
      local events_of = {}
      for i, make in ipairs(list) do
        events_of[i] = make()
      end
      return events_of
    end
    local first = told_as(other, {
      function() return first_of(true) end,
      function() return node:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open",
        words = "I smell gas" }) end,
      function() return node:add("triage_step", { rule = "gas-leak", step = 1, kind = "say", state = "asked" }) end,
      function() return node:add("vars", { vars = { zip = "60614", nights = 1 } }) end,
      function() return told { status = "in-progress", started_at = "2026-11-25T09:46:42.000Z" } end })
    local then_ = told_as(SID, {
      function() return first_of(true) end,
      function() return told { status = "ended", ended_reason = "customer-ended-call", cost = 0.1 } end })
    local late = told_as(other, { function() return told { status = "ended", cost = 0.1 } end })
    events.ingest(url, first)
    pg.run(url, ("insert into vapi_writes (call, key) values ('%s', '%s')"):format(other, ("a"):rep(64)))
    pg.run(url, ("update calls set vars = '{\"zip\":\"60614\"}' where call = '%s'"):format(other))
    events.ingest(url, then_)
    events.ingest(url, late)
    assert.same({ { call = SID, status = "ended", cost_micro_usd = 100000, vars = { zip = "60614" }, rule = "gas-leak",
      steps = 1, writes = 1, started_at = "2026-11-25T09:46:42+00:00" } }, pg.query(url, ([[
      select c.call, v.status, cost_micro_usd, vars, rule, v.started_at,
        (select count(*) from triage_steps s where s.call = c.call) as steps,
        (select count(*) from vapi_writes w where w.call = c.call and key = '%s') as writes
      from calls c left join vapi_calls v using (call) left join triage_matches m using (call)]])
      :format(("a"):rep(64))))
  end)

  it("because the carrier went there when we did not answer went on there, whatever is told first", function()
    local c = events.call(1)
    local list = {
      c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1" }),
      c:add("decision", { system = "openai", reason = "split", first = "openai", percent_bp = 5000, version = "v7" }) }
    local theirs = { first_of(true), told { status = "ended", ended_reason = "customer-ended-call",
      started_at = "2026-11-25T09:46:42.000Z", ended_at = "2026-11-25T09:50:44.000Z" } }
    local function all(where)
      return pg.query(where, [[select system, failed_over_to, failed_over_at, state, duration_ms, direct_to_vapi
        from calls]])[1]
    end
    events.ingest(url, list)
    assert.same({ call = SID, agent = "northside-plumbing", from = "+13125550142", to = "+13125550100",
      not_routed = true, fell = true }, webhook { sid = SID, vapi_id = ID })
    events.ingest(url, theirs)
    assert.same({ system = "openai", failed_over_to = "vapi", failed_over_at = "2026-11-25T09:46:41+00:00",
      state = "ended", duration_ms = 242000, direct_to_vapi = true }, all(url))
    local other = pg.database()
    events.ingest(other, theirs)
    events.ingest(other, list)
    assert.same(all(url), all(other))
    -- An alarm, though the decision came last: until it was raised.
    assert.same({ a = "northside-plumbing" }, pg.query(other, "select vapi_fell('2026-11-25 10:00Z') as a")[1])
    pg.run(other, "insert into alerts (node, kind, subject, severity, text, opened_at, last_at) values ('n1', "
      .. "'routing.failover', 'northside-plumbing/openai', 'critical', 'x', '2026-11-25 10:00Z', '2026-11-25 10:00Z')")
    assert.is_nil(pg.query(other, "select vapi_fell('2026-11-25 10:00Z') as a")[1])
    -- Nobody here decided that: it counts for neither arm, and its emergencies hold nothing.
    pg.run(url, "insert into triage_matches (call, rule, severity, matched_at, state) select call, 'gas', 'life', "
      .. "started_at, 'abandoned' from calls")
    assert.same({ reason = "split", n = 0, late = 0 }, one [[select route_reason as reason,
      (select count(*) from rollout_split('northside-plumbing', '2025-01-01', 5000)) as n,
      (rollout_emergencies('northside-plumbing', '2025-01-01') -> 'late')::integer as late from calls]])
  end)

  it("from a browser is a test that no carrier has", function()
    events.ingest(url, { first_of(true), told { status = "ended", ended_reason = "customer-ended-call", cost = 0.1,
      type = "webCall", started_at = "2026-11-25T09:46:42.000Z", ended_at = "2026-11-25T09:50:44.000Z" } })
    assert.same({ { item = "provider" } }, pg.query(url, "select distinct item from call_cost_lines"))
    assert.same({ micro_usd = 100000 }, one "select micro_usd from call_costs")
    assert.same({ kind = "test" }, one "select kind from calls_measured")
  end)

  it("is given up only where something is missing", function()
    local function given_up()
      return one(("select vapi_given_up(array['%s', 'CAgone']) as n"):format(SID)).n
    end
    local c = redirected()
    events.ingest(url, c.list)
    assert.equal(1, given_up())
    pg.run(url, "update calls set status = 'no-answer'") -- the caller did not wait for Vapi
    assert.equal(0, given_up())
    pg.run(url, "update calls set status = 'completed', duration_s = 240")
    assert.equal(1, given_up())
    events.ingest(url, { told { status = "ended", ended_reason = "customer-ended-call" } })
    assert.equal(1, given_up())
    pg.run(url, "update vapi_calls set ended_reason = 'phone-call-provider-bypass-enabled-but-no-call-received'")
    assert.equal(0, given_up())
    pg.run(url, "update vapi_calls set ended_reason = null; update calls set erased_at = now()")
    assert.equal(0, given_up())
    pg.run(url, "update calls set erased_at = null; update vapi_calls set cost_usd = 0")
    assert.equal(0, given_up())
  end)

  it("is not one that a line of ours has", function()
    local c = events.call(1)
    events.ingest(url, { c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1" }),
      c:add("decision", { system = "openai", reason = "default", version = "v7" }),
      c:add("state", { state = "live", model = "gpt-realtime" }) })
    assert.same({ elsewhere = true }, webhook { sid = SID, vapi_id = ID })
  end)

  it("has a number also from a node that does not know yet how they are written now", function()
    local function saw(list, whole)
      return one(([[select numbers_saw('%s'::jsonb, true, %s, now()) as v]]):format(json.encode(list), whole)).v
    end
    local function number(last)
      return { number = "+1312555010" .. last, carrier_id = "PN" .. last, fields = {}, goes_to = "vapi",
        texts_to = "nobody", vapi_id = last }
    end
    assert.same({ new = 2, changed = 0, gone = 0 }, saw({ number "1", number "2" }, "false"))
    local before = one "select version from numbers_version".version
    assert.same({ new = 0, changed = 0, gone = 1 }, saw({ number "1" }, "true"))
    assert.is_true(one "select version from numbers_version".version > before)
    local function begin(items)
      return one(([[select bulk_begin('{"action":"switch","goes_to":"ringdown","who":"alice","reason":"r"}',
        '%s'::jsonb) as v]]):format(items)).v
    end
    local run = begin [=[[{"number":"+13125550101","carrier_id":"PN1","wanted":{},"goes_to":"ringdown"}]]=].run
    assert.same({ n = 1 }, one(("select count(*) as n from bulk_items where run = %d"):format(run)))
    pg.run(url, "update bulk_items set state = 'written'")
    assert.same({ held = { { number = "+13125550101", run = run } } }, begin [=[[{"number":"+13125550101"}]]=])
    assert.is_number(begin "[]".run)
  end)

  it("has the number that Vapi names by its own id", function()
    pg.run(url, [[insert into numbers_seen (number, carrier_id, fields, goes_to, texts_to, vapi_id, seen_at)
      values ('+13125550100', 'PN1', '{}', 'vapi', 'vapi', 'number-1', now())]])
    assert.same({ number = "+13125550100" }, webhook { vapi_id = ID, number_id = "number-1" })
    assert.same({}, webhook { vapi_id = ID, number_id = "number-2" })
  end)

  it("has each signature once, whichever process is shown it, and forgets it when it is too old", function()
    local mac = ("0a"):rep(32)
    local function shown(process)
      return webhook({ mac = mac, process = process }).repeated
    end
    assert.is_nil(shown "a 1")
    assert.is_nil(shown "a 1") -- its own memory says whether it was done
    assert.is_true(shown "a 2") -- started again
    assert.is_true(shown "b 1")
    pg.run(url, "update vapi_signatures set at = now() - interval '16 minutes'")
    mac = ("0b"):rep(32)
    assert.is_nil(shown "b 1")
    assert.same({ n = 1 }, one "select count(*) as n from vapi_signatures")
  end)

  it("has a signature again for which nothing was done, at any node; and never one that was done", function()
    local function shown(n, process)
      return webhook({ mac = ("0%d"):format(n):rep(32), process = process }).repeated or false
    end
    local function over(n, process, done)
      pg.run(url, ("select vapi_signature_over('%s')"):format(json.encode { mac = ("0%d"):format(n):rep(32),
        process = process, done = done }))
    end
    for n = 1, 3 do
      assert.is_false(shown(n, "a 1"))
    end
    over(1, "a 1", false) -- it said 503
    over(2, "a 1", true)
    over(3, "b 1", false) -- not its own
    assert.same({ false, true, true }, { shown(1, "b 1"), shown(2, "b 1"), shown(3, "b 1") })
    pg.run(url, "update vapi_signatures set at = at - interval '21 seconds'")
    assert.same({ false, true, false }, { shown(1, "c 1"), shown(2, "b 1"), shown(3, "b 1") }) -- who had it died
    over(4, "a 1", true) -- the database was away when it came
    assert.is_true(shown(4, "b 1"))
  end)

  it("runs the tools of one webhook at a time", function()
    events.ingest(url, redirected().list)
    local function open(holder, at)
      local known = one(("select vapi_call_open('%s', '%s', 20000, '%s') as k"):format(SID, holder, at)).k
      return known ~= nil
    end
    assert.is_true(open("a", "2026-11-25 10:00:00Z"))
    assert.is_false(open("b", "2026-11-25 10:00:19Z"))
    assert.is_true(open("b", "2026-11-25 10:00:20Z")) -- who had it died
    pg.run(url, ("select vapi_call_close('%s', 'a')"):format(SID))
    assert.is_false(open("a", "2026-11-25 10:00:21Z"))
    pg.run(url, ("select vapi_call_close('%s', 'b')"):format(SID))
    assert.is_true(open("a", "2026-11-25 10:00:22Z"))
    pg.run(url, [[select vapi_call_state('CA01', '{"vars":{"nights":1}}')]]) -- the journal has not brought the call yet
    assert.same({ nights = 1 }, one("select vapi_call_memory('CA01') as k").k.vars)
    assert.equal(json.null, one("select vapi_call_open('CA00', 'x', 20000) as k").k.memory) -- of which nothing is known
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
