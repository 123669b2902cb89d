-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local db = require "ringdown.db"
local fake = require "ringdown.fake"
local fake_host = require "ringdown.fake.host"
local pg = require "spec.support.postgres"
local tables = require "ringdown.tables"

local function agent_needing(value)
  complaints.start("x")
  local def = agent { name = "x", greeting = "Hello.", prompt = "Help.", needs = { tables = value } }
  return def, complaints.text()
end

local function call()
  return fake.call { agent = (agent_needing { "price_list" }) }
end

describe("needs.tables", function()
  it("declares what is read and what is written", function()
    local def, wrong = agent_needing { "price_list", "shop.stock", visits = "write" }
    assert.equal("", wrong)
    assert.same({ price_list = "read", ["shop.stock"] = "read", visits = "write" }, def.needs.tables)
  end)

  it("cannot be tables of Ringdown itself", function()
    local _, wrong = agent_needing { "customers", "turns", "calls_2026_11", "pg_authid", calls = "write" }
    assert.matches("'customers' is Ringdown's own: other callers' data is in it; tools.lookup_customer", wrong, 1, true)
    for _, name in ipairs { "turns", "calls", "calls_2026_11", "pg_authid" } do
      assert.matches("'" .. name .. "' is Ringdown's own", wrong, 1, true)
    end
  end)

  it("says what is no table's name and no right", function()
    local _, wrong = agent_needing { "price list", visits = "wirte" }
    assert.matches("price list is no table's name", wrong, 1, true)
    assert.matches("'wirte' is no right; did you mean 'write'? allowed: read, write", wrong, 1, true)
  end)

  it("knows all tables that Ringdown has", function()
    local there = pg.query(pg.database(), [[select string_agg(relname, ' ' order by relname) as names from pg_class c
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'p', 'm') and not relispartition]])[1].names
    for name in there:gmatch "%S+" do
      assert.is_truthy((" " .. tables.ours:gsub("%s+", " ") .. " "):find(" " .. name .. " ", 1, true), name)
    end
  end)
end)

describe("db", function()
  it("gives rows as tables, with values as what they are", function()
    fake.db("from price_list", { { what = "drain", price = 90, tax = 0.19, on_sale = false, about = { hours = 2 } } })
    call()
    assert.same({ what = "drain", price = 90, tax = 0.19, on_sale = false, about = { hours = 2 } },
      db.one("select * from price_list where what = $1", "drain"))
    assert.same({ "drain" }, fake_host.queries[1].params)
  end)

  it("tells no row from an outage", function()
    fake.db("from price_list", {})
    call()
    assert.is_nil(db.one "select * from price_list")
    assert.same({}, db.all "select * from price_list")
    fake.database_down()
    assert.has_error(function()
      db.one "select * from price_list"
    end)
  end)

  it("raises what the server refuses", function()
    fake.db("customers", function() return nil, "permission denied for table customers", "42501" end)
    call()
    local ok, why = pcall(db.all, "select * from customers")
    assert.is_false(ok)
    assert.matches("refused %(42501%): permission denied", why)
  end)

  it("sends values as parameters, nil among them", function()
    fake.db("insert", { {}, {} })
    call()
    assert.equal(2, db.exec("insert into visits values ($1, $2, $3, $4)", "a", nil, false, { 1, 2 }))
    assert.same({ "a", false, "false", "[1,2]" }, fake_host.queries[1].params)
    assert.has_error(function()
      db.exec("insert into visits values ($1)", print)
    end)
  end)

  it("runs statements about rows, and nothing else", function()
    call()
    for _, sql in ipairs { "drop table visits", "set role postgres", "begin", "-- x\ncopy visits to '/tmp/x'", "",
      "do $$ $$" } do
      assert.has_error(function()
        db.exec(sql)
      end, "db runs select, insert, update, delete and with; nothing else")
    end
  end)
end)
