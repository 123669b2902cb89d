-- SPDX-License-Identifier: Apache-2.0
-- takes: 45 s
-- The journal and its shipper as a process, against a real PostgreSQL that goes through what
-- databases go through. ingest() is a small one that notes the order of arrival; the last story has
-- the one of sql/. JOURNAL_PEER names another build of the process.
package.path = "spec/support/?.lua;" .. package.path
local cjson = require "cjson.safe"
local pg = require "postgres"

local INGEST = [[
create table kept (n bigserial, stream text, epoch bigint, seq int, type text, body jsonb,
  check (stream <> 'BAD' or seq <> 666),
  primary key (stream, epoch, seq));
create table pace (seconds float);
insert into pace values (0);
create function ingest(events jsonb) returns table (ordinal int, outcome text, reason text) language plpgsql as $$
declare e record; was jsonb;
begin
  perform pg_sleep(seconds * jsonb_array_length(events)) from pace where seconds > 0;
  for e in select y.x, y.o from jsonb_array_elements(events) with ordinality y(x, o) loop
    ordinal := e.o; reason := null;
    insert into kept (stream, epoch, seq, type, body) values (e.x ->> 'stream', (e.x ->> 'epoch')::bigint,
      (e.x ->> 'seq')::int, e.x ->> 'type', e.x -> 'body') on conflict do nothing;
    if found then outcome := 'kept';
    else
      select body into was from kept k where k.stream = e.x ->> 'stream' and k.epoch = (e.x ->> 'epoch')::bigint
        and k.seq = (e.x ->> 'seq')::int;
      outcome := case when was = e.x -> 'body' then 'duplicate' else 'conflict' end;
    end if;
    return next;
  end loop;
end $$;]]

local PEER = os.getenv "JOURNAL_PEER" or "build/dev/runtime/tests/journal_peer"
local peers = {}

local function sh(command)
  return os.execute(command)
end

