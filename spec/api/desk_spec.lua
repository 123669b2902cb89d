-- SPDX-License-Identifier: Apache-2.0
-- What somebody at a desk changes: customers, visits, who must not be texted; each with its row in the audit, in which
-- nothing stands that was written about a person.
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local world = require "spec.api.world"

local seed_sql = [[
  insert into customers (agent, number, name, notes, facts) values
    ('plumber', '+13125550142', 'Maria Garcia', 'dog', '{"lift": "3rd"}'),
    ('dentist', '+13125550143', 'Tom Ward', null, '{}');
  insert into appointments (agent, resource, during, customer, service) values
    ('plumber', 'truck 1', tstzrange('2027-01-05 15:00Z', '2027-01-05 16:00Z'), 1, 'drain'),
    ('plumber', 'truck 1', tstzrange('2027-01-05 17:00Z', '2027-01-05 18:00Z'), 1, 'drain');
]]

describe("somebody at a desk", function()
  local of_dentist, operator, viewer

  setup(function()
    world.begin { seed = function(url) pg.run(url, seed_sql) end }
    of_dentist = world.token { role = "operator", agents = { "dentist" } }
    operator = world.token { name = "desk", role = "operator" }
    viewer = world.token { role = "viewer" }
  end)
  teardown(world.finish)
  before_each(function()
    world.fresh()
    host.known_agents = { { name = "plumber", numbers = {}, countries = '{"US":true}',
      shown = json.encode { time_zone = "America/Chicago" } } }
  end)

  local function audit(what)
    return world.rows(("select who, subject, before, after from audit where what = '%s' order by id desc limit 1")
      :format(what))[1]
  end

  local function change(method, path, body, more)
    local o = { token = operator, body = body }
    for key, value in pairs(more or {}) do
      o[key] = value
    end
    return world.ask(method, path, o)
  end

  describe("edits a customer", function()
    local C = "/customers/1"

    it("from what was seen, and says which fields changed, not how", function()
      local _, _, seen = world.ask("GET", C)
      local status, now, answer = change("PATCH", C, { name = "Maria Garcia-Lopez", vip = true, clear = { "notes" } },
        { headers = { ["if-match"] = seen.headers.etag } })
      assert.equal(200, status)
      assert.same({ "Maria Garcia-Lopez", { lift = "3rd", vip = true } }, { now.name, now.facts })
      assert.is_nil(now.notes)
      local row = audit "customer.change"
      assert.same({ "token desk (operator)", "1", { "name", "notes", "facts" } }, { row.who, row.subject,
        row.after.changed })
      assert.equal(answer.headers.etag, '"' .. row.after.version .. '"')
      assert.is_nil(json.encode(row):find("Garcia", 1, true))
      local stale, why = change("PATCH", C, { name = "M" }, { headers = { ["if-match"] = seen.headers.etag } })
      assert.same({ 412, "Maria Garcia-Lopez" }, { stale, why.current.name })
    end)

    it("of their own agents only, with something to say, and not the same twice", function()
      assert.equal(404, (change("PATCH", C, { name = "x" }, { token = of_dentist })))
      assert.equal(403, (change("PATCH", C, { name = "x" }, { token = viewer })))
      assert.equal(422, (change("PATCH", C, { email = "nobody" })))
      assert.equal(422, (change("PATCH", C, {})))
      assert.equal(422, (change("PATCH", C, { name = "x", clear = { "name" } })))
      assert.equal(404, (change("PATCH", "/customers/999", { name = "x" })))
      change("PATCH", C, { name = "Same" })
      local before = #world.rows "select 1 as one from audit"
      assert.equal(200, (change("PATCH", C, { name = "Same" })))
      assert.equal(before, #world.rows "select 1 as one from audit")
    end)
  end)

  describe("changes a visit", function()
    it("to a free hour, and not to a taken one", function()
      local status, now = change("POST", "/appointments/1/move", { begins = "2027-01-05T18:00:00Z", minutes = 90 })
      assert.equal(200, status)
      assert.matches("^2027%-01%-05T18:00:00", now.begins)
      assert.matches("^2027%-01%-05T19:30:00", now.ends)
      local row = audit "appointment.move"
      assert.same({ "token desk (operator)", "1" }, { row.who, row.subject })
      assert.matches("15:00:00", row.before.begins)
      assert.matches("18:00:00", row.after.begins)
      local taken, why = change("POST", "/appointments/1/move", { begins = "2027-01-05T17:30:00Z" })
      assert.same({ 409, "Somebody has that hour" }, { taken, why.title })
      assert.equal(200, (change("POST", "/appointments/1/move", { begins = "2027-01-05T17:30:00Z",
        resource = "truck 2" })))
      assert.equal(422, (change("POST", "/appointments/1/move", {})))
    end)

    it("once for a key that is sent twice, and from what was seen", function()
      local _, _, seen = world.ask("GET", "/appointments/1")
      local more = { headers = { ["idempotency-key"] = "k1" } }
      local _, first = change("POST", "/appointments/1/move", { minutes = 45 }, more)
      local _, second, answer = change("POST", "/appointments/1/move", { minutes = 45 }, more)
      assert.equal("true", answer.headers["idempotent-replayed"])
      assert.equal(first.ends, second.ends)
      assert.equal(412, (change("POST", "/appointments/1/cancel", nil, { headers = { ["if-match"] =
        seen.headers.etag } })))
    end)

    it("by calling it off, which frees its hour and cannot be moved", function()
      local status, now = change("POST", "/appointments/2/cancel")
      assert.same({ 200, "cancelled" }, { status, now.status })
      assert.equal("cancelled", audit "appointment.cancel".after.status)
      assert.equal(200, (change("POST", "/appointments/2/cancel")))
      local moved, why = change("POST", "/appointments/2/move", { minutes = 30 })
      assert.same({ 409, "This visit was called off" }, { moved, why.title })
      assert.equal(200, (change("POST", "/appointments/1/move", { begins = "2027-01-05T17:00:00Z",
        resource = "truck 1" })))
      assert.equal(404, (change("POST", "/appointments/1/cancel", nil, { token = of_dentist })))
    end)
  end)

  describe("says who must not be texted", function()
    local function look(query)
      local _, value, answer = world.ask("GET", "/opt-outs" .. query, { token = operator })
      return assert(value.items, answer.body)
    end

    it("without keeping the number, and finds it by the number", function()
      local status, done = change("POST", "/opt-outs", { number = "+13125550142" })
      assert.same({ 200, "out", "*", "operator" }, { status, done.items[1].state, done.items[1].sender,
        done.items[1].source })
      assert.equal(done.items[1].hash, look "?number=%2B13125550142"[1].hash)
      assert.equal(0, #look "?number=%2B13125550149")
      local row = audit "opt_out.out"
      assert.equal(done.items[1].hash, row.subject)
      assert.is_nil(row.after[1].number)
      local before = #world.rows "select 1 as one from audit"
      change("POST", "/opt-outs", { number = "+13125550142" })
      assert.equal(before, #world.rows "select 1 as one from audit")
    end)

    it("of one number of ours, page by page, and takes it back", function()
      change("POST", "/opt-outs", { number = "+13125550144", sender = "+13125550100" })
      local _, page = world.ask("GET", "/opt-outs?limit=1&state=out", { token = operator })
      assert.equal("+13125550100", page.items[1].sender)
      assert.equal("*", look("?limit=1&state=out&cursor=" .. page.next)[1].sender)
      assert.equal(404, (change("DELETE", "/opt-outs/+13125550144?sender=*")))
      local status, back = change("DELETE", "/opt-outs/+13125550144")
      assert.same({ 200, "in" }, { status, back.items[1].state })
      assert.equal(404, (change("DELETE", "/opt-outs/+13125550144")))
      assert.same({ "out", "in" }, { audit "opt_out.in".before[1].state, audit "opt_out.in".after[1].state })
      assert.equal(1, #look "?state=in")
    end)

    it("from one number of ours or from all, and not from what is neither", function()
      for _, sender in ipairs { "+", "*1", "+1", "+0312555010", "13125550100" } do
        assert.equal(422, (change("POST", "/opt-outs", { number = "+13125550149", sender = sender })), sender)
      end
      assert.equal(404, (change("DELETE", "/opt-outs/+13125550149")))
    end)

    it("for operators of all agents; viewers may not look for a number", function()
      assert.equal(403, (change("POST", "/opt-outs", { number = "+13125550142" }, { token = of_dentist })))
      assert.equal(403, (world.ask("GET", "/opt-outs?number=%2B13125550142", { token = viewer })))
      assert.equal(200, (world.ask("GET", "/opt-outs", { token = viewer })))
      assert.equal(400, (world.ask("GET", "/opt-outs?cursor=WyJ4Il0", { token = operator })))
    end)
  end)

  describe("imports", function()
    local function import(what, text)
      return change("POST", ("/%s/import"):format(what), text, { headers = { ["content-type"] = "text/csv" } })
    end

    it("a visit again, with a corrected name and number", function()
      local head = "agent,resource,begins,minutes,number,name,key\n"
      import("appointments", head .. "plumber,truck 9,2027-02-01 09:00,60,+13125550151,Mary,k9\n")
      local _, again = import("appointments", head .. "plumber,truck 9,2027-02-01 09:00,60,+13125550152,Maria,k9\n")
      assert.same({ 1, 0 }, { again.changed, again.same })
      assert.same({ { name = "Maria", number = "+13125550152" } }, world.rows [[select a.name, c.number
        from appointments a join customers c on c.id = a.customer where idempotency_key = 'import:plumber:k9']])
      local _, same = import("appointments", head .. "plumber,truck 9,2027-02-01 09:00,60,+13125550152,Maria,k9\n")
      assert.equal(1, same.same)
      local _, without = import("appointments", "agent,resource,begins,minutes,key\n"
        .. "plumber,truck 9,2027-02-01 09:00,60,k9\n")
      assert.equal(1, without.same)
    end)

    it("in parts, each with its row in the audit, also when the next one fails", function()
      local lines = { "agent,number,name" }
      for i = 1, 700 do
        lines[#lines + 1] = ("plumber,+1312556%04d,Name %d"):format(i, i)
      end
      local real, n = host.query, 0
      rawset(host, "query", function(sql, ...)
        n = n + (sql:find "import_part" and 1 or 0)
        if n == 2 and sql:find "import_part" then
          return nil, "gone", "down"
        end
        return real(sql, ...)
      end)
      local status = import("customers", table.concat(lines, "\n") .. "\n")
      rawset(host, "query", real)
      assert.equal(503, status)
      assert.equal(500, #world.rows "select 1 as one from customers where number like '+1312556%'")
      local row = audit "customers.import"
      assert.same({ 500, 500, 2, 501, "token desk (operator)" }, { row.after.lines, row.after.new,
        row.after.first_line, row.after.last_line, row.who })
    end)
  end)
end)
