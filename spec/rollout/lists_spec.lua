-- SPDX-License-Identifier: Apache-2.0
-- Lists of callers may be long: they go to the database when they change, and only then.
local command = require "ringdown.rollout.command"
local fake = require "ringdown.fake.host"
local json = require "ringdown.json"
local undo = require "ringdown.rollout.undo"

local function numbers(from, n)
  local list = {}
  for i = 1, n do
    list[i] = ("+1415%07d"):format(from + i)
  end
  return list
end

describe("a list of 10,000 callers", function()
  local record, sent

  local function tell() end

  before_each(function()
    fake.reset()
    fake.known_agents = { { name = "sales", numbers = {}, has_vapi = true,
      shown = json.encode { name = "sales", openai = true, vapi = { assistant = "a-1" } } } }
    record = { agent = "sales", version = 3, state = "running", stage = "25", percent_bp = 2500, mode = "split",
      kill = false, salt = "v1", unit = "caller", allow = numbers(0, 10000), deny = numbers(20000, 10000) }
    sent = nil
    local function answer(part, value)
      return { part = part, answer = { { json.encode(value) } } }
    end
    fake.query_handlers = { answer("from rollouts r where", record), answer("to_jsonb(r)", record),
      answer("object_agg", { sales = 3 }), answer("rollout_evidence", { record = record, arms = {}, since_s = 1 }),
      answer("rollout_callers", json.array {}), answer("force_now", { system = "off" }),
      answer("to_jsonb(l)", { kind = "rollout", agent = "sales", version = 3, state = "running", percent_bp = 2500,
        who = "alice", at = "2026-11-27T10:00:00Z" }),
      { part = "rollout_change", answer = function(params)
        sent = params[3]
        return { { "4" } }
      end } }
  end)

  it("stays where it is when a rollout goes back or is held", function()
    for _, verb in ipairs { "rollback", "hold" } do
      command.run({ verb = verb, agent = "sales", reason = "x" }, tell)
      assert.is_true(#sent < 2000, verb .. " sent " .. #sent .. " bytes")
      local plan = json.decode(sent)
      assert.same({ nil, nil, 2500 }, { plan.allow, plan.deny, plan.previous.percent_bp })
    end
  end)

  it("is sent alone when it alone changes", function()
    command.run({ verb = "plan", agent = "sales", deny = table.concat(numbers(40000, 9000), ",") }, tell)
    local plan = json.decode(sent)
    assert.is_nil(plan.allow)
    assert.equal(9000, #plan.deny)
  end)

  it("comes from a file as people keep one, and an empty file empties nothing", function()
    local file = "# ours\n+13125550142 # the shop\n\n+13125550143,\r\n"
    command.run({ verb = "plan", agent = "sales", allow = file }, tell)
    assert.same({ "+13125550142", "+13125550143" }, json.decode(sent).allow)
    for _, text in ipairs { "", "# none\n", "+1312555O142" } do
      sent = nil
      assert.is_true(command.run({ verb = "plan", agent = "sales", allow = text }, tell).usage)
      assert.is_nil(sent)
    end
  end)

  it("is emptied by none", function()
    command.run({ verb = "plan", agent = "sales", allow = "none" }, tell)
    assert.matches('"allow":%[%]', sent)
  end)

  it("is that of the version before again, once the change is taken back", function()
    undo.run({ agent = "sales", reason = "x" }, tell)
    assert.is_true(#sent < 2000)
    assert.equal(3, json.decode(sent).lists_of)
  end)
end)
