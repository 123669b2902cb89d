-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
local joined = require "ringdown.vapi.joined"
local json = require "ringdown.json"
local poll = require "ringdown.vapi.poll"
local support = require "spec.vapi.support"

local NOW = 1795599600 -- 2026-11-25T09:40:00Z
local LIST = "createdAtGe=2026-11-25T09%3A29%3A00.000Z"

local function call_at(minute, more)
  local call = { id = ("8f2c1d7e-1111-4222-8333-4444555566%02d"):format(minute),
    phoneCallProviderId = ("CA%032d"):format(minute), status = "ended", endedReason = "customer-ended-call",
    createdAt = ("2026-11-25T09:%02d:00.000Z"):format(minute), startedAt = "2026-11-25T09:40:01.000Z", cost = 0.1,
    artifact = { messages = { { role = "system", message = "You are" }, { role = "bot", message = "Hello",
      secondsFromStart = 1.2 }, { role = "user", message = "Hi", secondsFromStart = 3 } } } }
  for key, value in pairs(more or {}) do
    call[key] = value
  end
  return call
end

describe("what webhooks did not tell", function()
  local owed, missing, told, now, fell

  before_each(function()
    support.begin()
    owed, missing, told, now = {}, {}, {}, NOW
    local function handle(part, answer)
      table.insert(host.query_handlers, { part = part, answer = answer })
    end
    handle("vapi_owed()", function()
      local rows = {}
      for i, one in ipairs(owed) do
        rows[i] = { one.sid, "books", one.status or false, tostring(one.costed == true), tostring(one.worded == true),
          one.id or false, tostring((one.age or 60) + now - NOW), tostring(now) }
      end
      return rows
    end)
    fell = {}
    handle("vapi_fell", function()
      return fell
    end)
    handle("vapi_given_up", function(params)
      local n = 0
      for sid in params[1]:gmatch "%w+" do
        n = n + (missing[sid] and 1 or 0)
      end
      return { { tostring(n) } }
    end)
    host.vapi_replies = {}
  end)
  after_each(support.finish)

  local function owes(call, more)
    local one = { sid = ("CA%032d"):format(tonumber(call.id:sub(-2))) }
    for key, value in pairs(more or {}) do
      one[key] = value
    end
    owed[#owed + 1] = one
    return one
  end

  local function answer(query, page)
    host.vapi_replies["GET /call?" .. query] = { body = json.encode(json.array(page)) }
  end

  local function shows(call)
    host.vapi_replies["GET /call/" .. call.id] = { body = json.encode(call) }
  end

  local function run()
    host.set_unix(now)
    return poll.run({}, function(value)
      told[#told + 1] = value.text
    end).told
  end

  -- Each minute, for so many.
  local function minutes(n)
    for _ = 1, n do
      run()
      now = now + 60
    end
  end

  it("is asked for, and only then", function()
    assert.equal(0, run())
    assert.same({}, host.vapi_requests)
    assert.is_nil(host.kept("vapi/asked.json"))
  end)

  it("is an alarm where the carrier took there what was meant for somebody else", function()
    fell = { { "books" } }
    run()
    assert.same({ "critical", "routing.failover", "books/openai" }, { host.alarms[1].severity, host.alarms[1].kind,
      host.alarms[1].subject })
  end)

  it("becomes facts of the calls that we sent there, and of no others", function()
    local ours, theirs = call_at(40), call_at(41)
    owes(ours)
    answer(LIST .. "&limit=100", { theirs, ours })
    assert.equal(1, run())
    assert.same({ "vapi", "vapi_words" }, { host.facts[1].type, host.facts[2].type })
    assert.same({ ours.id, "ended", 0.1, "poll" }, { host.facts[1].vapi_id, host.facts[1].status, host.facts[1].cost,
      host.facts[1].seen_by })
    assert.same({ { role = "agent", text = "Hello", at_ms = 1200 }, { role = "caller", text = "Hi", at_ms = 3000 } },
      host.facts[2].words)
    assert.equal(2, #host.facts)
    assert.matches("1 calls", told[1], 1, true)
  end)

  it("is fetched call by call where the list has no words", function()
    local ours = call_at(40, { artifact = {} })
    owes(ours)
    answer(LIST .. "&limit=100", { ours })
    shows(call_at(40))
    run()
    assert.equal("vapi_words", host.facts[2].type)
  end)

  it("is asked for by the call's own name, less and less, and told when there is something new", function()
    local ours = call_at(40, { status = "in-progress", cost = false, artifact = {} })
    local one = owes(ours, { status = "in-progress", id = ours.id })
    shows(ours)
    minutes(60)
    assert.same({}, host.facts)
    assert.is_true(#host.vapi_requests < 16, #host.vapi_requests)
    minutes(23 * 60 - 2)
    assert.is_true(#host.vapi_requests < 50, #host.vapi_requests)
    one.status = "ended" -- a webhook told it: what it costs is asked for at once
    shows(call_at(40))
    assert.equal(1, run())
    assert.same({ "vapi", "vapi_words" }, { host.facts[1].type, host.facts[2].type })
  end)

  it("is asked for three times where there are no words, and makes no fact", function()
    local ours = call_at(40, { artifact = {} })
    local one = owes(ours, { status = "ended", costed = true, id = ours.id })
    shows(ours)
    minutes(23 * 60)
    assert.same({}, host.facts)
    assert.equal(3, #host.vapi_requests)
    host.files["vapi/asked.json"] = nil -- another node asks now, and there are words
    shows(call_at(40))
    assert.equal(1, run())
    assert.equal("vapi_words", host.facts[2].type)
    owed, missing[one.sid] = {}, nil
    run()
    assert.is_nil(host.kept("vapi/asked.json"))
    assert.same({}, host.alarms)
  end)

  it("comes in pages, whatever their order, of which each may be too long", function()
    local page, next_page = {}, { call_at(30) }
    for i = 1, 25 do
      page[i] = call_at(i % 2 == 0 and 40 + i or 40 - i // 2 + 8)
    end
    host.vapi_replies["GET /call?" .. LIST .. "&limit=100"] = { lost = true }
    answer(LIST .. "&limit=25", page)
    answer(LIST .. "&createdAtLe=2026-11-25T09%3A36%3A00.000Z&limit=25", next_page)
    owes(next_page[1])
    assert.equal(1, run())
  end)

  -- Vapi's list is longer than one look: calls of others, one a millisecond, and one of ours below them.
  local function a_long_list(n)
    local list = {}
    for i = 1, n do
      list[i] = { id = ("x%d"):format(i), createdAt = ("2026-11-25T09:50:%02d.%03dZ"):format(59 - i // 1000,
        999 - i % 1000) }
    end
    list[n + 1] = call_at(40)
    setmetatable(host.vapi_replies, { __index = function(_, key)
      local before = key:match "createdAtLe=([^&]+)"
      before = before and before:gsub("%%3A", ":")
      local page = {}
      for _, call in ipairs(list) do
        if #page < 100 and (not before or call.createdAt <= before) then
          page[#page + 1] = call
        end
      end
      return { body = json.encode(json.array(page)) }
    end })
  end

  it("is found behind as many calls of others as there are, in more than one look", function()
    a_long_list(4500)
    owes(call_at(40))
    assert.same({ 0, 20 }, { run(), #host.vapi_requests })
    assert.same({ 0, 40 }, { run(), #host.vapi_requests })
    assert.same({ 1, 46 }, { run(), #host.vapi_requests })
    assert.equal("ended", host.facts[1].status)
  end)

  it("is an alarm when it was not told in time, and only once", function()
    local ours = call_at(40)
    local one = owes(ours)
    answer(LIST .. "&limit=100", {})
    run()
    owed, missing[one.sid] = {}, true
    run()
    run()
    assert.same({ "vapi.given_up" }, { host.alarms[1].kind, host.alarms[2] and host.alarms[2].kind })
    assert.matches("^1 calls", host.alarms[1].text)
    assert.is_nil((json.encode(host.log_lines):find(one.sid, 1, true)))
    now = now + 3700
    run()
    assert.is_nil(host.kept("vapi/asked.json"))
  end)

  it("is no alarm where nothing is missing: the call is gone, or Vapi never had it", function()
    owes(call_at(40))
    answer(LIST .. "&limit=100", {})
    run()
    owed = {}
    run()
    assert.same({}, host.alarms)
  end)

  it("is of the call that we know, where the carrier's stands at two", function()
    local ours, second = call_at(40), call_at(41)
    second.phoneCallProviderId = ours.phoneCallProviderId
    owes(ours, { id = second.id, status = "ended", costed = true })
    owes(call_at(39)) -- one without a name: by the list
    answer(LIST .. "&limit=100", { ours, second })
    run()
    assert.equal(second.id, host.facts[1].vapi_id)
  end)

  it("is asked for in parts when much is missing for long", function()
    for i = 1, 90 do
      local call = call_at(i % 60, { artifact = {} })
      call.id = call.id:sub(1, -3) .. i
      owes(call, { sid = ("CAx%d"):format(i), id = call.id, status = "ended", age = 20000 })
      shows(call)
    end
    for i = 91, 150 do
      owes(call_at(1), { sid = ("CAx%d"):format(i), id = "gone" .. i, status = "ended", age = 20000 })
      host.vapi_replies["GET /call/gone" .. i] = { status = 404, body = "{}" }
    end
    run()
    assert.equal(100, #host.vapi_requests)
    run()
    assert.equal(150, #host.vapi_requests)
    run()
    assert.equal(150, #host.vapi_requests)
  end)

  it("is of the call that the carrier has, and not of one that Vapi began and nobody took", function()
    local ours = call_at(40)
    local orphan = call_at(39, {
      endedReason = "phone-call-provider-bypass-enabled-but-no-call-received", cost = 0,
      assistantOverrides = { variableValues = { ringdown_call = ours.phoneCallProviderId } } })
    orphan.startedAt, orphan.phoneCallProviderId = nil, nil
    local one = owes(ours)
    local function again()
      host.facts, host.files["vapi/asked.json"] = {}, nil
      return run()
    end
    for _, page in ipairs { { ours, orphan }, { orphan, ours } } do
      answer(LIST .. "&limit=100", page)
      again()
      assert.same({ ours.id, "vapi_words" }, { host.facts[1].vapi_id, host.facts[2].type })
    end
    answer(LIST .. "&limit=100", { orphan })
    assert.equal(0, again())
    assert.same({}, host.facts)
    one.id = orphan.id -- it is all that there ever was
    shows(orphan)
    again()
    assert.equal(orphan.id, host.facts[1].vapi_id)
  end)

  it("stays unknown when Vapi does not answer", function()
    owes(call_at(40))
    host.vapi_replies["GET /call?" .. LIST .. "&limit=100"] = { status = 401, body = '{"message":"Invalid Key"}' }
    assert.has_error(run, "Vapi could not be asked what became of its calls: Vapi answered 401: Invalid Key")
    assert.same({}, host.facts)
  end)

  it("is told in parts when it is much", function()
    local ours = call_at(40)
    for i = 1, 30 do
      ours.artifact.messages[i] = { role = i % 2 == 0 and "user" or "bot", message = ("x"):rep(3000) }
    end
    require "ringdown.vapi.told".tell(ours.phoneCallProviderId, "books", ours)
    local turns = 0
    for i = 2, #host.facts do
      assert.equal(turns + 1, host.facts[i].first)
      turns = turns + #host.facts[i].words
    end
    assert.equal(30, turns)
    assert.is_true(#host.facts > 4)
  end)
end)

describe("a call of which Vapi says nothing after ten seconds", function()
  local SID = "CA00000000000000000000000000000040"

  before_each(support.begin)
  after_each(support.finish)

  local function look(reply)
    host.set_unix(1795599840)
    host.vapi_replies = { ["GET /call?createdAtGe=2026-11-25T09%3A42%3A00.000Z&limit=20"] = reply[1]
      and { body = json.encode(json.array(reply)) } or reply }
    return joined.run { call = SID, agent = "books" }
  end

  it("is there all the same: only the webhook is missing", function()
    assert.same({ joined = true }, look { call_at(41), call_at(40, { status = "in-progress" }) })
    assert.same({ "vapi-rest worked", "vapi worked" }, host.told)
    assert.equal("vapi", host.facts[1].type)
  end)

  it("counts against Vapi when it is not there, or rings on", function()
    assert.is_false(look({ call_at(41) }).joined)
    assert.is_false(look({ call_at(40, { status = "ringing" }) }).joined)
    assert.same({ "vapi-rest worked", "vapi failed", "vapi-rest worked", "vapi failed" }, host.told)
    assert.equal("vapi.not_joined", host.alarms[1].kind)
  end)

  it("is unknown, and nothing against Vapi's calls, when Vapi refuses to say or does not answer", function()
    for status, kind in pairs { [401] = "vapi.key_refused", [429] = "vapi.not_told", [500] = "vapi.not_told" } do
      host.told, host.alarms, host.alarms_open = {}, {}, {}
      assert.equal("unknown", look({ status = status, body = '{"message":"no +13125550142"}' }).joined)
      assert.equal(kind, host.alarms[1].kind)
      assert.is_nil((table.concat(host.told, ","):find("vapi failed", 1, true)))
      assert.is_nil((json.encode(host.log_lines):find("3125550142", 1, true)))
    end
    assert.equal("unknown", look({ lost = true }).joined)
    assert.is_nil((table.concat(host.told, ","):find("vapi failed", 1, true)))
  end)

  describe("while its API is wholly out", function()
    local before, since

    before_each(function()
      before, since = 40, 0
      table.insert(host.query_handlers, { part = "v.seen_by <> 'poll'", answer = function()
        return { { tostring(before), tostring(since) } }
      end })
    end)

    local function calls(n, reply)
      host.told = {}
      for _ = 1, n do
        look(reply or { status = 503, body = "" })
      end
      local _, failed = table.concat(host.told, ","):gsub("vapi failed", "")
      return failed
    end

    it("counts against Vapi when its webhooks have stopped as well, from the third call on", function()
      assert.equal(3, calls(5))
      assert.equal(1, calls(1, { lost = true }))
      assert.equal("vapi.not_joined", host.alarms[#host.alarms].kind)
      assert.equal(0, calls(1, { call_at(40, { status = "in-progress" }) }))
      assert.equal(0, calls(2)) -- it had answered in between
    end)

    it("counts for nothing where webhooks go on, or never came, or nobody can say", function()
      since = 1
      assert.equal(0, calls(5))
      before, since = 0, 0
      assert.equal(0, calls(5))
      table.insert(host.query_handlers, { part = "v.seen_by <> 'poll'", answer = {} })
      assert.equal(0, calls(5))
    end)

    it("counts for nothing while Vapi answers, if only that it will not say", function()
      assert.equal(0, calls(9, { status = 401, body = "{}" }))
      assert.equal(0, calls(9, { status = 429, body = "{}" }))
    end)

    it("counts for nothing when the caller has hung up", function()
      host.twilio_replies = { ["GET Calls/" .. SID .. ".json"] = { body = '{"status":"completed"}' } }
      assert.equal(0, calls(5))
    end)
  end)

  it("is found behind a page that is too long for one answer", function()
    local page = { call_at(41), call_at(43), call_at(44), call_at(45), call_at(46) }
    look({ lost = true })
    host.set_unix(1795599840)
    host.told = {}
    local at = "GET /call?createdAtGe=2026-11-25T09%3A42%3A00.000Z"
    host.vapi_replies[at .. "&limit=5"] = { body = json.encode(json.array(page)) }
    host.vapi_replies["GET /call?createdAtGe=2026-11-25T09%3A42%3A00.000Z&createdAtLe=2026-11-25T09%3A41%3A00.000Z"
      .. "&limit=5"] = { body = json.encode(json.array { call_at(40, { status = "in-progress" }) }) }
    assert.same({ joined = true }, joined.run { call = SID, agent = "books" })
    assert.equal("vapi worked", host.told[#host.told])
  end)

  it("does not when the caller has hung up", function()
    host.twilio_replies = { ["GET Calls/" .. SID .. ".json"] = { body = '{"status":"completed"}' } }
    assert.is_false(look({}).joined)
    assert.same({ "vapi-rest worked", "twilio worked" }, host.told)
  end)
end)
