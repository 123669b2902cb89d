-- SPDX-License-Identifier: Apache-2.0
-- takes: 20 s
-- Two nodes on one PostgreSQL, behind one address: what the carrier told one of them, it may ask the other about.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local AGENT = [[
  return require "ringdown.agent" {
    name = "two-homes", numbers = { "+13125550240" }, people = { office = "+13125550188" },
    greeting = "Hello.", prompt = "You answer.", vars = { zip = "" },
  }
]]

describe("a call between two nodes", function()
  local a, b, url
  local calls = {}

  local function start(name, database)
    return node.start { agents = { ["two-homes.lua"] = AGENT }, sim = false, database = database,
      env = { RINGDOWN_PUBLIC_URL = url, RINGDOWN_SECRET = ("5e"):rep(32), RINGDOWN_NODE = name } }
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
    assert.matches("<Stream", post(n, "/twilio/voice", call).body, 1, true)
    return call
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
      post(b, "/twilio/status", call, { CallStatus = "completed" })
    end
    assert.equal(0, b:stop())
  end)

  it("goes on with whom the carrier asks, and the other lets go of it without a word", function()
    local call = rings(a) -- the other one waits for what is still on its way
    assert.matches("<Stream", resume(b, call), 1, true)
    assert.equal("b", owner(call))
    assert.is_table(a:wait_log "call.claimed_elsewhere")
    assert.equal(0, a:status().calls)
    b:wait_shipped()
    local facts = pg.query(a.database, ([[select body ->> 'reason' as reason, body ->> 'attempt' as attempt
      from call_events where stream = %s and type = 'resumed']]):format(pg.literal(call.CallSid)))
    assert.same({ { reason = "node_lost", attempt = "1" } }, facts)
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

  it("goes on when its node was killed", function()
    local call = rings(a)
    a:wait_shipped()
    a:kill()
    assert.matches("<Stream", resume(b, call), 1, true)
    assert.equal("b", owner(call))
    assert.matches("<Stream", resume(b, call), 1, true) -- the carrier had no answer and asks again
  end)
end)
