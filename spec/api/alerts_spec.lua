-- SPDX-License-Identifier: Apache-2.0
-- Alerts in the admin API: who sees them, who looks after them, and what nobody wants to hear.
local seed = require "spec.api.seed"
local world = require "spec.api.world"

describe("alerts in the API", function()
  local viewer, operator, elsewhere

  setup(function()
    world.begin { seed = seed.fill }
    viewer, operator = world.token { role = "viewer" }, world.token { name = "ops", role = "operator" }
    elsewhere = world.token { role = "operator", agents = { "brightsmile-dental" } }
  end)
  teardown(function()
    seed.leave()
    world.finish()
  end)
  before_each(function()
    world.fresh()
    seed.surround()
  end)

  it("are those of one's agents", function()
    local _, list = world.ask("GET", "/alerts", { token = viewer })
    assert.equal("failed_calls", list.items[1].rule)
    assert.equal("one call in five fails; the last was +1…42", list.items[1].text)
    assert.same({}, select(2, world.ask("GET", "/alerts", { token = elsewhere })).items)
    assert.equal(404, (world.ask("GET", "/alerts/1", { token = elsewhere })))
    assert.equal(404, (world.ask("POST", "/alerts/1/acknowledge", { token = elsewhere })))
    assert.equal(403, (world.ask("GET", "/alerts/silences", { token = elsewhere })))
  end)

  it("are looked after by the first who says so", function()
    local function take(token)
      return world.ask("POST", "/alerts/1/acknowledge", { token = token, body = { note = "on my way" } })
    end
    assert.equal(403, (take(viewer)))
    local status, alert = take(operator)
    assert.equal(200, status)
    assert.equal("token ops (operator)", alert.acked_by)
    assert.equal(200, (take(operator)))
    local refused, why = take(world.token { role = "operator" })
    assert.equal(409, refused)
    assert.equal("token ops (operator) acknowledged it", why.detail)
    assert.equal(1, #world.rows "select 1 from audit where what = 'alert.ack'")
    assert.equal(404, (world.ask("GET", "/alerts/99")))
  end)

  it("are given back by whoever took them by mistake, once", function()
    local function back(token)
      return world.ask("DELETE", "/alerts/1/acknowledge", { token = token })
    end
    assert.equal(200, (world.ask("POST", "/alerts/1/acknowledge", { token = operator, body = { note = "mine" } })))
    assert.equal(403, (back(viewer)))
    assert.equal(404, (back(elsewhere)))
    local status, alert = back(operator)
    assert.equal(200, status)
    assert.same({}, { alert.acked_by, alert.ack_note, alert.was })
    local refused, why = back(operator)
    assert.equal(409, refused)
    assert.equal("nobody looks after it", why.detail)
    local rows = world.rows "select before ->> 'acked_by' from audit where what = 'alert.unack'"
    assert.equal(1, #rows)
    assert.equal(200, (world.ask("POST", "/alerts/1/acknowledge", { token = operator })))
  end)

  it("come from rules, which say when they fire and what to do", function()
    local status, answer = world.ask("GET", "/alerts/rules", { token = viewer })
    assert.equal(200, status)
    local failed
    for _, rule in ipairs(answer.items) do
      failed = rule.name == "failed_calls" and rule or failed
    end
    assert.matches("^above .+ %% within ", failed.condition)
    assert.equal("docs/troubleshooting.md#failed-calls", failed.runbook)
    assert.same({}, answer.mistakes)
    assert.equal(200, (world.ask("GET", "/alerts/rules", { token = elsewhere })))
  end)

  it("are silenced for a time, with a reason, once per key", function()
    local body = { labels = { rule = "drift" }, ["for"] = "4h", reason = "numbers move" }
    local o = { token = operator, body = body, headers = { ["idempotency-key"] = "k" } }
    local status, made = world.ask("POST", "/alerts/silences", o)
    assert.equal(201, status)
    assert.equal(made.id, select(2, world.ask("POST", "/alerts/silences", o)).id)
    assert.equal(2, #select(2, world.ask("GET", "/alerts/silences")).items)
    assert.equal(200, (world.ask("DELETE", "/alerts/silences/" .. made.id, { token = operator })))
    assert.equal(404, (world.ask("DELETE", "/alerts/silences/" .. made.id, { token = operator })))
    for wrong, value in pairs { ["for"] = "400d", labels = {}, reason = "" } do
      local copy = { labels = body.labels, ["for"] = body["for"], reason = body.reason }
      copy[wrong] = value
      assert.equal(422, (world.ask("POST", "/alerts/silences", { token = operator, body = copy })), wrong)
    end
  end)
end)
