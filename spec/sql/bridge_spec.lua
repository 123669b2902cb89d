-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

local SID = ("CA%032x"):format(1)

describe("a call that failed over", function()
  it("is found by who went on with it, and by who looks at what was done to it", function()
    local url = pg.database()
    local c = events.call(1)
    c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1" })
    c:add("decision", { system = "openai", reason = "split", first = "openai", first_reason = "split", version = "v7" })
    c:add("failover", { from = "openai", to = "vapi", why = "refused" })
    events.ingest(url, c.list)
    events.ingest(url, c.list)
    assert.same({ system = "openai", failed_over_to = "vapi" },
      pg.query(url, "select system, failed_over_to from calls")[1])
    assert.equal("failover", pg.query(url,
      ("select why_events('%s', array['operator', 'resumed']) #>> '{0,type}' as type"):format(SID))[1].type)
  end)
end)
