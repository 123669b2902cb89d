-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"
local fake_host = require "ringdown.fake.host"
local compare = require "ringdown.replay.compare"
local inputs = require "ringdown.inputs"
local record = require "ringdown.replay.record"
local json = require "ringdown.json"
local recordings = require "ringdown.replay.recording"

local function kept(events, over)
  local whole = { call = "CA1", agent = "desk", version = "v", from = "+13125550177", to = "+13125550100",
    began_ms = 1795000000000, ended = true, system = "openai", reason = "default", events = events }
  for key, value in pairs(over or {}) do
    whole[key] = value
  end
  return json.encode(whole)
end

local opened = { type = "opened", at_ms = 5, body = { schema = 1, seed = "7", form = {} } }

describe("a recording", function()
  it("is the facts of a call as inputs, in their order", function()
    local r = assert(recordings.read(kept {
      opened,
      { type = "state", at_ms = 100, body = { state = "live" } },
      { type = "turn", at_ms = 900, body = { role = "caller", text = "", withheld = "before_notice" } },
      { type = "dtmf", at_ms = 1000, body = { digit = "*" } },
      { type = "dtmf", at_ms = 9000, body = { digit = "*" } },
      { type = "tool", at_ms = 9100, body = { id = "a", name = "price", arguments = "{}", done = false } },
      { type = "tool", at_ms = 9200, body = { id = "a", output = "[]", done = true } },
      { type = "input", at_ms = 9300, body = { kind = "key", key = "2", ago_ms = 8250 } },
      { type = "ended", at_ms = 9900, body = { reason = "transferred" } },
      { type = "ended", at_ms = 19900, body = { reason = "caller_hangup" } },
    }))
    assert.equal(7, r.seed)
    assert.same({ "started", "withheld", "presses", "presses", "tool", "ends" }, (function()
      local list = {}
      for i, input in ipairs(r.inputs) do
        list[i] = input.what
      end
      return list
    end)())
    assert.equal("2", r.inputs[3].key)
    assert.equal("*", r.inputs[4].key)
    assert.equal("[]", r.inputs[5].output)
    assert.equal(19900, r.inputs[6].at_ms)
  end)

  it("of which something is missing is not guessed at: it says what", function()
    local function why(text)
      local r, reason = recordings.read(text)
      assert.is_nil(r)
      return reason
    end
    assert.matches("no 'opened' fact", why(kept {}))
    assert.matches("not kept any more", why(kept({ opened }, { words_gone = true })))
    assert.matches("not ended yet", why(kept({ opened }, { ended = false })))
    assert.matches("schema 0.*too old", why(kept { { type = "opened", at_ms = 0, body = { schema = 0 } } }))
    assert.matches("schema 2.*newer", why(kept { { type = "opened", at_ms = 0, body = { schema = 2 } } }))
    assert.matches("schema nil", why "{}")
    assert.matches("no such call", why "null")
    assert.matches("no JSON", why "{")
    assert.matches("not as those of a call", why '{"events":5,"ended":true}')
    assert.matches("its input 1", why '{"ringdown_recording":1,"agent":"a","began_ms":1,"inputs":[{"what":"hears"}]}')
    assert.matches("seed of its random numbers", why(kept { { type = "opened", at_ms = 0, body = { schema = 1 } } }))
  end)

  it("that another process went on with is refused; one whose model or stream was another is not", function()
    local function resumed(reason)
      return recordings.read(kept { opened, { type = "resumed", at_ms = 900, body = { reason = reason, node = "b" } } })
    end
    for _, reason in ipairs { "node_lost", "node_drained", "stream_elsewhere" } do
      local r, why = resumed(reason)
      assert.is_nil(r)
      assert.matches("another process %(" .. reason, why)
    end
    assert.is_table(resumed "provider_lost")
    assert.is_table(resumed "stream_lost")
  end)

  it("has the seed of its random numbers, which is kept in letters: as digits it may look like a card", function()
    local function seed(text)
      local r = recordings.read(kept { { type = "opened", at_ms = 5, body = { schema = 1, seed = text } } })
      return r and r.seed
    end
    assert.equal("ebbbbbbbbbbbbbbb", inputs.lettered(4111111111111111))
    assert.equal(4111111111111111, seed "ebbbbbbbbbbbbbbb")
    assert.equal(42, seed "42")
    assert.is_nil(seed "[card]")
  end)

  it("has what its node knew about where calls go, so that it goes there again", function()
    local routes = { record = { version = 17, mode = "split", percent_bp = 10000 }, force = "openai" }
    local r = assert(recordings.read(kept { { type = "opened", at_ms = 5, body = { schema = 1, seed = "b", form = {},
      routes = routes } } }))
    assert.same(routes, r.routes)
    local def = require "ringdown.agent" { name = "sales", greeting = "Hello.", prompt = "Help.",
      vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" } }
    assert.equal("openai", require("ringdown.fake").call { agent = def, recording = r }.system)
    r.routes = nil
    assert.equal("vapi", require("ringdown.fake").call { agent = def, recording = r }.system)
  end)

  it("has its answers as they are kept: JSON in a text, and none where something was taken out of it", function()
    local r = assert(recordings.read(kept { opened,
      { type = "input", at_ms = 1, body = { kind = "query", ask = "a", value = '[[["x"]],false,1]' } },
      { type = "input", at_ms = 2, body = { kind = "http", ask = "b", value = "[{[card]" } },
      { type = "input", at_ms = 3, body = { kind = "cut" } } }))
    assert.same({ { { "x" } }, false, 1 }, r.answers[1].value)
    assert.is_true(r.answers[2].cut)
    assert.equal(3, r.cut_ms)
    assert.matches("after 0.0 s keys", record.notes(r)[1])
  end)

  it("knows what was done then: by the script, and in words that are kept", function()
    local r = assert(recordings.read(kept { opened,
      { type = "turn", at_ms = 900, body = { role = "caller", text = "", withheld = "before_notice" } },
      { type = "triage", at_ms = 910, body = { state = "open", rule = "fire" } },
      { type = "turn", at_ms = 1900, body = { role = "caller", text = "I smell gas" } },
      { type = "triage", at_ms = 1910, body = { state = "open", rule = "gas" } },
      { type = "text", at_ms = 1950, body = { id = "1", direction = "out", to = "+13125550188", kind = "emergency" } },
      { type = "text", at_ms = 1990, body = { id = "1", direction = "out", to = "+13125550188", status = "sent" } },
      { type = "operator", at_ms = 3000, body = { action = "transfer", detail = "office" } },
      { type = "transfer", at_ms = 3000, body = { state = "asked", whom = "office" } },
      { type = "transfer", at_ms = 9000, body = { state = "asked", whom = "on_call" } } }))
    assert.same({ "fire", "gas" }, r.recorded.emergencies)
    assert.same({ "fire" }, r.recorded.unheard)
    assert.same({ "gas" }, record.found(r))
    assert.equal(1, #r.recorded.texts)
    assert.same({ { at_ms = 9000, whom = "on_call", asked = true } }, r.recorded.transfers)
  end)

  it("in a file of anybody's is refused for what it must have, with the place", function()
    local function why(input, over)
      local file = { ringdown_recording = 1, agent = "a", began_ms = 1, seed = 1, inputs = { input } }
      for key, value in pairs(over or {}) do
        file[key] = value
      end
      return select(2, recordings.read(json.encode(file)))
    end
    assert.matches("input 1 %(presses%) has a wrong key: it is to be one key", why { at_ms = 1, what = "presses" })
    assert.matches("input 1 %(hears%) has a wrong text", why { at_ms = 1, what = "hears" })
    assert.matches("input 1 %(tool%) has a wrong arguments", why { at_ms = 1, what = "tool", name = "x" })
    assert.matches("input 1 %(tool%) has a wrong name", why { at_ms = 1, what = "tool", name = 1, arguments = "{}" })
    assert.matches("input 1 is one that this program does not know %(dances%)", why { at_ms = 1, what = "dances" })
    assert.matches("input 1 has no what", why { at_ms = 1 << 60, what = "started" })
    assert.matches("wrong seed: it is to be a whole number", why(nil, { seed = "1" }))
    assert.matches("wrong call: it is to be letters and digits", why(nil, { call = "CA\27]0;x\7" }))
    assert.matches("answer 1 has a wrong ask", why(nil, { answers = { { of = "http" } } }))
    assert.matches("wrong form", why(nil, { form = { CallerName = {} } }))
    assert.matches("its recorded has a wrong emergencies", why(nil, { recorded = { emergencies = { {} } } }))
    assert.matches("recorded text 1 has a wrong to", why(nil, { recorded = { texts = { { at_ms = 1 } } } }))
  end)
end)

describe("what the version that took a call does again", function()
  local recording = { inputs = {
      { at_ms = 900, what = "tool", name = "price", arguments = "{}", output = '{"dollars":5,"card":"[card]"}' },
      { at_ms = 60000, what = "ends" } },
    recorded = { system = "openai", reason = "default", brief = "aa", emergencies = { "gas" }, unheard = {},
      opened_ms = { 900 }, texts = { { at_ms = 950, to = "+1", kind = "tool", template = "eta" } },
      transfers = { { at_ms = 1000, whom = "office", asked = true } } } }
  recording.recorded.opened_ms = {}

  local function steps(over)
    local did = { { kind = "tool", name = "price", text = '{"dollars":5,"card":4111}' },
      { kind = "emergency", text = "gas" }, { kind = "transfer", text = "office" } }
    return { { at_ms = 0, did = { { kind = "routing", text = over.routing or "openai, default" } } },
      { at_ms = 900, did = over.did or did }, { at_ms = 60000, did = {} } },
      { brief = over.brief or "aa", texts = over.texts or { { to = "+1", kind = "tool", template = "eta" } } }
  end

  local function drift(over)
    local list = {}
    for i, d in ipairs((record.check(recording, steps(over)))) do
      list[i] = ("%s: %s / %s"):format(d.what, d.was, d.now)
    end
    return list
  end

  it("is what was recorded of it, or it is told", function()
    assert.same({}, drift {})
    assert.same({ "routing: openai, default / vapi, vip" }, drift { routing = "vapi, vip" })
    assert.same({ "prompt: digest aa / digest bb" }, drift { brief = "bb" })
    assert.same({ "text: eta to +1 / nothing" }, drift { texts = {} })
    assert.same({ "emergency: gas / nothing", 'tool price: {"dollars":5,"card":"[card]"} / {"dollars":6,"card":"1"}',
      "transfer: office / nothing", "transfer: nothing / on_call" },
      drift { did = { { kind = "tool", name = "price", text = '{"dollars":6,"card":"1"}' },
        { kind = "transfer", text = "on_call" } } })
  end)

  it("is not known where the record does not hold it: that is a note", function()
    local found, notes = record.check({ inputs = {}, recorded = {} }, steps {})
    assert.same({}, found)
    assert.matches("nobody knows", notes[1])
    local unheard = { inputs = {}, recorded = { system = "fallback", reason = "down", emergencies = { "gas", "fire" },
      unheard = { "fire" } } }
    found, notes = record.check(unheard, steps {})
    assert.same({}, found)
    assert.equal(2, #notes)
    local late = { inputs = { { at_ms = 900, what = "tool", name = "price", output = '{"failed":true}' } }, recorded = {
      system = "openai", reason = "default" } }
    found, notes = record.check(late, steps {})
    assert.same({}, found)
    assert.matches("price failed then", notes[1])
  end)

  it("is known of who broke a fence only now", function()
    local r = { inputs = { { at_ms = 1, what = "started" } }, recorded = { system = "openai", reason = "default" } }
    local broken = { { at_ms = 0, did = { { kind = "routing", text = "openai, default" } } },
      { at_ms = 1, did = { { kind = "broken", text = "time" } } } }
    assert.equal("fence", record.check(r, broken, { texts = {} })[1].what)
    r.recorded.system = "fallback"
    assert.same({}, (record.check(r, broken, { texts = {} })))
  end)
end)

describe("a spec of a call", function()
  it("has nobody's name, number, street or mail address", function()
    local text = kept { opened,
      { type = "turn", at_ms = 900, body = { role = "caller", text = "I am Ann, ann@lee.example, of 5 Elm Street" } },
      { type = "input", at_ms = 950, body = { kind = "query", ask = "select name\t+13125550177",
        value = json.encode { { { "+13125550177", "Ann Lee", '{"street":"5 Elm Street"}' } }, false, 1 } } },
      { type = "input", at_ms = 960, body = { kind = "db", ask = "select owner_name from cats",
        value = json.encode { { { "Zoe" } }, { { "owner_name", "text" } }, 1 } } },
      { type = "input", at_ms = 970, body = { kind = "http", ask = "GET https://x.example/?who=Zoe\n",
        value = json.encode { { status = 200, body = '{"e_mail":"z@z.example","last_name":"Quux"}' } } } } }
    local written
    local play = require "ringdown.replay.play"
    local whole = play.whole
    play.whole = function(r)
      written = r
      return { { at_ms = 0, did = { { kind = "routing", text = "openai, x" } } } }
    end
    local fixture, spec = require("ringdown.replay.spec").write(assert(recordings.read(text)), "v", "x")
    play.whole = whole
    for _, word in ipairs { "Ann", "Lee", "lee.example", "Elm", "Zoe", "z.example", "Quux", "0177" } do
      assert.is_nil(fixture:find(word, 1, true), word)
    end
    assert.equal("query", written.answers[1].of)
    assert.is_nil(next(written.recorded))
    assert.matches("read it before you keep it", spec)
  end)
end)

describe("what a script saw", function()
  local host = fake_host

  before_each(function()
    host.reset()
  end)

  local function keys()
    local list = {}
    for _, fact in ipairs(host.facts) do
      if fact.kind == "key" then
        list[#list + 1] = fact.key
      end
    end
    return table.concat(list)
  end

  -- The watched functions are the test's own afterwards.
  local function press(at)
    local query, db, http, pause = host.query, host.db, host.http, host.pause
    inputs.begin(1)
    for _, one in ipairs(at) do
      if one.pause ~= nil then
        host.pause(one.pause)
      else
        inputs.event("dtmf", one.key, one.ms)
      end
    end
    inputs.ended()
    host.query, host.db, host.http, host.pause = query, db, http, pause
    return keys()
  end

  it("holds a key that stands alone, and none of several: they may be a card", function()
    assert.equal("1", press { { key = "1", ms = 1000 } })
    host.reset()
    assert.equal("", press { { key = "4", ms = 1000 }, { key = "2", ms = 5900 }, { key = "7", ms = 10000 } })
    host.reset()
    assert.equal("19", press { { key = "1", ms = 1000 }, { key = "9", ms = 6000 } })
  end)

  it("holds no key that was pressed while nothing may be kept", function()
    assert.equal("", press { { pause = true }, { key = "1", ms = 1000 } })
  end)

  it("has a limit, and says where it was reached", function()
    local query, db, http, pause = host.query, host.db, host.http, host.pause
    inputs.begin(1)
    host.query, host.db, host.http, host.pause = query, db, http, pause
    for n = 1, 300 do
      inputs.event("silence", "", n)
    end
    assert.equal(201, #host.facts)
    assert.equal("silence", host.facts[200].kind)
    assert.equal("cut", host.facts[201].kind)
  end)

  it("is found again by the question, whatever key a write had", function()
    local key = ("ab"):rep(32)
    assert.equal(inputs.ask("query", "select f($1, $2)", { "x", key }),
      inputs.ask("query", "select f($1, $2)", { "x", ("cd"):rep(32) }))
    assert.not_equal(inputs.ask("db", "select 1", { "x" }), inputs.ask("db", "select 1", { "y" }))
  end)
end)

describe("two versions in the same call", function()
  local function step(...)
    return { at_ms = 1000, input = 'caller: "hello"', did = { ... } }
  end

  it("differ in what one did and the other did not", function()
    local differences, lost = compare.compare(
      { step({ kind = "say", text = "One." }, { kind = "emergency", text = "gas-leak" }) },
      { step({ kind = "say", text = "Two." }, { kind = "text", text = "to +1: GAS" }) })
    assert.same({ "gas-leak" }, lost)
    assert.equal(3, #differences)
    assert.equal("One.", differences[1].was)
    assert.equal("Two.", differences[1].now)
    assert.is_nil(differences[2].now)
    assert.is_nil(differences[3].was)
  end)

  it("do not differ by the order of a moment, and do by how often", function()
    local a, b = { kind = "say", text = "A" }, { kind = "say", text = "B" }
    assert.equal(0, #compare.compare({ step(a, b) }, { step(b, a) }))
    assert.equal(1, #compare.compare({ step(a, a) }, { step(a) }))
  end)

  it("are shown by the line that differs, and never by a whole prompt", function()
    local long = ("word "):rep(400)
    local d = compare.compare({ step { kind = "prompt", text = "same\n" .. long .. "old" .. long } },
      { step { kind = "prompt", text = "same\n" .. long .. "new" .. long } })[1]
    assert.matches("old", d.was)
    assert.matches("new", d.now)
    assert.is_true(#d.was < 220)
  end)
end)

describe("fake.recorded", function()
  local path = debug.getinfo(1, "S").source:match "^@(.*/)" .. "recorded_eta.json"

  after_each(function()
    os.remove(path)
  end)

  it("plays a call again: its time, its hosts, its words and tools", function()
    local file = assert(io.open(path, "w"))
    file:write(json.encode { ringdown_recording = 1, agent = "northside-plumbing", from = "+13125550142",
      to = "+13125550100", began_ms = 1795000000000, seed = 1, form = {}, inputs = {
        { at_ms = 100, what = "started" },
        { at_ms = 900, what = "tool", name = "plumber_eta", arguments = '{"zip":"60614"}' },
        { at_ms = 5000, what = "hears", text = "wait, I smell gas" },
        { at_ms = 9000, what = "ends", reason = "caller_hangup" },
      }, answers = { { of = "http", ask = "GET https://api.dispatch.example/eta?site=default&zip=60614\n",
        value = { { status = 200, headers = {}, body = '{"minutes":35}' }, false, false } } } })
    file:close()
    local call = fake.recorded "recorded_eta.json"
    assert.equal("+13125550142", call.session.call.caller.number)
    call:goes_on()
    assert.same({ "gas-leak" }, call.emergencies)
    assert.equal("on_call", call.transferred_to)
    assert.equal(1, #call.requests)
  end)

  it("gives each answer once: what is asked again was not recorded", function()
    fake_host.reset()
    require("ringdown.replay.play").prepare { began_ms = 0, inputs = {}, answers = {
      { of = "db", ask = inputs.ask("db", "select 1", {}), value = { { { "1" } }, false, 1 } } } }
    assert.same({ { { "1" } }, false, 1 }, (fake_host.recorded("db", "select 1", {})))
    assert.is_nil(fake_host.recorded("db", "select 1", {}))
    fake_host.reset()
  end)
end)
