-- SPDX-License-Identifier: Apache-2.0
-- Calls are found step by step back in time: the same ones, however small the steps are.
local host = require "ringdown.fake.host"
local pg = require "spec.support.postgres"
local search = require "ringdown.api.calls_search"
local seed = require "spec.analytics.seed"
local world = require "spec.api.world"

describe("a search that takes long", function()
  local usual = {}

  setup(function()
    world.begin { seed = function(url)
      seed.make(url, 200)
      -- Some were long ago, and this many of them with words.
      pg.run(url, [[
        insert into turns (call, epoch, seq, started_at, at, turn, role, heard)
          select call, 1, 10, started_at, started_at, 1, 'caller',
            'Something about pipes' || case when duration_s % 2 = 0 then ' and taps' else ' that leak' end
          from calls where call > 'CA' || lpad(to_hex(20), 32, '0') and duration_s % 3 = 0;
        update calls set system = 'fallback' where duration_s % 50 = 7;
        select statistics_roll(10000)]])
    end }
    for name, value in pairs(search.limits) do
      usual[name] = value
    end
  end)
  teardown(world.finish)
  before_each(world.fresh)
  after_each(function()
    for name, value in pairs(usual) do
      search.limits[name] = value
    end
  end)

  -- So small that a search for these few calls takes many; with `patience` one request goes all the way.
  local function small(patience)
    search.limits.first_walk, search.limits.walk, search.limits.leap_turns = 10, 15, 6
    search.limits.month_days, search.limits.quick_ms, search.limits.budget_ms = 20, -1, patience or -1
  end

  -- All calls that answer, page by page; and how many pages told how far they came.
  local function all(target, token)
    local list, cursor, n_told, pages = {}, nil, 0, 0
    repeat
      local status, value = world.ask("GET", target .. (cursor and "&cursor=" .. cursor or ""), { token = token })
      assert.equal(200, status)
      for _, call in ipairs(value.items) do
        list[#list + 1] = call.call
      end
      if value.searched_to then
        n_told = n_told + 1
        assert.is_string(value.next)
      end
      cursor, pages = value.next, pages + 1
      assert.is_true(pages < 1000, "it never ends")
    until not cursor
    return list, n_told
  end

  local function directly(condition)
    local list = {}
    for i, row in ipairs(world.rows("select call from calls c where " .. condition
        .. " order by started_at desc, call desc")) do
      list[i] = row.call
    end
    return list
  end

  local function said(words)
    return ("exists (select from turns t where t.call = c.call and t.words @@ websearch_to_tsquery('simple', %s))")
      :format(pg.literal(words))
  end

  local asked = {
    { "text=water", said "water" }, { "text=kitchen+-water", said "kitchen -water" }, { "text=pipes", said "pipes" },
    { "text=pipes+-taps", said "pipes -taps" }, { "text=-pipes", said "-pipes" }, { "text=zebra", "false" },
    { "text=%22that+leak%22&agent=dental", said '"that leak"' .. " and agent = 'dental'" },
    { "text=!", "false" },
    { "text=pipes&system=fallback", said "pipes" .. " and system = 'fallback'" },
    { "text=taps&number=%2B13126660007", said "taps" .. " and to_number = '+13126660007'" },
    { "text=taps&site=site-7", said "taps" .. " and site = 'site-7'" },
    { "system=fallback", "system = 'fallback'" },
    { "system=vapi&outcome=provider_failed", "false" }, { "system=fallback&agent=dental",
      "system = 'fallback' and agent = 'dental'" },
    { "number=%2B13126660007&system=openai", "to_number = '+13126660007' and system = 'openai'" },
    { "site=site-7&agent=dental&booked=false", "site = 'site-7' and agent = 'dental' and not exists (select from "
      .. "appointments a where a.call = c.call)" },
  }

  it("finds the same calls, each once and in their order, in however small steps", function()
    local n_found = 0
    for i, one in ipairs(asked) do
      local whole, told = all("/calls?limit=200&" .. one[1])
      assert.same(directly(one[2]), whole, one[1])
      assert.equal(0, told, one[1])
      n_found = n_found + #whole
      small(i % 4 > 0 and 1000 or nil)
      assert.same(whole, (all("/calls?limit=25&" .. one[1])), one[1])
      for name, value in pairs(usual) do
        search.limits[name] = value
      end
    end
    assert.is_true(n_found > 100, n_found .. " calls in all")
  end)

  it("says how far back it came, and goes on from there", function()
    small()
    local _, first = world.ask("GET", "/calls?text=zebra")
    assert.same({}, first.items)
    local third = world.rows "select started_at from calls order by started_at desc, call desc offset 9 limit 1"
    assert.equal(third[1].started_at, first.searched_to)
    local list, told = all "/calls?text=zebra"
    assert.same({}, list)
    assert.is_true(told > 3)
  end)

  it("does not go back beyond what was asked for", function()
    small()
    local now = os.time()
    local function ago(days)
      return os.date("!%Y-%m-%dT%H:%M:%SZ", now - days * 86400)
    end
    local range = ("since=%s&until=%s"):format(ago(200), ago(100))
    local between = ("started_at >= '%s' and started_at < '%s'"):format(ago(200), ago(100))
    for _, text in ipairs { "pipes", "zebra" } do
      assert.same(directly(said(text) .. " and " .. between), (all("/calls?limit=5&text=" .. text .. "&" .. range)))
    end
    assert.same(directly("system = 'vapi' and " .. between), (all("/calls?limit=5&system=vapi&" .. range)))
  end)

  it("goes through the calls of one's own agents alone", function()
    local token = world.token { role = "viewer", agents = { "dental", "night-desk" }, sees_personal = true }
    small()
    local theirs = "agent in ('dental', 'night-desk')"
    assert.same(directly(theirs), (all("/calls?limit=50", token)))
    assert.same(directly(theirs .. " and " .. said "pipes"), (all("/calls?limit=50&text=pipes", token)))
  end)

  it("takes its time where nobody waits long: one month after the other until the last", function()
    local steps, query = 0, host.query
    rawset(host, "query", function(...)
      steps = steps + 1
      return query(...)
    end)
    local _, answer = world.ask("GET", "/calls?text=zebra")
    rawset(host, "query", query)
    assert.is_nil(answer.searched_to)
    assert.is_nil(answer.next)
    assert.is_true(steps < 4, steps .. " questions")
  end)

  -- What `ringdown calls --search` asks, in steps as small.
  it("is the same for the command: every turn once, and a place to go on from", function()
    local function turns(words, budget)
      local list, before = {}, "null"
      repeat
        local found = world.rows(([[select search_back(%s, %s, at_most => 1000, budget_ms => %s, first_walk => 10,
          too_many => 6) as found]]):format(pg.literal(words), before, budget))[1].found
        for _, turn in ipairs(found.items) do
          list[#list + 1] = ("%s%d.%d"):format(turn.call, turn.epoch, turn.seq)
        end
        before = type(found.searched_to) == "string" and pg.literal(found.searched_to) or nil -- else it is null
      until not before
      return list
    end
    for _, words in ipairs { "pipes", "pipes -taps", "water", "kitchen -water", "zebra", '"that leak"' } do
      local list = {}
      for i, row in ipairs(world.rows(("select call || epoch || '.' || seq as turn from turns where words @@ "
          .. "websearch_to_tsquery('simple', %s) order by at desc, call, epoch, seq"):format(pg.literal(words)))) do
        list[i] = row.turn
      end
      assert.same(list, turns(words, "null"), words)
      assert.same(list, turns(words, 0), words)
    end
  end)
end)
