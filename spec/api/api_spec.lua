-- SPDX-License-Identifier: Apache-2.0
local json = require "cjson"
local api = require "ringdown.api"

-- A node as the routes see it, with a ring of events.
local function fake_host()
  local host = { live = {}, events = {}, hung_up = {}, wishes = {} }
  function host.status()
    if host.gone then return nil, "no node is attached", "starting" end
    return '{"calls":2}'
  end
  function host.calls()
    if host.gone then return nil, "no node is attached", "starting" end
    local texts = {}
    for i, call in ipairs(host.live) do texts[i] = json.encode(call) end
    return "[" .. table.concat(texts, ",") .. "]"
  end
  function host.hang_up(sid)
    if sid == "CAaway" then return nil, "not allowed in this state", "away" end
    if sid == "CAstuck" then return nil, "queue or buffer is full", "failed" end
    for _, call in ipairs(host.live) do
      if call.call == sid then
        host.hung_up[#host.hung_up + 1] = sid
        return true
      end
    end
    return nil, "the call is over", "gone"
  end
  local function wish(sid, what)
    for _, call in ipairs(host.live) do
      if call.call == sid then
        host.wishes[#host.wishes + 1] = what
        return true
      end
    end
    return nil, "the call is over", "gone"
  end
  function host.whisper(sid, text, now, who)
    return wish(sid, ("%s: %s%s"):format(who, text, now and " (now)" or ""))
  end
  function host.transfer(sid, to, who) return wish(sid, ("%s: to %s"):format(who, to)) end
  function host.drill(agent, rule, who)
    if host.full then return nil, "queue or buffer is full", "failed" end
    host.wishes[#host.wishes + 1] = ("%s: drill %s %s"):format(who, agent, rule)
    return "d1"
  end
  function host.events_after(after)
    local texts = {}
    for number = after + 1, #host.events do texts[#texts + 1] = host.events[number] end
    return "[" .. table.concat(texts, ",") .. "]", #texts
  end
  function host.events_last() return #host.events end
  function host.agents()
    if host.gone then return nil, "no node is attached", "starting" end
    return '{"agents":[{"name":"dentist"}]}'
  end
  function host.agent(name)
    if name == "dentist" then
      return '{"name":"dentist","emergencies":[{"id":"bleeding","severity":"life","drill":{"over_s":120,'
        .. '"rungs":[{"after_s":0,"people":[{"name":"office","number":"+1********01"}]}]}}]}'
    end
    return nil, "gone", host.gone and "starting" or "gone"
  end
  function host.reload()
    if host.gone then return nil, "no node is attached", "starting" end
    return 7
  end
  function host.reloaded(number)
    if number == 7 and host.reload_done then return '{"taken":true}' end
    return nil, "not yet", host.gone and "starting" or "failed"
  end
  return host
end

describe("the admin API", function()
  local host, admin

  local function record(event)
    host.events[#host.events + 1] = json.encode(event)
    admin.record(json.encode(event))
  end

  local function get(target, waited)
    local status, body, wait_ms = admin.handle("GET", target, waited or false)
    return status, body and json.decode(body), wait_ms
  end

  before_each(function()
    host = fake_host()
    admin = api.new(host)
  end)

  describe("finding the way", function()
    it("answers an unknown path with 404 and where to look", function()
      local status, body = get "/api/v1/stauts"
      assert.equal(404, status)
      assert.matches("/api/v1/status", body.fix)
    end)
    it("answers a known path with the wrong method with 405", function()
      assert.equal(405, (admin.handle("POST", "/api/v1/status", false)))
    end)
    it("takes the path as it is: no dots, no slashes in an id", function()
      assert.equal(404, (get "/api/v1/calls/../status"))
      assert.equal(404, (get "/api/v1/status/"))
      assert.equal(404, (get "x/api/v1/status"))
    end)
  end)

  describe("status", function()
    it("is the node's own words", function()
      local status, body = admin.handle("GET", "/api/v1/status?x=1", false)
      assert.equal(200, status)
      assert.equal('{"calls":2}', body)
    end)
    it("is 503 while there is no node", function()
      host.gone = true
      local status, body = get "/api/v1/status"
      assert.equal(503, status)
      assert.matches("starting", body.fix)
    end)
  end)

  describe("calls", function()
    it("are two arrays even when there are none", function()
      local _, body = admin.handle("GET", "/api/v1/calls", false)
      assert.equal('{"live":[],"ended":[]}', body)
    end)
    it("tell what was said and done so far", function()
      host.live = { { call = "CA1", state = "taken", agent = "northside-plumbing", from = "+13125550142" } }
      record { type = "state", call = "CA1", state = "live" }
      record { type = "turn", call = "CA1", role = "caller", text = "hello" }
      record { type = "tool", call = "CA1", name = "book_visit", arguments = "{}", done = false }
      record { type = "tool", call = "CA1", name = "book_visit", output = "{}", done = true }
      record { type = "barge_in", call = "CA1", heard_ms = 400 }
      record { type = "error", call = "CA1", code = "busy", message = "a response was running" }
      local _, body = get "/api/v1/calls"
      local call = body.live[1]
      assert.equal("taken", call.state) -- the directory knows better
      assert.equal(1, call.turns)
      assert.equal(1, call.tool_calls)
      assert.equal(1, call.barge_ins)
      assert.equal("hello", call.last_words.text)
      assert.equal("busy", call.last_error.code)
      assert.is_nil(call.number)
    end)
    it("are remembered with their totals after they ended, newest first", function()
      record { type = "turn", call = "CA1", agent = "a", from = "+1", role = "caller", text = "hello" }
      record { type = "ended", call = "CA1", reason = "caller_hangup", turns = 1, duration_ms = 9000 }
      record { type = "ended", call = "CA2", reason = "silence", turns = 0 }
      local _, body = get "/api/v1/calls"
      assert.equal("CA2", body.ended[1].call)
      assert.equal("caller_hangup", body.ended[2].reason)
      assert.equal(9000, body.ended[2].totals.duration_ms)
      assert.equal("+1", body.ended[2].from)
      assert.is_nil(body.ended[2].totals.call)
    end)
    it("are not opened again by what trails behind their end", function()
      record { type = "turn", call = "CA1", role = "caller", text = "hello" }
      record { type = "ended", call = "CA1", reason = "silence" }
      record { type = "state", call = "CA1", state = "ended" }
      record { type = "usage", call = "CA1" }
      local _, body = get "/api/v1/calls/CA1"
      assert.equal("silence", body.reason)
      assert.equal(1, body.turns)
    end)
    it("go on where they were when a next leg begins", function()
      record { type = "turn", call = "CA1", role = "caller", text = "hello" }
      record { type = "ended", call = "CA1", reason = "provider_failed" }
      record { type = "state", call = "CA1", state = "connecting" }
      record { type = "turn", call = "CA1", role = "agent", text = "back again" }
      host.live = { { call = "CA1", state = "taken" } }
      local _, body = get "/api/v1/calls"
      assert.equal(2, body.live[1].turns)
      assert.is_nil(body.live[1].reason)
      assert.equal(0, #body.ended)
    end)
    it("keeps the last hundred of those", function()
      for i = 1, 105 do record { type = "ended", call = "CA" .. i, reason = "silence" } end
      local _, body = get "/api/v1/calls"
      assert.equal(100, #body.ended)
      assert.equal("CA105", body.ended[1].call)
      assert.equal("CA6", body.ended[100].call)
    end)
    it("stays bounded when ends are never heard of", function()
      local live = require "ringdown.api.live"
      local calls = live.new()
      for i = 1, live.LIVE_MAX + 10 do calls:record { type = "state", call = "CA" .. i, state = "live" } end
      assert.equal(live.LIVE_MAX, calls.n_live)
      assert.is_nil(calls:call "CA10")
      assert.truthy(calls:call "CA11")
    end)
    it("answer one by one", function()
      host.live = { { call = "CA1", state = "taken" } }
      record { type = "ended", call = "CA2", reason = "silence" }
      assert.equal("taken", select(2, get "/api/v1/calls/CA1").state)
      assert.equal("silence", select(2, get "/api/v1/calls/CA2").reason)
      assert.equal(404, (get "/api/v1/calls/CA3"))
    end)
  end)

  describe("hanging up", function()
    it("is accepted for a call in progress", function()
      host.live = { { call = "CA1" } }
      local status = admin.handle("POST", "/api/v1/calls/CA1/hang-up", false)
      assert.equal(202, status)
      assert.same({ "CA1" }, host.hung_up)
    end)
    it("is 404 for a call that is over, and 503 when it cannot be asked", function()
      assert.equal(404, (admin.handle("POST", "/api/v1/calls/CA1/hang-up", false)))
      assert.equal(503, (admin.handle("POST", "/api/v1/calls/CAstuck/hang-up", false)))
      local away, body = admin.handle("POST", "/api/v1/calls/CAaway/hang-up", false)
      assert.equal(409, away)
      assert.matches("with somebody else", type(body) == "table" and json.encode(body) or body, 1, true)
    end)
    it("is not done by reading", function()
      host.live = { { call = "CA1" } }
      assert.equal(405, (get "/api/v1/calls/CA1/hang-up"))
      assert.same({}, host.hung_up)
    end)
  end)

  describe("an operator's wish", function()
    before_each(function()
      host.live = { { call = "CA1" } }
      record { type = "turn", call = "CA1", text = "one" }
    end)

    local function post(what, body)
      local status, text = admin.handle("POST", "/api/v1/calls/" .. what, false, body, "control socket uid 7")
      return status, json.decode(text)
    end

    it("to transfer names a number or one of the people, and where to look what came of it", function()
      local status, answer = post("CA1/transfer", '{"to":"on_call"}')
      assert.equal(202, status)
      assert.same({ call = "CA1", transfer = "on_call", after = 1 }, answer)
      assert.equal(202, (post("CA1/transfer", '{"to":"+13125550142"}')))
      assert.same({ "control socket uid 7: to on_call", "control socket uid 7: to +13125550142" }, host.wishes)
    end)
    it("to transfer is refused without a good name, before anybody is asked", function()
      for _, body in ipairs { "", "{}", "null", "[]", '{"to":7}', '{"to":""}', '{"to":"a b"}', '{"to":"<Dial>"}',
        ('{"to":"%s"}'):format(("x"):rep(65)), '{"to":null}' } do
        local status, answer = post("CA1/transfer", body)
        assert.equal(400, status, body)
        assert.matches('{"to":"office"}', answer.fix, 1, true)
      end
      assert.same({}, host.wishes)
    end)
    it("to whisper shapes the next answer, or asks for one at once", function()
      assert.equal(202, (post("CA1/whisper", '{"text":"Offer a discount."}')))
      assert.equal(202, (post("CA1/whisper", '{"text":"Say goodbye.","now":true}')))
      assert.equal(202, (post("CA1/whisper?speak=1", '{"text":"Say goodbye."}')))
      assert.same({ "control socket uid 7: Offer a discount.", "control socket uid 7: Say goodbye. (now)",
        "control socket uid 7: Say goodbye. (now)" }, host.wishes)
    end)
    it("to whisper needs words, not too many, and no rubbish", function()
      for _, body in ipairs { "", "{}", '{"text":" "}', '{"text":"a\\u0000b"}', '{"text":"\255"}',
        ('{"text":"%s"}'):format(("x"):rep(2001)) } do
        assert.equal(400, (post("CA1/whisper", body)))
      end
      assert.same({}, host.wishes)
    end)
    it("is 404 for a call that is over, and nothing that reading does", function()
      assert.equal(404, (post("CA2/transfer", '{"to":"office"}')))
      assert.equal(404, (post("CA2/whisper", '{"text":"Hello."}')))
      assert.equal(405, (get "/api/v1/calls/CA1/transfer"))
    end)
  end)

  describe("drills", function()
    local function drill(body)
      local status, text = admin.handle("POST", "/api/v1/drills", false, body, "somebody")
      return status, json.decode(text)
    end
    it("tell whom they will ask, before and when they begin", function()
      local status, plan = drill '{"agent":"dentist","rule":"bleeding","plan":true}'
      assert.same({ 200, "life", 120, "office" }, { status, plan.severity, plan.over_s, plan.rungs[1].people[1].name })
      assert.same({}, host.wishes)
      local begun
      status, begun = drill '{"agent":"dentist","rule":"bleeding"}'
      assert.same({ 202, "d1", #host.events }, { status, begun.drill, begun.after })
      assert.same({ "somebody: drill dentist bleeding" }, host.wishes)
    end)
    it("of what is not there say what was meant", function()
      local status, body = drill '{"agent":"dentit","rule":"bleeding"}'
      assert.equal(404, status)
      assert.equal("no agent 'dentit' is loaded", body.error)
      assert.matches("did you mean 'dentist'", body.fix)
      status, body = drill '{"agent":"dentist","rule":"bleding"}'
      assert.equal(404, status)
      assert.matches("did you mean 'bleeding'", body.fix)
    end)
    it("are refused for rubbish, a full node and none", function()
      for _, body in ipairs { "", "[]", '{"agent":1,"rule":"x"}', '{"agent":"a/b","rule":"x"}',
        '{"agent":"dentist"}' } do
        assert.equal(400, (drill(body)))
      end
      host.full = true
      assert.equal(503, (drill '{"agent":"dentist","rule":"bleeding"}'))
      host.gone = true
      assert.equal(503, (drill '{"agent":"other","rule":"bleeding"}'))
    end)
  end)

  describe("agents", function()
    it("are listed, and shown one by one", function()
      assert.equal(200, (get "/api/v1/agents"))
      local status, body = get "/api/v1/agents/dentist"
      assert.equal(200, status)
      assert.equal("dentist", body.name)
      status, body = get "/api/v1/agents/nobody"
      assert.equal(404, status)
      assert.equal("no agent nobody is loaded", body.error)
    end)
    it("are read again by a number that knows its outcome", function()
      local status, body = admin.handle("POST", "/api/v1/reloads", false)
      assert.equal(202, status)
      assert.equal(7, json.decode(body).reload)
      local nothing, _, wait_ms = get "/api/v1/reloads/7"
      assert.is_nil(nothing)
      assert.equal(10000, wait_ms)
      assert.equal(202, (get("/api/v1/reloads/7", true))) -- woken by something else: asked again
      host.reload_done = true
      status, body = get("/api/v1/reloads/7", true)
      assert.equal(200, status)
      assert.is_true(body.taken)
      assert.equal(400, (get "/api/v1/reloads/seven"))
    end)
    it("cannot be asked for while there is no node", function()
      host.gone = true
      assert.equal(503, (get "/api/v1/agents"))
      assert.equal(503, (get "/api/v1/agents/x"))
      assert.equal(503, (admin.handle("POST", "/api/v1/reloads", false)))
      assert.equal(503, (get "/api/v1/reloads/7"))
    end)
  end)

  describe("events", function()
    before_each(function()
      record { type = "turn", call = "CA1", text = "one" }
      record { type = "turn", call = "CA1", text = "two" }
    end)
    it("are those behind a number", function()
      local _, body = get "/api/v1/events?after=1"
      assert.equal(1, #body)
      assert.equal("two", body[1].text)
    end)
    it("begin with the last one when no number is given", function()
      local _, body = get "/api/v1/events"
      assert.equal(1, #body)
      assert.equal("two", body[1].text)
    end)
    it("are waited for when there are none yet", function()
      local status, _, wait_ms = get "/api/v1/events?after=2"
      assert.is_nil(status)
      assert.equal(10000, wait_ms)
    end)
    it("are waited for shorter by one who cannot wait, never longer", function()
      assert.equal(1500, (select(3, get "/api/v1/events?after=2&wait_ms=1500")))
      assert.equal(10000, (select(3, get "/api/v1/events?after=2&wait_ms=99999")))
      assert.equal(400, (get "/api/v1/events?after=2&wait_ms=soon"))
    end)
    it("are an empty array when the wait was for nothing", function()
      local status, body = admin.handle("GET", "/api/v1/events?after=2", true)
      assert.equal(200, status)
      assert.equal("[]", body)
    end)
    it("begin anew for one who followed a node that ran before", function()
      local _, body = get "/api/v1/events?after=900"
      assert.equal(2, #body)
    end)
    it("need a number", function()
      assert.equal(400, (get "/api/v1/events?after=-1"))
      assert.equal(400, (get "/api/v1/events?after=x"))
      assert.equal(400, (get "/api/v1/events?after=99999999999999999"))
    end)
  end)

  it("has the node look at numbers now", function()
    function host.refresh_numbers() return 7 end
    local status, body = admin.handle("POST", "/api/v1/numbers/refresh", false)
    assert.equal(202, status)
    assert.equal('{"version":7}', body)
    function host.refresh_numbers() return nil, "no node is attached", "starting" end
    assert.equal(503, (admin.handle("POST", "/api/v1/numbers/refresh", false)))
  end)

  it("drops a record that is broken or belongs to no call", function()
    admin.record "not json"
    admin.record "[]"
    admin.record '{"type":"turn"}'
    admin.record '{"type":"turn","call":7}'
    assert.equal('{"live":[],"ended":[]}', (select(2, admin.handle("GET", "/api/v1/calls", false))))
  end)
end)
