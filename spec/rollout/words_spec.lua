-- SPDX-License-Identifier: Apache-2.0
local words = require "ringdown.rollout.words"

describe("what a rollout says of the agent's file", function()
  it("is a line, when the file has another share than the rollout", function()
    assert.matches("says 25 %%, the rollout 50 %%", words.differs({ percent_bp = 5000, state = "running" }, 2500))
  end)

  it("is nothing, when they agree, when the file has none, and before the rollout counts", function()
    assert.is_nil(words.differs({ percent_bp = 2500, state = "running" }, 2500))
    assert.is_nil(words.differs({ percent_bp = 2500, state = "running" }, nil))
    assert.is_nil(words.differs({ percent_bp = 0, state = "draft" }, 2500))
  end)
end)

describe("what happens to the next call", function()
  local function of(over, own)
    local record = { agent = "sales", version = 3, state = "pilot", percent_bp = 0, mode = "split", kill = false,
      salt = "v1", unit = "caller", allow = {}, deny = {} }
    for key, value in pairs(over) do
      record[key] = value
    end
    return (words.next_call(record, { agent = { own = own, loads = true } }):gsub("^The next call of sales goes ", ""))
  end

  it("is the same whoever calls, where nothing goes before the share", function()
    assert.equal("to Vapi, whoever calls.", of {})
    assert.equal("to OpenAI, whoever calls.", of { state = "running", percent_bp = 10000 })
  end)

  it("is said as it is while no plan is in force", function()
    local function draft(agent, callers)
      agent.loads = agent.loads == nil
      return words.next_call({ agent = "sales", version = 1, state = "draft", percent_bp = 0, mode = "split",
        kill = false, salt = "v1", unit = "caller" }, { agent = agent, callers = callers })
    end
    assert.equal("The next call of sales goes to OpenAI, whoever calls. That is what the agent's file says: this plan "
      .. "has not begun (ringdown rollout start).", draft { openai = true, vapi = true })
    assert.matches("goes to Vapi, whoever calls", draft { openai = true, vapi = true, file_bp = 0 })
    assert.matches("goes to OpenAI for 25 %% of callers: 0 of the 1", draft({ openai = true, vapi = true,
      file_bp = 2500 }, { "+14155550100" }))
    assert.matches("goes to OpenAI, whoever calls", draft { openai = true, vapi = false })
    assert.matches("goes where the agent's file says", draft { openai = true, vapi = true, own = true })
    assert.matches("goes where the agent's file says", draft { loads = false })
  end)

  it("is not said to be the same where it is not", function()
    assert.equal("to Vapi. The agent's own routing function is asked before that; where it says something, that "
      .. "counts.", of({}, true))
    assert.equal("to Vapi. 1 named number always meets OpenAI.", of { allow = { "+13125550142" } })
    assert.equal("to OpenAI. Outside of its schedule they meet Vapi.",
      of { state = "running", percent_bp = 10000, schedule = { when = "open" } })
    assert.matches("to OpenAI for 25 %% of callers.* The agent's own routing function is asked before",
      of({ state = "running", percent_bp = 2500 }, true))
  end)

  it("is Vapi for each and every one after a rollback to nobody", function()
    assert.equal("to Vapi, whoever calls: it was rolled back.", of { state = "rolled_back" })
    assert.equal("to Vapi, whoever calls, also the named numbers and those whom the agent's own routing function "
      .. "picks: it was rolled back.", of({ state = "rolled_back", allow = { "+13125550142" } }, true))
    assert.matches("The agent's own routing function is asked before",
      of({ state = "rolled_back", percent_bp = 2500 }, true))
  end)
end)
