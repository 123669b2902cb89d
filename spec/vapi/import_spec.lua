-- SPDX-License-Identifier: Apache-2.0
local agents = require "ringdown.numbers.agents"
local host = require "ringdown.fake.host"
local import = require "ringdown.vapi.import"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local support = require "spec.vapi.support"

local FIRST = "GET /call?limit=100"

describe("calls of a time before", function()
  local url, told, load

  before_each(function()
    support.begin()
    url, told, load = pg.database(), {}, agents.load
    function agents.load() -- luacheck: ignore 122
      local all = { by_name = { books = { name = "books", assistant = "assistant-1" } } }
      function all.of(_, number)
        return number == support.OURS and all.by_name.books or nil
      end
      return all
    end
    local function ask(sql)
      return function(params)
        local text = sql:gsub("%$(%d)", function(i) return pg.literal(params[tonumber(i)]) end)
        local rows = {}
        for i, row in ipairs(pg.query(url, text)) do
          rows[i] = { row.x }
        end
        return rows
      end
    end
    local handlers = host.query_handlers
    handlers[#handlers + 1] = { part = "from ingest",
      answer = ask "select outcome as x from ingest($1::jsonb) order by ordinal" }
    handlers[#handlers + 1] = { part = "not c.imported", answer = function(params)
      local rows = {}
      for i, row in ipairs(pg.query(url, ([[select c.call, v.vapi_id, (not c.imported)::text as ours from calls c
        left join vapi_calls v using (call) where c.call = any(%s::text[]) or v.vapi_id = any(%s::text[])]])
        :format(pg.literal(params[1]), pg.literal(params[2])))) do
        rows[i] = { row.call, row.vapi_id or false, row.ours }
      end
      return rows
    end }
    handlers[#handlers + 1] = { part = "told_time", answer = ask(
      "select (extract(epoch from told_time(t)) * 1000000)::bigint::text as x from unnest($1::text[]) "
      .. "with ordinality y (t, n) order by n") }
    host.vapi_replies = { ["GET /phone-number?limit=1000"] =
      { body = json.encode { { id = "number-1", number = support.OURS } } } }
  end)
  after_each(function()
    agents.load = load -- luacheck: ignore 122
    support.finish()
  end)

  local function call_of(n, more)
    local call = { id = ("8f2c1d7e-aaaa-4bbb-8ccc-dddddddddd%02d"):format(n), status = "ended",
      type = "inboundPhoneCall", phoneCallProviderId = ("CA%032d"):format(n),
      createdAt = ("2026-03-01T10:%02d:00.000Z"):format(n),
      startedAt = ("2026-03-01T10:%02d:01.000Z"):format(n), endedAt = ("2026-03-01T10:%02d:31.000Z"):format(n),
      endedReason = "customer-ended-call", cost = 0.05, phoneNumberId = "number-1",
      customer = { number = support.CALLER },
      artifact = { messages = {
        { role = "user", message = "my card is 4242 4242 4242 4242", secondsFromStart = 2 } } } }
    for key, value in pairs(more or {}) do
      call[key] = value
    end
    return call
  end

  local function run(p)
    return import.run(p or {}, function(value)
      told[#told + 1] = value.text or value.note
    end)
  end

  local function answer(query, list)
    host.vapi_replies["GET /call?" .. query] = { body = json.encode(json.array(list)) }
  end

  it("are rows like any other, marked, with what they cost and what was said, and no card", function()
    answer("limit=100", { call_of(2), call_of(1), call_of(3, { status = "in-progress" }) })
    assert.same({ taken = 2, there = 0, filled = 0, ours = 0, not_taken = 0, failed = false }, run())
    assert.same({ { imported = true, agent = "books", from_number = support.CALLER, to_number = support.OURS,
      system = "vapi", reason = "imported", n = 2 } }, pg.query(url, [[select imported, agent, from_number, to_number,
      system, reason, count(*) as n from calls group by 1, 2, 3, 4, 5, 6]]))
    assert.same({ { heard = "my card is [card]", n = 2 } },
      pg.query(url, "select heard, count(*) as n from turns group by 1"))
    assert.same({ { n = 2 } }, pg.query(url, "select count(*) as n from call_costs where micro_usd > 50000"))
    assert.is_nil(host.kept("vapi/import.json"))
  end)

  it("wait until Vapi tells its numbers: nobody would know whose they are", function()
    host.vapi_replies["GET /phone-number?limit=1000"] = { status = 401, body = '{"message":"Invalid Key"}' }
    answer("limit=100", { call_of(1) })
    assert.has_error(run, "Vapi does not tell its phone numbers, so nothing was taken: Vapi answered 401: Invalid Key")
    assert.same({ { n = 0 } }, pg.query(url, "select count(*) as n from calls"))
    host.vapi_replies["GET /phone-number?limit=1000"] =
      { body = json.encode { { id = "number-1", number = support.OURS } } }
    assert.equal(1, run().taken)
    assert.same({ { agent = "books", to_number = support.OURS } }, pg.query(url, "select agent, to_number from calls"))
  end)

  it("have what nobody knew at first, once somebody does", function()
    local cost, knows = false, true
    answer("limit=100", { call_of(1, { cost = cost, phoneNumberId = "number-2" }) })
    assert.equal(1, run().taken)
    assert.same({ { n = 1 } }, pg.query(url,
      "select count(*) as n from calls where agent is null and to_number is null"))
    host.vapi_replies["GET /phone-number?limit=1000"] = { body = json.encode { { id = "number-1", number = "+1" },
      { id = "number-2", number = support.OURS } } }
    answer("limit=100", { call_of(1, { phoneNumberId = "number-2" }) })
    for _ = 1, 2 do
      assert.same({ taken = 0, there = 1, filled = knows and 1 or 0, ours = 0, not_taken = 0, failed = false }, run())
      knows = false
    end
    assert.same({ { agent = "books", from_number = support.CALLER, to_number = support.OURS, paid = true } },
      pg.query(url, [[select agent, from_number, to_number, cost_usd = 0.05 as paid
        from calls join vapi_calls using (call)]]))
    assert.same({ { n = 1 } }, pg.query(url, "select count(*) as n from turns"))
  end)

  it("that cannot be taken hold up nobody, and are tried again", function()
    for _, no_time in ipairs { '2026"', "soon", "2026-13-45T10:00:00.000Z", "0" } do
      local broken = call_of(2, { createdAt = no_time })
      answer("limit=100", { call_of(3), broken, call_of(1) })
      host.vapi_replies["GET /call/" .. broken.id] = { body = json.encode(broken) }
      told = {}
      local result = run()
      assert.same({ 1, true }, { result.not_taken, result.failed })
      assert.matches(broken.id, table.concat(told, "\n"), 1, true)
    end
    assert.same({ { n = 2 } }, pg.query(url, "select count(*) as n from calls"))
    answer("limit=100", {}) -- not even shown in the list any more
    host.vapi_replies["GET /call/" .. call_of(2).id] = { body = json.encode(call_of(2)) }
    assert.same({ taken = 1, there = 0, filled = 0, ours = 0, not_taken = 0, failed = false }, run())
    assert.is_nil(host.kept("vapi/import.json"))
  end)

  it("that began in one millisecond are all taken", function()
    local page, older = {}, {}
    for i = 1, 25 do
      page[i] = call_of(60 - i)
    end
    host.vapi_replies[FIRST] = { lost = true }
    page[25].createdAt = page[24].createdAt
    answer("limit=25", page)
    for i = 1, 3 do
      older[i] = call_of(i, { createdAt = i < 3 and page[24].createdAt or nil })
    end
    answer("createdAtLe=2026-03-01T10%3A36%3A00.000Z&limit=25", { page[25], older[1], page[24], older[2], older[3] })
    assert.equal(28, run().taken)
    assert.same({ { n = 0 } }, pg.query(url, "select count(*) as n from calls where ended_at < started_at"))
  end)

  it("go back to a day that was", function()
    host.set_unix(1795599600) -- 2026-11-25
    for _, day in ipairs { "2026-13-45", "2026-02-30", "yesterday", "2026-11-26", "2026-1-1", "2026-11-25T00:00Z" } do
      assert.same({ failed = true, usage = true }, run { since = day })
      assert.matches("^%-%-since: ", told[#told])
    end
    answer("createdAtGe=2026-11-25T00%3A00%3A00.000Z&limit=100", {})
    assert.is_false(run({ since = "2026-11-25" }).failed)
  end)

  it("are there once, however often they are taken", function()
    answer("limit=100", { call_of(1) })
    run()
    assert.same({ taken = 0, there = 1, filled = 0, ours = 0, not_taken = 0, failed = false }, run())
    assert.same({ { n = 1 } }, pg.query(url, "select count(*) as n from turns"))
  end)

  it("are left alone when they came through here", function()
    pg.run(url, ("insert into calls (call, started_at, system) values ('CA%032d', now(), 'vapi')"):format(1))
    answer("limit=100", { call_of(1) })
    assert.equal(1, run().ours)
    assert.same({ { imported = false } }, pg.query(url, "select imported from calls"))
  end)

  it("are known by Vapi's id too, where they came here before Vapi knew the carrier's", function()
    pg.run(url, ([[insert into calls (call, started_at, system, direct_to_vapi) values ('vapi1', now(), 'vapi', true);
      insert into vapi_calls (call, vapi_id, seen_by, told_at) values ('vapi1', '%s', 'webhook', now())]])
      :format(call_of(1).id))
    answer("limit=100", { call_of(1), call_of(2, { phoneCallProviderId = false }) })
    local first = run()
    assert.same({ 1, 1 }, { first.ours, first.taken })
    answer("limit=100", { call_of(2) })
    assert.equal(1, run().there)
    assert.same({ { n = 2 } }, pg.query(url, "select count(*) as n from calls"))
  end)

  it("go on where it ended", function()
    local page = {}
    for i = 1, 25 do
      page[i] = call_of(60 - i)
    end
    host.vapi_replies[FIRST] = { lost = true } -- too long for one answer: smaller pages
    answer("limit=25", page)
    assert.is_true(run().failed) -- the second page is not answered
    assert.matches("goes on there", told[#told], 1, true)
    answer("createdAtLe=2026-03-01T10%3A35%3A00.000Z&limit=100", { call_of(7) })
    local again = run()
    assert.same({ 1, false }, { again.taken, again.failed })
    assert.same({ { n = 26 } }, pg.query(url, "select count(*) as n from calls"))
  end)

  it("without a carrier's id are known by Vapi's; an assistant tells whose they were", function()
    answer("limit=100", { call_of(1, { type = "webCall", phoneNumberId = false, customer = false,
      phoneCallProviderId = false, assistantId = "assistant-1" }) })
    assert.equal(1, run().taken)
    assert.same({ { call = "vapi8f2c1d7eaaaa4bbb8cccdddddddddd01", agent = "books" } },
      pg.query(url, "select call, agent from calls"))
  end)
end)
