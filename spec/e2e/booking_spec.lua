-- SPDX-License-Identifier: Apache-2.0
-- takes: 45 s
-- Visits that two want, places that share an agent, and a database that is gone in the middle of it.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local desk = [[
-- SPDX-License-Identifier: Apache-2.0
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local db, store = require "ringdown.db", require "ringdown.store"

local price = tool {
  name = "price", about = "What something costs.", effect = "read",
  args = { what = { type = "string", about = "what" } },
  run = function(call, args)
    local row = db.one("select amount, currency from price_list where what = $1", args.what)
    if not row then return nil, "not on the list" end
    local ok, why = pcall(db.one, "select number from customers")
    return { price = row.amount, asked = store.incr("price " .. args.what, 1, { ttl = "1d" }), site = call.site.id,
      others = not ok and why:match "permission denied" or "seen", parking = call.site.parking }
  end,
}

return agent {
  name = "desk", numbers = { "+13125550100" }, time_zone = "America/Chicago",
  hours = { mon_fri = "09:00-10:00", sat = "09:00-10:00", sun = "09:00-10:00" },
  needs = { tables = { "price_list" } }, people = { boss = "+13125550101" },
  emergencies = { { id = "left", severity = "normal", any = { "that was everything" },
    text = { to = "boss", body = "Somebody left {{site.name}}" } } },
  greeting = "Hello.", prompt = 'You are at {{site.name}}. Parking: {{site.parking or "none"}}.',
  tools = { tools.book_appointment { lead = "0m" }, price, tools.end_call },
  on = { utterance = function(call)
    if call.site.id ~= "default" then call:say("You have reached " .. call.site.name) end
  end },
}
]]

local sites = [[
return {
  lakeview = { name = "Northside Lakeview", hours = { mon_fri = "08:00-17:00" }, prices = { drain = "$90" },
    people = { boss = "+13125550199" }, facts = { parking = "behind the house" } },
  loop = { name = "Northside Loop", time_zone = "America/Chicago" },
}
]]

describe("a desk with a calendar", function()
  local n

  setup(function()
    n = node.start { agents = { ["desk.lua"] = desk } }
    pg.run(n.database, "create table price_list (what text, amount integer, currency text);"
      .. "insert into price_list values ('drain', 90, 'USD')")
  end)

  teardown(function()
    assert.equal(0, n:stop())
  end)

  local function outputs(tool)
    assert.is_truthy(n:wait_shipped())
    local list = {}
    for i, row in ipairs(pg.query(n.database, ("select output from tool_calls where name = '%s' "
      .. "and output is not null order by output"):format(tool))) do
      list[i] = json.decode(row.output)
    end
    return list
  end

  local function good(reports)
    for _, report in ipairs(reports) do
      assert.equal("", report.why, report.scenario)
    end
  end

  it("is told which places there are, and what is wrong with that", function()
    local file = n.folder .. "/places.lua"
    proc.write(file, (sites:gsub("mon_fri", "mon_fry")))
    local said, code = n:ringdown("sites", "import", file)
    assert.equal(2, code)
    assert.matches("places.lua:2: lakeview.hours.mon_fry: unknown; allowed: mon, mon_fri", said, 1, true)
    proc.write(file, sites)
    said, code = n:ringdown("sites", "import", file)
    assert.equal(0, code, said)
    assert.matches("2 new, 0 changed", said, 1, true)
    said, code = n:ringdown("numbers", "assign", "+13125550105", "--site", "nowhere")
    assert.equal(1, code)
    assert.matches("there are: lakeview, loop", said, 1, true)
    pg.run(n.database, [=[update sites set facts = facts || '{"people":{"boss":"+447700900123"}}'
      where site = 'loop']=])
    said, code = n:ringdown("numbers", "assign", "+13125550105", "--site", "loop")
    assert.equal(1, code)
    assert.matches("loop.people.boss: +447700900123 is in GB, where this agent calls nobody", said, 1, true)
    said, code = n:ringdown("sites", "import", file, "--agent", "nobody")
    assert.equal(2, code)
    assert.matches("no agent 'nobody' loads from", said, 1, true)
    said, code = n:ringdown("numbers", "assign", "+13125550105", "--site", "lakeview")
    assert.equal(0, code, said)
    assert.matches("The node here knows", said, 1, true)
    said, code = n:ringdown("why", "+13125550105", "--from", "+13125550142")
    assert.equal(0, code, said)
    assert.matches("answered by [%w-]+, site lakeview: assigned by ringdown by %w+, 2", said)
    assert.matches("system      OpenAI: how the agent runs; there is no rollout\n", said, 1, true)
  end)

  it("gives one hour to one of two callers who want it at once", function()
    local ok, reports = n:call { scenarios = { "books-nine", "books-nine-too", "asks-the-price" } }
    good(reports)
    assert.is_true(ok)
    local states = {}
    for _, output in ipairs(outputs "book_appointment") do
      states[tostring(output.booked)] = output
    end
    assert.equal("9 am", states["true"].time)
    assert.matches("just been taken", states["false"].say)
    assert.equal(1, pg.query(n.database, "select count(*) as n from appointments")[1].n)
    assert.equal(1, pg.query(n.database, "select count(*) as n from customers where name in ('Ann Lee', 'Bob Ray') "
      .. "and id in (select customer from appointments)")[1].n)
  end)

  it("answers as the place that its number was assigned to", function() -- who was the third to call
    assert.same({ { price = 90, asked = 1, site = "lakeview", others = "permission denied",
      parking = "behind the house" } }, outputs "price")
    local told = proc.wait_for(function()
      return pg.query(n.database, "select to_number, body from texts where from_number = '+13125550105'")[1]
    end, 5)
    assert.same({ to_number = "+13125550199", body = "Somebody left Northside Lakeview" }, told)
    assert.equal("lakeview", n:ringdown("numbers", "list", "--json")[1].site)
  end)

  it("says that nothing is booked when the database is gone, and the call goes on", function()
    pg.halt()
    local ok, reports = n:call { scenarios = { "books-nine", "asks-the-price" } }
    pg.start()
    for _, report in ipairs(reports) do
      assert.equal("agent", report.ended_by, report.why)
    end
    assert.is_true(ok) -- the place's name was spoken, too: numbers are known without a database
    local last
    for _, output in ipairs(outputs "book_appointment") do
      last = output.failed and output or last
    end
    assert.matches("nothing is booked yet", last.say)
  end)
end)
