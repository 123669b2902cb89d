-- SPDX-License-Identifier: Apache-2.0
-- What a call's brief says of who speaks, and who takes over when that one cannot go on.
local agent = require "ringdown.agent"
local fake = require "ringdown.fake"
local json = require "ringdown.json"

local ASSISTANT = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11"

describe("a call over our own line", function()
  local function call(keys)
    local all = { name = "spec", numbers = { "+13125550100" }, time_zone = "America/Chicago",
      greeting = "Hello.", prompt = "Be kind." }
    for key, value in pairs(keys) do
      all[key] = value
    end
    fake.now "2026-11-24 10:00"
    return fake.call { agent = agent(all), from = "+13125550142" }
  end

  it("is OpenAI's and nobody's else, as a rule", function()
    local brief = call({ openai = {} }).brief
    assert.same({ "openai", "", "" }, { brief.system, brief.other, brief.vapi_assistant })
  end)

  it("goes on with Vapi when OpenAI cannot, and the other way round", function()
    local vapi = { assistant = ASSISTANT, route = "bridge" }
    local brief = call({ openai = {}, vapi = vapi }).brief
    assert.same({ "openai", "vapi", ASSISTANT }, { brief.system, brief.other, brief.vapi_assistant })
    brief = call({ openai = {}, vapi = vapi, routing = "vapi" }).brief
    assert.same({ "vapi", "openai", ASSISTANT }, { brief.system, brief.other, brief.vapi_assistant })
  end)

  it("has nobody to go on with where the agent runs on Vapi alone", function()
    local brief = call({ vapi = { assistant = ASSISTANT, route = "bridge" } }).brief
    assert.same({ "vapi", "" }, { brief.system, brief.other })
    assert.equal("Hello.", brief.opening) -- said by us: its assistant waits
  end)

  it("tells the assistant's templates whose call it is", function()
    local brief = call({ openai = {}, vapi = { assistant = ASSISTANT, route = "bridge" } }).brief
    assert.same({ agent = "spec", site = "default", site_name = "Spec" }, json.decode(brief.vapi_variables))
  end)

  it("leaves a caller whom OpenAI lost to a Vapi that takes only whole calls", function()
    local vapi = { assistant = ASSISTANT, route = "bypass" }
    assert.equal("bypass", call({ openai = {}, vapi = vapi }).brief.other)
    assert.equal("", call({ openai = {}, vapi = vapi, failover = false }).brief.other)
  end)

  it("is not there for an agent that hands its calls to Vapi", function()
    local brief = call({ openai = {}, vapi = { assistant = ASSISTANT } }).brief
    assert.same({ "openai", "", "" }, { brief.system, brief.other, brief.vapi_assistant })
  end)
end)
