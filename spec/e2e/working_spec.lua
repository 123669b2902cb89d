-- SPDX-License-Identifier: Apache-2.0
-- takes: 30 s
-- Working on agents without a phone: new, check, test, talk, dev.
local json = require "cjson"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local handyman = [[
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local http = require "ringdown.http"
local book = tool {
  name = "book", about = "Book a visit.", effect = "write", failed = "Say that we will call back.",
  args = { day = { type = "string", about = "the day" } },
  run = function(call, args)
    call.vars.day = args.day
    call:say "Writing it down."
    return { booked = args.day }
  end,
}
local function broken(name, run)
  return tool { name = name, about = "Break.", effect = "read", failed = "Say sorry.", run = run }
end
return agent {
  name = "handyman", greeting = "Handyman, hello.", prompt = "Help.", vars = { day = "" },
  time_zone = "America/Chicago", hours = { mon_fri = "08:00-18:00", sat = "08:00-18:00", sun = "08:00-18:00" },
  people = { office = "+13125550101" }, needs = { hosts = { "maps.example.com" } },
  tools = {
    book, tools.book_appointment { lead = "0m" }, tools.transfer_call { to = { "office" } }, tools.end_call,
    broken("spin", function() while true do end end),
    broken("peek", function() return io.open "/etc/passwd" end),
    tool {
      name = "map", about = "Ask the map.", effect = "read", timeout = "5s", failed = "Say that the map is slow.",
      filler = "One moment.",
      run = function() return http.get("https://maps.example.com/eta", { timeout = "9s" }).json end,
    },
  },
}
]]

local handyman_spec = [[
local fake = require "ringdown.fake"
describe("handyman", function()
  local call
  before_each(function() call = fake.call { agent = "handyman" } end)
  it("books", function()
    assert.same({ booked = "Monday" }, call:tool("book", { day = "Monday" }))
    assert.equal("Monday", call.vars.day)
    assert.same({ "Writing it down." }, call.said)
    assert.is_nil(call.broken)
  end)
  it("books into the calendar of the spec", function()
    fake.now "2026-11-23 10:00"
    fake.booked { from = "2026-11-24 09:00", to = "2026-11-24 10:00" }
    call = fake.call { agent = "handyman" }
    assert.is_false(call:tool("book_appointment", { day = "tomorrow", time = "09:00" }).booked)
    assert.is_true(call:tool("book_appointment", { day = "tomorrow", time = "11:00", name = "Ann" }).booked)
    assert.equal("Ann", call.visit.name)
  end)
  it("cannot look around", function()
    local said, why = call:tool "peek"
    assert.equal("Say sorry.", said.say)
    assert.matches("handyman%.lua:%d+: 'io' is not defined", why)
  end)
  it("waits in virtual time only", function()
    fake.http { ["GET https://maps.example.com/eta"] = { { json = { minutes = 7 }, after = "3s" }, { after = "8s" } } }
    assert.equal(7, call:tool("map").minutes)
    assert.same({ "One moment." }, call.said)
    assert.equal("Say that the map is slow.", call:tool("map").say)
  end)
  it("is ended when it never ends", function()
    assert.equal("Say sorry.", call:tool("spin").say)
    assert.equal("time", call.broken)
  end)
end)
]]

local script = [[
return {
  name = "handyman", from = "+13125550142", to = "+13125550100", max = "60s",
  caller = { { after = "agent", hangup = true } },
  model = {
    { hears = "Can you come on Monday?", tool = { name = "book", arguments = { day = "Monday" } },
      then_says = "You are booked for Monday." },
    { hears = "Let me talk to somebody.", says = "One moment.",
      tool = { name = "transfer_call", arguments = { to = "office" } } },
    { hears = "Never mind.", says = "Goodbye.", tool = { name = "end_call" } },
  },
  people = { ["+13125550101"] = { answers = "busy" } },
}
]]

