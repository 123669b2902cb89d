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
    handlers[#handlers + 1] = { part = "not imported",
      answer = ask "select call as x from calls where call = any($1::text[]) and not imported" }
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
    assert.same({ taken = 2, there = 0, ours = 0, not_taken = 0, failed = false }, run())
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

  it("are there once, however often they are taken", function()
    answer("limit=100", { call_of(1) })
    run()
    assert.same({ taken = 0, there = 1, ours = 0, not_taken = 0, failed = false }, run())
    assert.same({ { n = 1 } }, pg.query(url, "select count(*) as n from turns"))
  end)

  it("are left alone when they came through here", function()
    pg.run(url, ("insert into calls (call, started_at, system) values ('CA%032d', now(), 'vapi')"):format(1))
    answer("limit=100", { call_of(1) })
    assert.equal(1, run().ours)
    assert.same({ { imported = false } }, pg.query(url, "select imported from calls"))
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
    answer("createdAtLt=2026-03-01T10%3A35%3A00.000Z&limit=100", { call_of(7) })
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
