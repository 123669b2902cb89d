-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local tool = require "ringdown.tool"
local tools = require "ringdown.tools"

local function with(more)
  local spec = { name = "x", greeting = "Hello.", prompt = "Help." }
  for key, value in pairs(more) do
    spec[key] = value
  end
  return spec
end

local function complaints_of(more)
  complaints.start("agents.x")
  local def = agent(with(more))
  return complaints.text(), def
end

describe("an agent's file", function()
  it("needs a name, a greeting and a prompt, and nothing else", function()
    assert.equal("", (complaints_of {}))
    complaints.start("agents.x")
    local def = agent {}
    assert.is_true(agent.is(def))
    assert.matches("'name' is missing", complaints.text())
    assert.matches("'greeting' is missing", complaints.text())
    assert.matches("'prompt' is missing", complaints.text())
  end)

  it("refuses what does not exist", function()
    local text = complaints_of { vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11", route = "tunnel" } }
    assert.matches('vapi.route: "tunnel" is unknown; allowed: redirect, bypass, bridge', text, 1, true)
  end)

  it("is told all its mistakes at once, whatever does not exist", function()
    complaints.start("agents.x")
    local _ = agent(with {
      tools = { tools.book_apointment, tools.transfer_cal { to = "office" }, tools.end_call { say = "Bye." },
        tools.nothing },
      emergencies = { { id = "fire", severity = "life", phrases = "lib.nowhere", transfer = "office" },
        { id = "flood", severity = "urgent", phrases = "spec.ringdown.fixtures.broken_phrases" } },
      people = { office = "+13125550101" }, gretting = "Hi.",
    })
    local text = complaints.text()
    for _, what in ipairs {
      "tools.book_apointment does not exist; did you mean 'book_appointment'? allowed: book_appointment, check_",
      "tools.transfer_cal does not exist; did you mean 'transfer_call'?", "the tool 'end_call' takes no options",
      "tools.nothing does not exist", "gretting: unknown key",
      "emergencies[1].phrases: there is no module 'lib.nowhere'; write agents/lib/nowhere.lua",
      "emergencies[2].phrases: 'spec.ringdown.fixtures.broken_phrases' cannot be loaded: ",
    } do
      assert.is_truthy(text:find(what, 1, true), what .. "\nnot in\n" .. text)
    end
    assert.equal(7, select(2, text:gsub("\n", "\n")) + 1, text)
  end)

  it("counts in whole numbers, and has no number twice", function()
    local text = complaints_of { silence = { times = 2.5 },
      numbers = { "+13125550100", "+13125550107", "+13125550100" },
      people = { office = "+13125550101", on_call = { "+13125550101", "+13125550188", "+13125550188" } } }
    assert.matches("silence.times: must be a whole number from 1 to 10", text, 1, true)
    assert.matches("numbers[3]: +13125550100 is number 1 already", text, 1, true)
    assert.matches("people.on_call[3]: +13125550188 is number 2 already", text, 1, true)
    assert.equal(2, select(2, text:gsub("\n", "\n")), text)
  end)

  it("guesses what was meant", function()
    assert.matches("greting: unknown key; did you mean 'greeting'?", complaints_of { greting = "Hi" }, 1, true)
    assert.matches("did you mean 'marin'?", complaints_of { openai = { voice = "marine" } }, 1, true)
    assert.matches("vars.zip: a function is not possible", complaints_of { vars = { zip = print } }, 1, true)
  end)

  it("checks zones, hours, people and durations", function()
    local text = complaints_of {
      time_zone = "America/Chikago", hours = { mon_fry = "08:00-17:00", sat = "9-5", closed = { "2026-13-01" } },
      people = { office = "5550101" }, max_call = "forever", silence = { after = "1s" },
    }
    assert.matches("'America/Chikago' is no time zone", text)
    assert.matches("hours.mon_fry: unknown", text)
    assert.matches("hours.sat: 9-5 is no time span", text, 1, true)
    assert.matches("hours.closed[1]: 2026-13-01 is no date", text, 1, true)
    assert.matches('people.office: "5550101" is not a phone number', text, 1, true)
    assert.matches('max_call: "forever" is no duration', text, 1, true)
    assert.matches("silence.after: must be from 2s to 5m", text, 1, true)
  end)

  it("records only callers who are told", function()
    assert.matches("record: callers must be told before they are recorded; add notice = { recording = true }",
      complaints_of { record = true }, 1, true)
    assert.matches("record: callers must be told", complaints_of { record = true, notice = { ai = true } })
    assert.equal("", (complaints_of { record = true, notice = { recording = true } }))
    assert.equal("", (complaints_of { record = false }))
    assert.matches("record: must be true or false", complaints_of { record = "yes" }, 1, true)
  end)

  it("says how long calls are kept, and how many it takes at once", function()
    local text, def = complaints_of { keep = { transcripts = "90d", recordings = "30d" }, limits = { calls = 3 } }
    assert.equal("", text)
    assert.same({ transcripts = 90 * 86400000, recordings = 30 * 86400000 }, def.keep)
    assert.equal(3, def.limits.calls)
    text = complaints_of {
      keep = { transcripts = "36h", recordings = "9999d", audio = "1d" }, limits = { calls = 1.5 },
    }
    assert.matches('keep.transcripts: "36h" is too exact; write whole days, like "90d"', text, 1, true)
    assert.matches("keep.recordings: must be from 1d to 3650d", text, 1, true)
    assert.matches("keep.audio: unknown key", text, 1, true)
    assert.matches("limits.calls: must be a whole number from 1 to 100000", text, 1, true)
    assert.matches("limits.calls: must be a whole number", complaints_of { limits = { calls = 0 } }, 1, true)
  end)

  it("wants words in the first language, and has its own in English and Spanish", function()
    assert.matches("greeting: has no text in the agent's first language, 'es'",
      complaints_of { languages = { "es" }, greeting = { en = "Hi" } }, 1, true)
    local text = complaints_of { languages = { "de" }, notice = { ai = true } }
    assert.matches("notice: there are no words for it in 'de'", text, 1, true)
    assert.matches("apology: there are no words for it in 'de'", text, 1, true)
    assert.matches("silence.say: there are no words for it in 'de'", text, 1, true)
    assert.matches("moment: there are no words for it in 'de'", text, 1, true)
    assert.equal("", (complaints_of { languages = { "es" } }))
  end)

  it("has a sentence for late answers, and may say how much of a conversation is kept", function()
    local function brief(more)
      complaints.start("agents.x")
      return fake.call({ agent = agent(with(more)) }).brief
    end
    assert.equal("One moment, please.", brief({}).moment)
    assert.equal("Un momento, por favor.", brief({ languages = { "es" } }).moment)
    assert.equal("Bear with me.", brief({ moment = { en = "Bear with me." } }).moment)
    assert.equal(0, brief({}).context_tokens)
    assert.equal(8000, brief({ openai = { context = 8000 } }).context_tokens)
    assert.matches("openai.context", complaints_of { openai = { context = 100 } }, 1, true)
  end)

  it("may be answered by GPT-Live, which has no settings for what it decides by itself", function()
    local function brief(more)
      complaints.start("agents.x")
      return fake.call({ agent = agent(with(more)) }).brief
    end
    local told = brief { openai = { api = "live" } }
    assert.same({ "live", "gpt-live-1.1", "gpt-5.5" }, { told.api, told.model, told.backend })
    told = brief { openai = { api = "live", model = "gpt-live-1", backend = "gpt-6" } }
    assert.same({ "gpt-live-1", "gpt-6" }, { told.model, told.backend })
    told = brief {}
    assert.same({ "realtime", "", "" }, { told.api, told.model, told.backend })
    local wrong = { vad = { silence = "300ms" }, context = 8000, audio = "pcm", model = "gpt-realtime-2.1" }
    for key, value in pairs(wrong) do
      assert.matches("openai." .. key, complaints_of { openai = { api = "live", [key] = value } }, 1, true)
    end
    assert.matches("openai.backend", complaints_of { openai = { backend = "gpt-6" } }, 1, true)
  end)

  it("takes only tools as tools, each name once", function()
    local text = complaints_of { tools = { tools.end_call, tools.end_call, {} } }
    assert.matches("tools[2]: two tools are called 'end_call'", text, 1, true)
    assert.matches("tools[3]: is no tool", text, 1, true)
  end)

  it("checks a tool's arguments", function()
    complaints.start("agents.x")
    local t = tool { name = "t", about = "t", effect = "read", run = print,
      args = { day = { typ = "string", about = "a day" }, n = { type = "text", about = "a number" } } }
    assert.is_true(tool.is(t))
    assert.matches("tool.args.day.typ: unknown key; did you mean 'type'?", complaints.text(), 1, true)
    assert.matches("tool.args.day: 'type' is missing", complaints.text(), 1, true)
    assert.matches('tool.args.n.type: "text" is unknown', complaints.text(), 1, true)
  end)

  it("refuses arguments that nothing could be right for, and patterns that break in a call", function()
    local function tells(arg)
      arg.about = "x"
      complaints.start("agents.x")
      tool { name = "t", about = "t", effect = "read", run = print, args = { a = arg } }
      return complaints.text()
    end
    for _, broken in ipairs { "a[", "x%", "(x", "x)", "%bx", "%fx", "x%1", "(%1)", "[^]", "[%", "[%]" } do
      assert.matches("tool.args.a.pattern: is no Lua pattern", tells { type = "string", pattern = broken }, 1, true)
    end
    for _, good in ipairs { "", "^%d%d$", "[]]", "[^]]", "[%]]", "()x()", "(x)%1", "%b()%f[%w]", "[a-]*-?%%" } do
      assert.equal("", tells { type = "string", pattern = good })
    end
    assert.matches("min: is larger than max", tells { type = "string", min = 10, max = 3 }, 1, true)
    assert.matches("one_of[1]: must be of type integer", tells { type = "integer", one_of = { "one" } }, 1, true)
    assert.matches("one_of[1]: must be of type string", tells { type = "string", one_of = { 1 } }, 1, true)
    assert.matches("format: is for arguments", tells { type = "integer", format = "date" }, 1, true)
    assert.matches("is true or false", tells { type = "boolean", min = 3 }, 1, true)
  end)

  it("has no tools that the model would refuse", function()
    complaints.start("agents.x")
    tool { name = ("a"):rep(65), about = "t", effect = "read", run = print }
    assert.matches("tool.name: is longer than 64", complaints.text(), 1, true)
    complaints.start("agents.x")
    local mine = tool { name = "report_emergency", about = "t", effect = "read", run = print }
    agent(with { tools = { mine }, people = { boss = "+13125550101" }, emergencies = {
      { id = "fire", severity = "life", any = { "big fire" }, say = "Get out.", transfer = "boss" } } })
    assert.matches("tools[1]: 'report_emergency' is the name of a built-in tool", complaints.text(), 1, true)
  end)

  it("has tools whose words are heard and read as they stand", function()
    complaints.start("agents.x")
    tool { name = "eta", about = ("a"):rep(1025), effect = "read", run = print, filler = "One moment, {{caller.name}}.",
      failed = "Say {{site.name}} is closed.", args = { zip = { type = "string", about = ("b"):rep(1025) } } }
    local text = complaints.text()
    assert.matches("tool.about: is longer than 1024 bytes", text, 1, true)
    assert.matches("tool.args.zip.about: is longer than 1024 bytes", text, 1, true)
    assert.matches("tool.filler: is said as it stands; {{…}} is filled in only in", text, 1, true)
    assert.matches("tool.failed: is said as it stands", text, 1, true)
  end)

  it("complains of an emergency number among its people once", function()
    for _, number in ipairs { "911", "+1911", "+13129110000" } do
      local _, lines = complaints_of { people = { boss = number } }:gsub("people%.boss", "")
      assert.equal(1, lines, number)
    end
  end)

  it("has a prompt that the model reads", function()
    assert.matches("prompt: is longer than 64 KB", complaints_of { prompt = ("x"):rep(65537) }, 1, true)
    assert.matches("prompt: is not UTF-8", complaints_of { prompt = "x\xff" }, 1, true)
  end)

  it("may decide where a call goes", function()
    local vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" }
    local function route(more)
      complaints.start("agents.x")
      local call = fake.call { agent = agent(with(more)) }
      return call.system, call.reason
    end
    assert.same({ "openai", "default" }, { route {} })
    assert.same({ "vapi", "default" }, { route { vapi = vapi } })
    assert.same({ "openai", "default" }, { route { vapi = vapi, openai = {} } })
    assert.same({ "vapi", "vip" }, { route { vapi = vapi, openai = {}, routing = function()
      return "vapi", "vip"
    end } })
    assert.same({ "openai", 'routing returned "vapi", but the agent has no vapi table' }, { route { routing = function()
      return "vapi"
    end } })
  end)
end)
