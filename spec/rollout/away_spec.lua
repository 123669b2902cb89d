-- SPDX-License-Identifier: Apache-2.0
-- The database goes away in the middle of an order: whoever ordered is obeyed all the same, at this machine.
local command = require "ringdown.rollout.command"
local fake = require "ringdown.fake.host"
local force = require "ringdown.rollout.force"
local json = require "ringdown.json"
local store = require "ringdown.rollout.store"

local function order_here()
  return json.decode(fake.files["override.json"] or "null")
end

describe("an order that the database does not take", function()
  local record, gone, code, told

  local function tell(line)
    told[#told + 1] = line.text or line.note
  end

  before_each(function()
    fake.reset()
    fake.known_agents = { { name = "sales", numbers = {}, has_vapi = true,
      shown = json.encode { name = "sales", openai = true, vapi = { assistant = "a-1" } } } }
    record = { agent = "sales", version = 3, state = "running", stage = "25", percent_bp = 2500, mode = "split",
      kill = false, salt = "v1", unit = "caller" }
    gone, code, told = nil, "down", {}
    local function answer(part, value)
      return { part = part, answer = function()
        if gone == part then
          return nil, "no answer", code
        end
        return { { json.encode(value) } }
      end }
    end
    fake.query_handlers = { answer("to_jsonb(r)", record), answer("object_agg", { sales = 3 }),
      answer("rollout_evidence", { record = record, arms = {} }), answer("rollout_change", 4),
      answer("rollout_callers", json.array {}), answer("force_put", 2), answer("force_now", { system = "off" }) }
  end)

  local function rollback(more)
    local payload = { verb = "rollback", agent = "sales", reason = "it is bad" }
    for key, value in pairs(more or {}) do
      payload[key] = value
    end
    return command.run(payload, tell)
  end

  it("is in the database, as long as that answers", function()
    assert.equal(4, rollback().version)
    assert.is_nil(order_here())
  end)

  it("goes back here, wherever on its way the database went", function()
    for _, part in ipairs { "object_agg", "to_jsonb(r)", "rollout_change" } do
      fake.files, gone = {}, part
      assert.is_true(rollback().override, part)
      assert.is_table(order_here().agents.sales)
    end
    assert.matches("ordered at this machine alone", table.concat(told, "\n"))
  end)

  it("goes back here when the server is there, and can do nothing for it", function()
    for _, state in ipairs { "57014", "53300", "53100", "25006", "55P03", "57P03" } do
      fake.files, gone, code = {}, "rollout_change", state
      assert.is_true(rollback().override, state)
    end
  end)

  it("is told why when the database refuses it", function()
    gone, code = "rollout_change", "23514"
    assert.has_error(rollback, "the database refused it: no answer")
    assert.is_nil(order_here())
  end)

  it("waits for no evidence to go back, and for nothing once it is done", function()
    gone = "rollout_evidence"
    assert.equal(4, rollback().version)
    gone = "rollout_callers"
    assert.equal(4, rollback().version)
    assert.is_nil(order_here())
  end)

  it("is refused as ever when it is no order at all", function()
    assert.has_error(function() rollback { to = "50" } end)
    assert.is_nil(order_here())
  end)

  it("forces an agent here, wherever on its way the database went", function()
    for _, part in ipairs { "object_agg", "to_jsonb(r)", "rollout_change" } do
      fake.files, gone = {}, part
      assert.is_true(force.run({ system = "vapi", agent = "sales" }, tell).override, part)
      assert.is_table(order_here().agents.sales)
    end
  end)

  it("forces everybody here", function()
    gone = "force_put"
    assert.is_true(force.run({ system = "vapi" }, tell).override)
    assert.equal("vapi", order_here().force)
  end)

  it("raises for what cannot do without a database", function()
    fake.database_down = "no answer"
    assert.has_error(function() store.newest "sales" end)
    assert.same({ nil, "no answer", "down" }, { store.attempt(store.newest, "sales") })
  end)
end)
