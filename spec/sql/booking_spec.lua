-- SPDX-License-Identifier: Apache-2.0
local pg = require "spec.support.postgres"

describe("booking", function()
  local url
  local HOUR, NINE = 3600, 1796202000 -- 2026-12-02 09:00 UTC

  before_each(function()
    url = pg.database()
  end)

  local function one(sql)
    return pg.query(url, sql)[1]
  end

  local function book(o)
    local function text(value)
      return value and pg.literal(value) or "null"
    end
    return one(([[select book_appointment('a', 'default', %s, %d, %d, %s, %s, 'drain', null, %s, %s) as b]]):format(
      pg.literal(o.resources or "{sam}"), o.from or NINE, (o.from or NINE) + HOUR, text(o.number), text(o.name),
      text(o.call or "CA1"), text(o.key or o.call or "CA1"))).b
  end

  it("gives one hour to one of two who want it", function()
    assert.equal("booked", book({ call = "CA1" }).state)
    assert.equal("taken", book({ call = "CA2" }).state)
    assert.equal("booked", book({ call = "CA2", from = NINE + HOUR }).state)
  end)

  it("takes the next one who is free", function()
    book { call = "CA1", resources = "{sam,kim}" }
    assert.equal("kim", book({ call = "CA2", resources = "{sam,kim}" }).resource)
    assert.equal("taken", book({ call = "CA3", resources = "{sam,kim}" }).state)
  end)

  it("asked twice books once", function()
    local first = book { key = "k" }
    assert.same({ state = "again", id = first.id, resource = "sam" }, book { key = "k" })
    assert.equal(1, one("select count(*) as n from appointments").n)
  end)

  it("remembers who booked, and lets nobody rename them", function()
    book { number = "+13125550142", name = "Ann Lee" }
    book { number = "+13125550142", name = "Mallory", call = "CA2", from = NINE + HOUR }
    assert.same({ { name = "Ann Lee", visits = 2 } }, pg.query(url,
      "select c.name, count(a.id) as visits from customers c join appointments a on a.customer = c.id group by 1"))
    assert.equal("Mallory", one("select name from appointments where call = 'CA2'").name)
  end)

  it("of two at the same instant lets one have it", function()
    local busy = ("psql -X -q -A -t -d '%s' -c \"select book_appointment('a','default','{sam}',%d,%d,null,null,null,"
      .. "null,'CA%%d','k%%d')->>'state'\" & "):format(url, NINE, NINE + HOUR)
    local all = ""
    for i = 1, 8 do
      all = all .. busy:format(i, i)
    end
    local pipe = io.popen("{ " .. all .. " wait; } 2>&1")
    local states = {}
    for state in pipe:read("a"):gmatch "%S+" do
      states[state] = (states[state] or 0) + 1
    end
    pipe:close()
    assert.same({ booked = 1, taken = 7 }, states)
  end)

  it("is forgotten with the caller", function()
    pg.run(url, "insert into calls (call, started_at, from_number) values ('CA1', now(), '+13125550142')")
    book { number = "+13125550142", name = "Ann Lee" }
    pg.run(url, "select store_set('a', 'default', 'last +13125550142', '\"drain\"', null)")
    local counts = one("select erase_caller('+13125550142', null) as n").n
    assert.equal(1, counts.store)
    assert.equal(1, counts.appointments)
    assert.same({ { n = 1 } }, pg.query(url, [[select count(*) as n from appointments a
      join customers c on c.id = a.customer where a.name is null and a.service is null
        and c.name is null and c.number is null]]))
    assert.equal(0, one("select count(*) as n from store").n)
  end)
end)

describe("the store", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  local function incr(by, ttl)
    return pg.query(url, ("select store_incr('a', 's', 'n', %s, %s) as v"):format(by, ttl or "null"))[1].v
  end

  it("counts, and begins anew once its time is over", function()
    assert.equal(1, incr(1, 60000))
    assert.equal(3, incr(2, 60000))
    pg.run(url, "update store set expires_at = now() - interval '1 second'")
    assert.equal(1, incr(1, 60000))
  end)

  it("keeps an agent's sites apart", function()
    pg.run(url, "select store_set('a', 's', 'k', '1', null), store_set('a', 't', 'k', '2', null)")
    assert.equal(2, pg.query(url, "select count(*) as n from store")[1].n)
  end)

  it("is bounded in keys and in bytes", function()
    pg.run(url, "insert into store (agent, site, key, value) "
      .. "select 'a', 's', 'k' || n, '1' from generate_series(1, 10000) n")
    local ok, words, state = pg.try(url, "select store_set('a', 's', 'one more', '1', null)")
    assert.is_false(ok)
    assert.equal("54000", state)
    assert.matches("10,000 keys", words)
    pg.run(url, "select store_set('a', 's', 'k7', '2', null)")
    pg.run(url, "update store set expires_at = now() - interval '1 s' where key = 'k7'")
    pg.run(url, "select store_set('a', 's', 'one more', '1', null)")
    ok, words, state = pg.try(url, "select store_set('a', 's', 'k8', to_jsonb(repeat('x', 17000)), null)")
    assert.is_false(ok, words)
    assert.equal("23514", state)
  end)

  it("loses what has expired when the house is kept", function()
    pg.run(url, "select store_set('a', 's', 'old', '1', 1), store_set('a', 's', 'new', '1', 3600000), pg_sleep(0.01)")
    pg.run(url, "select from maintain(now())")
    assert.same({ { key = "new" } }, pg.query(url, "select key from store"))
  end)
end)

describe("numbers and sites", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  local function version()
    return pg.query(url, "select version from numbers_version")[1].version
  end

  it("say when either changed, and only then", function()
    local before = version()
    local put = [[site_put('a', 'lakeview', 'Lakeview', 'America/Chicago', '{"hours":{"mon":"08:00-12:00"}}', 'me')]]
    pg.run(url, "select " .. put)
    local with_site = version()
    assert.is_true(with_site > before)
    pg.run(url, "select number_put('+13125550100', 'a', 'lakeview', 'me')")
    assert.is_true(version() > with_site)
    local last = version()
    local same = pg.query(url, "select number_put('+13125550100', 'a', 'lakeview', 'me') as n, "
      .. put .. " as s")[1]
    assert.same({ n = false, s = false }, same)
    assert.equal(last, version())
    pg.run(url, "select number_put('+13125550100', null, null, 'me')")
    assert.is_true(version() > last)
    assert.same({ "number_assign", "number_unassign", "site_import" }, (function()
      local list = {}
      for i, row in ipairs(pg.query(url, "select what from audit order by what")) do list[i] = row.what end
      return list
    end)())
  end)

  it("give a call its site as one object", function()
    pg.run(url, [[select site_put('a', 'lakeview', 'Lakeview', null, '{"prices":{"drain":"$90"}}', 'me')]])
    local facts = pg.query(url, "select site_facts(s) as f from sites s")[1].f
    assert.same({ id = "lakeview", name = "Lakeview", prices = { drain = "$90" } }, facts)
  end)
end)
