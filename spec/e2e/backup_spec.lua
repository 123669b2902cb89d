-- SPDX-License-Identifier: Apache-2.0
-- takes: 15 s
-- A backup is one that came back: docs/backup.md, as it says. A node's database is dumped while it runs; then the
-- server is lost, and calls go on, into the journal. The dump is restored on another server, and a node of the same
-- data folder runs on it: nothing of the dump is missing, and what came since is in it from the journal, once.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local TABLES = { "calls", "call_events", "turns", "usage", "agents", "agent_trees", "retention", "rates", "audit" }

local function counts(ask)
  local all = {}
  for _, name in ipairs(TABLES) do
    all[name] = tonumber((ask("select count(*) from " .. name)))
  end
  return all
end

local function must(command)
  local said, code = proc.run(command .. " 2>&1")
  assert.equal(0, code or 0, command .. "\n" .. said)
  return (said:gsub("%s+$", ""))
end

describe("a backup", function()
  local n, folder, dump, there

  -- A call that rings and is over before it is answered, as Twilio tells it: facts without sound.
  local function ring(digit)
    local sid = "CA" .. digit:rep(32)
    assert.equal(200, n:post_signed("/twilio/voice", node.voice_form { CallSid = sid }).status)
    local status = n:post_signed("/twilio/status", node.voice_form { CallSid = sid, CallStatus = "completed",
      CallDuration = "1" }).status
    assert.is_true(status < 300)
  end

  local function ask_lost(sql)
    return pg.run(n.database, sql)
  end

  -- `ringdown db …` of another data folder: the other server.
  local function db(words)
    return must(("env -u DATABASE_URL -u RINGDOWN_CONFIG RINGDOWN_DATA=%s %s db %s"):format(
      proc.quote(folder .. "/there"), proc.quote(proc.double()), words))
  end

  local function ask(sql)
    return must(("psql -X -q -A -t -v ON_ERROR_STOP=1 -d %s -c %s"):format(proc.quote(there), proc.quote(sql)))
  end

  setup(function()
    folder = proc.folder "backup"
    dump = folder .. "/ringdown.dump"
    n = node.start { agents = "spec/e2e/agents", sim = false }
  end)

  teardown(function()
    n:stop()
    db "down"
    pg.start()
    proc.remove(folder)
  end)

  it("comes back on another server: nothing is missing, nothing twice, and the journal adds what came since", function()
    ring "1"
    assert.is_true(n:wait_shipped())
    local first = "select count(*) from call_events where stream = 'CA" .. ("1"):rep(32) .. "'"
    local before, of_first = counts(ask_lost), ask_lost(first)
    assert.equal(1, before.calls)
    ask_lost "create role an_agents_own; grant select on rates to an_agents_own" -- the other server has no such role
    must(("pg_dump --format=custom --no-owner --no-privileges --file=%s -d %s"):format(dump, proc.quote(n.database)))

    pg.halt()
    ring "2"
    assert.is_true(n:status().journal.kept > 0)
    n:kill()

    db "up"
    there = db "url"
    must(("pg_restore --clean --if-exists --no-owner --no-privileges --exit-on-error --single-transaction -d %s %s")
      :format(proc.quote(there), dump))
    assert.same(before, counts(ask))
    n.env.DATABASE_URL = there
    local said, code = n:ringdown("db", "status")
    assert.equal(0, code, said)
    assert.matches("schema", said)

    n:restart()
    assert.is_true(n:wait_shipped())
    ring "3"
    assert.is_true(n:wait_shipped())
    assert.equal("1 2 3", ask "select string_agg(left(substr(call, 3), 1), ' ' order by call) from calls")
    assert.equal("0", ask [[select count(*) from (select from call_events group by stream, epoch, seq
      having count(*) > 1) as twice]])
    assert.equal(of_first:match "%d+", ask(first))
    assert.equal(0, n:status().journal.dead)
    assert.equal(0, n:status().journal.lost)
  end)
end)
