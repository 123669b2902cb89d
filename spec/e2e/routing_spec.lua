-- SPDX-License-Identifier: Apache-2.0
-- takes: 20 s
-- Two nodes on one PostgreSQL: what an operator orders, each of them obeys within a second, also without PostgreSQL;
-- and a call stays where it was sent.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local clock = require "system"

local AGENT = [[
  return require "ringdown.agent" {
    name = "both", numbers = { "+13125550240" }, greeting = "Hello.", prompt = "You answer.", openai = {},
    vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" }, routing = { split = { openai = 100 } },
  }
]]

describe("where two nodes send their calls", function()
  local a, b, url
  local placed = {}

  local function start(name, other, database)
    local env = { RINGDOWN_PUBLIC_URL = url, RINGDOWN_SECRET = ("5e"):rep(32), RINGDOWN_NODE = name }
    return node.start { agents = { ["both.lua"] = AGENT }, sim = other and other.sim,
      database = database or other.database, env = env }
  end

  local function post(n, path, form)
    return n:post_signed(path, form, { signature = node.signature(url .. path, form) })
  end

  local function ask(n, form)
    local body = post(n, "/twilio/voice", form).body
    if body:find "<Stream" then
      placed[#placed + 1] = { n = n, sid = form.CallSid }
      return "openai"
    end
    return body:find("https://api.vapi.ai/twilio/inbound_call", 1, true) and "vapi" or body
  end

  local function rings(n, from)
    local form = node.voice_form { To = "+13125550240", From = from or "+13125550142" }
    return ask(n, form), form
  end

  -- How long it takes until this node's next call goes there.
  local function takes_s(n, wanted)
    local began = clock.gettime()
    assert(proc.wait_for(function()
      local to = rings(n)
      if to == "openai" then
        post(n, "/twilio/status", { CallSid = table.remove(placed).sid, CallStatus = "completed" })
      end
      return to == wanted
    end, 3), "calls still do not go to " .. wanted)
    return clock.gettime() - began
  end

  local function sql(text)
    return pg.query(a.database, ("select (%s)::text as v"):format(text))[1].v
  end

  local function put(expected, plan)
    return sql(("rollout_put('both', %d, '%s', 'alice')"):format(expected, plan))
  end

  setup(function()
    url = "http://127.0.0.1:" .. proc.free_port()
    local database = pg.database()
    pg.run(database, [[insert into numbers_seen
      (number, carrier_id, fields, goes_to, texts_to, vapi_id, seen_at, vapi_seen_at) values
      ('+13125550999', 'PN00000000000000000000000000000001', '{}', 'ringdown', 'nobody', 'ph-1', now(), now())]])
    a = start("a", nil, database)
    b = start("b", a)
  end)

  teardown(function()
    for _, call in ipairs(placed) do
      post(call.n, "/twilio/status", { CallSid = call.sid, CallStatus = "completed" })
    end
    b:stop()
    a:stop()
  end)

  it("send a number that nobody assigned to Vapi, where that knows it", function()
    assert.equal("vapi", ask(a, node.voice_form { To = "+13125550999" }))
    assert.is_true(proc.wait_for(function() -- to the only agent there is
      return ask(a, node.voice_form { To = "+13125550998" }) == "openai"
    end))
  end)

  it("begin with the share in the agent's file", function()
    assert.equal("openai", (rings(a)))
    assert(proc.wait_for(function()
      return sql "select percent_bp from rollout_now where agent = 'both' and version = 1" == "10000"
    end, 5))
  end)

  it("follow a rollback and the force switch within a second", function()
    assert.equal("2", put(1, '{"percent_bp": 0, "state": "rolled_back"}'))
    assert.is_true(takes_s(a, "vapi") < proc.promised(1))
    assert.is_true(takes_s(b, "vapi") < proc.promised(1))
    sql "force_put('openai', 'bob', 'Vapi is down')"
    assert.is_true(takes_s(b, "openai") < proc.promised(1))
    assert.is_true(takes_s(a, "openai") < proc.promised(1))
    sql "force_put('off', 'bob')"
    assert.is_true(takes_s(a, "vapi") < proc.promised(1))
    assert.is_true(takes_s(b, "vapi") < proc.promised(1))
  end)

  it("let a tester in, and keep on record why", function()
    put(2, '{"percent_bp": 0, "state": "pilot", "allow": ["+13125550177"]}')
    assert(proc.wait_for(function() return rings(b, "+13125550177") == "openai" end, 2))
    local _, form = rings(b, "+13125550142")
    b:wait_shipped()
    local row = pg.query(a.database, ([[select system, routed_first, route_reason, rollout_version, percent_bp, bucket
      from calls where call = '%s']]):format(form.CallSid))[1]
    assert.same({ system = "vapi", routed_first = "vapi", route_reason = "split", rollout_version = 3, percent_bp = 0,
      bucket = row.bucket }, row)
    assert.is_number(row.bucket)
    local text = b:ringdown("why", form.CallSid)
    assert.matches("decision  vapi: split, bucket %d+, to openai below 0, rollout version 3", text)
    assert.equal("64", sql(([[select length(body ->> 'key_hash') from call_events
      where stream = '%s' and type = 'decision']]):format(form.CallSid)))
  end)

  it("answer a repeated webhook as before, whatever was ordered since, also the other node", function()
    local to, form = rings(a)
    assert.equal("vapi", to)
    a:wait_shipped()
    put(3, '{"percent_bp": 10000, "state": "running"}')
    assert.is_true(takes_s(b, "openai") < proc.promised(1))
    assert.equal("vapi", ask(a, form))
    assert.equal("vapi", ask(b, form))
    b:wait_shipped()
    assert.same({ { route_reason = "split", percent_bp = 0 } }, pg.query(a.database,
      ("select route_reason, percent_bp from calls where call = '%s'"):format(form.CallSid)))
  end)

  it("obey what is ordered at their machine while the database is away", function()
    pg.freeze()
    proc.run(("mkdir -p '%s/data/kept'"):format(b.folder))
    proc.write(b.folder .. "/data/kept/part", '{"version":1,"who":"alice","agents":{"both":{"rollback":0}}}')
    proc.run(("mv '%s/data/kept/part' '%s/data/kept/override.json'"):format(b.folder, b.folder))
    local took = takes_s(b, "vapi")
    pg.thaw()
    assert.is_true(took < proc.promised(1.5), took) -- each call waits a quarter of a second for the database, in vain
    proc.run(("rm '%s/data/kept/override.json'"):format(b.folder))
    assert.is_true(takes_s(b, "openai") < proc.promised(1.5))
  end)
end)
