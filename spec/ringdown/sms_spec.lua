-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local host = require "ringdown.fake.host"
local sms = require "ringdown.sms"
local tools = require "ringdown.tools"

local OURS, CALLER = "+13125550100", "+13125550142"

local function spec_with(more)
  local spec = { name = "x", numbers = { OURS }, time_zone = "America/Chicago", greeting = "Hello.", prompt = "Help.",
    people = { on_call = { "+13125550188" } },
    sms = { booked = "See you {{visit.start | day_time}}.", missed = "Sorry we missed you." },
    tools = { tools.send_sms } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return spec
end

local function complaints_of(more)
  complaints.start "agents.x"
  local def = agent(spec_with(more))
  return complaints.text(), def
end

local function call_with(more, opts)
  local text, def = complaints_of(more)
  assert.equal("", text)
  opts = opts or {}
  opts.agent = def
  local call = fake.call(opts)
  call.session.call.visit = { start = "2026-11-25 09:00", name = "Ann" }
  return call
end

local function reason_of(call)
  for i = #host.log_lines, 1, -1 do
    local fields = host.log_lines[i].fields
    for at = 1, #fields, 3 do
      if fields[at] == "reason" then
        return fields[at + 2]
      end
    end
  end
end

-- The last fact: what became of which text.
local function told()
  local fact = host.facts[#host.facts]
  return { fact.status, fact.error_code, fact.to }
end

describe("sms in an agent's file", function()
  it("is told about every mistake", function()
    local text = complaints_of { tools = {}, sms = {
      booked = "See you {{visit.strat}}.", late = { es = "Tarde." }, ["Big"] = "x", quiet = "21-8", window = "soon",
      caps = { call = 99 }, countries = { "USA" }, stir = "C", service = "SM1", long = ("x"):rep(700),
    } }
    for _, what in ipairs {
      "sms.booked: {{visit.strat}}: unknown path; did you mean 'visit.start'?",
      "sms.late: has no text in the agent's first language, 'en'", "'Big' is no name of a text",
      'sms.quiet: 21-8 is no time span; write it like "21:00-08:00"', 'sms.window: "soon" is no duration',
      "sms.caps.call: must be a whole number from 0 to 20", "sms.countries[1]: 'USA' is no country known here",
      'sms.stir: "C" is unknown',
      "is not the id of a messaging service", "sms.long: takes 5 parts, and texts here have at most 4",
    } do
      assert.is_truthy(text:find(what, 1, true), what .. "\nnot in\n" .. text)
    end
  end)

  it("gives missed calls and HELP only what there is without a conversation", function()
    local text = complaints_of { sms = { booked = "Ok.", missed = "Sorry {{caller.name}}, {{site.name}}. {{args.x}}",
      help = { en = "{{visit.start | day_time}} {{caller.number}}" } } }
    assert.matches("sms.missed: nobody gives {{caller.name}}: sms.missed goes out without", text, 1, true)
    assert.matches("sms.missed: nobody gives {{args.x}}", text, 1, true)
    assert.matches("sms.help: nobody gives {{visit.start}}", text, 1, true)
    assert.equal(2, select(2, text:gsub("\n", "\n")), text)
  end)

  it("and its tools must agree", function()
    assert.matches("there is no text sms.bokked; did you mean 'booked'?",
      complaints_of { tools = { tools.send_sms { templates = { "bokked" } } } }, 1, true)
    assert.matches("send_sms has no text to send", complaints_of { sms = {} }, 1, true)
    assert.matches("sms.eta wants {{args.minutes}}, which the tool does not have", complaints_of {
      sms = { eta = "In {{args.minutes}} minutes." }, tools = { tools.send_sms { templates = { "eta" } } } }, 1, true)
    assert.matches("nobody is called 'oncall'; did you mean 'on_call'?",
      complaints_of { tools = { tools.send_sms { templates = { "booked" }, to = "oncall" } } }, 1, true)
    complaints.start "agents.x"
    local _ = tools.send_sms { template = "booked" }
    assert.matches("send_sms.template: unknown key; did you mean 'templates'?", complaints.text(), 1, true)
  end)

  it("gives the tool the texts that want nothing, when it names none", function()
    local _, def = complaints_of { sms = { booked = "Ok.", eta = "In {{args.minutes}}.", missed = "Sorry." } }
    assert.same({ "booked" }, def.tools[1].schema.properties.template.enum)
  end)
end)

describe("a text to the caller", function()
  after_each(function()
    fake.now "2026-11-24 14:00"
  end)

  it("has the agent's words, and is kept before it is sent", function()
    local call = call_with()
    assert.same({ sent = true, to = "the caller" }, call:tool("send_sms", { template = "booked" }))
    assert.same({ { to = CALLER, body = "See you Wednesday, November 25 at 9 am.", template = "booked" } }, call.texts)
    assert.same({ "queued", "queued" }, { host.facts[1].status, host.facts[2].status })
    assert.same({ OURS, CALLER, 1, "tool" },
      { host.facts[1].from, host.facts[1].to, host.facts[1].segments, host.facts[1].kind })
    assert.equal("SM00000000000000000000000000000001", host.facts[2].sid)
    assert.equal(2, host.barriers) -- the tool call, then the text
    local request = host.twilio_requests[1]
    assert.matches("StatusCallback=https%%3A%%2F%%2Fcalls.example.com%%2Ftwilio%%2Fstatus%%3Ftext%%3DCA0", request.form)
    assert.matches("From=%%2B13125550100", request.form)
  end)

  it("speaks the caller's language, and cleans what is put in", function()
    local call = call_with { languages = { "es", "en" }, notice = { text = "x" }, apology = "x", moment = "x",
      sms = { booked = { es = "{{visit.name}}: {{visit.start | day_time}}", en = "no" } } }
    call.session.call.visit.name = "Ann\n{{x}}"
    call:tool("send_sms", { template = "booked" })
    assert.equal("Ann ( (x) ): miércoles 25 de noviembre a las 9:00", call.texts[1].body)
  end)

  it("takes from the model what the tool declares, and no links", function()
    local call = call_with { sms = { eta = "In {{args.minutes}} minutes, {{args.who}}." }, tools = { tools.send_sms {
      templates = { "eta" }, args = { minutes = { type = "integer", about = "minutes" },
        who = { type = "string", about = "name" } } } } }
    assert.matches("links", call:tool("send_sms", { template = "eta", minutes = 5, who = "see evil.com/x" }).refused)
    assert.is_truthy(call:tool("send_sms", { template = "eta", minutes = 5, who = ("x"):rep(101) }).problems)
    assert.is_truthy(call:tool("send_sms", { template = "other", minutes = 5, who = "Ann" }).problems)
    assert.is_true(call:tool("send_sms", { template = "eta", minutes = 5, who = "Ann" }).sent)
    assert.equal("In 5 minutes, Ann.", call.texts[1].body)
  end)

  describe("leads nobody anywhere:", function()
    local function filled(more, who)
      local spec = { sms = { eta = "{{args.who}} comes." }, tools = { tools.send_sms { templates = { "eta" },
        args = { who = { type = "string", about = "name" } } } } }
      for key, value in pairs(more or {}) do
        spec[key] = value
      end
      local call = call_with(spec)
      return call:tool("send_sms", { template = "eta", who = who }), call
    end

    for _, who in ipairs { "evil.com", "EVIL.COM?a", "see evil.com, please", "evil\u{3002}com", "www.evil",
      "http://10.1.1.1/", "10.1.1.1", "пример.рф", "900-555-0142", "call +1 (900) 555-0142 now", "2 19005550142",
      "011 44 909 879 0142" } do
      it(who .. " is refused", function()
        local output, call = filled(nil, who)
        assert.matches("links", output.refused)
        assert.same({}, call.texts)
        assert.same({ "canceled", "link" }, { host.facts[#host.facts].status, host.facts[#host.facts].error_code })
      end)
    end

    for _, who in ipairs { "Dr. O'Neil", "Ann, at 9.30 a.m.", "312-555-0142 or +1 800 555 0142",
      "He said “soon.” And so", "2026-11-27 09:00", "$900 for 4 hours", "¿Ana?" } do
      it(who .. " is not", function()
        assert.is_true(filled(nil, who).sent)
      end)
    end

    it("what the text says by itself may be filled in, and only that", function()
      local own = { sms = { eta = "northside.example or 1-900-555-0142: {{args.who}}" } }
      assert.is_true(filled(own, "Northside.example/ann").sent)
      assert.is_true(filled(own, "900 555 0142").sent)
      assert.is_truthy(filled(own, "side.example").refused)
      assert.is_truthy(filled(own, "northside.example.evil.com").refused)
    end)

    it("the agent's vars as its file declares them are its own words", function()
      local call = call_with { vars = { site = "northside.example" }, sms = { booked = "{{vars.site}}" } }
      assert.is_truthy(sms.send(call.session.call, "booked"))
      assert.equal("northside.example", call.texts[1].body)
    end)

    it("nor do values that become one, vars, or the visit", function()
      local call = call_with { vars = { note = "" }, sms = { booked = "{{vars.note}}", seen = "{{visit.name}}",
        two = "{{vars.note}}.{{visit.name}}" } }
      local c = call.session.call
      c.vars.note, c.visit.name = "evil.com", "ann.example"
      assert.is_nil(sms.send(c, "booked"))
      assert.is_nil(sms.send(c, "seen"))
      c.vars.note, c.visit.name = "evil", "com"
      assert.is_nil(sms.send(c, "two"))
      assert.same({}, call.texts)
    end)
  end)

  local refusals = {
    { "a withheld number", { from = "anonymous" }, {}, "withheld" },
    { "a premium number", { from = "+19005550142" }, {}, "service" },
    { "another country", { from = "+447700900123" }, {}, "country" },
    { "a caller whose number was forged", { form = { StirVerstat = "TN-Validation-Failed-C" } }, {}, "stir" },
    { "a caller nobody vouches for, where the agent asks for that", {},
      { sms = { booked = "Ok.", stir = "A" } }, "stir" },
  }
  for _, case in ipairs(refusals) do
    it("does not go to " .. case[1], function()
      local call = call_with(case[3], case[2])
      local post = require "ringdown.texts.post"
      assert.equal(post.sentences[case[4]], call:tool("send_sms", { template = "booked" }).refused)
      assert.same({}, call.texts)
      local fact = host.facts[#host.facts]
      assert.same({ "text", "canceled", case[4], "tool" }, { fact.type, fact.status, fact.error_code, fact.kind })
      assert.is_nil(fact.body)
    end)
  end

  it("goes where the agent allows it", function()
    local call = call_with({ sms = { booked = "Ok.", countries = { "US", "GB" }, stir = "B" } },
      { from = "+447700900123", form = { StirVerstat = "TN-Validation-Passed-B" } })
    assert.is_true(call:tool("send_sms", { template = "booked" }).sent)
  end)

  it("goes where the agent's people may be called, unless it says otherwise", function()
    local british = { from = "+447700900123" }
    local call = call_with({ sms = { booked = "Ok." }, countries = { "US", "GB" } }, british)
    assert.is_true(call:tool("send_sms", { template = "booked" }).sent)
    call = call_with({ sms = { booked = "Ok.", countries = { "US" } }, countries = { "US", "GB" } }, british)
    assert.is_nil(call:tool("send_sms", { template = "booked" }).sent)
  end)

  it("is not sent to somebody who wants none, nor when nobody knows", function()
    fake.opted_out(CALLER)
    local call = call_with()
    assert.matches("opted out", call:tool("send_sms", { template = "booked" }).refused)
    assert.same({ "canceled", "opted_out", CALLER }, told())
    call = call_with()
    fake.database_down()
    assert.matches("cannot be sent at the moment", call:tool("send_sms", { template = "booked" }).refused)
    assert.same({}, call.texts)
  end)

  it("is one of three in a call, none of them twice", function()
    local call = call_with { sms = { booked = "{{args.n}}" }, tools = { tools.send_sms { templates = { "booked" },
      args = { n = { type = "integer", about = "n" } } } } }
    for n = 1, 3 do
      assert.is_true(call:tool("send_sms", { template = "booked", n = n }).sent)
    end
    assert.matches("all the texts it may have", call:tool("send_sms", { template = "booked", n = 4 }).refused)
    call = call_with()
    assert.is_true(call:tool("send_sms", { template = "booked" }).sent)
    assert.is_true(call:tool("send_sms", { template = "booked" }).sent) -- the same answer; nothing is sent
    local _, why = sms.send(call.session.call, "booked")
    assert.matches("already", why)
    assert.equal(1, #call.texts)
    assert.same({ "canceled", "repeated", CALLER }, told())
    local ids = {}
    for _, fact in ipairs(host.facts) do
      ids[fact.id] = (ids[fact.id] or 0) + 1
    end
    assert.equal(1, ids[host.facts[#host.facts].id]) -- it says nothing about the one that was sent
  end)

  it("counts when it was sent to the caller, and not else", function()
    local call = call_with { tools = {}, sms = { booked = "{{args.n}}", segments = 1 } }
    local c = call.session.call
    for n = 1, 3 do
      assert.is_truthy(sms.send(c, "booked", { to = "on_call", args = { n = n } }))
      local _, why = sms.send(c, "booked", { args = { n = ("z"):rep(199) .. n } })
      assert.matches("too long", why)
    end
    for n = 1, 3 do
      assert.is_truthy(sms.send(c, "booked", { args = { n = n } }))
    end
    assert.matches("all the texts it may have", select(2, sms.send(c, "booked", { args = { n = 4 } })))
  end)

  it("is not recorded and not sent when the disk is stuck", function()
    local call = call_with()
    host.not_durable = "disk full"
    local output = call:tool("send_sms", { template = "booked" })
    assert.is_true(output.failed)
    assert.same({}, call.texts)
  end)

  describe("that Twilio", function()
    local function asked_with(replies)
      local call = call_with()
      host.twilio_replies = replies
      return call:tool("send_sms", { template = "booked" }), host.facts[#host.facts]
    end

    it("has no time for is sent again", function()
      local output = asked_with { ["POST Messages.json"] = { { status = 429, retry_after_ms = 500 },
        { status = 201, body = '{"sid":"SM1","status":"queued"}' } } }
      assert.is_true(output.sent)
      assert.same({ 500 }, host.naps)
    end)

    it("does not answer is not sent again: what was sent tells", function()
      fake.now "2026-11-24 14:00"
      local list = '{"messages":[{"sid":"SM7","status":"sent","to":"%s",'
        .. '"body":"See you Wednesday, November 25 at 9 am.",'
        .. '"date_created":"Tue, 24 Nov 2026 20:00:01 +0000"}]}'
      local output, fact = asked_with { ["POST Messages.json"] = { lost = true },
        ["GET Messages.json"] = { body = list:format(CALLER) } }
      assert.is_true(output.sent)
      assert.same({ "SM7", "sent" }, { fact.sid, fact.status })
      output, fact = asked_with { ["POST Messages.json"] = { lost = true },
        ["GET Messages.json"] = { body = '{"messages":[]}' } }
      assert.is_true(output.failed)
      assert.equal("unknown", fact.error_code)
      local posts = 0
      for _, request in ipairs(host.twilio_requests) do
        posts = posts + (request.method == "POST" and 1 or 0)
      end
      assert.equal(1, posts)
    end)

    it("refuses is not sent, and a STOP it knows of is remembered", function()
      local output, fact = asked_with { ["POST Messages.json"] = { status = 400,
        body = '{"code":21610,"message":"x"}' } }
      assert.matches("opted out", output.refused)
      assert.same({ "failed", "21610", host.number_hash(CALLER) }, { fact.status, fact.error_code, fact.hash })
      output, fact = asked_with { ["POST Messages.json"] = { status = 400, body = '{"code":21614,"message":"x"}' } }
      assert.matches("landline", output.refused)
      assert.same({ "21614" }, { fact.error_code, fact.hash })
    end)
  end)
end)

describe("a text to one of the agent's people", function()
  it("goes by name, also while the database is away", function()
    local call = call_with { tools = { tools.send_sms { templates = { "booked" }, to = "on_call" } } }
    fake.database_down()
    assert.same({ sent = true, to = "on_call" }, call:tool("send_sms", { template = "booked" }))
    assert.equal("+13125550188", call.texts[1].to)
    assert.has_error(function()
      sms.send(call.session.call, "booked", { to = "+13125550142" })
    end, "sms.send: nobody is called '+13125550142'; allowed: on_call")
    assert.has_error(function()
      sms.send(call.session.call, "boked")
    end, "there is no text sms.boked; did you mean 'booked'? allowed: booked, missed")
  end)

  it("goes out ten times in a call, and no more", function()
    local call = call_with { sms = { note = "{{args.n}}" }, tools = {} }
    for n = 1, 10 do
      assert.is_truthy(sms.send(call.session.call, "note", { to = "on_call", args = { n = n } }))
    end
    local _, why = sms.send(call.session.call, "note", { to = "on_call", args = { n = 11 } })
    assert.matches("all the texts", why)
    assert.equal(10, #call.texts)
    assert.same({ "canceled", "people_call", "+13125550188" }, told())
  end)

  it("has its links made harmless", function()
    local call = call_with { sms = { note = "From {{caller.number}}: {{args.words}}" }, tools = {} }
    assert.is_truthy(sms.send(call.session.call, "note", { to = "on_call",
      args = { words = "see https://evil.com/a, call 900 555 0142" } }))
    assert.equal("From +13125550142: see https(:)//evil(.)com/a, call (premium number)", call.texts[1].body)
  end)
end)

describe("a missed call", function()
  it("is answered by one text, not two", function()
    fake.now "2026-11-24 14:00"
    local call = call_with()
    call:is_missed "gave_up"
    call:is_missed "gave_up"
    assert.same({ { to = CALLER, body = "Sorry we missed you.", template = "missed" } }, call.texts)
    for _, fact in ipairs(host.facts) do
      assert.not_equal("canceled", fact.status) -- asked twice is no refusal of the one that was sent
    end
    assert.equal("missed-" .. call.session.call.id, host.facts[1].id)
  end)

  it("at night is answered in the morning of who called", function()
    fake.now "2026-11-24 02:10"
    local call = call_with()
    call:is_missed "gave_up"
    assert.same({}, call.texts)
    assert.same({ "scheduled", require("ringdown.time").unix_of("America/Chicago", "2026-11-24 08:00") },
      { host.facts[1].status, host.facts[1].due_at })
    host.set_unix(host.facts[1].due_at)
    require("ringdown.errand").run(call.def, "text_due", require("ringdown.json").encode { id = host.facts[1].id,
      from = OURS, to = CALLER, body = "Sorry we missed you.", template = "missed", call = call.session.call.id })
    assert.equal(1, #call.texts)
  end)

  it("whose text comes up at night after all is put off again", function()
    fake.now "2026-11-24 22:00"
    local call = call_with()
    require("ringdown.errand").run(call.def, "text_due", require("ringdown.json").encode { id = "x", from = OURS,
      to = CALLER, body = "Sorry." })
    assert.same({}, call.texts)
    assert.matches("put_text_off", host.queries[1].sql)
  end)

  it("is answered later, once, when the database is away", function()
    fake.now "2026-11-24 14:00"
    local call = call_with()
    host.database_down = "it is restarted"
    call:is_missed "gave_up"
    local put_off = host.facts[1]
    assert.same({}, call.texts)
    assert.same({ "scheduled", "down", require("ringdown.time").unix(), "Sorry we missed you.", CALLER },
      { put_off.status, put_off.error_code, put_off.due_at, put_off.body, put_off.to })
    local function is_due()
      require("ringdown.errand").run(call.def, "text_due", require("ringdown.json").encode { id = put_off.id,
        from = OURS, to = CALLER, body = put_off.body, template = "missed", call = call.session.call.id })
      return host.facts[#host.facts]
    end
    put_off = is_due() -- it is away again
    assert.same({ "scheduled", "down", true, require("ringdown.time").unix() + 300 },
      { put_off.status, put_off.error_code, put_off.due, put_off.due_at })
    assert.same({}, call.texts)
    host.database_down = nil
    is_due()
    assert.same({ { to = CALLER, body = "Sorry we missed you.", template = "missed" } }, call.texts)
  end)

  it("of a machine, of nobody or of somebody forged is not answered", function()
    fake.now "2026-11-24 14:00"
    for reason, case in pairs {
      robot = { {}, { ms = 1900 } }, stir = { {}, { verstat = "TN-Validation-Failed-A" } },
      withheld = { { from = "anonymous" }, {} }, service = { { from = "+88213300000" }, {} },
      country = { { from = "+447700900123" }, {} },
    } do
      local call = call_with({}, case[1])
      call:is_missed("gave_up", case[2])
      assert.same({}, call.texts, reason)
      assert.same({ "canceled", reason }, { host.facts[1].status, host.facts[1].error_code })
      assert.equal(call.session.call.id, host.facts[1].call)
    end
    for _, from in ipairs { "Restricted", "+266696687", "" } do
      local call = call_with({ countries = { "US", "LS" } }, { from = from })
      call:is_missed("gave_up")
      assert.same({ "canceled", "withheld" }, { host.facts[1].status, host.facts[1].error_code }, from)
    end
    local call = call_with()
    call:is_missed("gave_up", { ms = 1900 })
    assert.equal("robot", reason_of(call))
    call.form.From = nil
    call:is_missed("gave_up")
    assert.equal("withheld", reason_of(call))
    call = call_with { sms = { booked = "Ok." } }
    call:is_missed "no_capacity"
    assert.equal("no_template", reason_of(call))
  end)
end)

describe("a text that comes in", function()
  local seen

  local function texting(hook, opts, more)
    seen = {}
    more = more or {}
    more.on = { sms = function(call, text)
      seen[#seen + 1] = text.body
      return hook and hook(call, text)
    end }
    return call_with(more, opts)
  end

  it("reaches on.sms once, which may answer once", function()
    local call = texting(function(call, text)
      assert.equal(CALLER, call.caller.number)
      assert.is_truthy(call:reply("Thanks for: " .. text.body))
      assert.same({ nil, "one answer to a text" }, { call:reply "And again" })
    end)
    call:texts_back("I need a plumber", "SM1")
    call:texts_back("I need a plumber", "SM1")
    assert.same({ "I need a plumber" }, seen)
    assert.same({ { to = CALLER, body = "Thanks for: I need a plumber" } }, call.texts)
  end)

  it("brings texts of its own, also when others come in the same second", function()
    fake.now "2026-11-24 14:00"
    local call = texting(function(call, text)
      assert.is_truthy(sms.send(call, "note", { to = "on_call", args = { words = text.body } }))
    end, nil, { sms = { note = "{{args.words}}" }, tools = {} })
    call:texts_back "one"
    call:texts_back "two"
    assert.same({ "one", "two" }, { call.texts[1].body, call.texts[2].body })
    assert.is_nil(host.facts[1].call)
  end)

  it("of one of the agent's people is no matter for on.sms, so that two machines do not talk", function()
    local call = texting(function(call)
      call:reply "We are on it."
    end, { from = "+13125550188" })
    call:texts_back "I am driving and will answer later."
    assert.same({}, seen)
    assert.same({}, call.texts)
  end)

  it("is somebody's answer in an emergency first of all", function()
    local call = texting()
    host.expected[CALLER] = 1
    call:texts_back "1"
    assert.same({}, seen)
  end)

  it("of somebody who opted out is read, but not answered", function()
    fake.opted_out(CALLER)
    local call = texting(function(call)
      local sent, why = call:reply "Hi"
      assert.is_nil(sent)
      assert.matches("opted out", why)
    end)
    call:texts_back "Hello?"
    assert.same({ "Hello?" }, seen)
    assert.same({}, call.texts)
  end)

  it("reaches on.sms with the database away, and is not answered then", function()
    local call = texting(function(call)
      assert.is_nil(call:reply "Hi")
    end)
    fake.database_down()
    call:texts_back "Hello?"
    assert.same({ "Hello?" }, seen)
    assert.same({}, call.texts)
  end)
end)
