-- SPDX-License-Identifier: Apache-2.0
-- takes: 40 s
-- A call that a node took is replayed: on the same agent nothing differs, on a changed one the difference is told, and
-- an agent that misses an emergency is not published.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local desk = [[
-- SPDX-License-Identifier: Apache-2.0
local agent, tools = require "ringdown.agent", require "ringdown.tools"
return agent {
  name = "desk", numbers = { "+13125550100" }, time_zone = "America/Chicago",
  people = { on_call = "+13125550188" }, vars = { choice = "", luck = 0 },
  hours = { mon_sun = "08:00-18:00" },
  greeting = "Hello, this is the desk.", prompt = "You are friendly.",
  tools = { tools.book_appointment { hours = { mon_sun = "08:00-18:00" }, lead = "0m" }, tools.end_call },
  emergencies = {
    { id = "gas-leak", severity = "normal", any = { "smell gas" }, text = { to = "on_call", body = "GAS" } },
  },
  on = {
    dtmf = function(call, key)
      call.vars.choice, call.vars.luck = key, math.random(1000000)
      call:say("You pressed " .. key .. ".")
    end,
  },
}
]]

describe("a recorded call", function()
  local n, report

  setup(function()
    n = node.start { agents = { ["desk.lua"] = desk } }
    local _, reports = n:call { scenarios = { "a-call-to-replay" } }
    report = reports[1]
    assert.equal("", report.why)
    assert.is_truthy(n:wait_shipped())
  end)

  teardown(function()
    assert.equal(0, n:stop())
  end)

  local function replay(...)
    return n:ringdown("replay", ...)
  end

  local function save(from, to)
    local text, times = desk:gsub(from, to)
    assert.equal(1, times, from)
    proc.write(n.agents .. "/desk.lua", text)
  end

  it("holds what a replay needs, and no more of a key than is a choice", function()
    local kept = pg.query(n.database, ("select string_agg(body ->> 'key', ',') as keys, count(*) as n from call_events "
      .. "where stream = '%s' and type = 'input' and body ->> 'kind' = 'key'"):format(report.call))
    assert.equal(1, tonumber(kept[1].keys))
    assert.equal(1, pg.query(n.database, ("select count(*) as n from call_events where stream = '%s' "
      .. "and type = 'opened'"):format(report.call))[1].n)
  end)

  it("does the same again on the version that took it", function()
    local said, code = replay(report.call)
    assert.equal(0, code, said)
    assert.matches("1 the same, 0 different\n", said)
    local shown = replay(report.call, "--show")
    assert.matches("key 1\n%s+say  You pressed 1%.", shown)
    assert.matches('tool book_appointment [^\n]*"booked":true', shown)
    assert.matches("emergency  gas%-leak", shown)
    assert.matches("text  to %+13125550188: [^\n]*GAS", shown)
    assert.equal(shown:match "luck\":%d+", replay(report.call, "--show"):match "luck\":%d+")
  end)

  it("shows what a changed agent would do, and an agent that misses the emergency is not published", function()
    save('"smell gas"', '"gas leak"')
    local said, code = replay("--last", "5")
    assert.equal(1, code)
    assert.matches("emergency \n%s+was  gas%-leak", said)
    assert.matches("EMERGENCY LOST: gas%-leak", said)
    local refused, failed = n:ringdown("agents", "publish", "--replay", "5", "--yes")
    assert.equal(1, failed)
    assert.matches("nothing was published: in 1 calls an emergency", refused)
    save("You are friendly.", "You are brief.")
    refused, failed = n:ringdown("agents", "publish", "--replay", "5")
    assert.equal(1, failed)
    assert.matches("was  [^\n]*friendly[^\n]*\n%s+now  [^\n]*brief", refused)
    assert.matches("say %-%-yes", refused)
    local published, done = n:ringdown("agents", "publish", "--replay", "5", "--yes")
    assert.equal(0, done, published)
  end)

  it("that does not repeat its record says so, and nothing is published on it", function()
    proc.write(n.agents .. "/desk.lua", desk)
    local function forge(from, to)
      pg.run(n.database, ("update call_events set body = jsonb_set(body, '{rule}', '\"%s\"') where stream = '%s' "
        .. "and type = 'triage' and body ->> 'rule' = '%s'"):format(to, report.call, from))
    end
    forge("gas-leak", "fire")
    local said, code = replay(report.call)
    assert.equal(1, code)
    assert.matches("NOT AS RECORDED: emergency\n%s+then fire\n", said)
    assert.matches("EMERGENCY LOST: fire", said)
    assert.matches("0 the same, 0 different, 1 NOT AS RECORDED", said)
    local refused, failed = n:ringdown("agents", "publish", "--replay", "5", "--yes")
    assert.equal(1, failed)
    assert.matches("an emergency was found that is not found any more", refused)
    forge("fire", "gas-leak")
  end)

  it("of a stranger's file plays, or says why not; nothing in it reaches the terminal", function()
    local function file(text, ...)
      proc.write(n.folder .. "/calls.json", text)
      local said, code = replay("--file", n.folder .. "/calls.json", ...)
      assert.equal(1, code, said)
      return said
    end
    local one = '{"ringdown_recording":1,%s"agent":"desk","began_ms":1795000000000,%s"inputs":[%s]}'
    local hears = '{"at_ms":9,"what":"hears","text":"\\u001b[31mred\\u009b\\u202e"}'
    assert.matches("holds no recording", file " \r\n ")
    assert.matches("zero byte", file(one:format("", "", "") .. "\n\0\n"))
    assert.matches("nobody knows which version", file(one:format("\r\n", "\r\n", "")))
    assert.matches("input 1 %(presses%) has a wrong key", file(one:format("", "", '{"at_ms":1,"what":"presses"}')))
    proc.write(n.folder .. "/calls.json", one:format("", "", hears))
    local shown, code = replay("--file", n.folder .. "/calls.json", "--show")
    assert.equal(0, code, shown)
    assert.matches('caller: " %[31mred  "\n', shown)
    assert.matches("is it a file", (replay("--file", n.folder)))
    assert.matches("no recorded call of the agent dseks to replay", (replay("--last", "3", "--of", "dseks")))
    assert.equal(1, select(2, replay("--last", "3", "--of", "dseks")))
  end)

  it("that went on with another process is not guessed at", function()
    pg.run(n.database, ("insert into call_events select (jsonb_populate_record(e, jsonb_build_object("
      .. "'seq', e.seq + 9000, 'type', 'resumed', 'body', jsonb_build_object('reason', 'node_drained')))).* "
      .. "from call_events e where stream = '%s' and type = 'opened'"):format(report.call))
    local said, code = replay(report.call)
    assert.equal(1, code)
    assert.matches("it went on with another process %(node_drained%)", said)
    pg.run(n.database, ("delete from call_events where stream = '%s' and type = 'resumed'"):format(report.call))
  end)

  it("becomes a spec that passes, without the caller's number", function()
    proc.write(n.agents .. "/desk.lua", desk)
    local said, code = replay(report.call, "--to-spec")
    assert.equal(0, code, said)
    local name = "desk_" .. report.call:sub(-8)
    local fixture = proc.read(n.agents .. "/" .. name .. ".json")
    assert.is_nil(fixture:find("3125550177", 1, true))
    assert.is_nil(fixture:find("Ann Lee", 1, true))
    local tested, passed = n:ringdown("test", n.agents)
    assert.equal(0, passed, tested)
    assert.matches("1 success", tested)
  end)

  it("of a version that nobody has, or of before these facts: said, with the reason", function()
    pg.run(n.database, ("update calls set version = '00000000000000ff' where call = '%s'"):format(report.call))
    local said, code = replay(report.call)
    assert.equal(1, code)
    assert.matches("version 00000000000000ff is not kept any more", said)
    pg.run(n.database, ("update call_events set body = jsonb_set(body, '{schema}', '0') where stream = '%s' "
      .. "and type = 'opened'"):format(report.call))
    assert.matches("recorded in schema 0, this program reads 1: it is too old", replay(report.call))
    pg.run(n.database, ("delete from call_events where stream = '%s' and type = 'opened'"):format(report.call))
    assert.matches("no 'opened' fact", replay(report.call))
    assert.matches("there is no such call", replay("CAnone"))
  end)

  it("of fifty made-up ones, replayed twice, each does the same", function()
    local said, code = proc.run(("RINGDOWN_REPLAY_S=%d lua5.4 spec/replays/replays.lua %s 50"):format(proc.promised(10),
      proc.binary()))
    assert.equal(0, code, said)
  end)
end)
