-- SPDX-License-Identifier: Apache-2.0
-- Sites, texts, customers, visits and emergencies by the admin API.
local csv = require "ringdown.csv"
local events = require "spec.support.events"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local world = require "spec.api.world"

local CALL = ("CA%032x"):format(1)
local CALLER = "+13125550142"

local seed_sql = [[
  insert into sites (agent, site, name, time_zone, facts) values ('plumber', 'lakeview', 'Lakeview', 'America/Chicago',
    '{"hours": {"mon_fri": "08:00-17:00"}, "people": {"office": "+13125550101"}, "parking": "behind"}');
  insert into phone_numbers (number, agent, site) values ('+13125550100', 'plumber', 'lakeview');
  insert into texts (id, agent, direction, from_number, to_number, body, status, created_at, updated_at) values
    ('t1', 'plumber', 'in', '+13125550142', '+13125550100', 'is it today?', 'received', '2026-11-01 08:00Z', now()),
    ('t2', 'plumber', 'out', '+13125550100', '+13125550142', 'at nine', 'delivered', '2026-11-01 08:01Z', now()),
    ('t3', 'plumber', 'out', '+13125550100', '+13125550143', 'we called', 'undelivered', '2026-11-01 08:02Z', now()),
    ('t4', 'dentist', 'in', '+13125550142', '+13125550199', 'my tooth', 'received', '2026-11-01 08:03Z', now());
  update texts set error_code = '30003' where id = 't3';
  insert into customers (agent, number, name, facts) values
    ('plumber', '+13125550142', 'Maria Garcia', '{"vip": true}'), ('dentist', '+13125550143', 'Tom Ward', '{}');
]]

local function seed(url)
  pg.run(url, seed_sql)
  local c = events.call(1, { common = { agent = "plumber" } })
  c:add("near_miss", { rule = "gas-leak", why = "negated", words = "no gas leak" })
  c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open", words = "I smell gas" })
  c:add("triage_step", { rule = "gas-leak", step = 1, kind = "text", target = "+13125550188", state = "asked" })
  events.outcomes(url, c.list)
end

