-- SPDX-License-Identifier: Apache-2.0
-- store/migrate.h against a real server, through runtime/tests/spec/migrate_cli.c.
local pg = require "spec.support.postgres"

local program = "build/dev/runtime/tests/migrate_cli"

describe("migrating", function()
  local url, folder

  setup(function()
    local file = io.open(program)
    assert(file, program .. " does not exist; run cmake --preset dev && cmake --build --preset dev")
    file:close()
  end)

  local function sh(command)
    local pipe = io.popen(command)
    local text = pipe:read "a"
    return text, pipe:close() or false
  end

  local function put(name, sql)
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(sql)
    file:close()
  end

  before_each(function()
    url = pg.database { empty = true }
    folder = sh("mktemp -d /tmp/ringdown-sql.XXXXXX"):match "%S+"
    put("0001_first.sql", "-- oldest-binary: 0.1.0\ncreate table one (n integer);\n")
    put("0002_second.sql", "-- oldest-binary: 0.2.0\ncreate table two (n integer);\ninsert into two values (2);\n")
  end)

  after_each(function()
    sh("rm -rf " .. folder)
  end)

  local function migrate(verb, o)
    o = o or {}
    return sh(("%s %s '%s' %s %s %s"):format(program, verb, o.url or url, o.folder or folder, o.binary or "0.2.0",
      o.wait_ms or ""))
  end

  it("applies what waits, once and in order", function()
    assert.equal("0001_first\n0002_second\nok\n", (migrate "run"))
    assert.equal("ok\n", (migrate "run"))
    assert.same({ { n = 2 } }, pg.query(url, "table two"))
    assert.same({ { version = 1, name = "first", oldest_binary = "0.1.0" },
      { version = 2, name = "second", oldest_binary = "0.2.0" } },
      pg.query(url, "select version, name, oldest_binary from schema_migrations order by 1"))
  end)

  it("tells in a dry run what it would do, and does nothing", function()
    assert.equal("0001_first\n0002_second\nok\n", (migrate "plan"))
    assert.same({ { tables = 0 } },
      pg.query(url, "select count(*) as tables from pg_tables where schemaname = 'public'"))
  end)

  it("applies ours, and a node may start", function()
    local text, ok = migrate("check", { folder = "sql" })
    assert.is_false(ok)
    assert.matches("migrations behind this binary; run `ringdown db migrate`", text)
    assert.matches("ok\n$", (migrate("run", { folder = "sql" })))
    assert.equal("ok\n", (migrate("check", { folder = "sql" })))
  end)

  it("takes the specs' template for a migrated database", function()
    assert.equal("ok\n", (migrate("check", { url = pg.database(), folder = "sql" })))
  end)

  it("undoes a migration that fails, and keeps those before it", function()
    put("0003_third.sql", "-- oldest-binary: 0.2.0\ncreate table three (n integer);\nselect 1 / 0;\n")
    local text, ok = migrate "run"
    assert.is_false(ok)
    assert.matches("applying 0003_third failed, nothing of it was kept: .*division by zero", text)
    assert.same({ { three = "-", n = 2 } }, pg.query(url,
      "select coalesce(to_regclass('three')::text, '-') as three, (select count(*) from schema_migrations) as n"))
    put("0003_third.sql", "-- oldest-binary: 0.2.0\ncreate table three (n integer);\n")
    assert.equal("0003_third\nok\n", (migrate "run"))
  end)

  it("refuses a file that was changed after it ran", function()
    migrate "run"
    put("0001_first.sql", "-- oldest-binary: 0.1.0\ncreate table one (n bigint);\n")
    for _, verb in ipairs { "plan", "run", "check" } do
      local text, ok = migrate(verb)
      assert.is_false(ok)
      assert.matches("0001_first.sql is not what this database applied.*Restore the released file", text)
    end
  end)

  it("lets an older binary work with a newer schema that accepts it, and no other", function()
    migrate "run"
    sh("rm " .. folder .. "/0002_second.sql")
    assert.equal("ok\n", (migrate("check", { binary = "0.2.0" })))
    local text, ok = migrate("check", { binary = "0.1.7" })
    assert.is_false(ok)
    assert.matches("needs ringdown 0.2.0 or newer, and this is 0.1.7", text)
  end)

  it("names the right that the role lacks", function()
    local _, _, state = pg.try(url, "create role clerk login")
    assert.is_true(state == nil or state == "42710")
    local clerk = url:gsub("user=ringdown", "user=clerk")
    local text, ok = migrate("run", { url = clerk })
    assert.is_false(ok)
    assert.matches("GRANT CREATE", text)
    assert.equal("0001_first\n0002_second\nok\n", (migrate "run")) -- the tables are somebody else's now
    text, ok = migrate("check", { url = clerk })
    assert.is_false(ok)
    assert.matches("the role that ran ringdown db migrate", text)
  end)

  it("says that the database is read-only", function()
    pg.read_only(true)
    local text, ok = migrate "run"
    pg.read_only(false)
    assert.is_false(ok)
    assert.matches("read%-only", text)
  end)

  it("works once when many start at the same time", function()
    local many = {}
    for i = 1, 4 do
      many[i] = ("%s run '%s' %s 0.2.0"):format(program, url, folder)
    end
    local text = sh("(" .. table.concat(many, " & ") .. "; wait)")
    assert.equal(4, select(2, text:gsub("ok\n", "")))
    assert.equal(1, select(2, text:gsub("0002_second\n", "")))
  end)

  it("names who is migrating when it has waited long enough", function()
    local holder = io.popen(("PGAPPNAME='somebody slow' psql -X -q -d '%s' -c 'select pg_advisory_lock(%s)' "
      .. "-c 'select pg_sleep(2)' >/dev/null 2>&1"):format(url, "8244241983224117102"))
    sh(("until psql -XAtq -d '%s' -c \"select 1 from pg_locks where locktype = 'advisory' and granted\" "
      .. "| grep -q 1; do sleep 0.05; done"):format(url))
    local text, ok = migrate("run", { wait_ms = 200 })
    holder:close()
    assert.is_false(ok)
    assert.matches("somebody slow on this machine .server process %d+. is migrating", text)
    assert.equal("0001_first\n0002_second\nok\n", (migrate "run"))
  end)
end)
