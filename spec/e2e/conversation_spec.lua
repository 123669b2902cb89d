-- SPDX-License-Identifier: Apache-2.0
-- takes: 30 s
-- What agents' scripts do and fail to do during a call, all calls at once on one node.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"
local promtool = require "spec.support.promtool"
local sims = require "spec.e2e.support.sim"

-- Whoever sees one of these outside of its place has found a leak.
local secrets = {
  OPENAI_API_KEY = "sk-seed-31f07c", VAPI_API_KEY = "seed-vapi-key-9a1", VAPI_WEBHOOK_SECRET = "seed-vapi-hook-77c",
  RINGDOWN_SECRET = ("5eed"):rep(16), RINGDOWN_SECRETS = "TILL_KEY=seed-till-4411",
  SMTP_URL = "smtp://mailer:seed-smtp-8820@mail.example:587",
}

describe("an agent's script", function()
  local sim, n, hurried, watched, sentry, deaf
  local reports, events = {}, {}

  -- The first call whose scenario takes a while gets all its lines into the log.
  local function watch_one()
    proc.wait_for(function()
      for _, call in ipairs(n:calls().live) do
        if call.state == "taken" and call.agent ~= "spinning-top" then
          watched = call.call
        end
      end
      return watched
    end, 20)
    assert.is_string(watched, "no call was there")
    local state, code = n:ringdown("log", "debug", "--call", watched, "--for", "1m", "--json")
    assert.equal(0, code, state)
    assert.equal(watched, state.calls[1].call)
  end

  setup(function()
    sim = sims.start()
    sentry, deaf = receiver.sentry {}, receiver.sentry { script = "hang" }
    secrets.SENTRY_DSN = ("http://5eed5e27@127.0.0.1:%d/7"):format(sentry.port)
    local env = { SMTP_FROM = "alarms@example.com", RINGDOWN_SCRIPT_DEADLINE_MS = false } -- one thinks for ever
    for name, value in pairs(secrets) do
      env[name] = value
    end
    n = node.launch { agents = "spec/e2e/agents", sim = sim, env = env }
    hurried = node.launch { agents = "spec/e2e/agents", sim = sim, env = { RINGDOWN_SCRIPT_DEADLINE_MS = "500",
      SENTRY_DSN = ("http://key@127.0.0.1:%d/7"):format(deaf.port) } }
    n:wait_ready()
    hurried:wait_ready()
    local many = n:place { scenarios = { "endless-thought", "broken-tools", "wrong-tools", "small-talk", "keypad",
      "nobody-there", "talks-too-long" } }
    local late = hurried:place { scenarios = { "never-decided" } }
    watch_one()
    for _, placed in ipairs { many, late } do
      local _, some_reports, some_events = placed:wait()
      for _, report in ipairs(some_reports) do
        reports[report.scenario] = report
      end
      for _, event in ipairs(some_events) do
        table.insert(events, event)
      end
    end
  end)

  teardown(function()
    sim:keep_frames()
    assert.equal(0, n:stop())
    assert.equal(0, hurried:stop())
    sentry:stop()
    deaf:stop()
    assert.equal(0, sim:stop())
  end)

  local function went_well(name)
    assert.is_table(reports[name], name .. " has no report")
    assert.equal("", reports[name].why)
    return reports[name]
  end

  local function ended(name)
    return n:wait_log("call.ended", function(line)
      return line.call == reports[name].call
    end)
  end

  local function line_of(event, name)
    for _, line in ipairs(n:log(event)) do
      if line.call == reports[name].call then
        return line
      end
    end
  end

  it("hears the digits that are pressed and answers in its own words", function()
    went_well "keypad"
    assert.equal("agent_hangup", ended("keypad").reason)
    assert.is_truthy(line_of("agent.entered", "keypad"))
  end)

  it("is told of silence; the caller is asked, then the agent says goodbye and hangs up", function()
    went_well "nobody-there"
    assert.equal("silence", ended("nobody-there").reason)
    assert.equal("1", line_of("agent.silence", "nobody-there").times)
  end)

  it("may not talk for longer than agreed", function()
    local report = went_well "talks-too-long"
    assert.equal("max_duration", ended("talks-too-long").reason)
    assert.is_true(report.duration_ms >= 10000)
  end)

  it("hangs up once the goodbye was heard, not before", function()
    local report = went_well "small-talk"
    assert.equal(0, report.cleared_ms)
    local sent_ms = 0
    for _, fact in ipairs((sim:session_of "small-talk")) do
      sent_ms = sent_ms + (fact.ev == "response_done" and fact.sent_ms or 0)
    end
    assert.is_true(report.played_ms >= sent_ms - 20, report.played_ms .. " of " .. sent_ms .. " ms played")
  end)

  describe("with tools that fail", function()
    local results

    local function result(tool)
      if not results then
        results = {}
        local names = {}
        for _, fact in ipairs(sim:facts()) do
          if fact.ev == "tool_call" then
            names[fact.call_id] = fact.name
          elseif fact.ev == "tool_result" then
            results[names[fact.call_id]] = fact.output
          end
        end
      end
      return results[tool]
    end

    it("goes on with the conversation to its end", function()
      for _, name in ipairs { "broken-tools", "wrong-tools" } do
        went_well(name)
        assert.equal("caller_hangup", ended(name).reason)
      end
    end)

    it("lets the model say what was agreed when one raises, and logs the line", function()
      assert.matches("the drawer is stuck", result "open_drawer")
      assert.matches("agents/workshop.lua:%d+: the handle came off", line_of("script.failed", "broken-tools").error)
    end)

    it("does not wait for one that is slow", function()
      assert.matches("the kettle is slow", result "boil_water")
      assert.matches("longer timeout", line_of("script.late", "broken-tools").fix)
    end)

    it("names the tools there are when one does not exist", function()
      assert.matches("no tool 'fly_helicopter'", result "fly_helicopter")
      assert.matches("saw_board", result "fly_helicopter")
    end)

    it("says what is wrong with arguments, each of them", function()
      assert.matches("'colour' is not an argument", result "saw_board")
      assert.matches("'length' must be of type integer", result "saw_board")
    end)
  end)

  describe("that raises, in Sentry", function()
    local function frames_of(file)
      for _, got in ipairs(sentry:got()) do
        local error = got.event and got.event.exception.values[1]
        for _, frame in ipairs(error and error.stacktrace and error.stacktrace.frames or {}) do
          if frame.filename:find(file, 1, true) and frame.in_app then
            return error, frame, got.event
          end
        end
      end
    end

    it("is one event with Lua's frames, and none of its own words", function()
      went_well "broken-tools"
      proc.wait_for(function()
        return frames_of "workshop.lua"
      end, 10)
      local error, frame, event = frames_of "workshop.lua"
      assert.is_table(error, "Sentry heard nothing of it")
      assert.equal("script.failed", error.type)
      assert.matches("^raised by a script", error.value)
      assert.is_number(frame.lineno)
      assert.equal("workshop", event.tags.agent)
      assert.equal(reports["broken-tools"].call, event.contexts.call.call_sid)
      local facts = {}
      for _, crumb in ipairs(event.breadcrumbs.values) do
        facts[crumb.message] = crumb.category == "call" and crumb.data or facts[crumb.message]
      end
      assert.is_table(facts.decision, "the call's facts are not there")
      assert.is_nil(facts.decision.from)
    end)

    it("has nobody's number, words or keys, and each envelope is one", function()
      local text = proc.read(sentry.log)
      for _, got in ipairs(sentry:got()) do
        assert.is_nil(got.broken)
      end
      for _, leak in ipairs { "3125550", "the handle came off", "sk-seed", "seed-vapi", "seed-till", "seed-smtp",
        secrets.RINGDOWN_SECRET } do
        assert.is_nil(text:find(leak, 1, true), leak .. " was sent")
      end
    end)

    it("is nothing a caller notices when Sentry hangs", function()
      went_well "never-decided"
      assert.is_true(#deaf:wait(1, 10) > 0, "the one that hangs was never asked")
    end)
  end)

  describe("that never comes back", function()
    it("costs its own caller the agent, not a voice", function()
      went_well "endless-thought"
      assert.equal("script_failed", ended("endless-thought").reason)
      assert.matches("agents/spinning%-top.lua:%d+", line_of("script.failed", "endless-thought").traceback)
      assert.matches("1 call lost to a broken script", (n:ringdown "status"), 1, true)
    end)

    it("costs nobody else a frame", function()
      for _, name in ipairs { "small-talk", "broken-tools", "wrong-tools", "keypad" } do
        local report, line = went_well(name), ended(name)
        assert.equal("0", line.gap_ms)
        assert.is_true(report.frames_sent - tonumber(line.frames_in) <= proc.promised(2))
      end
    end)

    it("is not waited for before the call either: the fallback answers", function()
      local report = went_well "never-decided"
      local ringing, voice
      for _, event in ipairs(events) do
        if event.call == report.call and event.ev == "call.ringing" then
          ringing = event.t_ms
        elseif event.call == report.call and event.verb == "Say" then
          voice = voice or event.t_ms
        end
      end
      assert.is_true(voice - ringing < 1000 * proc.promised(3), voice - ringing .. " ms")
      local line = hurried:wait_log "call.fallback"
      assert.equal("script_late", line.reason)
      assert.equal(report.call, line.call)
    end)
  end)

  describe("in numbers", function()
    local text

    local function number(series)
      return tonumber(text:match("\n" .. series:gsub("%p", "%%%0") .. " (%S+)\n"))
    end

    setup(function()
      text = n:ringdown "metrics"
    end)

    it("passes Prometheus' own checker", function()
      if not promtool.path() then
        pending "promtool is not there: scripts/setup --tests"
        return
      end
      local said, code = promtool.run("check metrics", text)
      assert.equal("0 ", code .. " " .. said)
    end)

    it("counts each call once, by agent, system and how it ended", function()
      assert.equal(1, number [[ringdown_calls_total{agent="spinning-top",system="openai",outcome="script_failed"}]])
      local all = 0
      for value in text:gmatch "\nringdown_calls_total{[^}]*} (%d+)" do
        all = all + tonumber(value)
      end
      assert.equal(7, all)
      assert.equal(7, number [[ringdown_call_duration_seconds_count{system="openai"}]])
      assert.equal(0, number [[ringdown_call_slots{state="used"}]])
    end)

    it("says which tools failed, and which limits scripts broke", function()
      assert.is_true(number [[ringdown_tool_calls_total{tool="open_drawer",result="failed"}]] >= 1)
      assert.is_true(number [[ringdown_tool_calls_total{tool="saw_board",result="no"}]] >= 1)
      assert.is_true(number [[ringdown_tool_calls_total{tool="other",result="no"}]] >= 1, "there is no fly_helicopter")
      assert.is_nil(text:find "fly_helicopter")
      assert.equal(1, number [[ringdown_script_budget_broken_total{agent="spinning-top",budget="time"}]])
    end)

    it("knows what the calls cost, and that this node serves and leads", function()
      local spent
      proc.wait_for(function()
        text = n:ringdown "metrics"
        spent = 0
        for value in text:gmatch "\nringdown_cost_usd_total{[^}]*} (%S+)" do
          spent = spent + tonumber(value)
        end
        return spent > 0
      end, 20)
      assert.is_true(spent > 0 and spent < 1, tostring(spent))
      assert.equal(1, number [[ringdown_nodes{state="serving"}]])
      assert.equal(1, number "ringdown_leader")
    end)

    it("has measured what callers wait for", function()
      local waited = number [[ringdown_turn_latency_seconds_count{agent="workshop",system="openai"}]]
      assert.is_true(waited and waited >= 2, tostring(waited))
      assert.is_true(number "ringdown_frame_delay_seconds_count" > 10)
      assert.is_true(number [[ringdown_frame_delay_seconds_bucket{le="0.02"}]]
        >= 0.9 * number "ringdown_frame_delay_seconds_count")
      assert.is_true(number "ringdown_script_memory_bytes_count" >= 6)
      assert.is_true(number [[ringdown_first_audio_seconds_count{agent="workshop",system="openai"}]] >= 1)
    end)
  end)

  describe("and the log", function()
    local function lines_at(level)
      local lines = {}
      for line in n.child:text():gmatch "[^\n]+" do
        if line:find("level=" .. level .. " ", 1, true) then
          lines[#lines + 1] = line
        end
      end
      return lines
    end

    it("has every line of the one call that is watched, and no other's", function()
      local lines = lines_at "debug"
      assert.is_true(#lines > 3, #lines .. " lines")
      for _, line in ipairs(lines) do
        assert.matches("call=" .. watched, line, 1, true)
      end
      assert.matches("ev=log.changed to=\"debug of " .. watched .. " for 60 s\"", n.child:text(), 1, true)
    end)

    it("changes its level for a while, and says so", function()
      assert.equal("debug", n:ringdown("log", "debug", "--for", "5m", "--json").level)
      assert.matches("level debug for %d+ s more, then info", (n:ringdown "log"))
      local state = n:ringdown("log", "off", "--json")
      assert.equal("info", state.level)
      assert.equal(0, state.left_s)
      assert.equal(0, #n:ringdown("log", "off", "--call", watched, "--json").calls)
    end)

    it("says what is wrong with an order", function()
      for _, words in ipairs { { "loud" }, { "debug", "--for", "soon" }, { "info", "--call", "CA1" },
        { "--for", "10m" }, { "debug", "--for", "0s" } } do
        local said, code = n:ringdown("log", table.unpack(words))
        assert.equal(2, code, said)
      end
      local said, code = n:ringdown("log", "debug", "--call", "a b\nlevel=error")
      assert.equal(1, code, said)
      assert.matches("what shall the log show", said)
      said, code = n:ringdown("log", "debug", "--call", watched, "--for", "2h")
      assert.equal(1, code, said)
      assert.matches("an hour at most", said)
    end)

    it("names the call on every line about one", function()
      for line in n.child:text():gmatch "[^\n]+" do
        if line:find(" ev=call%.") or line:find(" ev=agent%.") or line:find(" ev=script%.[fl]a") then
          assert.matches(" call=CA%x+", line)
        end
      end
    end)
  end)

  it("shows no secret, no number and no words where they do not belong", function()
    assert.is_truthy(n:wait_shipped())
    local said, numbers = {}, {}
    for _, row in ipairs(pg.query(n.database, ([[select distinct heard from turns where length(heard) > 12
      and heard not in (select heard from turns where call = %s)]]):format(pg.literal(watched)))) do
      said[#said + 1] = row.heard
    end
    for _, row in ipairs(pg.query(n.database, "select distinct from_number from calls where from_number like '+%'")) do
      numbers[#numbers + 1] = row.from_number
    end
    assert.is_true(#said > 3 and #numbers > 3, #said .. " utterances, " .. #numbers .. " callers")
    local outputs = { log = n.child:text() }
    for _, words in ipairs { { "status" }, { "status", "--json" }, { "agents" }, { "agents", "--json" }, { "metrics" },
      { "log", "--json" }, { "journal" }, { "nodes" } } do
      local text = n:ringdown(table.unpack(words))
      outputs[table.concat(words, " ")] = type(text) == "table" and json.encode(text) or text
    end
    local function clean(word, what)
      for name, text in pairs(outputs) do
        assert.is_true(#text > 0, name .. " is empty")
        assert.is_nil(text:find(word, 1, true), what .. " in " .. name .. ": " .. word)
      end
    end
    for name, secret in pairs(secrets) do
      secret = secret:match "seed%-[%w-]+%d" or secret:match "//(%x+)@" or secret
      clean(secret, name)
      local files = name == "RINGDOWN_SECRET" and "" or n.folder .. "/data"
      if files ~= "" then
        assert.equal("", proc.run(("grep -rlaF -e %s %s || true"):format(proc.quote(secret), files)), name)
      end
    end
    for _, number in ipairs(numbers) do
      clean(number, "a number")
    end
    for _, text in ipairs(said) do
      clean(text, "words")
    end
  end)

  it("leaves nothing behind", function()
    assert.equal(0, n:status().calls)
    assert.same({}, sim:facts "violation")
  end)

  it("is not all there is: a process that dies of a signal is told by the next one, to Sentry too", function()
    n.child:signal "SEGV"
    assert.equal(128 + 11, n.child:wait(20))
    assert.matches("crash%-%d+%-%d+", proc.run("ls " .. n.folder .. "/data"))
    n:restart()
    local line = n:wait_log "process.crashed"
    assert.is_table(line, "the log does not tell it")
    assert.equal("SIGSEGV", line.signal)
    assert.is_true(#line.way > 0)
    local event = proc.wait_for(function()
      for _, got in ipairs(sentry:got()) do
        if got.event and got.event.level == "fatal" then
          return got.event
        end
      end
    end, 10)
    assert.is_table(event, "Sentry heard nothing of it")
    local error = event.exception.values[1]
    assert.equal("SIGSEGV", error.type)
    assert.is_false(error.mechanism.handled)
    assert.is_true(#error.stacktrace.frames > 2)
    local open = {}
    for _, alarm in ipairs(n:status().alarms) do
      open[alarm.kind] = alarm
    end
    assert.is_table(open["process.crashed"])
    assert.is_truthy(proc.wait_for(function()
      return not proc.run("ls " .. n.folder .. "/data"):find "crash%-"
    end, 10))
    for _, got in ipairs(sentry:got()) do
      assert.is_nil(got.broken)
      assert.is_false(got.event ~= nil and got.event.exception.values[1].type == "process.crashed") -- once
    end
  end)
end)
