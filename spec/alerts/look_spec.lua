-- SPDX-License-Identifier: Apache-2.0
-- Rules, engine, queue and channels together, on a real PostgreSQL; nothing leaves the house.
local command = require "ringdown.alerts.command"
local fake = require "ringdown.fake.host"
local json = require "ringdown.json"
local look = require "ringdown.alerts.look"
local pg = require "spec.support.postgres"
local questions = require "spec.support.questions"
local rules = require "ringdown.alerts.rules"
local send = require "ringdown.alerts.send"
local store = require "ringdown.alerts.store"

local CALL = "CA" .. ("a"):rep(32)

describe("alerts in the database", function()
  local q, url

  setup(function()
    url = pg.database()
    q = questions.open(url)
  end)

  teardown(function()
    q:close()
  end)

  before_each(function()
    q.away = nil
    fake.reset()
    fake.channels_text = json.encode { { name = "ops", kind = "mail", to = { "ops@example.com" } },
      { name = "desk", kind = "webhook", url = "https://desk.example/a", secret = "sixteen letters!",
        severities = { "page" } } }
    pg.run(url, "truncate alerts, alert_states, alert_silences, notices, calls, node_processes, "
      .. "node_leader cascade; "
      .. "update alert_engine set version = 0, looked_at = 'epoch', suppressed_at = null")
  end)

  local told

  local function tell(line)
    told[#told + 1] = line.text or line.note
  end

  local function run()
    told = {}
    return look.run({}, tell)
  end

  local function alarm(kind, subject, more)
    pg.run(url, ("insert into alerts (node, kind, subject, severity, text, fix, opened_at, last_at) "
      .. "values ('n1', %s, %s, "
      .. "'critical', %s, 'mend it', now(), now())"):format(pg.literal(kind), pg.literal(subject),
      pg.literal(more or "it is broken")))
  end

  local function over(kind)
    pg.run(url, ("update alerts set closed_at = now() where kind = %s"):format(pg.literal(kind)))
  end

  local function call(sid, agent)
    pg.run(url, ("insert into calls (call, started_at, agent, system, state, ended_at, ended_reason) values "
      .. "(%s, now() - interval '1 minute', %s, 'openai', 'ended', now() - interval '5 s', 'agent_hangup')"):format(
      pg.literal(sid), pg.literal(agent)))
  end

  it("every rule that is shipped can be asked", function()
    for _, rule in ipairs(rules.load()) do
      if rule.sql then
        local rows, why = fake.query(("select to_jsonb(m)::text from (%s) m"):format(rule.sql), { "10 minutes" })
        assert.is_truthy(rows, ("%s: %s"):format(rule.name, tostring(why)))
      end
    end
    assert.equal(true, run().kept)
    assert.same({}, fake.alarms)
  end)

  it("an emergency that nobody takes is told at once to everybody, and that it is over", function()
    call(CALL, "north")
    alarm("emergency.unanswered", CALL, "gas_leak: +13125550142 says there is gas")
    assert.equal(1, run().notices)
    send.all "mail"
    send.all "webhook"
    assert.equal(1, #fake.mails)
    assert.equal("[FIRING page] north: an emergency was found in a call, and nobody has taken it yet",
      fake.mails[1].subject)
    for _, words in ipairs { "gas_leak: +1…42 says there is gas", "look:      ringdown why " .. CALL,
      "ack:       ringdown alerts ack ",
      "runbook:   docs/troubleshooting.md#emergency-unanswered", "fix:       mend it", "since:     20",
        "agent:     north" } do
      assert.is_truthy(fake.mails[1].text:find(words, 1, true), words .. " is not in\n" .. fake.mails[1].text)
    end
    assert.is_nil(fake.mails[1].text:find("5550142", 1, true))
    local body = json.decode(fake.posts[1].body)
    assert.equal("firing", body.status)
    assert.equal("north", body.alerts[1].agent)
    assert.equal("ringdown why " .. CALL, body.alerts[1].why)
    assert.is_string(body.alerts[1].id)
    assert.equal(0, run().notices)
    over "emergency.unanswered"
    assert.equal(1, run().notices)
    send.all "mail"
    assert.matches("^%[over page%]", fake.mails[2].subject)
    assert.equal(fake.mails[1].answers, fake.mails[2].answers)
    assert.are_not.equal(fake.mails[1].id, fake.mails[2].id)
  end)

  it("too many failed calls are a page, with one that shows it", function()
    for i = 1, 30 do
      call(("CA%032d"):format(i), "north")
    end
    pg.run(url, "update calls set ended_reason = 'provider_failed' where call::text ~ '[05]$'")
    run()
    assert.equal("pending", store.list()[1].state) -- for a minute
    pg.run(url, "update alert_states set began_at = began_at - interval '1 minute'")
    assert.equal(1, run().notices)
    local one = store.list()[1]
    assert.same({ "failed_calls", "firing", { agent = "north" } }, { one.rule, one.state, one.labels })
    assert.is_near(.2, one.value, .001)
    assert.matches("^CA0+%d*[05]$", one.call)
  end)

  it("silence where calls should be is found by what was usual", function()
    pg.run(url, "insert into agents (agent, version, first_seen_at, updated_at) values ('north', 'v', now(), now()) "
      .. "on conflict do nothing")
    for week = 1, 3 do
      for i = 1, 4 + week do
        pg.run(url, ("insert into calls (call, started_at, agent) "
          .. "values ('CA%d%d', now() - interval '%d days 10 minutes', 'north')")
          :format(week, i, 7 * week))
      end
    end
    run()
    local one = store.list()[1]
    assert.same({ "no_calls", 0, "north" }, { one.rule, one.value, one.labels.agent })
  end)

  describe("of a node that", function()
    local function process(node, how)
      pg.run(url, ("insert into node_processes (node, epoch, started_at, seen_at, stopped_at) values (%s, 1, "
        .. "now() - interval '1 day', %s) on conflict (node, epoch) do update set seen_at = excluded.seen_at, "
        .. "stopped_at = excluded.stopped_at"):format(pg.literal(node), how))
    end

    local live, stopped, lost = "now(), null", "now() - interval '2 minutes', now() - interval '2 minutes'",
      "now() - interval '2 minutes', null"

    local function states()
      local out = {}
      for i, s in ipairs(store.list { state = "all" }) do
        out[i] = s.rule .. " " .. s.state .. (s.muted_by and " muted by " .. s.muted_by or "")
      end
      table.sort(out)
      return out
    end

    it("stopped are over, with why, and mute nothing any more", function()
      process("n1", live)
      alarm("rollout.held", "north")
      alarm("database.down", "")
      alarm("disk.low", "")
      run()
      pg.run(url, "update alert_states set began_at = began_at - interval '5 minutes'")
      run()
      assert.same({ "before_it_hurts firing muted by database_down", "database_down firing",
        "guard_breach firing" }, states())
      pg.run(url, "insert into alerts (node, kind, severity, text, opened_at, last_at) values ('n2', 'disk.low', "
        .. "'critical', 'full', now(), now())")
      process("n2", live)
      process("n1", stopped)
      run()
      pg.run(url, "update alert_states set began_at = began_at - interval '5 minutes'")
      run()
      assert.same({ "before_it_hurts firing", "before_it_hurts resolved muted by database_down",
        "database_down resolved", "guard_breach firing" }, states()) -- the rollout is about all: until another leads
      local row = q:rows "select closed_why from alerts where kind = 'database.down'"[1]
      assert.matches("^its node n1 stopped at 20%d%d%-%d%d%-%d%dT", row[1])
      for _, s in ipairs(store.list { state = "all", rule = "database_down" }) do
        assert.matches("it is broken; it is over because node n1 stopped at 20", s.text)
      end
    end)

    it("is lost count no more, and again when it is back", function()
      process("n1", lost)
      alarm("target.open", "openai")
      run()
      assert.same({}, states())
      assert.equal(1, #q:rows "select id from alerts where closed_at is null")
      process("n1", live)
      run()
      assert.same({ "provider_down pending" }, states())
    end)

    it("found an emergency are there as long as that is open", function()
      process("n1", stopped)
      call(CALL, "north")
      pg.run(url, ("insert into triage_matches (call, rule, severity, source, state, matched_at) values "
        .. "('%s', 'gas', 'life', 'rule', 'open', now())"):format(CALL))
      alarm("emergency.unanswered", CALL)
      run()
      assert.same({ "emergency_unanswered firing" }, states())
      pg.run(url, "update triage_matches set state = 'handled', handled_at = now()")
      run()
      assert.same({ "emergency_unanswered resolved" }, states())
    end)

    it("led are another's to tell, once that one had the time to find them", function()
      process("n1", live)
      pg.run(url, "insert into node_leader values (true, 'n2', 1, now() - interval '1 minute', "
        .. "now() + interval '1 hour')")
      alarm("cost.near_cap", "north")
      run()
      assert.same({ "spending_cap firing" }, states())
      assert.is_nil(store.list()[1].labels.node)
      pg.run(url, "insert into alerts (node, kind, subject, severity, text, opened_at, last_at) values ('n2', "
        .. "'cost.near_cap', 'north', 'warning', 'x', now(), now())")
      pg.run(url, "update node_leader set since = now() - interval '11 minutes'")
      run()
      assert.same({ "spending_cap firing" }, states()) -- the same alert, whoever leads
      pg.run(url, "update alerts set closed_at = now() where node = 'n2'")
      run()
      assert.same({ "spending_cap resolved" }, states())
    end)
  end)

  it("more than is looked at: the severe before the new, and it is told how many found no place", function()
    alarm("emergency.unanswered", CALL)
    alarm("target.open", "openai")
    pg.run(url, "insert into alerts (node, kind, subject, severity, text, opened_at, last_at) select 'n1', 'disk.low', "
      .. "i::text, 'warning', 'x', now(), now() from generate_series(1, 600) i")
    run()
    assert.matches("^102 alarms and 0 alerts found no place", fake.alarms[1].text)
    assert.equal("emergency_unanswered", store.list { rule = "emergency_unanswered" }[1].rule)
    assert.equal("provider_down", store.list { rule = "provider_down" }[1].rule)
    over "disk.low"
    run()
    assert.same({}, fake.alarms_open)
  end)

  local function names()
    local list = {}
    for _, one in ipairs(store.list()) do
      list[one.rule] = one
    end
    return list
  end

  it("each alarm that a rule is about reaches it", function()
    local kinds = {}
    for _, rule in ipairs(rules.load()) do
      for _, kind in ipairs(rule.alarms or {}) do
        kinds[kind] = kind ~= "*" and rule.name or nil
        if kind ~= "*" then
          alarm(kind, "x")
        end
      end
    end
    alarm("somebody.elses", "x") -- critical, and no rule knows it
    run()
    local found = names()
    for kind, rule in pairs(kinds) do
      assert.is_table(found[rule], rule .. " does not know of " .. kind)
    end
    assert.is_table(found.other_alarm)
  end)

  it("a call that went over, callers whom nobody understands, dear calls, an open emergency: found", function()
    for i = 1, 6 do
      call(("CA%032d"):format(i), "north")
    end
    pg.run(url, ([[update calls set turns = 3, duration_ms = 30000;
      insert into call_costs (call, micro_usd, micro_usd_exact) select call, 10000000, 10000000 from calls;
      update calls set failed_over_at = now() where call like '%%1';
      insert into triage_matches (call, rule, severity, matched_at) values ('CA%032d', 'gas_leak', 'life',
        now() - interval '4 minutes')]]):format(2))
    run()
    local found = names()
    for _, rule in ipairs { "failover", "no_transcript", "cost_per_hour", "emergency_open" } do
      assert.is_table(found[rule], rule)
      assert.equal("north", found[rule].labels.agent)
      assert.matches("^CA0+%d$", found[rule].call)
    end
    assert.equal(60, found.cost_per_hour.value)
    assert.equal(1, found.no_transcript.value)
  end)

  it("of two who evaluate at once, one keeps what it found", function()
    alarm("target.open", "openai")
    local before = store.before(600000, 1800000)
    run()
    assert.is_false(store.after(before.version, { states = json.array {}, gone = json.array {},
      notices = json.array {} }))
  end)

  it("a restart neither tells again nor forgets that it is over", function()
    alarm("rollout.held", "north")
    assert.equal(1, run().notices)
    assert.equal(0, run().notices)
    over "rollout.held"
    assert.equal(1, run().notices)
    assert.equal(0, run().notices)
    assert.same({}, store.list())
    assert.equal(1, #store.list { state = "all" })
  end)

  it("an operator's rule fires with words of its own; one whose question fails is told, and the others go on",
    function()
    fake.rules_path, fake.rules_text = "alerts.lua", [[
      return { rules = {
        { name = "always", about = "always", severity = "info", above = 0, sql = "select 7 as value, 'north' as agent",
          say = function(a) return ("%d for %s"):format(a.value, a.labels.agent) end },
        { name = "broken", about = "x", severity = "info", above = 0, sql = "select 1 as value from nowhere" },
        { name = "writes", about = "x", severity = "info", above = 0,
          sql = "with x as (delete from calls returning 1) select 1 as value from x" } } }]]
    call(CALL, "north")
    assert.equal(1, run().notices)
    send.all "mail"
    assert.matches("what: +7 for north", fake.mails[1].text)
    assert.matches('broken: relation "nowhere" does not exist', fake.alarms[1].text)
    assert.matches("writes: ", fake.alarms[1].text)
    assert.equal(1, #q:rows "select call from calls")
  end)

  it("while the database is away nothing is decided", function()
    q.away = "gone"
    assert.is_false(run().kept)
    assert.same({ sent = 0, failed = 0 }, send.all "mail")
  end)

  describe("the queue", function()
    local function due_again()
      pg.run(url, "update notices set due_at = now()")
    end

    it("tries again after 30 s, 2 m and 10 m, and then gives up and says so", function()
      alarm("rollout.held", "north")
      run()
      fake.post_replies = { { 429, 90000 }, 500, { lost = "timed out" }, 503 }
      for i, wait_s in ipairs { 90, 120, 600 } do
        assert.same({ sent = 0, failed = 1 }, send.all "webhook")
        assert.same({ sent = 0, failed = 0 }, send.all "webhook") -- not due
        local row = q:rows("select round(extract(epoch from due_at - now())), why from notices "
          .. "where kind = 'webhook'")[1]
        assert.is_near(wait_s, tonumber(row[1]), 2)
        assert.is_string(row[2], i)
        due_again()
      end
      assert.same({}, fake.alarms)
      send.all "webhook"
      assert.equal("notice.given_up", fake.alarms[1].kind)
      assert.equal("desk", fake.alarms[1].subject)
      due_again()
      assert.same({ sent = 0, failed = 0 }, send.all "webhook")
      assert.same({ sent = 1, failed = 0 }, send.all "mail") -- the other channel never noticed
    end)

    it("gives up at once what is refused as it is, a redirect too", function()
      alarm("rollout.held", "north")
      run()
      fake.post_replies = { 302 }
      send.all "webhook"
      assert.matches("sends us elsewhere", fake.alarms[1].text)
      assert.equal(1, #fake.posts)
    end)

    it("gives a page that its channel does not take to another, once, and nothing else", function()
      fake.channels_text = json.encode {
        { name = "desk", kind = "webhook", url = "https://desk.example/a", secret = "sixteen letters!",
          severities = { "page" } },
        { name = "south", kind = "mail", to = { "s@example.com" }, severities = { "info" }, agents = { "south" } },
        { name = "office", kind = "mail", to = { "o@example.com" }, severities = { "info" } } }
      alarm("emergency.unanswered", CALL)
      call(CALL, "north")
      run()
      fake.post_replies = { 404 }
      send.all "webhook"
      assert.same({ sent = 1, failed = 0 }, send.all "mail")
      assert.same({ "o@example.com" }, fake.mails[1].to)
      assert.is_truthy(fake.mails[1].text:find("because the channel desk could not be told", 1, true))
      over "emergency.unanswered"
      run()
      send.all "webhook" -- the end is refused too, and nobody gets it instead
      assert.same({ sent = 0, failed = 0 }, send.all "mail")
    end)

    it("keeps a page where another channel has it", function()
      alarm("rollout.held", "north")
      run()
      fake.post_replies = { 404 }
      send.all "webhook"
      assert.same({ sent = 1, failed = 0 }, send.all "mail")
      assert.same({ sent = 0, failed = 0 }, send.all "mail")
    end)

    it("tells in order what is about one alert, and lets others of its group pass", function()
      alarm("rollout.held", "north")
      run()
      fake.post_replies = { 500 }
      send.all "webhook"
      over "rollout.held"
      run()
      alarm("emergency.unanswered", CALL)
      run()
      fake.post_replies = { 200 }
      send.all "webhook" -- the held one waits for its first notice, the emergency does not
      assert.equal("emergency_unanswered", json.decode(fake.posts[2].body).rule)
      assert.equal(2, #fake.posts)
      due_again()
      send.all "webhook"
      assert.same({ "firing", "resolved" }, { json.decode(fake.posts[3].body).status,
        json.decode(fake.posts[4].body).status })
      assert.equal(fake.posts[1].header[2], fake.posts[3].header[2]) -- the same notice, by its id
    end)

    it("lets nothing wait for a late notice about something else", function()
      local function body(n)
        return json.encode { alerts = { { fingerprint = n } } }
      end
      local function queue(id, group, status, counts, text)
        pg.run(url, ("insert into notices (notice, channel, kind, of_group, status, severity, counts, body) "
          .. "values ('%s', 'desk', 'webhook', '%s', '%s', 'page', %s, '%s')"):format(id:rep(16), group, status,
          counts, text))
      end
      queue("a", "held|north", "firing", true, body "one")
      queue("b", "life|north", "firing", false, body "gas")
      assert.is_table(store.take("webhook", "x", 60))
      assert.is_table(store.take("webhook", "x", 60))
      pg.run(url, "update notices set lease = null, leased_until = null, due_at = now() + interval '10 minutes'")
      queue("c", "held|north", "firing", true, body "two")
      queue("d", "held|north", "resolved", true, body "one")
      queue("e", "life|north", "firing", false, body "gas")
      queue("f", "life|north", "resolved", false, body "gas")
      local taken = {}
      for n in function() return store.take("webhook", "x", 60) end do
        taken[#taken + 1] = n.notice:sub(1, 1)
      end
      table.sort(taken)
      assert.same({ "c", "e" }, taken)
    end)

    it("belongs to whoever took it, and to the next one when he is gone", function()
      alarm("rollout.held", "north")
      run()
      local n = store.take("webhook", "one", 60)
      assert.is_nil(store.take("webhook", "two", 60))
      pg.run(url, "update notices set leased_until = now() - interval '1 s'")
      assert.equal(n.id, store.take("webhook", "two", 60).id)
      assert.is_false(store.ask("select notice_done($1::bigint, $2, true, null, null)::text", { tostring(n.id),
        "one" }))
      assert.is_true(store.ask("select notice_done($1::bigint, $2, true, null, null)::text", { tostring(n.id), "two" }))
    end)
  end)

  describe("people", function()
    local function ask(verb, o)
      told = {}
      local wish = o or {}
      wish.verb = verb
      return command.run(wish, tell), table.concat(told, "\n")
    end

    it("see what is wrong and whom that was told, look after it, and silence it", function()
      local _, text = ask "list"
      assert.equal("Nothing is wrong that a rule knows of.", text)
      alarm("rollout.held", "north")
      run()
      send.all "mail"
      _, text = ask "list"
      assert.matches("firing +page +guard_breach", text)
      local id = tostring(store.list()[1].id)
      _, text = ask("show", { words = { id } })
      assert.matches("channel: ops: firing, told at 20", text)
      assert.matches("channel: desk: firing, waits after 0 tries", text)
      _, text = ask("ack", { words = { id }, reason = "looking" })
      assert.matches("is yours", text)
      fake.person = "bob"
      local result
      result, text = ask("ack", { words = { id } })
      assert.is_true(result.failed)
      assert.matches("somebody acknowledged it", text)
      _, text = ask("silence", { words = { "guard_breach", "agent=north" }, ["for"] = "2h", reason = "known" })
      local silence = text:match "^silence (%d+): nobody hears of agent=north rule=guard_breach until"
      assert.is_string(silence)
      run()
      assert.equal("silence " .. silence, store.list()[1].muted_by)
      _, text = ask "list"
      assert.matches("acknowledged by somebody  muted by silence", text)
      assert.matches("silence %d+: agent=north rule=guard_breach until", text)
      _, text = ask("unack", { words = { tostring(store.list()[1].id) } })
      assert.matches("is nobody's: it is told again", text)
      assert.is_true(ask("unack", { words = { tostring(store.list()[1].id) } }).failed)
      _, text = ask("unsilence", { words = { silence } })
      assert.matches("is told again", text)
      assert.is_true(ask("unsilence", { words = { silence } }).failed)
      local audit = {}
      for i, row in ipairs(q:rows "select who || ' ' || what from audit order by id") do
        audit[i] = row[1]
      end
      assert.same({ "somebody alert.ack", "bob alert.silence", "bob alert.unack", "bob alert.unsilence" }, audit)
    end)

    it("are told what they did not say", function()
      for _, case in ipairs { { "silence", { words = { "x" } } }, { "silence", { words = {}, ["for"] = "2h",
        reason = "r" } },
        { "silence", { words = { "x" }, ["for"] = "2h" } }, { "silence", { words = { "x" }, ["for"] = "40d",
          reason = "r" } },
        { "silence", { words = { "a=b", "a=c" }, ["for"] = "2h", reason = "r" } }, { "show", {} }, { "ack", {} },
        { "unack", {} },
        { "test", {} }, { "lst", {} } } do
        local result, text = ask(case[1], case[2])
        assert.is_true(result.usage, case[1])
        assert.is_true(#text > 10)
      end
      assert.is_true(ask("show", { words = { "99" } }).failed)
      assert.is_true(ask("ack", { words = { "1; drop" } }).failed)
    end)

    it("try a channel", function()
      local _, text = ask("test", { words = { "desk" } })
      assert.equal('desk was told: "[test info] a test: nothing is wrong"', text)
      fake.mail_replies = { { "the mail server refuses user and password of smtp.url", "refused" } }
      local result
      result, text = ask("test", { words = { "ops" } })
      assert.is_true(result.failed)
      assert.equal("ops was not told: the mail server refuses user and password of smtp.url", text)
    end)
  end)
end)
