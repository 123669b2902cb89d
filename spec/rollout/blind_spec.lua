-- SPDX-License-Identifier: Apache-2.0
-- A plan whose stages ask for nothing is made by nobody by mistake.
local command = require "ringdown.rollout.command"
local fake = require "ringdown.fake.host"
local json = require "ringdown.json"

describe("rollout plan --min 0 --bake 0s", function()
  local told, sent

  before_each(function()
    fake.reset()
    fake.known_agents = { { name = "sales", numbers = {}, has_vapi = true,
      shown = json.encode { name = "sales", openai = true, vapi = { assistant = "a-1" } } } }
    told, sent = {}, nil
    fake.query_handlers = {
      { part = "to_jsonb(r)", answer = {} }, { part = "rollout_evidence", answer = {} },
      { part = "rollout_refused", answer = {} }, { part = "force_now", answer = {} },
      { part = "object_agg", answer = { { "{}" } } }, { part = "rollout_callers", answer = { { "[]" } } },
      { part = "rollout_change", answer = function(params)
        sent = params
        return { { "1" } }
      end } }
  end)

  local function plan_of(more)
    local payload = { verb = "plan", agent = "sales", stages = "pilot,25,100" }
    for key, value in pairs(more) do
      payload[key] = value
    end
    local result = command.run(payload, function(line)
      told[#told + 1] = line.text or line.note
    end)
    return result, table.concat(told, "\n")
  end

  it("is refused, and says what to do", function()
    for _, more in ipairs { { min = "0" }, { bake = "0s" }, { min = "0", bake = "0s", force = true },
      { min = "0", reason = "a try" } } do
      local result, text = plan_of(more)
      assert.is_true(result.usage)
      assert.is_truthy(text:find("say at least --min 1 and a time by --bake, or --force --reason TEXT", 1, true), text)
      assert.is_nil(sent)
    end
  end)

  it("is made by whoever insists and says why, loudly, and the audit has it", function()
    local _, text = plan_of { min = "0", bake = "0s", force = true, reason = "a try" }
    assert.matches("WATCHED BY NEXT TO NOTHING: stage '25' asks for 0 calls", text)
    assert.same({ weak = "stage '25' asks for 0 calls, stage '100' asks for 0 calls" }, json.decode(sent[7]))
  end)

  it("is told loudly when it asks for little", function()
    local _, text = plan_of { min = "5" }
    assert.matches("WATCHED BY NEXT TO NOTHING: stage '25' asks for 5 calls", text)
    assert.is_table(sent)
  end)

  it("is nothing to tell when it asks for enough", function()
    local _, text = plan_of { min = "30", bake = "1h" }
    assert.is_nil(text:find("NOTHING", 1, true))
  end)
end)
