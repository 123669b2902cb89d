-- SPDX-License-Identifier: Apache-2.0
-- What calls were like and what they cost, by the admin API: the numbers are ringdown.stats's, which has specs of its
-- own; here is who may see which.
local events = require "spec.support.events"
local host = require "ringdown.fake.host"
local roll = require "ringdown.stats.roll"
local world = require "spec.api.world"

local function seed(url)
  local began_us = (os.time() - 3 * 3600) * 1000000
  for n, agent in ipairs { "plumber", "plumber", "dentist" } do
    local list = events.conversation(n, { started_us = began_us + n * 60000000, common = { agent = agent } }).list
    for _, e in ipairs(list) do
      if e.type == "usage" then
        e.body.cut_off = n == 1 and "max_output_tokens" or nil
      end
    end
    events.ingest(url, list)
  end
end

describe("the admin API tells", function()
  local of_dentist, viewer, operator
  local operated
  local any = { ["if-match"] = "*" }

  setup(function()
    world.begin { seed = seed }
    of_dentist = world.token { role = "viewer", agents = { "dentist" } }
    viewer, operator = world.token { role = "viewer" }, world.token { role = "operator" }
    roll.run()
  end)
  teardown(function()
    host.node = nil
    world.finish()
  end)

  before_each(function()
    world.fresh()
    operated = {}
    host.node = { operate = function(kind)
      operated[#operated + 1] = kind
      return true
    end }
  end)

  it("what calls were like, to each their own agents'", function()
    local status, all = world.ask("GET", "/statistics?by=agent", { token = viewer })
    assert.same({ 200, 3, 2 }, { status, all.total.calls, #all.groups })
    assert.equal(1, select(2, world.ask("GET", "/statistics", { token = of_dentist })).total.calls)
    assert.equal(404, (world.ask("GET", "/statistics?agent=plumber", { token = of_dentist })))
    assert.equal(2, select(2, world.ask("GET", "/statistics?agent=plumber")).total.calls)
  end)

  it("what the model was given, how much of it came from its cache, and what went wrong", function()
    local _, all = world.ask("GET", "/statistics", { token = viewer })
    local m = all.total.model
    assert.same({ 3, 3 * 132, 3 * 121, 3 * 64 }, { m.answers, m.tokens_in, m.tokens_out, m.tokens_cached })
    assert.is_true(math.abs(m.cache_share - 64 / 132) < 1e-9)
    assert.same({ 1, 0 }, { m.cut_off, m.incomplete }) -- of one the model did not say the end; all told what they used
    assert.same({ "provider.rate_limited", 3 }, { all.errors[1].code, all.errors[1].n })
    local _, by = world.ask("GET", "/statistics?by=agent", { token = of_dentist })
    assert.same({ 1, 132, 0 }, { #by.groups, by.groups[1].model.tokens_in, by.groups[1].model.cut_off })
    assert.equal(3, all.total.turn_latency.n)
    assert.is_true(math.abs(all.total.turn_latency.p95_ms - 3000) <= 3000 / 16)
    assert.equal(1, by.groups[1].turn_latency.n)
    assert.is_nil(select(2, world.ask("GET", "/statistics?system=vapi")).total.model)
  end)

  it("the same as a table", function()
    local status, text, answer = world.ask("GET", "/statistics?by=agent&format=csv")
    assert.same({ 200, "text/csv; charset=utf-8" }, { status, answer.type })
    assert.matches("plumber", text)
  end)

  it("what is wrong with a time", function()
    for _, query in ipairs { "since=2026-13-45", "since=soon", "until=never", "by=shoe", "since=%27%3B--" } do
      for _, path in ipairs { "/statistics?", "/costs?", "/costs/calls?" } do
        assert.equal(422, (world.ask("GET", path .. query)), path .. query)
      end
    end
  end)

  it("what it cost, which calls that was, and how both systems compare", function()
    local status, costs = world.ask("GET", "/costs")
    assert.equal(200, status)
    assert.equal(3, costs.total.cost.known_calls + costs.total.cost.unknown_calls)
    assert.matches("^%d+%.%d%d$", costs.usd)
    assert.equal(3, #select(2, world.ask("GET", "/costs/calls?since=7d")).calls)
    assert.equal(1, #select(2, world.ask("GET", "/costs/calls?since=7d", { token = of_dentist })).calls)
    local function named(query)
      return select(2, world.ask("GET", "/costs/calls?" .. query)).period.text
    end
    assert.equal("2026-11-02 to 2026-11-03", named "local_from=2026-11-02&local_to=2026-11-04")
    assert.equal("2026-11-02", named "local_from=2026-11-02&local_to=2026-11-03")
    assert.equal("since 2026-11-02T10:00:00Z", named "from=2026-11-02T10:00:00Z")
    local _, compared = world.ask("GET", "/costs/compare?agent=plumber")
    assert.equal("plumber", compared.agent)
    assert.is_table(compared.measures.per_minute)
    assert.equal(422, (world.ask("GET", "/costs/compare")))
    assert.equal(404, (world.ask("GET", "/costs/compare?agent=plumber", { token = of_dentist })))
  end)

  it("prices, and takes another one from a day on", function()
    local _, before = world.ask("GET", "/costs/rates?what=sms", { token = viewer })
    assert.same({ 1, "0.0083", "segment" }, { #before.items, before.items[1].usd, before.items[1].per })
    local body = { what = "sms", unit = "segment", price = "0.0079", from = "2099-01-01", source = "the contract" }
    assert.equal(403, (world.ask("POST", "/costs/rates", { body = body, token = operator })))
    local status, made = world.ask("POST", "/costs/rates", { body = body })
    assert.same({ 201, "0.0079" }, { status, made.rate.usd })
    assert.matches("what was reckoned before keeps its own", made.next_call)
    assert.equal(2, #select(2, world.ask("GET", "/costs/rates?what=sms")).items)
    assert.truthy(#world.rows "select 1 as one from audit where what like '%rate%'" > 0)
    for _, wrong in ipairs { { price = "cheap" }, { unit = "hour" }, { from = "2020-01-01" }, { model = "gpt" } } do
      local copy = {}
      for name, value in pairs(body) do
        copy[name] = wrong[name] or value
      end
      copy.model = wrong.model
      assert.equal(422, (world.ask("POST", "/costs/rates", { body = copy })), next(wrong))
    end
  end)

  it("what calls may cost, and takes another cap", function()
    host.known_agents = { { name = "plumber", numbers = {}, shown = '{"openai":true,"budget":{"day":25,"call":2}}' },
      { name = "dentist", numbers = {}, shown = '{"openai":true}' } }
    local _, list = world.ask("GET", "/costs/caps", { token = viewer })
    assert.same({ 1, "plumber", 25000000, 2000000 }, { #list.items, list.items[1].agent, list.items[1].day_micro_usd,
      list.items[1].call_micro_usd })
    assert.is_nil(list.items[1].set_by)
    assert.same({}, select(2, world.ask("GET", "/costs/caps", { token = of_dentist })).items)
    local body = { day_micro_usd = 10000000 }
    assert.equal(403, (world.ask("PUT", "/costs/caps/plumber", { body = body, token = operator })))
    assert.equal(428, (world.ask("PUT", "/costs/caps/plumber", { body = body })))
    assert.equal(422, (world.ask("PUT", "/costs/caps/plumber", { body = {}, headers = any })))
    assert.equal(404, (world.ask("PUT", "/costs/caps/nobody", { body = body, headers = any })))
    local _, made = world.ask("PUT", "/costs/caps/plumber", { body = body, headers = any })
    assert.same({ 10000000, "control socket uid 0" }, { made.caps[1].day_micro_usd, made.caps[1].set_by })
    assert.equal(200, (world.ask("PUT", "/costs/caps/all", { body = body, headers = any })))
    assert.equal(2, #select(2, world.ask("GET", "/costs/caps")).items)
    assert.equal(403, (world.ask("GET", "/costs/caps/all", { token = of_dentist }))) -- not "nothing is set"
    local _, left = world.ask("DELETE", "/costs/caps/plumber", { headers = any })
    assert.equal(25000000, left.caps[2].day_micro_usd)
    assert.equal(3, #world.rows "select 1 as one from audit where what = 'budget.set'")
    world.ask("DELETE", "/costs/caps/all", { headers = any })
  end)

  it("that a cap is set from what was seen of it, or not at all", function()
    host.known_agents = { { name = "plumber", numbers = {}, shown = '{"openai":true}' } }
    local path = "/costs/caps/plumber"
    local _, none, answer = world.ask("GET", path)
    assert.same({ "0", '"0"' }, { none.version, answer.headers.etag })
    local seen = { ["if-match"] = answer.headers.etag }
    local _, made, first = world.ask("PUT", path, { headers = seen, body = { day_micro_usd = 1000000 } })
    assert.is_true(made.changed)
    assert.equal(first.headers.etag, select(3, world.ask("GET", path)).headers.etag)
    local late, why = world.ask("PUT", path, { headers = seen, body = { day_micro_usd = 2000000 } })
    assert.same({ 412, 1000000, "control socket uid 0" }, { late, why.current.day_micro_usd, why.current.set_by })
    assert.equal(412, (world.ask("DELETE", path, { headers = seen })))
    local _, same = world.ask("PUT", path, { headers = { ["if-match"] = first.headers.etag },
      body = { day_micro_usd = 1000000 } })
    assert.is_false(same.changed)
    local _, gone = world.ask("DELETE", path, { headers = { ["if-match"] = first.headers.etag } })
    assert.same({ true, "0", 1000000 }, { gone.changed, gone.version, gone.was.day_micro_usd })
  end)

  it("that a price is set from those that were seen, or not at all", function()
    local body = { what = "sms", unit = "segment", price = "0.0071", from = "2098-01-01", dry_run = true }
    local _, would = world.ask("POST", "/costs/rates", { body = body })
    local seen = { ["if-match"] = '"' .. would.version .. '"' }
    body.dry_run = nil
    assert.equal(201, (world.ask("POST", "/costs/rates", { body = body, headers = seen })))
    body.price = "0.0072"
    local late, why = world.ask("POST", "/costs/rates", { body = body, headers = seen })
    assert.same({ 412, "0.0071" }, { late, why.current.usd })
    body.recost, body.from = true, os.date("!%Y-%m-%d", os.time() - 86400)
    assert.equal(412, (world.ask("POST", "/costs/rates", { body = body, headers = seen })))
    local new = { what = "openai", model = "gpt-of-tomorrow", unit = "audio_in", price = "3" }
    local status, none = world.ask("POST", "/costs/rates", { body = new, headers = seen })
    assert.same({ 412, nil }, { status, none.current }) -- no price held then
    assert.same({}, operated)
  end)

  it("that calls are reckoned anew, by a job", function()
    local status, begun = world.ask("POST", "/costs/rates", { body = { what = "twilio_dial", unit = "minute",
      price = "0.014", from = os.date("!%Y-%m-%d", os.time() - 86400), recost = true } })
    assert.same({ 202, { "job" } }, { status, operated })
    require("ringdown.jobs").run { job = math.tointeger(tonumber(begun.job)) }
    local _, job = world.ask("GET", "/jobs/" .. begun.job)
    assert.same({ "done", 3 }, { job.state, job.result.again and job.result.again.calls })
  end)

  it("that a job sets a price from those that were seen when it was asked for, or not at all", function()
    local body = { what = "twilio_stream", unit = "minute", price = "0.005", recost = true, dry_run = true,
      from = os.date("!%Y-%m-%d", os.time() - 86400) }
    local seen = { ["if-match"] = '"' .. select(2, world.ask("POST", "/costs/rates", { body = body })).version .. '"' }
    body.dry_run = nil
    local status, begun = world.ask("POST", "/costs/rates", { body = body, headers = seen })
    assert.equal(202, status)
    assert.equal(201, (world.ask("POST", "/costs/rates", { body = { what = "twilio_stream", unit = "minute",
      price = "0.006" } })))
    pcall(require("ringdown.jobs").run, { job = math.tointeger(tonumber(begun.job)) })
    local _, job = world.ask("GET", "/jobs/" .. begun.job)
    assert.equal("failed", job.state)
    assert.matches("another price was set meanwhile", job.why)
  end)
end)
