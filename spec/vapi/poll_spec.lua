-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
local joined = require "ringdown.vapi.joined"
local json = require "ringdown.json"
local poll = require "ringdown.vapi.poll"
local support = require "spec.vapi.support"

local SINCE = "2026-11-25T09:30:00.000Z"

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
  local known, told

  before_each(function()
    support.begin()
    known, told = {}, {}
    local function handle(part, answer)
      table.insert(host.query_handlers, { part = part, answer = answer })
    end
    handle("vapi_owes_since", { { 60, 1795600000 } })
    handle("to_char", { { SINCE } })
    handle("vapi_calls_known", function(params)
      local rows = {}
      for sid in params[1]:gmatch "%w+" do
        rows[#rows + 1] = known[sid] or nil
      end
      return rows
    end)
    host.vapi_replies = {}
  end)
  after_each(support.finish)

  local function answer(query, page)
    host.vapi_replies["GET /call?" .. query] = { body = json.encode(json.array(page)) }
  end

  local function run()
    return poll.run({}, function(value)
      told[#told + 1] = value.text
    end)
  end

  it("is asked for, each minute, and only then", function()
    table.insert(host.query_handlers, { part = "vapi_owes_since", answer = { { false, 1795600000 } } })
    assert.same({ told = 0 }, run())
    assert.same({}, host.vapi_requests)
  end)

  it("becomes facts of the calls that we sent there, and of no others", function()
    local ours, theirs = call_at(40), call_at(41)
    known[ours.phoneCallProviderId] = { ours.phoneCallProviderId, "books", false, "false", "false" }
    answer("createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=100", { theirs, ours })
    assert.same({ told = 1 }, run())
    assert.same({ "vapi", "vapi_words" }, { host.facts[1].type, host.facts[2].type })
    assert.same({ ours.id, "ended", 0.1, "poll" }, { host.facts[1].vapi_id, host.facts[1].status, host.facts[1].cost,
      host.facts[1].seen_by })
    assert.same({ { role = "agent", text = "Hello", at_ms = 1200 }, { role = "caller", text = "Hi", at_ms = 3000 } },
      host.facts[2].words)
    assert.equal(2, #host.facts)
    assert.matches("1 calls", told[1], 1, true)
  end)

  it("is not told again once it is whole", function()
    local ours = call_at(40)
    known[ours.phoneCallProviderId] = { ours.phoneCallProviderId, "books", "ended", "true", "true" }
    answer("createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=100", { ours })
    assert.same({ told = 0 }, run())
    assert.same({}, host.facts)
  end)

  it("is fetched call by call where the list has no words", function()
    local ours = call_at(40, { artifact = {} })
    known[ours.phoneCallProviderId] = { ours.phoneCallProviderId, "books", false, "false", "false" }
    answer("createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=100", { ours })
    host.vapi_replies["GET /call/" .. ours.id] = { body = json.encode(call_at(40)) }
    run()
    assert.equal("vapi_words", host.facts[2].type)
  end)

  it("is asked for three times where there are no words, and makes no fact", function()
    local ours = call_at(40, { artifact = {} })
    known[ours.phoneCallProviderId] = { ours.phoneCallProviderId, "books", "ended", "true", "false" }
    answer("createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=100", { ours })
    host.vapi_replies["GET /call/" .. ours.id] = { body = json.encode(ours) }
    for _ = 1, 30 do
      assert.same({ told = 0 }, run())
    end
    assert.same({}, host.facts)
    assert.equal(30 + 3, #host.vapi_requests)
    host.files["vapi/asked.json"] = nil -- another node asks now, and there are words
    host.vapi_replies["GET /call/" .. ours.id] = { body = json.encode(call_at(40)) }
    assert.same({ told = 1 }, run())
    assert.equal("vapi_words", host.facts[2].type)
    known[ours.phoneCallProviderId] = nil
    run()
    assert.is_nil(host.kept("vapi/asked.json"))
  end)

  it("comes in pages, whatever their order, of which each may be too long", function()
    local page, next_page = {}, { call_at(30) }
    for i = 1, 25 do
      page[i] = call_at(i % 2 == 0 and 40 + i or 40 - i // 2 + 8)
    end
    host.vapi_replies["GET /call?createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=100"] = { lost = true }
    answer("createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=25", page)
    answer("createdAtGe=2026-11-25T09%3A30%3A00.000Z&createdAtLt=2026-11-25T09%3A36%3A00.000Z&limit=25", next_page)
    known[next_page[1].phoneCallProviderId] = { next_page[1].phoneCallProviderId, "books", false, "false", "false" }
    assert.same({ told = 1 }, run())
  end)

  it("is of the call that the carrier has, and not of one that Vapi began and nobody took", function()
    local ours = call_at(40)
    local orphan = call_at(39, {
      endedReason = "phone-call-provider-bypass-enabled-but-no-call-received", cost = 0,
      assistantOverrides = { variableValues = { ringdown_call = ours.phoneCallProviderId } } })
    orphan.startedAt, orphan.phoneCallProviderId = nil, nil
    known[ours.phoneCallProviderId] = { ours.phoneCallProviderId, "books", false, "false", "false", false }
    for _, page in ipairs { { ours, orphan }, { orphan, ours } } do
      host.facts = {}
      answer("createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=100", page)
      run()
      assert.same({ ours.id, "vapi_words" }, { host.facts[1].vapi_id, host.facts[2].type })
    end
    host.facts = {}
    answer("createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=100", { orphan })
    assert.same({ told = 0 }, run())
    assert.same({}, host.facts)
    known[ours.phoneCallProviderId][6] = orphan.id -- it is all that there ever was
    run()
    assert.equal(orphan.id, host.facts[1].vapi_id)
  end)

  it("stays unknown when Vapi does not answer", function()
    host.vapi_replies["GET /call?createdAtGe=2026-11-25T09%3A30%3A00.000Z&limit=100"] = { status = 401,
      body = '{"message":"Invalid Key"}' }
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
      host.told, host.alarms = {}, {}
      assert.equal("unknown", look({ status = status, body = '{"message":"no +13125550142"}' }).joined)
      assert.equal(kind, host.alarms[1].kind)
      assert.is_nil((table.concat(host.told, ","):find("vapi failed", 1, true)))
      assert.is_nil((json.encode(host.log_lines):find("3125550142", 1, true)))
    end
    assert.equal("unknown", look({ lost = true }).joined)
    assert.is_nil((table.concat(host.told, ","):find("vapi failed", 1, true)))
  end)

  it("is found behind a page that is too long for one answer", function()
    local page = { call_at(41), call_at(43), call_at(44), call_at(45), call_at(46) }
    look({ lost = true })
    host.set_unix(1795599840)
    host.told = {}
    local at = "GET /call?createdAtGe=2026-11-25T09%3A42%3A00.000Z"
    host.vapi_replies[at .. "&limit=5"] = { body = json.encode(json.array(page)) }
    host.vapi_replies["GET /call?createdAtGe=2026-11-25T09%3A42%3A00.000Z&createdAtLt=2026-11-25T09%3A41%3A00.000Z"
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