local function peer(folder, url)
  local p = { out = os.tmpname() }
  p.input = assert(io.popen(("%s %s '%s' >%s 2>>%s/log"):format(
    PEER, folder, url .. "&connect_timeout=3&options=-c%20statement_timeout%3D2000", p.out, folder), "w"))
  p.file = assert(io.open(p.out))

  function p.answer(seconds)
    for _ = 1, (seconds or 30) * 50 do
      local line = p.file:read "l"
      if line then return line end
      p.file:seek("cur", 0)
      sh "sleep 0.02"
    end
    error("no answer", 2)
  end

  function p.ask(...)
    p.input:write(string.format(...), "\n")
    p.input:flush()
    return p.answer(60)
  end

  function p.gauges() return assert(cjson.decode(p.ask "gauges")) end

  function p.stop()
    if not p.input then return end
    p.input:close()
    p.input = nil
    p.file:close()
    os.remove(p.out)
  end

  function p.kill()
    sh("kill -9 " .. p.pid)
    p.stop()
  end

  p.pid = p.answer():match "pid (%d+)"
  peers[#peers + 1] = p
  return p
end

local function eventually(what, seconds)
  for _ = 1, math.max(seconds or 0, 60) * 10 do
    if what() then return true end
    sh "sleep 0.1"
  end
  return false
end

describe("the journal's shipper", function()
  local folder, url

  before_each(function()
    local pipe = assert(io.popen "mktemp -d /tmp/ringdown-ship.XXXXXX")
    folder = pipe:read "l"
    pipe:close()
    pg.start()
    url = pg.database { empty = true }
    pg.run(url, INGEST)
  end)

  after_each(function()
    for _, p in ipairs(peers) do p.stop() end
    peers = {}
    sh("rm -rf " .. folder)
  end)

  teardown(pg.stop)

  -- Each of 1…n once, and arrived in this order.
  local function assert_arrived(stream, n)
    local rows = pg.query(url, ("select seq from kept where stream = '%s' order by n"):format(stream))
    assert.equal(n, #rows)
    for i, row in ipairs(rows) do assert.equal(i, row.seq) end
  end

  local function files()
    local pipe = assert(io.popen("ls " .. folder .. " | grep -v '^log$' | wc -l"))
    local n = pipe:read "n"
    pipe:close()
    return n
  end

  it("brings every event once and in order, and leaves nothing behind", function()
    local p = peer(folder, url)
    p.ask "append CA1 1 1000"
    p.ask "append CA2 1 500"
    assert.equal("shipped", p.ask "shipped 20000")
    assert_arrived("CA1", 1000)
    assert_arrived("CA2", 500)
    assert.is_true(p.gauges().shipping)
    p.stop()
    assert.equal(0, files())
  end)

  it("survives a server that is killed and comes back", function()
    local p = peer(folder, url)
    p.ask "append CA1 1 300"
    pg.crash()
    p.ask "append CA1 301 900"
    assert.equal("durable 1", p.ask "durable")
    assert.is_true(eventually(function() return not p.gauges().shipping end))
    assert.is_true(p.gauges().kept > 0)
    assert.is_true(eventually(function() return p.gauges().alarms:find "database.down" end))
    pg.start()
    assert.equal("shipped", p.ask "shipped 20000")
    assert_arrived("CA1", 900)
    assert.is_true(eventually(function() return not p.gauges().alarms:find "database.down" end))
    assert.equal(0, p.gauges().lost)
  end)

  it("is patient with a frozen server, and is not stopped by it", function()
    local p = peer(folder, url)
    p.ask "append CA1 1 10"
    assert.equal("shipped", p.ask "shipped 20000")
    pg.freeze()
    p.ask "append CA1 11 200"
    assert.equal("durable 1", p.ask "durable")
    local before = os.time()
    p.stop()
    assert.is_true(os.time() - before < 60) -- the server stays frozen for ever
    pg.thaw()
    peer(folder, url)
    assert.is_true(eventually(function()
      return pg.query(url, "select count(*) c from kept")[1].c == 200
    end))
    assert_arrived("CA1", 200)
  end)

  it("waits while the server only reads", function()
    local p = peer(folder, url)
    pg.read_only(true)
    p.ask "append CA1 1 300"
    assert.is_true(eventually(function() return p.gauges().error:find "read%-only" end))
    assert.equal(300, p.gauges().kept)
    pg.read_only(false)
    assert.equal("shipped", p.ask "shipped 20000")
    assert_arrived("CA1", 300)
    assert.equal(0, p.gauges().dead)
  end)

  it("puts aside only the event that breaks a constraint", function()
    local p = peer(folder, url)
    p.ask "append BAD 1 1000"
    assert.equal("shipped", p.ask "shipped 20000")
    local rows = pg.query(url, "select seq from kept order by n")
    assert.equal(999, #rows)
    for i, row in ipairs(rows) do assert.equal(i < 666 and i or i + 1, row.seq) end
    assert.equal(1, p.gauges().dead)
    assert.is_truthy(p.gauges().alarms:find "journal.dead")
  end)

  it("makes a dead letter of other content under the same key", function()
    local p = peer(folder, url)
    p.ask "event CA1 1 note {\"n\":1}"
    p.ask "event CA1 1 note {\"n\":1}"
    p.ask "event CA1 1 note {\"n\":2}"
    p.ask "event CA1 2 note no json"
    p.ask "event CA1 3 note {\"n\":\"\\u0000\"}"
    p.ask "event CA1 4 note {\"n\":4}"
    assert.equal("shipped", p.ask "shipped 20000")
    local rows = pg.query(url, "select seq, body from kept order by n")
    assert.same({ 1, 4 }, { rows[1].seq, rows[2].seq })
    assert.equal(2, #rows)
    assert.equal(1, rows[1].body.n)
    assert.equal(3, p.gauges().dead)
    assert.is_truthy(p.gauges().alarms:find "journal.conflict")
  end)

  it("asks a slow server for less at a time", function()
    local p = peer(folder, url)
    pg.run(url, "update pace set seconds = 0.05") -- a full batch takes 10 s, and 2 s are allowed
    p.ask "append CA1 1 60"
    assert.equal("shipped", p.ask "shipped 40000")
    assert_arrived("CA1", 60)
    assert.equal(0, p.gauges().dead)
  end)

  it("says what is missing and goes on once it is there", function()
    pg.run(url, "alter function ingest rename to later")
    local p = peer(folder, url)
    p.ask "append CA1 1 10"
    assert.is_true(eventually(function() return p.gauges().alarms:find "database.setup" end))
    pg.run(url, "alter function later rename to ingest")
    assert.equal("shipped", p.ask "shipped 20000")
    assert_arrived("CA1", 10)
    assert.is_true(eventually(function() return not p.gauges().alarms:find "database.setup" end))
  end)

  it("ships what a killed process left, once, whoever comes next", function()
    pg.run(url, "alter function ingest rename to later")
    local first = peer(folder, url)
    first.ask "append CA1 1 500"
    assert.equal("durable 1", first.ask "durable")
    first.kill()
    pg.run(url, "alter function later rename to ingest")
    local second, third = peer(folder, url), peer(folder, url)
    assert.is_true(eventually(function()
      return pg.query(url, "select count(*) c from kept")[1].c == 500
    end))
    assert_arrived("CA1", 500)
    assert.equal("shipped", second.ask "shipped 20000") -- whoever ships it knows it, too
    second.stop()
    third.stop()
    assert.equal(0, files())
  end)

  it("loses nothing and doubles nothing when killed again and again while the server comes and goes", function()
    local total = 0
    for round = 1, 6 do
      local p = peer(folder, url)
      p.ask("append CA%d 1 400", round)
      assert.equal("durable 1", p.ask "durable")
      total = total + 400
      if round % 2 == 0 then pg.crash() end
      sh "sleep 0.1"
      p.kill()
      pg.start()
    end
    local p = peer(folder, url)
    assert.is_true(eventually(function()
      return pg.query(url, "select count(*) c from kept")[1].c == total
    end))
    for round = 1, 6 do assert_arrived("CA" .. round, 400) end
    assert.equal("shipped", p.ask "shipped 20000")
    p.stop()
    assert.equal(0, files())
  end)

  it("is understood by the schema of sql/", function()
    url = pg.database()
    local p = peer(folder, url)
    p.ask([[event CA1 1 webhook {"call":"CA1","agent":"dentist","from":"+13125550142","to":"+13125550100",]]
      .. [["at_ms":0,"kind":"voice","status":"ringing"}]])
    p.ask [[event CA1 2 turn {"call":"CA1","at_ms":5,"seq":1,"role":"nobody","text":"no such role"}]]
    p.ask [[event CA1 3 turn {"call":"CA1","at_ms":9,"seq":1,"role":"caller","text":"hello"}]]
    p.ask [[event CA1 3 turn {"call":"CA1","at_ms":9,"seq":1,"role":"caller","text":"other"}]]
    assert.equal("shipped", p.ask "shipped 20000")
    assert.equal("dentist", pg.query(url, "select agent from calls where call = 'CA1'")[1].agent)
    assert.same({ { seq = 1 }, { seq = 3 } }, pg.query(url, "select seq from call_events order by seq"))
    assert.equal("hello", pg.query(url, "select heard from turns")[1].heard)
    assert.equal(2, p.gauges().dead)
  end)
end)
