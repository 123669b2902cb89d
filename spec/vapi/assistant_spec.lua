-- SPDX-License-Identifier: Apache-2.0
local assistant = require "ringdown.vapi.assistant"
local host = require "ringdown.fake.host"
local support = require "spec.vapi.support"

describe("who answers a number without an assistant", function()
  before_each(support.begin)
  after_each(support.finish)

  local function values(more)
    assistant.run(support.payload(more), support.agent())
    local reply = host.replies[#host.replies]
    assert.equal("5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11", reply.assistantId)
    return reply.assistantOverrides.variableValues
  end

  it("knows what the agent's prompt would know, and the call", function()
    assert.same({ "books", support.SID }, { values().agent, values().ringdown_call })
  end)

  it("answers a caller who withholds their number, of a call that nobody here sent there", function()
    assert.is_nil(values({ call = "vapi8f2c1d7e", from = "" }).ringdown_call)
    assert.equal("books", values({ call = "vapi8f2c1d7e", from = "" }).agent)
  end)
end)
