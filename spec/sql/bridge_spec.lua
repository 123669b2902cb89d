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
    c:add("failover", { from_system = "openai", to_system = "vapi", why = "refused" })
    events.ingest(url, c.list)
    events.ingest(url, c.list)
    assert.same({ system = "openai", failed_over_to = "vapi" },
      pg.query(url, "select system, failed_over_to from calls")[1])
    assert.equal("failover", pg.query(url,
      ("select why_events('%s', array['operator', 'resumed']) #>> '{0,type}' as type"):format(SID))[1].type)
  end)

  it("keeps its caller, and a journal of before is read as it was written", function()
    local url = pg.database()
    for i, fact in ipairs { { from_system = "openai", to_system = "vapi", why = "silent" },
      { from_system = "vapi", to_system = "openai", why = "silent" }, { from = "openai", to = "vapi", why = "silent" },
      { from = "vapi", to = "openai", why = "silent" } } do
      local c = events.call(i)
      c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1" })
      c:add("failover", fact)
      events.ingest(url, c.list)
    end
    assert.same({ { to = "openai", n = 2 }, { to = "vapi", n = 2 } },
      pg.query(url, [[select failed_over_to as "to", count(*) as n from calls group by 1 order by 1]]))
    assert.same({ { from_system = "openai", to_system = "vapi" } }, pg.query(url, ([[
      select e ->> 'from_system' as from_system, e ->> 'to_system' as to_system
      from jsonb_array_elements(why_events('%s', array['resumed'])) e]]):format(SID)))
  end)
end)