describe("working on agents", function()
  local folder, data

  setup(function()
    folder, data = proc.folder "working", proc.folder "data"
    proc.write(folder .. "/handyman.lua", handyman)
  end)

  teardown(function()
    proc.remove(folder)
    proc.remove(data)
  end)

  -- What it printed, and its exit code; `typed` is its input, line by line. A line that is a table is typed once
  -- this was printed: { after = WORDS, LINE }.
  local function ringdown(words, typed, env)
    local types, printed = { ":" }, folder .. "/printed"
    for _, each in ipairs(typed or {}) do
      if type(each) == "table" then
        table.insert(types, ("for i in $(seq 600); do grep -qF %s %s && break; sleep 0.1; done"):format(
          proc.quote(each.after), printed))
      end
      table.insert(types, "echo " .. proc.quote(type(each) == "table" and each[1] or each))
    end
    proc.write(folder .. "/types", table.concat(types, "\n"))
    proc.write(printed, "")
    local _, code = proc.run(("cd /tmp && sh %s/types | RINGDOWN_AGENTS=%s OPENAI_API_KEY= %s %s %s >%s 2>&1")
      :format(folder, folder, env or "", proc.binary(), words, printed))
    return proc.read(printed), code
  end

  it("types to an agent, sees what it does, and calls again after an edit", function()
    proc.write(folder .. "/script", script)
    local text, code = ringdown("talk handyman --scenario " .. folder .. "/script",
      { "can you come on monday", "/vars", "Let me talk to somebody",
        { after = "is back with the agent", "never mind" } })
    assert.equal(0, code, text)
    assert.matches('agent    Handyman, hello.*tool     book {"day":"Monday"}\nagent    Writing it down.*'
      .. 'tool     %-> {"booked":"Monday"}\nagent    You are booked for Monday.*{"day":"Monday"}', text)
    assert.matches("phone    %+13125550101 rings\n.*is off the phone: busy\n.*the caller is back with the agent\n"
      .. ".*agent    Goodbye.\n.*the agent hangs up %(goodbye%)\n", text)
    text = ringdown("talk handyman",
      { "/tool map {}", "/tool peek", "/dtmf 12", "/silence", "/again", "/hangup", "/quit" })
    assert.matches('map {}\nerror    map: %S+handyman.lua:26: .*Could not resolve.*tool     %-> {"failed":true,', text)
    assert.matches("peek {}\nerror    peek: %S+handyman.lua:22: 'io' is not defined.*Say sorry", text)
    assert.matches("Are you still there.*you hang up.*Handyman, hello.*you hang up", text)
  end)

  it("books in the configured database, and says so", function()
    local order = '/tool book_appointment {"day":"tomorrow","time":"09:00"}'
    local env = ("DATABASE_URL=%s RINGDOWN_DATA=%s"):format(proc.quote(pg.database()), data)
    local text = ringdown("talk handyman", { order }, env)
    assert.matches('what it books is booked.*tool     %-> {"booked":true', text)
    text = ringdown("talk handyman --as +13125550143", { order }, env)
    assert.not_matches('"booked":true', text)
    assert.matches("tool     %-> {", text)
  end)

  it("says what is wrong with an agent nobody can talk to", function()
    local text, code = ringdown("talk handymen", {})
    assert.equal(1, code)
    assert.matches('no agent "handymen".*did you mean handyman', text)
    proc.write(folder .. "/broken.lua", 'return require "ringdown.agent" {\n  name = "broken", gretting = "Hi." }\n')
    text, code = ringdown("talk broken", {})
    assert.equal(1, code)
    assert.matches("broken.lua:%d+: .*gretting.*did you mean 'greeting'", text)
    proc.run("rm " .. folder .. "/broken.lua")
  end)

  it("runs a spec in the sandbox of a call", function()
    proc.write(folder .. "/handyman_spec.lua", handyman_spec)
    local text, code = ringdown("test " .. folder .. "/handyman_spec.lua")
    assert.equal(0, code, text)
    assert.matches("5 successes", text)
  end)

  it("makes a first agent that passes check and its spec", function()
    local text, code = ringdown "new agent night-desk"
    assert.equal(0, code, text)
    assert.matches("night%-desk_spec.lua\n.*ringdown talk night%-desk", text)
    assert.matches("Night Desk, how can I help", proc.read(folder .. "/night-desk.lua"))
    assert.matches("ringdown test", text, 1, true)
    local text_of_new = text
    text, code = ringdown("test " .. folder .. "/night-desk_spec.lua")
    assert.equal(0, code, text)
    assert.matches("3 successes", text)
    text, code = ringdown(assert(text_of_new:match "ringdown (check %S+)"))
    assert.equal(0, code, text)
    text, code = ringdown("test --filter 'nobody wrote this' " .. folder .. "/night-desk_spec.lua")
    assert.equal(1, code, text)
    assert.matches("no test was run: none has the words of %-%-filter", text)
    proc.write(folder .. "/night-desk_spec.lua", 'it("ends", function() while true do end end) it("goes on", print)')
    text, code = ringdown("test --seconds 1 " .. folder .. "/night-desk_spec.lua")
    assert.equal(1, code, text)
    assert.matches("1 success.*night%-desk_spec.lua:1: was ended after 1 s of computing", text)
    text, code = ringdown("talk night-desk", { '/tool take_message {"about":"rain","name":"Ann"}', "I smell smoke!" })
    assert.equal(0, code, text)
    assert.matches("text     to %+13125550101: .*rain.*triage   fire %(life%).*text     to %+13125550101: FIRE", text)
    assert.matches("phone    %+13125550101 rings\n.*has the caller", text)
    text, code = ringdown "new agent night-desk"
    assert.equal(1, code)
    assert.matches("is there already", text)
    text, code = ringdown "new agent Night_Desk"
    assert.equal(2, code)
    assert.matches("no name for an agent", text)
    proc.run("rm " .. folder .. "/night-desk*")
  end)

  it("begins in an empty folder, and says how", function()
    local env = ("RINGDOWN_AGENTS=%s/first RINGDOWN_DATA=%s"):format(folder, data)
    for words, said in pairs {
      ["test"] = "first is not there; ringdown new agent NAME makes it",
      ["test nobody"] = "nobody: there is no such file or folder; name specs",
      ["sites import places.lua"] = "There is none in " .. folder .. "/first: ringdown new agent NAME makes one",
      ["sites import places.lua --agent x"] = "places.lua: No such file or directory; name a file that returns sites",
    } do
      local text, code = ringdown(words, nil, env)
      assert.is_true(code > 0)
      assert.matches(said, text, 1, true)
    end
    local text, code = ringdown("new agent night-desk", nil, env)
    assert.equal(0, code, text)
    proc.run("rm " .. folder .. "/first/*_spec.lua")
    text, code = ringdown("test", nil, env)
    assert.equal(1, code)
    assert.matches("there is no spec below " .. folder .. "/first", text, 1, true)
    proc.run("rm -r " .. folder .. "/first")
  end)

  it("serves while agents are edited, and shows each call", function()
    local port, rest = proc.free_port(), proc.free_port()
    local url = "http://127.0.0.1:" .. port
    local child = proc.start { name = "dev", folder = data, args = { proc.binary(), "dev" }, env = {
      RINGDOWN_DATA = data, RINGDOWN_LISTEN = "127.0.0.1:" .. port, RINGDOWN_PUBLIC_URL = url,
      RINGDOWN_ADMIN_LISTEN = "127.0.0.1:" .. proc.free_port(), TWILIO_API_URL = "http://127.0.0.1:" .. rest,
      RINGDOWN_AGENTS = folder, OPENAI_API_KEY = false, TWILIO_ACCOUNT_SID = false, TWILIO_AUTH_TOKEN = false,
      DATABASE_URL = false, RINGDOWN_LOG = false, RINGDOWN_LOG_FORMAT = false,
    } }
    assert(child:says("Look inside", 60), child:text())
    local report = proc.run(("%s call --json --url %s --rest 127.0.0.1:%d --scenario %s 2>/dev/null | grep report")
      :format(proc.binary(), url, rest, "spec/e2e/scenarios/hears-and-hangs-up.lua"))
    assert.is_true(json.decode(report).ok, report)
    assert(child:says("CALL +STATE.*\nCA%x+ +ended.*ended: caller_hangup", 20), child:text())
    proc.write(folder .. "/handyman.lua", (handyman:gsub("greeting", "gretting")))
    assert(child:says("handyman.lua:%d+: gretting", 20), child:text())
    assert.equal(0, child:stop(), child:text())
  end)
end)
