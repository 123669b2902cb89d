-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

local SID = ("CA%032x"):format(1)

describe("a call that failed over", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  local function one(sql)
    return pg.query(url, sql)[1]
  end

  local function began(system, reason)
    local c = events.call(1)
    c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1" })
    c:add("decision", { system = system, reason = reason, first = system, first_reason = reason, version = "v7",
      bucket = 17, percent_bp = 2500, rollout = 3, unit = "caller" })
    return c
  end

  it("is no evidence once the other system went on with it, whatever is told first", function()
    local function evidence_of(first, second)
      local list = {}
      for _, e in ipairs(first) do list[#list + 1] = e end
      events.ingest(url, list)
      events.ingest(url, second)
      return one "select route_reason, failed_over_to, system from calls"
    end
    local c = began("openai", "split")
    c:add("failover", { from = "openai", to = "vapi", why = "refused" })
    local expected = { route_reason = "failover:in_call", failed_over_to = "vapi", system = "openai" }
    assert.same(expected, evidence_of({ c.list[1], c.list[2] }, { c.list[3] }))
    url = pg.database()
    assert.same(expected, evidence_of({ c.list[1], c.list[3] }, { c.list[2] }))
    assert.equal("failover", pg.query(url,
      ("select why_events('%s', array['operator', 'resumed']) #>> '{0,type}' as type"):format(SID))[1].type)
  end)
end)
