-- SPDX-License-Identifier: Apache-2.0
-- takes: 35 s
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local AGENT = [[
local agent, tool = require "ringdown.agent", require "ringdown.tool"
return agent {
  name = "other-desk", numbers = { "+13125550100" }, greeting = "Hello.", prompt = "You answer.",
  vapi = { assistant = "5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30" }, vars = { nights = 0 },
  people = { on_call = "+13125550188" },
  emergencies = { { id = "flood", severity = "normal", any = { "flooded" } },
    { id = "gas-leak", severity = "life", any = { "smell gas" }, transfer = "on_call",
      say = { en = "Leave the building now." } } },
  tools = { tool { name = "book_room", about = "Books nights.", effect = "write", failed = "Say it failed.",
    args = { nights = { type = "integer", about = "How many." } },
    run = function(call, args)
      call.vars.nights = call.vars.nights + args.nights
      return { nights = call.vars.nights }
    end } },
}
]]

describe("a call that is redirected to Vapi", function()
  local n

  local function hook(body, headers)
    headers["Content-Type"] = "application/json"
    return n:request { path = "/vapi/events", body = body, headers = headers }
  end

  local function signed(body)
    local stamp = tostring(os.time())
    local text = proc.quote(stamp .. "." .. body)
    local mac = proc.run(("printf '%%s' %s | openssl dgst -sha256 -hmac hush -r"):format(text))
    return { ["X-Timestamp"] = stamp, ["X-Signature"] = mac:match "^%x+" }
  end

  local function call_row()
    return pg.query(n.database, [[select c.call, c.system, c.state, c.ended_reason, v.status, v.ended_class, v.seen_by,
      v.cost_micro_usd, v.words from calls c left join vapi_calls v using (call)]])[1]
  end

  it("is one row like any other, has the agent's tools, and loses nothing when webhooks do", function()
    n = node.start { agents = { ["other-desk.lua"] = AGENT }, vapi = { scenarios = { "asks-the-other-desk" },
      fault = "no-report" }, env = { VAPI_WEBHOOK_HMAC = "hush" } }
    assert.equal(200, (n.vapi:api("PATCH", "/assistant/5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30", { serverMessages = {
      "status-update", "end-of-call-report", "tool-calls", "hang", 'transcript[transcriptType="final"]' } })))
    local placed = n:place { scenarios = { "asks-the-other-desk" }, linger = 3 }
    assert.truthy(n.vapi:wait_hook("status-update", function(h) return h.message.status == "in-progress" end))

    -- The agent's own tool, once however often Vapi asks; each shape.
    local function tool(shape)
      local got = n.vapi:hook { call = "last", type = "tool-calls", shape = shape, name = "book_room",
        arguments = { nights = 2 } }
      assert.equal("", got.wrong)
      return got.answer.results[1].result
    end
    assert.same({ '{"nights":2}', '{"nights":2}', '{"nights":2}' }, { tool "openapi", tool "custom", tool "events" })

    -- What the caller says is held against the agent's rules; each is acted on once.
    for _ = 1, 2 do
      n.vapi:hook { call = "last", type = "transcript", fields = { role = "user", transcriptType = "final",
        transcript = "the bathroom is flooded" } }
    end

    -- Forged, replayed, or about nobody's call: nothing is run.
    local body = json.encode { message = { type = "status-update", status = "ended",
      call = { id = "x", phoneCallProviderId = "CA99999999999999999999999999999999" } } }
    assert.equal(401, hook(body, { ["X-Vapi-Secret"] = "wrong" }).status)
    assert.equal(401, hook(body, { ["X-Vapi-Secret"] = n.vapi.env.VAPI_WEBHOOK_SECRET }).status)
    local asks = json.encode { message = { type = "tool-calls", call = { phoneCallProviderId = call_row().call },
      toolCallList = { { id = "again", name = "book_room", arguments = { nights = 2 } } } } }
    local proof = signed(asks)
    assert.same({ 200, 401 }, { hook(asks, proof).status, hook(asks, proof).status })

    assert.is_true((placed:wait()))
    -- The report was lost: Vapi is asked, and tells how it ended, what it cost and what was said.
    assert.truthy(proc.wait_for(function()
      local row = call_row()
      return row and row.cost_micro_usd and row.words > 0
    end, 30))
    local row = call_row()
    assert.same({ "vapi", "ended", "ended", "ok", "both" },
      { row.system, row.state, row.status, row.ended_class, row.seen_by })
    assert.same({ { name = "book_room", n = 4 } },
      pg.query(n.database, "select name, count(*) as n from tool_calls group by name"))
    assert.same({ { nights = 2 } }, pg.query(n.database, "select (vars ->> 'nights')::int as nights from calls"))
    assert.is_nil(pg.query(n.database, "select reason from call_costs")[1].reason)
    assert.same({ { rule = "flood" } }, pg.query(n.database, "select rule from triage_matches"))
    assert.same({ { known = '{"calls": 1, "heard": 1}' } },
      pg.query(n.database, "select vapi_heard('other-desk')::text as known"))
    assert.equal(1, #n:log("triage.match"))
    assert.same({}, n:log("errand.failed"))
    assert.matches("vapi\n  [%x-]+  ended: .- %(ok%), by redirect, told by both", (n:ringdown("why", row.call)))
    assert.truthy(pg.query(n.database, "select heard from turns where heard like '%seven to ten%'")[1])
  end)

  it("may be begun there first; where that cannot be, it is redirected all the same", function()
    proc.write(n.agents .. "/other-desk.lua", (AGENT:gsub("8e9a1b30\" }", '8e9a1b30", route = "bypass" }')))
    assert.truthy(proc.wait_for(function()
      return n:log("agents.reloaded")[1]
    end, 10))
    local function routes()
      return pg.query(n.database, "select coalesce(route, 'redirect') as route from vapi_calls order by created_at")
    end
    -- An emergency takes the caller from Vapi: somebody who presses 1 has them.
    local placed = n:place { scenarios = { "holds-the-line" }, to = "+13125550100", rest = true, people = {
      ["+13125550188"] = { answers = "human", after = "500ms", presses = "1", talks = "1s" } } }
    assert.truthy(n.vapi:wait_hook("status-update", function(h)
      return h.message.status == "in-progress" and #n.vapi:calls() == 2
    end))
    n.vapi:hook { call = "last", type = "transcript", fields = { role = "user", transcriptType = "final",
      transcript = "I smell gas" } }
    assert.truthy(proc.wait_for(function()
      return pg.query(n.database, "select rule from triage_matches where state = 'handled'")[1]
    end, 20))
    placed:wait()
    n.vapi:control("faults", { words = "no-twiml" })
    assert.is_true((n:call { scenarios = { "hears-and-hangs-up" }, to = "+13125550100" }))
    assert.truthy(n:log("vapi.no_bypass")[1])
    n:wait_shipped()
    assert.same({ { route = "redirect" }, { route = "bypass" }, { route = "redirect" } }, routes())
  end)

  it("has a past there, which is taken over once", function()
    n.vapi:control("call", { past = 12, minutes = 30 })
    local function imported()
      return n:ringdown("vapi", "import", "--json")
    end
    assert.equal(12, imported().taken)
    local again = imported()
    assert.same({ 0, 12 }, { again.taken, again.there })
    assert.same({ { n = 12 } }, pg.query(n.database, "select count(*) as n from calls where imported"))
  end)

  teardown(function()
    if n then
      n:stop()
    end
  end)
end)
