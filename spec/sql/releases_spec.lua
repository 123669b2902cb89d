-- SPDX-License-Identifier: Apache-2.0
local pg = require "spec.support.postgres"

describe("releases of agents", function()
  local url
  local ONE, TWO = ("1"):rep(64), ("2"):rep(64)

  before_each(function()
    url = pg.database()
  end)

  local function query(sql)
    return pg.query(url, sql)
  end

  local function publish(hash, expected, restored)
    return query(([[select publish_agents('%s', '{"a.lua":"return %s"}', '{"a":{"version":"%s"}}', 'anna', 'why not',
      %s, %s) as id]]):format(hash, hash:sub(1, 1), hash:sub(1, 16), expected or "null", restored or "null"))[1].id
  end

  local function current()
    return query "select current_release() as id"[1].id
  end

  it("follow each other; one of them is current", function()
    local first = publish(ONE)
    local second = publish(TWO, first)
    assert.equal(second, current())
    assert.equal(2, #query "select from agent_releases")
  end)

  it("are not made by somebody who did not see the last one", function()
    local first = publish(ONE)
    publish(TWO, first)
    local good, why = pcall(publish, ONE, first)
    assert.is_false(good)
    assert.matches("is the current one meanwhile", tostring(why))
    assert.is_false((pcall(publish, ONE)))
    assert.equal(2, #query "select from agent_releases")
  end)

  it("come back as new ones, and the audit says who did it", function()
    local first = publish(ONE)
    local third = publish(ONE, publish(TWO, first), first)
    assert.equal(third, current())
    assert.equal(2, #query "select from agent_trees")
    local audit = query "select who, what, after ->> 'restores' as restores from audit order by id"
    assert.same({ "agents.publish", "agents.publish", "agents.restore" },
      { audit[1].what, audit[2].what, audit[3].what })
    assert.equal("anna", audit[3].who)
    assert.equal(tostring(first), tostring(audit[3].restores))
  end)

  it("are found by number, by an agent's version, by the beginning of the hash, and by nothing else", function()
    local first = publish(ONE)
    publish(TWO, first)
    local function found(what)
      local rows = query(("select tree_hash, release, agent from find_agent_tree('%s')"):format(what))
      return rows[1] and rows[1].tree_hash, rows[1] and rows[1].agent
    end
    assert.equal(ONE, (found(first)))
    assert.same({ TWO, "a" }, { found(("2"):rep(16)) })
    assert.equal(ONE, (found(("1"):rep(17))))
    assert.is_nil((found "99"))
    assert.is_nil((found "no such thing"))
    assert.is_nil((found ""))
  end)

  it("keep what a folder held for 90 days and a thousand versions; what was published stays", function()
    publish(ONE)
    query(([[select keep_agent_tree('%s', '{"a.lua":""}', '{}', 'here')]]):format(TWO))
    pg.run(url, ([[update agent_trees set last_at = now() - interval '91 days', first_at = now() - interval '92 days'
      where tree_hash in ('%s', '%s')]]):format(ONE, TWO))
    query(([[select keep_agent_tree('%s', '{"a.lua":""}', '{}', 'here')]]):format(("3"):rep(64)))
    local rows = query "select tree_hash from agent_trees order by 1"
    assert.same({ ONE, ("3"):rep(64) }, { rows[1].tree_hash, rows[2].tree_hash })
  end)
end)
