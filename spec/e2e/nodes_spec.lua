-- SPDX-License-Identifier: Apache-2.0
-- takes: 40 s
-- Two nodes on one PostgreSQL, behind one address: what the carrier told one of them, it may ask the other about.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local raw = require "spec.e2e.support.raw"

local AGENT = [[
  return require "ringdown.agent" {
    name = "two-homes", numbers = { "+13125550240" }, people = { office = "+13125550188" },
    greeting = "Hello.", prompt = "You answer.", vars = { zip = "" },
  }
]]

local answered = { ["until"] = "\r\n\r\n", within_ms = 30000 }

describe("a call between two nodes", function()
  local a, b, url
  local calls = {}

  local function start(name, database, more)
    local env = { RINGDOWN_PUBLIC_URL = url, RINGDOWN_SECRET = ("5e"):rep(32), RINGDOWN_NODE = name }
    for key, value in pairs(more or {}) do
      env[key] = value
    end
    return node.start { agents = { ["two-homes.lua"] = AGENT }, sim = false, database = database, env = env }
  end

  -- A webhook to this node, signed for the address that all of them have.
  local function post(n, path, call, fields)
    local form = {}
    for _, from in ipairs { call, fields or {} } do
      for name, value in pairs(from) do
        form[name] = value
      end
    end
    return n:post_signed(path, form, { signature = node.signature(url .. path, form) })
  end

  local function rings(n)
    local call = node.voice_form { To = "+13125550240", From = "anonymous" }
    table.insert(calls, call)
    local body = post(n, "/twilio/voice", call).body
    return call, (assert(body:match '<Stream url="ws://[^/]+(/twilio/media/[^"]+)"', body))
  end

  local function resume(n, call, fields)
    local form = { CallStatus = "in-progress" }
    for name, value in pairs(fields or {}) do
      form[name] = value
    end
    return post(n, "/twilio/resume", call, form).body
  end

  local function owner(call)
    return pg.query(a.database, "select node from calls where call = " .. pg.literal(call.CallSid))[1].node
  end

  setup(function()
    url = "http://127.0.0.1:" .. proc.free_port()
    a = start("a")
    b = start("b", a.database)
  end)

  teardown(function()
    for _, call in ipairs(calls) do
      post(a, "/twilio/status", call, { CallStatus = "completed" })
      post(b, "/twilio/status", call, { CallStatus = "completed" })
    end
    b:ask_to_stop()
    assert.equal(0, a:stop())
    assert.equal(0, b:stop())
  end)

  -- From now on nothing is kept in the database before there is a row in `gate`; then again at once.
  local function close_gate()
    pg.run(a.database, [[
      create table gate (opened timestamptz default now());
      alter function ingest(jsonb) rename to ingest_at_once;
      create function ingest(events jsonb) returns table (ordinal integer, outcome text, reason text)
      language plpgsql as $$ begin
        while not exists (select from gate) loop perform pg_sleep(0.02); end loop;
        return query select * from ingest_at_once(events);
      end $$]])
  end

  local function remove_gate()
    pg.run(a.database, "drop function ingest(jsonb); alter function ingest_at_once(jsonb) rename to ingest; "
      .. "drop table gate")
  end

  -- Who asks for a call and is told that there is none opens it.
  local function open_gate_once_asked()
    pg.run(a.database, [[
      alter function adopt_call(jsonb, timestamptz) rename to adopt_at_once;
      create function adopt_call(ask jsonb) returns jsonb language plpgsql as $$
        declare answer constant jsonb := adopt_at_once(ask);
      begin
        insert into gate select where answer ->> 'refused' = 'unknown';
        return answer;
      end $$]])
  end

  it("goes on with whom the carrier asks, and the other lets go of it without a word", function()
    close_gate()
    open_gate_once_asked()
    local call = rings(a)
    local body = resume(b, call) -- the other one waits for what is still on its way
    local asked = pg.query(a.database, "select count(*) as n from gate")[1].n
    pg.run(a.database, "drop function adopt_call(jsonb); "
      .. "alter function adopt_at_once(jsonb, timestamptz) rename to adopt_call")
    remove_gate()
    assert.matches("<Stream", body, 1, true)
    assert.is_true(asked > 0)
    assert.equal("b", owner(call))
    assert.is_table(a:wait_log "call.claimed_elsewhere")
    assert.equal(0, a:status().calls)
    b:wait_shipped()
    local facts = pg.query(a.database, ([[select body ->> 'reason' as reason, body ->> 'attempt' as attempt
      from call_events where stream = %s and type = 'resumed']]):format(pg.literal(call.CallSid)))
    assert.same({ { reason = "node_lost", attempt = "1" } }, facts)
  end)

  it("comes back to a node that had let go of it", function()
    local call = rings(a)
    a:wait_shipped()
    assert.matches("<Stream", resume(b, call), 1, true)
    assert.is_truthy(a:wait_log("call.claimed_elsewhere", function(line) return line.call == call.CallSid end))
    assert.matches("<Stream", resume(a, call), 1, true)
    assert.equal("a", owner(call))
  end)

  it("is not taken over when it is unknown, somebody else's, or over", function()
    local stranger = node.voice_form { To = "+13125550240" }
    local body = resume(b, stranger)
    assert.is_nil(body:find("<Stream", 1, true))
    assert.matches("+13125550188", body, 1, true)
    local call = rings(a)
    a:wait_shipped()
    assert.is_nil(resume(b, call, { AccountSid = "AC00000000000000000000000000000000" }):find("<Stream", 1, true))
    post(a, "/twilio/status", call, { CallStatus = "completed" })
    a:wait_shipped()
    assert.is_nil(resume(b, call):find("<Stream", 1, true))
    local why = {}
    for _, line in ipairs(b:log "call.not_adopted") do
      table.insert(why, line.reason)
    end
    assert.same({ "unknown", "foreign", "ended" }, why)
  end)

  it("goes on when the carrier asks at the fallback URL, because whom it asked first was just dying", function()
    local call = rings(a)
    a:wait_shipped()
    local body = post(b, "/twilio/voice", call, { CallStatus = "in-progress", ErrorCode = "11205",
      ErrorUrl = url .. "/twilio/resume" }).body
    assert.matches("<Stream", body, 1, true)
    assert.equal("b", owner(call))
  end)

  it("has its stream on another node than its webhook, but none once it is over or for a forged token", function()
    local call, path = rings(a)
    local over, stale = rings(a)
    post(a, "/twilio/status", over, { CallStatus = "completed" })
    a:wait_shipped()
    local connections = {}
    for i, each in ipairs { path, stale, (path:gsub("%x$", function(c) return c == "0" and "1" or "0" end)) } do
      local signature = node.signature(url:gsub("^http", "ws") .. each, {})
      connections[i] = { { send = raw.upgrade(b, each, { signature = signature }) }, answered }
    end
    local got = {}
    for i, r in ipairs { raw.talk(b, table.unpack(connections)) } do
      got[i] = r.status
    end
    assert.same({ 101, 403, 403 }, got)
    assert.equal("b", owner(call))
    assert.equal("a", owner(over))
    assert.is_truthy(a:wait_log("call.claimed_elsewhere", function(line) return line.call == call.CallSid end))
    b:wait_shipped()
    assert.same({ { reason = "ended" } }, pg.query(a.database, ("select body ->> 'reason' as reason from call_events "
      .. "where type = 'not_resumed' and body ->> 'call' = %s"):format(pg.literal(over.CallSid))))
  end)

  it("keeps its stream when somebody brings the address of it to another node", function()
    local call, path = rings(a)
    local signature = node.signature(url:gsub("^http", "ws") .. path, {})
    local live = raw.start(a, { { send = raw.upgrade(a, path, { signature = signature }) }, { wait_ms = 60000 } })
    assert.is_truthy(a:wait_log("call.started", function(line) return line.call == call.CallSid end))
    a:wait_shipped()
    local got = raw.talk(b, { { send = raw.upgrade(b, path, { signature = signature }) }, answered })
    assert.equal(403, got.status)
    assert.equal("a", owner(call))
    live:stop()
  end)

  it("is its owner's again when another node was asked that has no room", function()
    local call = rings(a)
    a:wait_shipped()
    local more = start("c", a.database, { RINGDOWN_MAX_CALLS = "1" })
    local mine = rings(more)
    more:wait_shipped()
    local body = resume(more, call)
    local back = proc.wait_for(function() return owner(call) == "a" end, 5)
    local refused = more:wait_log "call.not_adopted"
    post(more, "/twilio/status", mine, { CallStatus = "completed" })
    assert.equal(0, more:stop())
    assert.is_nil(body:find("<Stream", 1, true))
    assert.equal("full", refused.reason)
    assert.is_true(back)
    assert.equal(0, #pg.query(a.database, "select 1 from adoptions where call = " .. pg.literal(call.CallSid)))
  end)

  it("is over for whoever has it when the carrier says so to another one", function()
    local call = rings(a)
    a:wait_shipped()
    local before = a:status().calls
    post(b, "/twilio/status", call, { CallStatus = "canceled", CallDuration = "0" })
    assert.is_true(proc.wait_for(function() return a:status().calls == before - 1 end, 5))
  end)

  it("is taken by who was rung for its caller, whichever node is asked", function()
    local call = rings(a)
    local rung = { CallSid = ("CA%032x"):format(77), To = "+13125550188", ParentCallSid = call.CallSid }
    a:wait_shipped()
    local asked = post(b, "/twilio/accept", rung).body
    assert.matches("A call for Two Homes. Press 1 to take it.", asked, 1, true)
    assert.matches(url .. "/twilio/accept", asked, 1, true)
    asked = post(b, "/twilio/accept?errand=0.99", rung).body -- of the other node's
    assert.matches("Press 1 to take it.", asked, 1, true)
    assert.matches("<Response></Response>", post(b, "/twilio/accept", rung, { Digits = "1" }).body, 1, true)
    assert.matches("<Hangup/>", post(b, "/twilio/accept", rung, { Digits = "2" }).body, 1, true)
    rung.ParentCallSid = ("CA%032x"):format(78)
    assert.matches("<Response><Hangup/>", post(b, "/twilio/accept", rung).body, 1, true)
  end)

  -- As if that time had passed; a leads no more, if it did.
  local function long_ago(what, where)
    pg.run(a.database, ("update node_processes set %s where %s; update node_leader set until = now() where node = 'a'")
      :format(what, where))
  end

  local function alarm(n, kind)
    for _, each in ipairs(n:status().alarms) do
      if each.kind == kind then
        return each
      end
    end
  end

  it("is between nodes that run the same agents, or it is told until they do", function()
    proc.write(b.agents .. "/another.lua", (AGENT:gsub("two%-homes", "another"):gsub("240", "241")))
    assert.is_truthy(proc.wait_for(function()
      return #pg.query(a.database, "select distinct agents from node_processes") == 2
    end, 20))
    long_ago("agents_since = agents_since - interval '31 seconds'", "true")
    assert.matches("a %x+, b %x+", assert(proc.wait_for(function()
      return alarm(a, "nodes.differ") or alarm(b, "nodes.differ")
    end, 20)).text)
    assert.matches("They run different agents", b:ringdown "nodes", 1, true)
    proc.run("rm " .. b.agents .. "/another.lua")
    assert.is_true(proc.wait_for(function()
      return not alarm(a, "nodes.differ") and not alarm(b, "nodes.differ")
    end, 20))
  end)

  it("is closed by the carrier's word when its node died, and the node is told of", function()
    local call, other = rings(a), rings(a)
    a:wait_shipped()
    local phones = b:phones()
    a:kill()
    long_ago("seen_at = now() - interval '61 seconds'", "node = 'a'")
    local closed = proc.wait_for(function()
      return pg.query(a.database, ("select body ->> 'by' as by, body ->> 'unknown' as unknown from call_events "
        .. "where stream = %s and type = 'closed'"):format(pg.literal(call.CallSid)))[1]
    end, 20)
    phones:stop()
    assert.same({ by = "b", unknown = "true" }, closed) -- the double never heard of it
    assert.matches("closed    node a is gone %(node_lost%)", (b:ringdown("why", call.CallSid)))
    assert.equal("a", assert(alarm(b, "node.lost")).subject)
    assert.matches("a +lost", (b:ringdown "nodes"))
    assert.is_nil(resume(b, other):find("<Stream", 1, true)) -- closed as well
    a:restart()
    assert.is_true(proc.wait_for(function() return not alarm(b, "node.lost") end, 20))
  end)

  it("goes on when its node was killed, also with the same one started again", function()
    local call, other = rings(a), rings(a)
    a:wait_shipped()
    a:kill()
    assert.matches("<Stream", resume(b, call), 1, true)
    assert.equal("b", owner(call))
    assert.matches("<Stream", resume(b, call), 1, true) -- the carrier had no answer and asks again
    a:restart()
    assert.matches("<Stream", resume(a, other), 1, true)
    assert.equal("a", owner(other))
  end)

  it("is known to its node started again as far as that had kept anything", function()
    local call = rings(a)
    a:wait_shipped()
    close_gate()
    post(a, "/twilio/status", call, { CallStatus = "in-progress" })
    local asked = a.folder .. "/asked"
    local opens = proc.start { name = "gate", folder = a.folder, args = { "sh", "-c", -- connected long before it opens
      ("(while [ ! -e %s ]; do sleep 0.05; done; sleep 0.3; echo 'insert into gate default values;') | psql -q '%s'")
        :format(asked, a.database) } }
    a:kill()
    a:restart()
    assert(io.open(asked, "w")):close()
    local body = resume(a, call)
    opens:wait(10)
    local got = pg.query(a.database, ("select c.status, a.at > g.opened as later from calls c "
      .. "join adoptions a using (call), gate g where call = %s"):format(pg.literal(call.CallSid)))
    remove_gate()
    assert.matches("<Stream", body, 1, true)
    assert.same({ { status = "in-progress", later = true } }, got)
  end)
end)
