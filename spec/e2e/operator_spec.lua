-- SPDX-License-Identifier: Apache-2.0
-- takes: 45 s
-- What an operator does to calls in progress, and who takes a caller, all at once on one node; and how many
-- calls one caller may have.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local OFFICE = "+13125550188"

describe("an operator", function()
  local n, watch, placed, heard_at_once
  local sids, said, codes, reports = {}, {}, {}, {}

  -- `ringdown calls VERB …` for the call of a scenario.
  local function act(name, scenario, verb, ...)
    said[name], codes[name] = n:ringdown("calls", verb, sids[scenario], ...)
  end

  setup(function()
    n = node.start { agents = "spec/e2e/agents" }
    watch = n:watch()
    local scenarios = { "asks-about-breakfast", "is-transferred", "is-not-answered", "holds-the-line",
      "asks-for-a-person", "is-kept-talking" }
    placed = n:place { scenarios = scenarios }
    for _, name in ipairs(scenarios) do
      sids[name] = assert(placed:wait_event("agent.silent", function(event)
        return event.scenario == name
      end), name .. " was not greeted").call
    end
    act("whisper", "asks-about-breakfast", "whisper", "The kitchen is closed today.")
    act("transfer", "is-transferred", "transfer", "--to", "office")
    act("unanswered", "is-not-answered", "transfer", "--to", "+13125550177")
    act("to a talker", "is-kept-talking", "transfer", "--to", "+13125550176")
    act("misspelt", "holds-the-line", "transfer", "--to", "ofice")
    act("no number", "holds-the-line", "transfer", "--to", "+1")
    act("urgent", "holds-the-line", "whisper", "--now", 'Say exactly: "Somebody is with you in a minute."')
    heard_at_once = proc.wait_for(function()
      for _, turn in ipairs(watch:turns(sids["holds-the-line"])) do
        if turn.text:find("Somebody is with you in a minute", 1, true) then
          return true
        end
      end
    end, 20)
    act("hang up", "holds-the-line", "hang-up")
    assert(placed:wait_event("dial.answered", function(event)
      return event.scenario == "is-kept-talking"
    end), "nobody talks to them")
    act("hang up on both", "is-kept-talking", "hang-up")
    local _, all = placed:wait()
    for _, report in ipairs(all) do
      reports[report.scenario] = report
    end
    act("too late", "holds-the-line", "hang-up")
    watch:wait_for_ends(8) -- one for each stream: two callers came back
  end)

  teardown(function()
    watch:stop()
    n.own_sim:keep_frames()
    assert.equal(0, n:stop())
  end)

  -- The events of a call, of one kind.
  local function events(scenario, kind)
    local list = {}
    for _, event in ipairs(watch:events()) do
      if event.call == sids[scenario] and event.type == kind then
        table.insert(list, event)
      end
    end
    return list
  end

  local function all_of(scenario, kind, member)
    local list = {}
    for i, event in ipairs(events(scenario, kind)) do
      list[i] = event[member]
    end
    return list
  end

  local function went_well(scenario)
    assert.is_table(reports[scenario], scenario .. " has no report")
    assert.equal("", reports[scenario].why)
    assert.equal(0, reports[scenario].violations)
  end

  it("whispers, and the model's next answer follows it", function()
    assert.equal(0, codes.whisper)
    assert.matches("its next answer follows it", said.whisper)
    went_well "asks-about-breakfast"
    local note = n.own_sim:session_of "asks-about-breakfast"
    local found
    for _, fact in ipairs(note) do
      found = fact.ev == "note" and fact.text or found
    end
    assert.equal("The kitchen is closed today.", found)
  end)

  it("has the model say something at once", function()
    assert.equal(0, codes.urgent)
    assert.matches("it answers as soon as nobody speaks", said.urgent)
    assert.is_true(heard_at_once)
  end)

  it("transfers a caller to a person, who takes the call", function()
    assert.equal(0, codes.transfer)
    assert.matches("Twilio dials office", said.transfer)
    went_well "is-transferred"
    local dialled = placed:wait_event("dial.answered", function(event)
      return event.scenario == "is-transferred"
    end)
    assert.equal(OFFICE, dialled.whom)
    assert.equal("transferred", events("is-transferred", "ended")[1].reason)
  end)

  it("brings a caller whom nobody takes back to the agent, who says so", function()
    assert.equal(0, codes.unanswered)
    went_well "is-not-answered"
    assert.same({ "transferred", "agent_hangup" }, all_of("is-not-answered", "ended", "reason"))
    assert.same({ "asked", "failed" }, all_of("is-not-answered", "transfer", "state"))
    assert.equal("busy", events("is-not-answered", "transfer")[2].why)
  end)

  it("is not needed by an agent who hands callers over itself, and goes on with those who come back", function()
    went_well "asks-for-a-person"
    assert.same({ "asked", "failed", "asked", "answered" }, all_of("asks-for-a-person", "transfer", "state"))
    assert.same({ "office", "office", "manager", "manager" }, all_of("asks-for-a-person", "transfer", "whom"))
    assert.equal("no answer", events("asks-for-a-person", "transfer")[2].why)
    assert.same({}, n:log "call.fallback")
  end)

  it("finds both legs of such a call in one row", function()
    n:wait_shipped()
    assert.same({ { state = "ended", ended_reason = "transferred", count = 4 } }, pg.query(n.database, ([[
      select state, ended_reason, (select count(*) from turns t where t.call = c.call and role = 'agent')
      from calls c where call = %s]]):format(pg.literal(sids["asks-for-a-person"]))))
  end)

  it("is told why a transfer is not possible, and the call goes on", function()
    assert.equal(1, codes.misspelt)
    assert.matches("not transferred: nobody is called 'ofice'; did you mean 'office'?", said.misspelt, 1, true)
    assert.equal(1, codes["no number"])
    assert.matches("'+1' is no number", said["no number"], 1, true)
    local refused = events("holds-the-line", "transfer")
    assert.equal(4, #refused)
    assert.equal("asked", refused[1].state)
    assert.equal("refused", refused[2].state)
  end)

  it("hangs up", function()
    assert.equal(0, codes["hang up"])
    assert.matches("ends once what is being said was heard", said["hang up"])
    went_well "holds-the-line"
    assert.equal("operator", events("holds-the-line", "ended")[1].reason)
    assert.equal(1, codes["too late"])
    assert.matches("no call " .. sids["holds-the-line"] .. " is in progress", said["too late"], 1, true)
  end)

  it("hangs up on a caller who is with somebody else, too", function()
    assert.equal(0, codes["hang up on both"])
    went_well "is-kept-talking"
    assert.equal("hang_up", events("is-kept-talking", "operator")[2].action)
    assert.same({}, n:log "watchdog.not_ended")
  end)

  it("leaves a record with who it was", function()
    local done = {}
    for _, scenario in ipairs { "asks-about-breakfast", "is-transferred", "holds-the-line" } do
      for _, event in ipairs(events(scenario, "operator")) do
        assert.matches("^control socket uid %d+$", event.who)
        table.insert(done, event.action .. ": " .. event.detail)
      end
    end
    assert.same({ "whisper: The kitchen is closed today.", "transfer: office", "transfer: ofice", "transfer: +1",
      'whisper: Say exactly: "Somebody is with you in a minute."', "hang_up: " }, done)
  end)
end)

-- Twilio says that a call is over. Nobody then waits for its stream, as long as the node would.
local function gone(n, call)
  n:post_signed("/twilio/status", { CallSid = call.CallSid, CallStatus = "completed" })
end

describe("a caller with many telephones", function()
  local n
  local rang = {}

  local function rings(from)
    local call = node.voice_form { From = from, To = "+13125550201" }
    table.insert(rang, call)
    return n:post_signed("/twilio/voice", call).body
  end

  local function counted(name)
    for _, metric in ipairs(n:status().metrics) do
      if metric.name == name then
        return metric.value
      end
    end
  end

  setup(function()
    n = node.start { agents = "spec/e2e/agents", sim = false, env = { RINGDOWN_MAX_CALLS_PER_CALLER = "2" } }
  end)

  teardown(function()
    for _, call in ipairs(rang) do
      gone(n, call)
    end
    assert.equal(0, n:stop())
  end)

  it("gets two lines; the third hears the fallback of the number", function()
    assert.matches("<Stream", rings "+13125550175")
    assert.matches("<Stream", rings "+13125550175")
    local third = rings "+13125550175"
    assert.is_nil(third:find("<Stream", 1, true))
    assert.matches(OFFICE, third, 1, true)
    assert.equal(1, counted "refused_caller_full")
    assert.equal("caller_full", n:log("call.fallback")[1].reason)
    assert.matches("max_calls_per_caller", n:log("call.fallback")[1].fix)
  end)

  it("takes no line from others, nor from those who withhold their number", function()
    assert.matches("<Stream", rings "+13125550176")
    for _ = 1, 4 do
      assert.matches("<Stream", rings "anonymous")
    end
    assert.equal(1, counted "refused_caller_full")
  end)
end)

describe("an agent with one line", function()
  local agent = [[
    return require "ringdown.agent" {
      name = "one-line", numbers = { "+13125550240" }, people = { office = "+13125550188" },
      greeting = "Hello.", prompt = "You answer.", limits = { calls = 1 },
    }
  ]]

  it("has the second caller hear the fallback, and the third one served when the first is gone", function()
    local n = node.start { agents = { ["one-line.lua"] = agent }, sim = false }
    local first = node.voice_form { To = "+13125550240", From = "+13125550177" }
    assert.matches("<Stream", n:post_signed("/twilio/voice", first).body)
    local second = node.voice_form { To = "+13125550240", From = "+13125550178" }
    assert.matches(OFFICE, n:post_signed("/twilio/voice", second).body, 1, true)
    assert.equal("agent_full", n:log("call.fallback")[1].reason)
    gone(n, first)
    local third = node.voice_form { To = "+13125550240", From = "+13125550179" }
    assert.matches("<Stream", n:post_signed("/twilio/voice", third).body)
    gone(n, third)
    assert.equal(0, n:stop())
  end)
end)