describe("the admin API", function()
  local of_dentist

  setup(function()
    world.begin { seed = seed }
    of_dentist = world.token { role = "operator", agents = { "dentist" } }
  end)
  teardown(world.finish)

  before_each(function()
    world.fresh()
    host.known_agents = {
      { name = "plumber", numbers = {}, countries = '{"US":true}',
        shown = json.encode { time_zone = "America/Chicago" } },
      { name = "dentist", numbers = {}, countries = '{"US":true}', shown = "{}" },
    }
  end)

  local function viewer(more)
    more = more or {}
    more.role = "viewer"
    return { token = world.token(more) }
  end

  describe("knows sites", function()
    local S = "/sites/plumber/lakeview"

    it("with their numbers, and their people only for who may see them", function()
      local status, site, answer = world.ask("GET", S)
      assert.equal(200, status)
      assert.same({ office = "+13125550101" }, site.people)
      assert.same({ parking = "behind" }, site.facts)
      assert.same({ "+13125550100" }, site.numbers)
      assert.equal('"' .. site.version .. '"', answer.headers.etag)
      local _, masked = world.ask("GET", S, viewer())
      assert.same({ office = "+1…01" }, masked.people)
      assert.equal(1, #select(2, world.ask("GET", "/sites")).items)
      assert.equal(0, #select(2, world.ask("GET", "/sites", { token = of_dentist })).items)
      assert.equal(404, (world.ask("GET", S, { token = of_dentist })))
      assert.equal(404, (world.ask("GET", "/sites/plumber/nowhere")))
    end)

    it("and writes one whole, from the version that was looked at, with its row in the audit", function()
      local _, before = world.ask("GET", S)
      local body = { name = "Lakeview", time_zone = "America/Chicago", prices = { drain = "$95" } }
      assert.equal(428, (world.ask("PUT", S, { body = body })))
      local old = { ["if-match"] = '"' .. before.version .. '"' }
      local status, made = world.ask("PUT", S, { body = body, headers = old })
      assert.same({ 200, "changed" }, { status, made.is })
      assert.matches("next call to a number of plumber at lakeview", made.next_call)
      local late, problem = world.ask("PUT", S, { body = body, headers = old })
      assert.same({ 412, made.version }, { late, problem.current.version })
      assert.equal("same", select(2, world.ask("PUT", S, { body = body, headers = { ["if-match"] = "*" } })).is)
      local audit = world.rows "select who, before ->> 'parking' as was from audit where what = 'site_import'"
      assert.same({ { who = "control socket uid 0", was = "behind" } }, audit)
    end)

    it("and says all that is wrong with one", function()
      local status, problem = world.ask("PUT", "/sites/plumber/new", { body = { hours = { mon = "8-5" },
        people = { office = "+4915112345678" } } })
      assert.equal(422, status)
      local at = {}
      for _, one in ipairs(problem.errors) do
        at[#at + 1] = one.at
      end
      table.sort(at)
      assert.same({ "body", "body.hours.mon", "body.people.office" }, at)
      assert.equal(422, (world.ask("PUT", "/sites/nobody/new", { body = { name = "x" } })))
      assert.equal("new", select(2, world.ask("PUT", "/sites/plumber/new", { body = { name = "x" } })).is)
      assert.equal(403, (world.ask("PUT", "/sites/plumber/new", { token = viewer().token, body = { name = "x" } })))
    end)
  end)

  describe("shows texts", function()
    it("as conversations, page by page", function()
      local _, first = world.ask("GET", "/texts?limit=2")
      assert.same({ "t4", "t3" }, { first.items[1].id, first.items[2].id })
      local _, second = world.ask("GET", "/texts?limit=2&cursor=" .. first.next)
      assert.same({ 1, "t2", CALLER }, { #second.items, second.items[1].id, second.items[1].number })
      assert.is_nil(second.next)
      local _, mine = world.ask("GET", "/texts", { token = of_dentist })
      assert.same({ 1, "t4" }, { #mine.items, mine.items[1].id })
      assert.equal(0, #select(2, world.ask("GET", "/texts?agent=plumber", { token = of_dentist })).items)
    end)

    it("with one number, and what became of one", function()
      local _, thread = world.ask("GET", "/texts/" .. CALLER .. "?agent=plumber")
      assert.same({ "t2", "t1" }, { thread.items[1].id, thread.items[2].id })
      local _, one = world.ask("GET", "/texts/messages/t3")
      assert.same({ "undelivered", "30003" }, { one.status, one.error_code })
      assert.equal(404, (world.ask("GET", "/texts/messages/t3", { token = of_dentist })))
    end)

    it("without numbers and words to whoever may not see them", function()
      for _, target in ipairs { "/texts/" .. CALLER, "/customers?q=gar", "/appointments?number=%2B13125550142" } do
        local refused, problem = world.ask("GET", target, viewer())
        assert.equal(403, refused, target)
        assert.matches("masked$", problem.type)
        assert.equal(200, (world.ask("GET", target, viewer { sees_personal = true })), target)
      end
      local status, _, answer = world.ask("GET", "/texts", viewer())
      assert.equal(200, status)
      assert.is_nil(answer.body:find("5550142", 1, true))
      assert.is_nil(answer.body:find("today", 1, true))
      local _, _, granted = world.ask("GET", "/texts/" .. CALLER, viewer { sees_personal = true })
      assert.truthy(granted.body:find("is it today?", 1, true))
    end)
  end)

  describe("looks customers up", function()
    it("by number, and by how their names begin", function()
      for _, q in ipairs { "%2B13125550142", "gar", "mar%20GAR" } do
        local _, found = world.ask("GET", "/customers?q=" .. q)
        assert.same({ 1, "Maria Garcia" }, { #found.items, found.items[1].name }, q)
      end
      assert.equal(0, #select(2, world.ask("GET", "/customers?q=%27%3A%26%21")).items)
      local _, all = world.ask("GET", "/customers?limit=1")
      assert.equal("Tom Ward", all.items[1].name)
      assert.equal("Maria Garcia", select(2, world.ask("GET", "/customers?limit=1&cursor=" .. all.next)).items[1].name)
    end)

    it("of one's own agents, without what is personal", function()
      local _, mine = world.ask("GET", "/customers", { token = of_dentist })
      assert.same({ 1, "Tom Ward" }, { #mine.items, mine.items[1].name })
      local maria = world.rows("select id from customers where name like 'Maria%'")[1].id
      assert.equal(404, (world.ask("GET", "/customers/" .. maria, { token = of_dentist })))
      local _, masked, answer = world.ask("GET", "/customers/" .. maria, viewer())
      assert.same({ "[hidden]" }, { masked.name, masked.facts })
      assert.is_nil(answer.body:find("Garcia", 1, true))
    end)
  end)

  describe("takes customers over from a table", function()
    local function import(text, query, o)
      o = o or {}
      o.body, o.headers = text, { ["content-type"] = "text/csv" }
      return world.ask("POST", "/customers/import" .. (query or ""), o)
    end

    local table_of_four = "\xEF\xBB\xBFAgent,number,name,notes,vip,fact.lift\r\n"
      .. 'plumber,+1 (312) 555-0171,"Ana ""Nan"" Diaz","two\r\nlines",yes,3rd floor\r\n'
      .. "plumber,5550172,Short,,,\r\n\r\n"
      .. "barber,+13125550173,Nobody,,,\r\n"
      .. "plumber,+13125550174,Bo,,perhaps,\r\n"

    it("first dry, then for good, and the second time nothing is new", function()
      local status, dry = import(table_of_four, "?dry_run=true")
      assert.same({ 200, true, 1, 3 }, { status, dry.dry_run, dry.new, dry.wrong })
      assert.equal(0, #world.rows "select 1 as one from customers where number = '+13125550171'")
      local _, done = import(table_of_four)
      assert.same({ 4, 1, 0, 3 }, { done.rows, done.new, done.same, done.wrong })
      assert.same({ 4, 6, 7 }, { done.errors[1].line, done.errors[2].line, done.errors[3].line })
      assert.matches("no number like", done.errors[1].why)
      assert.matches("no agent 'barber'", done.errors[2].why)
      assert.matches("yes or no", done.errors[3].why)
      local _, again = import(table_of_four)
      assert.same({ 0, 1 }, { again.new, again.same })
      local made = world.rows "select name, notes, facts from customers where number = '+13125550171'"
      assert.same({ name = 'Ana "Nan" Diaz', notes = "two\r\nlines", facts = { vip = true, lift = "3rd floor" } },
        made[1])
    end)

    it("changing only what a line says, with counts and no person in the audit", function()
      import "agent,number,name,notes\nplumber,+13125550175,Cy,rings twice\n"
      local _, done = import "agent,number,name,notes\nplumber,+13125550175,Cyrus,\n"
      assert.equal(1, done.changed)
      assert.same({ { name = "Cyrus", notes = "rings twice" } },
        world.rows "select name, notes from customers where number = '+13125550175'")
      local audit = world.rows [[select after::text as a from audit where what = 'customers.import'
        order by id desc limit 1]]
      assert.same({ lines = 1, first_line = 2, last_line = 2, new = 0, changed = 1, same = 0, wrong = 0 },
        json.decode(audit[1].a))
    end)

    it("of one's own agents only, and refuses what is no such table", function()
      local _, foreign = import("agent,number\nplumber,+13125550176\n", "", { token = of_dentist })
      assert.same({ 0, 1 }, { foreign.new, foreign.wrong })
      for text, why in pairs {
        ["agent,number,shoe\n"] = "a column 'shoe', which is none",
        ["agent,name\nplumber,x\n"] = "no column 'number'",
        ['agent,number\nplumber,"+1312\n'] = 'line 2 has a " that is never closed',
        ["\n\n"] = "is empty",
      } do
        local status, problem = import(text)
        assert.equal(422, status)
        assert.truthy(problem.detail:find(why, 1, true), problem.detail)
      end
      assert.equal(403, (import("agent,number\n", "", viewer())))
      assert.equal(415, (world.ask("POST", "/customers/import", { body = { agent = "x" } })))
    end)
  end)

  describe("takes visits over from a table", function()
    local function import(text, query)
      return world.ask("POST", "/appointments/import" .. (query or ""), { body = text,
        headers = { ["content-type"] = "text/csv" } })
    end

    it("on the agent's clock, each once, and tells whose hours are taken", function()
      local rows = "agent,resource,begins,minutes,number,key\n"
        .. "plumber,truck 1,2027-01-05 09:00,60,+13125550142,k1\n"
        .. "plumber,truck 1,2027-01-05T15:30:00Z,60,,k2\n"
        .. "plumber,truck 2,2027-13-05 09:00,60,,k3\n"
      for _, query in ipairs { "?dry_run=true", "" } do
        local _, done = import(rows, query)
        assert.same({ 1, 2 }, { done.new, done.wrong })
        assert.matches("somebody has that hour of truck 1 already", done.errors[1].why)
        assert.matches("begins is '2027%-13%-05 09:00'", done.errors[2].why)
      end
      assert.equal(1, select(2, import(rows)).same)
      local _, moved = import((rows:gsub("05 09:00", "06 09:00")))
      assert.same({ 1, 1 }, { moved.changed, moved.new })
      local _, visits = world.ask("GET", "/appointments?since=2027-01-01T00:00:00Z&number=%2B13125550142")
      assert.equal(1, #visits.items)
      assert.matches("^2027%-01%-06T15:00:00", visits.items[1].begins)
      assert.equal("Maria Garcia", visits.items[1].name)
      local _, one, answer = world.ask("GET", "/appointments/" .. visits.items[1].id, viewer())
      assert.equal("[hidden]", one.name)
      assert.is_nil(answer.body:find("5550142", 1, true))
      local _, page = world.ask("GET", "/appointments?limit=1")
      assert.equal(1, #select(2, world.ask("GET", "/appointments?limit=1&cursor=" .. page.next)).items)
    end)
  end)

  describe("shows emergencies", function()
    local E = "/emergencies/" .. CALL .. "/gas-leak"

    it("with words, steps and who took it, once somebody did", function()
      local _, list = world.ask("GET", "/emergencies?state=open")
      assert.equal(1, #list.items)
      local _, one = world.ask("GET", E)
      assert.same({ "I smell gas", "life", "open", 1 }, { one.words, one.severity, one.state, #one.steps })
      local status, said = world.ask("POST", E .. "/confirm")
      assert.same({ 200, true }, { status, said.changed })
      assert.same({ { kind = "emergency.unanswered", subject = CALL } }, host.alarms_over)
      local _, now = world.ask("GET", E)
      assert.same({ "handled", "control socket uid 0" }, { now.state, now.handled_by })
      assert.equal(false, select(2, world.ask("POST", E .. "/confirm")).changed)
      assert.same({ { before = { state = "open" }, who = "control socket uid 0" } },
        world.rows "select who, before from audit where what = 'emergency.confirm'")
    end)

    it("open again, when somebody confirmed by mistake, and says whether people are asked anew", function()
      pg.run(world.url, "update triage_matches set matched_at = now() - interval '1 minute' where rule = 'gas-leak'")
      assert.equal(403, (world.ask("DELETE", E .. "/confirm", viewer())))
      assert.equal(404, (world.ask("DELETE", E .. "/confirm", { token = of_dentist })))
      local status, back = world.ask("DELETE", E .. "/confirm")
      assert.same({ 200, true, "open" }, { status, back.changed, back.state })
      assert.matches("its people are asked anew", back.next_call)
      local _, now = world.ask("GET", E)
      assert.same({ "open", false }, { now.state, now.at_desk })
      assert.is_nil(now.handled_by)
      assert.is_string(now.reopened_at)
      local _, again = world.ask("DELETE", E .. "/confirm")
      assert.same({ false, "open" }, { again.changed, again.state })
      assert.same({ { before = { state = "handled", by = "control socket uid 0" }, after = { state = "open" } } },
        world.rows "select before, after from audit where what = 'emergency.unconfirm'")
      assert.equal(true, select(2, world.ask("POST", E .. "/confirm")).changed)
    end)

    it("as taken by who answered, which no desk takes back", function()
      pg.run(world.url, "update triage_matches set handled_by = 'office' where rule = 'gas-leak'")
      local status, why = world.ask("DELETE", E .. "/confirm")
      assert.same({ 409, "It was not confirmed at a desk" }, { status, why.title })
      assert.matches("office took it", why.detail)
      assert.equal("handled", select(2, world.ask("GET", E)).state)
    end)

    it("to those whose agent it is, and hides words and numbers", function()
      local _, masked, answer = world.ask("GET", E, viewer())
      assert.equal("[hidden]", masked.words)
      assert.is_nil(answer.body:find("555018", 1, true))
      assert.equal(404, (world.ask("GET", E, { token = of_dentist })))
      assert.equal(404, (world.ask("POST", E .. "/confirm", { token = of_dentist })))
      assert.equal(403, (world.ask("POST", E .. "/confirm", viewer())))
      assert.equal(404, (world.ask("GET", "/emergencies/" .. CALL .. "/flood")))
    end)

    it("and what only sounded like one, which a person marks", function()
      local M = "/emergencies/near-misses"
      local _, list = world.ask("GET", M .. "?verdict=none")
      assert.same({ 1, "no gas leak" }, { #list.items, list.items[1].words })
      assert.equal('it("is none: no gas leak", function()\n  call:hears "no gas leak"\n'
        .. '  assert.same({}, call.emergencies)\nend)', list.items[1].spec.was_not)
      assert.matches('assert.same({ "gas-leak" }, call.emergencies)', list.items[1].spec.was, 1, true)
      local mark = ("%s/%s/gas-leak/negated"):format(M, CALL)
      assert.equal(422, (world.ask("PUT", mark, { body = { verdict = "maybe" } })))
      assert.equal(404, (world.ask("PUT", mark, { body = { verdict = "was" }, token = of_dentist })))
      assert.equal(true, select(2, world.ask("PUT", mark, { body = { verdict = "was_not" } })).changed)
      assert.equal(false, select(2, world.ask("PUT", mark, { body = { verdict = "was_not" } })).changed)
      assert.equal(0, #select(2, world.ask("GET", M .. "?verdict=none")).items)
      assert.equal(1, #world.rows "select 1 as one from audit where what = 'near_miss.mark'")
      assert.equal(404, (world.ask("PUT", mark:gsub("negated", "unless"), { body = { verdict = "was" } })))
      local _, back = world.ask("PUT", mark, { body = { verdict = "none" } })
      assert.same({ true, "none" }, { back.changed, back.verdict })
      assert.is_nil(select(2, world.ask("GET", M .. "?verdict=none")).items[1].verdict)
      assert.equal(2, #world.rows "select 1 as one from audit where what = 'near_miss.mark'")
    end)
  end)

  it("says that the database is away, whatever is asked", function()
    world.down = "connection refused"
    for _, path in ipairs { "/sites", "/texts", "/customers", "/appointments", "/emergencies", "/jobs", "/numbers",
      "/rollouts", "/force" } do
      local status, problem = world.ask("GET", path)
      assert.same({ 503, "ringdown db status" }, { status, problem.fix:match "ringdown db status" }, path)
    end
  end)

  it("says that the database is too slow, full, or does not take it, whatever is asked", function()
    local meant = { ["57014"] = { 503, "busy" }, ["55P03"] = { 503, "busy" }, ["53300"] = { 503, "database-away" },
      ["57P03"] = { 503, "database-away" }, busy = { 503, "busy" },
      ["22P02"] = { 422, "not-taken" } }
    world.down = "no luck"
    for code, is in pairs(meant) do
      world.down_code = code
      for _, path in ipairs { "/sites", "/customers", "/appointments", "/emergencies", "/jobs", "/numbers",
        "/costs?by=agent&since=1d", "/alerts" } do
        local status, problem, answer = world.ask("GET", path)
        assert.same(is, { status, (problem.type or ""):match "[^/]+$" }, code .. " " .. path)
        assert.equal(status == 503, answer.headers["retry-after"] ~= nil)
      end
    end
  end)
end)

describe("a table of a spreadsheet", function()
  local o = { known = function(name) return #name == 1 end, required = {}, rows_max = 3, what = "a, b" }

  it("is bounded", function()
    assert.same({ nil, "has more than 3 lines; divide it" }, { csv.read("a\n1\n2\n3\n4\n", o) })
    assert.matches("is too large", select(2, csv.read("a\n" .. ("x"):rep(20000) .. "\n", o)))
    assert.matches("is too large", select(2, csv.read("a" .. (","):rep(80) .. "\n", o)))
    assert.matches("the column 'a' twice", select(2, csv.read("a,A\n", o)))
  end)

  it("may end without a line break, and has text in UTF-8", function()
    local rows = csv.read('a,b\n"1","x,\n""y"""\n\xff,2\n1,2,3', o)
    assert.same({ line = 2, cells = { a = "1", b = 'x,\n"y"' } }, rows[1])
    assert.same({ 4, "a is no text in UTF-8" }, { rows[2].line, rows[2].why })
    assert.same({ 5, "has 3 cells, the first line names 2" }, { rows[3].line, rows[3].why })
  end)
end)
