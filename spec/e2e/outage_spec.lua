-- SPDX-License-Identifier: Apache-2.0
-- takes: 85 s
-- Callers while PostgreSQL is away, slow, or may only be read, and while the node itself is killed: no
-- call notices, and in the end everything is in the database once.
--
-- RINGDOWN_OUTAGE_SECONDS   how long PostgreSQL is away (10)
-- RINGDOWN_OUTAGE_CALLS     how many calls at once (8): half of them begin before that
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"
local sims = require "spec.e2e.support.sim"

local SECONDS = tonumber(os.getenv "RINGDOWN_OUTAGE_SECONDS" or 10)
local CALLS = tonumber(os.getenv "RINGDOWN_OUTAGE_CALLS" or 8)
local DRAINED_S = 30

local function start(sim, channels)
  return node.start { agents = "spec/e2e/agents", sim = sim, env = { RINGDOWN_MAX_CALLS = "400",
    RINGDOWN_MAX_CALLS_PER_CALLER = "400", RINGDOWN_ALERT_CHANNELS = channels } }
end

local function one(url, sql)
  return pg.query(url, sql)[1]
end

-- So many calls as small talk goes, all at once.
local function talk(n, calls)
  return n:place { scenarios = { "small-talk" }, calls = calls }
end

-- The same, and short: a few keys are pressed.
local function press(n, calls)
  return n:place { scenarios = { "keypad" }, calls = calls }
end

