-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local support = require "spec.vapi.support"
local told = require "ringdown.vapi.told"

describe("what Vapi says of a call", function()
  before_each(support.begin)
  after_each(support.finish)

  local function turns(n)
    local list = json.array {}
    for i = 1, n do
      list[i] = { modelLatency = 400 + i, voiceLatency = 200 + i, transcriberLatency = 100 + i, turnLatency = 900 + i,
        endpointingLatency = 150 + i }
    end
    return list
  end

  it("is kept whole, as long as what Vapi's pages show can be", function()
    local fact = told.fact_of { id = "x", cost = 1, artifact = { performanceMetrics = { turnLatencies = turns(200) } } }
    assert.equal(200, #fact.metrics.turnLatencies)
    assert.same({}, host.log_lines)
  end)

  it("is told where it is longer, and its sums are kept", function()
    local fact = told.fact_of { id = "x", phoneCallProviderId = support.SID, cost = 1,
      costs = { { type = "vapi", note = ("x"):rep(16001), cost = 1 } },
      artifact = { performanceMetrics = { turnLatencies = turns(2000), turnLatencyAverage = 912 } } }
    assert.same({ 1, nil, { turnLatencyAverage = 912 } }, { fact.cost, fact.costs, fact.metrics })
    assert.same({ "vapi.too_long", "vapi.too_long" }, { host.log_lines[1].event, host.log_lines[2].event })
  end)
end)
