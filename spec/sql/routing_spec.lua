-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

local CALL = ("CA%032x"):format(1)

describe("where calls go, in the database", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  local function value(sql)
    return pg.query(url, ("select (%s)::text as v"):format(sql))[1].v
  end

  local function version()
    return math.tointeger(tonumber(value "select version from routing_version"))
  end

  local function routed(columns)
    return pg.query(url, ("select %s from calls where call = '%s'"):format(columns, CALL))[1]
  end

  it("grows a number with each change, which is all that nodes ask for", function()
    local before = version()
    value "rollout_put('sales', 0, '{\"percent_bp\": 2500, \"state\": \"running\"}', 'alice')"
    assert.equal(before + 1, version())
    value "force_put('vapi', 'bob', 'OpenAI is down')"
    assert.equal(before + 2, version())
    assert.is_nil(value "rollout_put('sales', 0, '{}', 'carol')") -- too late: nothing was written
    assert.equal(before + 2, version())
  end)

  it("has one force switch, whose every turn is in the audit", function()
    assert.same({}, pg.query(url, "select system from force_now"))
    assert.equal("1", value "force_put('vapi', 'bob', 'OpenAI is down')")
    assert.equal("2", value "force_put('off', 'alice')")
    assert.same({ { system = "off", version = 2, who = "alice" } },
      pg.query(url, "select system, version, who from force_now"))
    assert.same({ { who = "bob", before = "off", after = "vapi" }, { who = "alice", before = "vapi", after = "off" } },
      pg.query(url, [[select who, before ->> 'system' as before, after ->> 'system' as after from audit
        where what = 'force' order by id]]))
    local ok = pcall(value, "force_put('neither', 'bob')")
    assert.is_false(ok)
  end)

  it("keeps a plan's hours with its version", function()
    value "rollout_put('sales', 0, '{\"schedule\": {\"when\": \"open\"}}', 'alice')"
    assert.equal("open", value "select schedule ->> 'when' from rollout_now where agent = 'sales'")
  end)

  it("begins a plan with the share in the agent's file, once", function()
    assert.equal("2", value "rollouts_seed('{\"sales\": 2500, \"support\": 0}')")
    assert.equal("0", value "rollouts_seed('{\"sales\": 9900}')")
    assert.same({ { agent = "sales", version = 1, percent_bp = 2500, state = "running", updated_by = "ringdown" },
      { agent = "support", version = 1, percent_bp = 0, state = "pilot", updated_by = "ringdown" } },
      pg.query(url, "select agent, version, percent_bp, state, updated_by from rollout_now order by agent"))
    assert.equal("2", value "select count(*) from audit where what = 'rollout.seed'")
  end)

  local split = { system = "openai", first = "openai", first_reason = "split", reason = "split", unit = "caller",
    key_hash = ("a"):rep(64), bucket = 618, percent_bp = 2500, rollout = 17, version = "v7" }

  it("has what was decided for a call, and by which version of the plan", function()
    local c = events.call(1)
    c:add("decision", split)
    events.ingest(url, c.list)
    assert.same({ routed_first = "openai", first_reason = "split", route_reason = "split", rollout_version = 17,
      route_unit = "caller", bucket = 618, percent_bp = 2500, reason = "split" },
      routed [[routed_first, first_reason, route_reason, rollout_version, route_unit, bucket, percent_bp, reason]])
  end)

  it("keeps the first decision, whatever followed and in whatever order it came", function()
    local c = events.call(1)
    c:add("decision", split)
    c:add("decision", { system = "vapi", first = "vapi", first_reason = "pinned", reason = "pinned" })
    c:add("decision", { system = "fallback", reason = "script_late", fix = "make it faster" })
    for _, order in ipairs { { 1, 2, 3 }, { 3, 2, 1 }, { 2, 3, 1 } } do
      pg.run(url, "truncate calls, call_events cascade")
      for _, i in ipairs(order) do
        events.ingest(url, { c.list[i] })
      end
      assert.same({ system = "fallback", reason = "script_late", routed_first = "openai", route_reason = "split",
        rollout_version = 17 }, routed "system, reason, routed_first, route_reason, rollout_version")
    end
  end)

  it("tells a call that failed over from one that its bucket sent there", function()
    local c = events.call(1)
    c:add("decision", { system = "vapi", first = "openai", first_reason = "split", reason = "failover:breaker",
      failover = "breaker", bucket = 618, percent_bp = 2500, rollout = 17, unit = "caller" })
    events.ingest(url, c.list)
    assert.same({ system = "vapi", routed_first = "openai", first_reason = "split", route_reason = "failover:breaker" },
      routed "system, routed_first, first_reason, route_reason")
  end)

  it("knows of a call that failed over before anything was decided for it", function()
    local c = events.call(1)
    c:add("decision", { system = "vapi", reason = "failover:full" })
    events.ingest(url, c.list)
    assert.same({ system = "vapi", route_reason = "failover:full" }, routed "system, routed_first, route_reason")
  end)

  it("shows an agent's own words beside the reason", function()
    local c = events.call(1)
    c:add("decision", { system = "vapi", first = "vapi", first_reason = "agent", reason = "agent", detail = "vip" })
    events.ingest(url, c.list)
    assert.same({ reason = "vip", route_reason = "agent" }, routed "reason, route_reason")
  end)

  it("remembers where a call went, when its webhook comes again", function()
    local c = events.call(1, { started_us = math.tointeger(os.time()) * 1000000 })
    c:add("decision", split)
    events.ingest(url, c.list)
    assert.equal("openai", value(("call_pinned('%s')"):format(CALL)))
    assert.is_nil(value(("call_pinned('CA%032x')"):format(2)))
    pg.run(url, "update calls set started_at = now() - interval '3 days'")
    assert.is_nil(value(("call_pinned('%s')"):format(CALL)))
  end)

  it("forgets a caller's hash with the caller", function()
    local c = events.call(1)
    c:add("decision", split)
    events.ingest(url, c.list)
    value "erase_caller('+13125550142', null)"
    assert.equal("0", value "select count(*) from call_events where body ? 'key_hash'")
    assert.same({ route_reason = "split", bucket = 618 }, routed "route_reason, bucket")
  end)
end)
