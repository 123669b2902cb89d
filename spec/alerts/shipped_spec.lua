-- SPDX-License-Identifier: Apache-2.0
-- Every rule that is shipped, from what nodes record (events as the journal ships them) to what people hear
-- of it, and of its end. A rule without a story here is missed by the last one.
local engine = require "ringdown.alerts.engine"
local events = require "spec.support.events"
local fake = require "ringdown.fake.host"
local json = require "ringdown.json"
local look = require "ringdown.alerts.look"
local pg = require "spec.support.postgres"
local questions = require "spec.support.questions"
local rules = require "ringdown.alerts.rules"
local shipped = require "ringdown.alerts.shipped"
local store = require "ringdown.alerts.store"

local AGENT = "northside-plumbing"
local MINUTE_US = 60000000

describe("a shipped rule", function()
  local q, url, now_us, told

  setup(function()
    url = pg.database()
    q = questions.open(url)
    local file = assert(io.open "docs/errors.md")
    told = file:read "a"
    file:close()
  end)

  teardown(function()
    q:close()
  end)

  local n_call = 0

  before_each(function()
    fake.reset()
    fake.channels_text = json.encode { { name = "desk", kind = "webhook", url = "https://desk.example/a",
      secret = "sixteen letters!" } }
    pg.run(url, "truncate alerts, alert_states, notices, calls, turns, usage, call_costs, call_events, triage_matches, "
      .. "node_processes, agents cascade; update alert_engine set version = 0, looked_at = 'epoch'")
    now_us = math.tointeger(tonumber(q:rows "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"[1][1]))
  end)

  -- A call that began so many minutes ago, told by `tell(call)` and over unless it goes on.
  local function call(minutes_ago, tell, o)
    o = o or {}
    n_call = n_call + 1
    local c = events.call(n_call, { started_us = now_us - minutes_ago * MINUTE_US })
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1" }, 0)
    c:add("decision", { system = "openai", reason = o.route or "split" }, 5)
    if tell then
      tell(c)
    end
    if not o.goes_on then
      c:add("ended", { reason = o.reason or "caller_hangup", duration_ms = 25000, turns = o.turns or 0 })
      c:add("webhook", { kind = "status", status = "completed", duration_s = 26 })
    end
    return c
  end

  local function ingest(list)
    local all = {}
    for _, c in ipairs(list) do
      table.move(c.list, 1, #c.list, #all + 1, all)
    end
    for _, row in ipairs(events.ingest(url, all)) do
      assert.is_true(row.outcome ~= "refused", tostring(row.reason))
    end
  end

  local function many(n, ...)
    local list = {}
    for i = 1, n do
      list[i] = call(...)
    end
    return list
  end

  -- Time passes for what is recorded.
  local function passes(interval)
    pg.run(url, ("update calls set ended_at = ended_at - interval '%s', routed_at = routed_at - interval '%s', "
      .. "failed_over_at = failed_over_at - interval '%s'"):format(interval, interval, interval))
  end

  -- Looks until what a rule waits for is over; the notices of it.
  local function heard(name)
    local notices = {}
    for _ = 1, 3 do
      pg.run(url, "update alert_engine set looked_at = 'epoch'")
      look.run({}, function() end)
      pg.run(url, "update alert_states set began_at = began_at - interval '30 minutes', "
        .. "clear_at = clear_at - interval '30 minutes'")
    end
    for _, row in ipairs(q:rows(("select body::text from notices where '%s' in (body ->> 'rule', '*') order by id")
      :format(name))) do
      notices[#notices + 1] = json.decode(row[1])
    end
    return notices
  end

  local function has_all(a)
    assert.is_string(a.about)
    assert.matches("^docs/troubleshooting.md#", a.runbook)
    local what = a.call or a.labels.number
    if what then
      assert.equal("ringdown why " .. what, a.why)
    else
      assert.matches("^ringdown ", a.why)
    end
  end

  -- Its alert, fired and then over; each told once, with what to do and where to look.
  local function fires_and_ends(name, fire, mend)
    fire()
    local notices = heard(name)
    assert.equal(1, #notices, name .. " does not fire")
    assert.equal("firing", notices[1].status)
    has_all(notices[1].alerts[1])
    mend()
    notices = heard(name)
    assert.equal(2, #notices, name .. " does not end")
    assert.equal("resolved", notices[2].status)
    return notices
  end

  local function subject_of(kind)
    return kind == "emergency.unanswered" and ("CA%032x"):format(7) or "x"
  end

  -- Each from a node of its own: nothing that one of them explains hides another.
  local function nodes_tell(kinds, open)
    local list = {}
    for i, kind in ipairs(kinds) do
      local n = events.stream("node/n" .. i, { started_us = now_us, epoch = now_us + (open and 0 or 1) })
      n:add("alarm", { kind = kind, subject = subject_of(kind), severity = "critical", text = kind .. " is broken",
        fix = "mend it", open = open, count = 1 }, open and 0 or 1000)
      list[i] = n
    end
    ingest(list)
  end

  -- By rule: brings it about, and ends it.
  local stories = {
    emergency_open = function()
      local c = call(4, function(c)
        c:add("triage", { rule = "gas", severity = "life", source = "rule", state = "open", words = "gas" })
      end, { goes_on = true })
      return function()
        ingest { c }
      end, function()
        c.list = {}
        c:add("triage", { rule = "gas", severity = "life", source = "rule", state = "handled", by = "ann" })
        ingest { c }
      end
    end,
    failed_calls = function()
      return function()
        local list = many(20, 5)
        table.move(many(5, 5, nil, { reason = "provider_failed" }), 1, 5, #list + 1, list)
        ingest(list)
      end, function()
        ingest(many(90, 5))
      end
    end,
    failover = function()
      return function()
        ingest { call(2, nil, { route = "failover:openai" }) }
      end, function()
        passes "11 minutes"
      end
    end,
    no_calls = function()
      return function()
        local n = events.node "n1"
        n:add("agent_version", { agent = AGENT, version = "v1" })
        local list = { n }
        for week = 1, 3 do
          table.move(many(4, week * 7 * 1440 + 20), 1, 4, #list + 1, list)
        end
        ingest(list)
      end, function()
        ingest { call(1) }
      end
    end,
    no_transcript = function()
      return function()
        ingest(many(5, 3, function(c)
          c:add("turn", { seq = 1, role = "agent", text = "Hello?" })
        end, { turns = 3 }))
      end, function()
        ingest(many(60, 3, function(c)
          c:add("turn", { seq = 1, role = "caller", text = "Hello." })
        end, { turns = 3 }))
      end
    end,
    cost_per_hour = function()
      local usage = json.copy(events.usage)
      usage.output_token_details.audio_tokens = 1000000 -- 64 USD
      usage.output_tokens = 1000030
      usage.total_tokens = 1000162
      return function()
        ingest { call(10, function(c)
          c:add("usage", { kind = "response", model = "gpt-realtime-2.1", complete = true, raw = usage })
        end) }
      end, function()
        passes "61 minutes"
      end
    end,
  }

  -- Rules by the kinds of alarms that they tell; those that a node tells itself apart.
  local function kinds_of(alone)
    local kinds, rule_of = {}, {}
    for _, rule in ipairs(shipped.rules) do
      for _, kind in ipairs((rule.told_alone or false) == alone and rule.alarms or {}) do
        kind = kind == "*" and "zombie" or kind
        kinds[#kinds + 1], rule_of[kind] = kind, rule.name
      end
    end
    return kinds, rule_of
  end

  it("tells every alarm that it names, which are those that are raised, and its end", function()
    local kinds, rule_of = kinds_of(false)
    local cap = engine.CAP
    engine.CAP = 1000
    for _, kind in ipairs(kinds) do
      assert.is_truthy(told:find("`" .. kind .. "`", 1, true), kind .. " is nothing that we raise: docs/errors.md")
    end
    nodes_tell(kinds, true)
    heard "*"
    nodes_tell(kinds, false)
    local found = { firing = {}, resolved = {} }
    for _, notice in ipairs(heard "*") do
      for _, a in ipairs(notice.alerts) do
        has_all(a)
        assert.equal(rule_of[a.labels.alarm], a.rule)
        assert.equal(a.labels.alarm .. " is broken", a.text)
        found[notice.status][a.labels.alarm] = true
      end
    end
    engine.CAP = cap
    for _, kind in ipairs(kinds) do
      assert.is_true(found.firing[kind], kind .. " is not told")
      assert.is_true(found.resolved[kind], "the end of " .. kind .. " is not told")
    end
  end)

  it("that nodes tell themselves is kept, and not told twice", function()
    local kinds, rule_of = kinds_of(true)
    nodes_tell(kinds, true)
    assert.same({}, heard "*")
    for _, kind in ipairs(kinds) do
      assert.equal("firing", store.list { rule = rule_of[kind] }[1].state)
    end
    nodes_tell(kinds, false)
    assert.same({}, heard "*")
    assert.same({}, store.list())
  end)

  for _, rule in ipairs(shipped.rules) do
    if rule.sql then
      it(("fires and ends with what calls were like: %s"):format(rule.name), function()
        local story = assert(stories[rule.name], rule.name .. " has no story here")
        fires_and_ends(rule.name, story())
      end)
    end
  end

  it("has a story, and where it is explained", function()
    local file = assert(io.open "docs/troubleshooting.md")
    local text = file:read "a"
    file:close()
    for _, rule in ipairs(rules.load()) do
      assert.is_truthy(rule.alarms or stories[rule.name], rule.name)
      assert.is_truthy(text:find("\n## " .. rule.runbook:match "#(.+)$", 1, true), rule.runbook)
    end
  end)
end)
