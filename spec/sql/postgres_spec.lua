-- SPDX-License-Identifier: Apache-2.0
-- The specs' own PostgreSQL does what its stories rely on.
local pg = require "spec.support.postgres"

describe("the private cluster of the specs", function()
  local url

  before_each(function()
    url = pg.database { empty = true }
    pg.run(url, "create table kept (n integer); insert into kept values (1)")
  end)

  it("answers with rows", function()
    assert.same({ { n = 1, word = "it's" } }, pg.query(url, "select n, 'it''s' as word, null as nothing from kept"))
  end)

  it("says what went wrong, and how the server calls it", function()
    local ok, words, state = pg.try(url, "insert into nowhere values (1)")
    assert.is_false(ok)
    assert.matches("nowhere", words)
    assert.equal("42P01", state)
  end)

  it("undoes all of what failed, and what a question set is gone with it", function()
    assert.is_false((pg.try(url, "insert into kept values (2); select 1 / 0")))
    pg.run(url, "set search_path to nowhere; set statement_timeout to 1")
    assert.same({ { n = 1 } }, pg.query(url, "table kept"))
    assert.same({ { set = "0" } }, pg.query(url, "select current_setting('statement_timeout') as set"))
  end)

  it("answers also when the server has closed the connection meanwhile", function()
    local other = pg.database { empty = true }
    pg.run(other, ("select pg_terminate_backend(pid) from pg_stat_activity where datname = '%s'"):format(
      url:match "/(d%d+)%?"))
    assert.same({ { n = 1 } }, pg.query(url, "table kept"))
  end)

  it("comes back from a crash with what was committed", function()
    pg.crash()
    pg.start()
    assert.same({ { n = 1 } }, pg.query(url, "table kept"))
  end)

  it("refuses writes while it is read-only", function()
    pg.read_only(true)
    local ok, _, state = pg.try(url, "insert into kept values (2)")
    pg.read_only(false)
    assert.is_false(ok)
    assert.equal("25006", state)
    pg.run(url, "insert into kept values (2)")
  end)

  it("hangs while it is frozen, and goes on after", function()
    pg.freeze()
    local hung = os.execute(("timeout 0.5 psql -X -d '%s' -c 'select 1' >/dev/null 2>&1"):format(url))
    pg.thaw()
    assert.is_nil(hung)
    assert.same({ { n = 1 } }, pg.query(url, "table kept"))
  end)
end)
