-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"
local fake_host = require "ringdown.fake.host"
local compare = require "ringdown.replay.compare"
local inputs = require "ringdown.inputs"
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
    assert.matches("its input 1", why '{"ringdown_recording":1,"agent":"a","began_ms":1,"inputs":[{"what":"hears"}]}')
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
end)
