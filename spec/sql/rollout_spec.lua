-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local guards = require "ringdown.rollout.guards"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

local AGENT = "northside-plumbing"

describe("evidence about a stage", function()
  local url, now_s

  before_each(function()
    url = pg.database()
    now_s = math.tointeger(pg.query(url, "select extract(epoch from now())::bigint as s")[1].s)
  end)

  local function value(sql)
    return json.decode(pg.query(url, "select (" .. sql .. ")::text as v")[1].v)
  end

  local function plan(changes, expected)
    local text = json.encode(changes)
    return pg.query(url, ("select rollout_change('%s', %d, %s, 'alice', 'a reason', 'start') as v"):format(AGENT,
      expected or 0, pg.literal(text)))[1].v
  end

  local n = 0

  -- A call of the split that is over, `o.ago` s ago.
  local function call(system, o)
    n = n + 1
    o = o or {}
    local c = events.call(n, { started_us = (now_s - (o.ago or 60)) * 1000000,
      common = { agent = AGENT, from = o.from or ("+1415555%04d"):format(n) } })
    c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1", repeated = false }, 0)
    c:add("decision", { system = o.now or system, first = system, reason = o.reason or "split",
      first_reason = o.first_reason or o.reason or "split", unit = o.unit or "caller", bucket = 17,
      percent_bp = o.percent_bp or 2500, rollout = 1 }, 1)
    if system == "openai" then
      if o.tool then
        c:add("tool", { id = "t1", name = "eta", arguments = "{}", done = false }, 1)
        c:add("tool", { id = "t1", name = "eta", output = o.tool, done = true }, 1)
      end
      if o.error then
        c:add("error", { code = o.error, message = "no" }, 1)
      end
      if o.handed_over then
        c:add("failover", { to = "vapi", why = "gone" }, 1)
      end
      if not o.open then
        c:add("ended", { reason = o.ended or "caller_hangup", duration_ms = o.ms or 60000, first_audio_ms = o.first_ms,
          turns = 3, barge_ins = 0, tool_calls = o.tool and 1 or 0, errors = 0, frames_in = 600 }, 1)
      end
    elseif o.bridge then
      c:add("vapi", { vapi_id = "v" .. n, route = "bridge", status = "in-progress", seen_by = "webhook" }, 1)
      c:add("ended", { reason = o.ended or "caller_hangup", duration_ms = 60000, first_audio_ms = 400, turns = 3,
        barge_ins = 0, tool_calls = 0, errors = 0, frames_in = 600 }, 1)
    elseif not o.open then
      local began = (now_s - (o.ago or 60))
      c:add("vapi", { vapi_id = "v" .. n, status = "ended", ended_reason = o.ended or "customer-ended-call",
        started_at = os.date("!%Y-%m-%dT%H:%M:%SZ", began), seen_by = "poll",
        ended_at = os.date("!%Y-%m-%dT%H:%M:%SZ", began + (o.ms or 60000) // 1000) }, 1)
    end
    events.outcomes(url, c.list)
    return c.stream
  end

  local function arms()
    return value(("rollout_evidence('%s')"):format(AGENT)).arms
  end

  before_each(function()
    plan { percent_bp = 2500, stage = "25", state = "running", since = os.date("!%Y-%m-%dT%H:%M:%SZ", now_s - 3600) }
  end)

  it("is what the split sent to each side, and how it ended there", function()
    call("openai", { first_ms = 300 })
    call("openai", { ended = "provider_failed" })
    call("openai", { ended = "provider_failed", error = "openai.insufficient_quota" })
    call("openai", { ended = "provider_failed", error = "openai.close_3000" })
    call("openai", { first_ms = 300, ended = "provider_failed" })
    call("openai", { first_ms = 300, ms = 9000 })
    call("openai", { first_ms = 7000, tool = '{"failed":true,"say":"no"}', ended = "transferred" })
    call "vapi"
    call("vapi", { ended = "pipeline-error-openai-llm-failed" })
    call("vapi", { ended = "assistant-forwarded-call" })
    call("vapi", { ms = 5000 })
    local a = arms()
    local function counts(arm)
      local out = {}
      for name, m in pairs(a[arm].metrics) do
        out[name] = m.k .. "/" .. m.n
      end
      return out
    end
    assert.same({ error_end = "4/7", no_audio = "4/7", short_hangup = "1/7", transfer = "1/7", tool_error = "1/7",
      latency = "1/4" }, counts "openai")
    assert.same({ error_end = "1/4", short_hangup = "1/4", transfer = "1/4" }, counts "vapi")
    assert.equal("0crr100", a.openai.recent)
    assert.equal(7000, a.openai.latency.p95_ms)
  end)

  it("counts a call that OpenAI could not go on with as its fault, and nothing else of it", function()
    call("openai", { first_ms = 300, ms = 9000, handed_over = true, ago = 80 })
    call("openai", { first_ms = 300 })
    local a = arms().openai
    assert.same({ 2, 2, "10", 1 }, { a.calls, a.n, a.recent, a.latency.n })
    local m = a.metrics
    assert.same({ 1, 2, 0, 1 }, { m.error_end.k, m.error_end.n, m.short_hangup.k, m.short_hangup.n })
  end)

  it("measures a Vapi that runs over our line as it measures OpenAI", function()
    call("vapi", { bridge = true })
    call("vapi", { bridge = true, ended = "provider_failed" })
    local m = arms().vapi.metrics
    assert.same({ 1, 2, 0, 2 }, { m.error_end.k, m.error_end.n, m.no_audio.k, m.no_audio.n })
  end)

  it("leaves out whoever came there another way, or before the stage", function()
    call("openai", { first_ms = 300 })
    call("openai", { first_ms = 300, reason = "allow" })
    call("openai", { first_ms = 300, reason = "agent" })
    call("openai", { first_ms = 300, ago = 7200 })
    call("openai", { first_ms = 300, percent_bp = 1000 })
    call("openai", { reason = "failover:breaker", first_reason = "split", now = "vapi", open = true })
    assert.equal(1, arms().openai.calls)
  end)

  it("counts a caller three times a day, and knows how many people that is", function()
    for _ = 1, 5 do
      call("openai", { first_ms = 300, from = "+14155550001" })
    end
    call("openai", { first_ms = 300 })
    call("openai", { first_ms = 300, from = "anonymous" })
    call("openai", { open = true })
    local a = arms().openai
    assert.same({ 7, 5, 3, 4 }, { a.calls, a.n, a.callers, a.decided })
    assert.same({ nn = 11, kn = 0, kk = 0 }, a.metrics.error_end.spread)
  end)

  it("counts no call that we made ourselves, whatever number it is from", function()
    call("openai", { first_ms = 300, from = "+14155550001" })
    call("openai", { first_ms = 300, from = "+14155550002" })
    pg.run(url, "update calls set is_test = true, trial = 'call' where from_number = '+14155550002'")
    assert.equal(1, arms().openai.calls)
  end)

  it("knows people also where each call is sent by itself", function()
    for _ = 1, 5 do
      call("openai", { first_ms = 300, from = "+14155550001", unit = "call" })
    end
    local a = arms().openai
    assert.same({ 5, 3, 1, 5 }, { a.calls, a.n, a.callers, a.decided })
  end)

  it("counts on where it compares the newest calls alone", function()
    pg.run(url, ([[insert into calls (call, started_at, agent, from_number, system, routed_first, first_reason,
        route_reason, percent_bp, ended_at, ended_reason, duration_ms, first_audio_ms)
      select 'CA' || i, now() - interval '1 minute', '%s', '+1' || (3125550000 + i / 2), 'openai', 'openai', 'split',
        'split', 2500, now(), 'caller_hangup', 60000, 400 from generate_series(1, 10400) i]]):format(AGENT))
    local a = arms().openai
    assert.same({ 10000, 10400 }, { a.n, a.counted })
  end)

  it("writes a fault of somebody who met one before in capitals", function()
    for i, o in ipairs { { from = "+14155550001", first_ms = 300, ended = "provider_failed" },
      { from = "+14155550001", first_ms = 300, ended = "provider_failed" }, { from = "+14155550001", first_ms = 300 },
      { from = "+14155550002", ended = "provider_failed" }, { from = "+14155550002", ended = "provider_failed" } } do
      o.ago = 100 - i
      call("openai", o)
    end
    assert.equal("1x0cC", arms().openai.recent)
  end)

  it("is nothing that we called ourselves", function()
    pg.run(url, [[insert into numbers_seen (number, carrier_id, fields, goes_to, texts_to, seen_at)
      values ('+14155550009', 'PN00000000000000000000000000000001', '{}', 'vapi', 'nobody', now())]])
    call("openai", { first_ms = 300, from = "+14155550009" })
    call("openai", { first_ms = 300 })
    assert.same({ 1, 1, 1, 1 }, { arms().openai.calls, arms().openai.n, arms().openai.counted, arms().openai.decided })
  end)

  it("is enough for a verdict", function()
    for i = 1, 20 do
      call("openai", { first_ms = 300, ended = i % 2 == 0 and "provider_failed" or nil })
    end
    local e = value(("rollout_evidence('%s')"):format(AGENT))
    local verdict = guards.evaluate { percent_bp = 2500, baked_s = 0, min_canary = 50, min_baseline = 50,
      canary = e.arms.openai, usual = e.usual }
    assert.equal("rollback", verdict.verdict)
  end)

  it("has emergencies that nobody took", function()
    local sid = call("openai", { first_ms = 300, ago = 900 })
    pg.run(url, ("insert into triage_matches (call, rule, severity, matched_at, state) values ('%s', 'gas', 'life', "
      .. "now() - interval '6 minutes', 'open'), ('%s', 'flood', 'urgent', now() - interval '6 minutes', 'open')")
      :format(sid, sid))
    local late = ("rollout_emergencies('%s', now() - interval '1 hour')"):format(AGENT)
    assert.same({ late = 1, calls = { sid } }, value(late))
    pg.run(url, "insert into numbers_seen (number, carrier_id, fields, goes_to, texts_to, seen_at) select from_number, "
      .. "'PN', '{}', 'ringdown', 'ringdown', now() from calls")
    assert.equal(0, value(late).late) -- a test of ours
    pg.run(url, "delete from numbers_seen")
    pg.run(url, "update triage_matches set state = 'handled', handled_at = now()")
    assert.equal(0, value(late).late)
  end)

  it("has nothing of our own tests, nor of a time before, in what is usual and who called", function()
    call("vapi", { from = "+13125550100", ended = "call.start.error-get-org" })
    local before = call("vapi", { from = "+13125550101", ended = "call.start.error-get-org" })
    call("vapi", { from = "+13125550102" })
    local function seen()
      return { value(("rollout_usual('%s')"):format(AGENT)), value(("to_jsonb(rollout_callers('%s'))"):format(AGENT)) }
    end
    assert.same({ n = 3, k = 2 }, seen()[1])
    assert.equal(3, #seen()[2])
    pg.run(url, ("update calls set imported = true where call = '%s'"):format(before))
    pg.run(url, "insert into numbers_seen (number, carrier_id, fields, goes_to, texts_to, seen_at) values "
      .. "('+13125550100', 'PN', '{}', 'ringdown', 'ringdown', now())")
    assert.same({ n = 1, k = 0 }, seen()[1])
    assert.same({ "+13125550101", "+13125550102" }, seen()[2])
  end)

  describe("a change", function()
    it("is made from the newest version or not at all, and the audit has both", function()
      assert.equal(2, plan({ percent_bp = 5000, state = "running" }, 1))
      assert.is_nil(plan({ percent_bp = 0, state = "rolled_back" }, 1))
      local rows = pg.query(url, "select what, before, after from audit order by id")
      assert.same({ "rollout.start", "rollout.start", "rollout.refused" }, { rows[1].what, rows[2].what, rows[3].what })
      assert.matches("not the newest", json.encode(rows[3].after))
    end)

    it("keeps the lists that it does not name, and has those of an earlier version again", function()
      local function lists()
        local row = pg.query(url, "select to_jsonb(allow)::text as a, to_jsonb(deny)::text as d from rollout_now")[1]
        return { row.a, row.d }
      end
      assert.equal(2, plan({ allow = { "+13125550142" }, deny = { "+13125550143" }, percent_bp = 2500 }, 1))
      assert.equal(3, plan({ percent_bp = 0, state = "rolled_back" }, 2))
      assert.same({ '["+13125550142"]', '["+13125550143"]' }, lists())
      assert.equal(4, plan({ percent_bp = 0, deny = json.array {} }, 3))
      assert.same({ '["+13125550142"]', "[]" }, lists())
      assert.equal(5, plan({ percent_bp = 0, lists_of = 2 }, 4))
      assert.same({ '["+13125550142"]', '["+13125550143"]' }, lists())
      assert.equal(6, plan({ percent_bp = 0, lists_of = 1 }, 5))
      assert.same({ "[]", "[]" }, lists())
    end)

    it("of two at once is made by one", function()
      local both = ("select rollout_change('%s', 1, '{\"percent_bp\":%d}', 'a', null, 'x') as v")
      local a, b = pg.query(url, both:format(AGENT, 0))[1].v, pg.query(url, both:format(AGENT, 5000))[1].v
      assert.same({ 2, nil }, { a, b })
    end)
  end)

  describe("what is usual on Vapi", function()
    local function usual()
      return value(("rollout_evidence('%s')"):format(AGENT)).usual
    end

    it("is what it was when the last stage began, as long as that lasts", function()
      call("vapi", { ended = "pipeline-error-openai-llm-failed" })
      call "vapi"
      assert.same({ n = 2, k = 1 }, usual())
      plan({ percent_bp = 10000, stage = "100", state = "running" }, 1)
      pg.run(url, "delete from vapi_calls") -- two weeks later
      assert.same({ n = 2, k = 1 }, usual())
      plan({ percent_bp = 10000, stage = "100", state = "paused" }, 2)
      assert.same({ n = 2, k = 1 }, usual())
      plan({ percent_bp = 5000, stage = "50", state = "rolled_back" }, 3)
      assert.same({ n = 0, k = 0 }, usual())
      call "vapi"
      plan({ percent_bp = 10000, stage = "100", state = "running" }, 4)
      assert.same({ n = 1, k = 0 }, usual())
    end)
  end)

  describe("the time of a stage", function()
    local function baked()
      return math.tointeger(pg.query(url, ("select rollout_baked('%s', (select since from rollout_now), true) as v")
        :format(AGENT))[1].v)
    end

    local function check(verdict, more)
      local said = { agent = AGENT, version = 1, stage = "25", baked_s = baked(), verdict = verdict, canary = 1,
        baseline = 2, findings = json.array {} }
      for key, v in pairs(more or {}) do
        said[key] = v
      end
      pg.run(url, ("select rollout_check_put(%s || jsonb_build_object('since', since)) from rollout_now")
        :format(pg.literal(json.encode(said)) .. "::jsonb"))
    end

    it("is what was watched of it: a clock that jumps neither adds much nor takes away", function()
      assert.is_near(600, baked(), 2) -- an hour ago, and nobody looked
      check "insufficient"
      assert.is_near(600, baked(), 2)
      pg.run(url, "update rollout_checks set last_at = last_at - interval '60 seconds'")
      assert.is_near(660, baked(), 1)
      pg.run(url, "update rollout_checks set last_at = last_at + interval '1 hour'")
      assert.is_near(600, baked(), 2)
      check "insufficient"
      pg.run(url, "update rollout_checks set last_at = last_at - interval '60 seconds'")
      assert.is_near(660, baked(), 1)
    end)

    it("is one row as long as the guards say the same", function()
      check "insufficient"
      check "insufficient"
      check("insufficient", { look = { n = 20, failing = {} } })
      check "pass"
      check("hold", { action = "hold" })
      local rows = pg.query(url, "select verdict, checks from rollout_checks order by id")
      assert.equal(4, #rows)
      assert.equal(2, rows[1].checks)
    end)
  end)
end)