local function assert_all_well(ok, reports, calls)
  for _, report in ipairs(reports) do
    assert.equal("", report.why)
  end
  assert.equal(calls, #reports)
  assert.is_true(ok)
end

-- Each call has all its numbers, once, from its webhook to its end.
local function assert_whole(url, calls)
  local broken = pg.query(url, [[select stream, count(*) as n, max(seq) as last,
      count(*) filter (where type = 'ended') as ends, count(*) filter (where type = 'decision') as decisions
    from call_events where stream like 'CA%' group by stream
    having count(*) <> max(seq) or count(*) filter (where type = 'ended') <> 1
      or count(*) filter (where type = 'decision') <> 1]])
  assert.same({}, broken)
  assert.equal(calls, one(url, "select count(*) as n from calls where state = 'ended'").n)
end

-- What the doubles counted is what the database has.
local function assert_books_agree(url, sim)
  local told, bills = 0, 0
  for _, fact in ipairs(sim:facts "response_done") do
    told, bills = told + fact.usage.total_tokens, bills + 1
  end
  local kept = one(url, [[select sum(text_in + audio_in + text_out + audio_out) as tokens, count(*) as bills
    from usage where kind = 'response']])
  assert.equal(bills, kept.bills)
  assert.equal(told, kept.tokens)
end

local function assert_nothing_lost(n)
  local journal = n:status().journal
  assert.equal(0, journal.lost)
  assert.equal(0, journal.dead)
end

-- Open now; the network of the doubles is gone between calls, and may have an alarm of its own.
local function is_alarmed(n, kind)
  for _, alarm in ipairs(n:status().alarms) do
    if alarm.kind == kind then
      return true
    end
  end
  return false
end

local function alerts(url, kind)
  return one(url, ("select count(*) as n, count(closed_at) as closed from alerts where kind = '%s'"):format(kind))
end

describe(("PostgreSQL is away for %d s under %d calls"):format(SECONDS, CALLS), function()
  local sim, n, calls = nil, nil, 0

  setup(function()
    sim = sims.start()
    n = start(sim)
  end)

  teardown(function()
    pg.start()
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
  end)

  it("and no call is dropped, not one that began before and not one that begins without it", function()
    local half = CALLS // 2
    local first = talk(n, half)
    assert.is_truthy(first:wait_event("caller.said", nil, 30))
    pg.halt()
    local since = proc.now()
    local running = { first, (talk(n, half)) }
    repeat
      local ok, reports = table.remove(running, 1):wait()
      assert_all_well(ok, reports, half)
      calls = calls + half
      if proc.now() - since < SECONDS then
        table.insert(running, (talk(n, half)))
      end
    until #running == 0
    local status = n:status()
    assert.is_false(status.database.shipping)
    assert.is_true(status.journal.kept > 0)
    assert.is_true(status.journal.oldest_age_ms >= 1000 * SECONDS)
    pg.start()
  end)

  it("and everything is there, once and in order, soon after it is back", function()
    assert.is_true(n:wait_shipped(DRAINED_S))
    assert_whole(n.database, calls)
    assert_books_agree(n.database, sim)
    assert_nothing_lost(n)
  end)

  it("and somebody was told, and told that it was over", function()
    assert.is_truthy(n:wait_log("alarm", function(line)
      return line.kind == "database.down"
    end))
    assert.is_true(n:wait_shipped())
    assert.same({ n = 1, closed = 1 }, alerts(n.database, "database.down"))
  end)
end)

describe("PostgreSQL changes its mind", function()
  local sim, n, hooks

  setup(function()
    sim, hooks = sims.start(), receiver.hook {}
    n = start(sim, json.encode { { name = "desk", kind = "webhook", secret = "sixteen letters and more",
      url = ("http://127.0.0.1:%d/alerts"):format(hooks.port) } })
  end)

  teardown(function()
    assert.equal(0, n:stop())
    hooks:stop()
    assert.equal(0, sim:stop())
  end)

  it("hangs as a machine does that swaps: calls go on, and later all of it is there", function()
    assert.is_true(n:wait_shipped())
    pg.freeze()
    local ok, reports = press(n, 3):wait()
    local told = hooks:wait(1, 60)[1]
    pg.thaw()
    assert_all_well(ok, reports, 3)
    assert.is_table(told, "nobody was told")
    assert.matches('"rule":"database_down"', told.body, 1, true)
    -- Six seconds after it froze: not when whoever had work for it had lost patience.
    local lines = {}
    for i, line in ipairs(n:log()) do
      local what = line.ev == "alarm" and line.kind or line.ev
      lines[what] = lines[what] or i
    end
    assert.is_true(lines["database.down"] < (lines["database.trouble"] or math.huge))
    assert.is_true(n:wait_shipped(DRAINED_S))
    assert_whole(n.database, 3)
  end)

  it("may only be read, as a standby after a failover: the same", function()
    pg.read_only(true)
    local ok, reports = press(n, 3):wait()
    local error_told = n:status().database.error
    pg.read_only(false)
    assert_all_well(ok, reports, 3)
    assert.matches("read%-only", error_told)
    assert.is_true(n:wait_shipped(DRAINED_S))
    assert_whole(n.database, 6)
    assert_nothing_lost(n)
  end)

  it("loses what it had not written, because its machine went down: the same", function()
    local placed = press(n, 3)
    assert.is_truthy(placed:wait_event("agent.heard", nil, 30))
    pg.crash()
    pg.start()
    local ok, reports = placed:wait()
    assert_all_well(ok, reports, 3)
    assert.is_true(n:wait_shipped(DRAINED_S))
    assert_whole(n.database, 9)
    assert_books_agree(n.database, sim)
  end)

  it("says no to one event for ever: that one is put aside with the reason, and the others go on", function()
    pg.run(n.database, [[create function refuse_some() returns trigger language plpgsql as $$
      begin
        if new.heard ilike '%breakfast%' then
          raise exception 'no breakfast here' using errcode = 'check_violation', detail = 'the row: ' || new.heard;
        end if;
        return new;
      end $$;
      create trigger refuse before insert on turns for each row execute function refuse_some();]])
    local ok, reports = talk(n, 1):wait()
    assert_all_well(ok, reports, 1)
    assert.is_true(n:wait_shipped(DRAINED_S))
    local sid = pg.literal(reports[1].call)
    local turns = "select count(*) as n from turns where call = " .. sid
    local said = one(n.database, turns).n
    assert.is_true(said > 0) -- those that do not speak of breakfast
    assert.equal(2, n:status().journal.dead)
    local list = json.encode((n:ringdown("journal", "--json")))
    assert.matches("no breakfast here", list, 1, true)
    assert.is_nil(list:find("the row:", 1, true)) -- what was said is no reason
    assert.is_true(is_alarmed(n, "journal.dead"))
    pg.run(n.database, "drop trigger refuse on turns")
    local text, code = n:ringdown("journal", "retry", "--all")
    assert.equal(0, code, text)
    assert.is_true(proc.wait_for(function() -- the node looks at the files once a second
      return n:status().journal.dead == 0
    end, DRAINED_S))
    assert.is_true(n:wait_shipped(DRAINED_S))
    assert.equal(said + 2, one(n.database, turns).n)
    assert.equal(0, n:status().journal.dead)
    assert.is_false(is_alarmed(n, "journal.dead"))
  end)
end)

describe("the node is killed while many callers talk", function()
  it("and every event that was journaled is in PostgreSQL once after the restart", function()
    local sim = sims.start()
    local n = start(sim)
    assert.is_true(n:wait_shipped())
    pg.halt() -- so that all of it must survive in the journal
    local placed = talk(n, CALLS)
    assert.is_true(proc.wait_for(function()
      return n:status().calls == CALLS
    end, 40))
    assert.is_truthy(placed:wait_event("agent.heard", nil, 40))
    local kept = n:status().journal.kept
    n:kill()
    placed.child:stop() -- nobody is there who could be told
    pg.start()
    n:restart()
    assert.is_true(n:wait_shipped(DRAINED_S))
    local rows = one(n.database, [[select count(*) as n, count(distinct stream) as calls,
      count(distinct (stream, epoch, seq)) as keys from call_events where stream like 'CA%']])
    assert.equal(rows.n, rows.keys)
    assert.equal(CALLS, rows.calls)
    local all = one(n.database, "select count(*) as n from call_events")
    assert.is_true(all.n >= kept, all.n .. " of " .. kept)
    local gaps = pg.query(n.database, [[select stream from call_events where stream like 'CA%' group by stream, epoch
      having count(*) <> max(seq)]])
    assert.same({}, gaps)
    assert_nothing_lost(n)
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
  end)
end)
