-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"

describe("front-desk", function()
  local call
  before_each(function()
    fake.now "2026-11-24 14:10" -- in the agent's time zone
    call = fake.call { agent = "front-desk", from = "+13125550142" }
  end)

  it("greets, and says that it is automated", function()
    assert.matches("automated", call.brief.opening)
    assert.matches("how can I help", call.brief.opening)
  end)

  it("texts a message to the team", function()
    assert.same({ taken = true }, call:tool("take_message", { about = "the sign is broken", name = "Ann" }))
    assert.equal("the sign is broken", call.vars.message)
    assert.matches("the sign is broken", call.texts[1].body)
  end)

  it("hands a fire to a person, once", function()
    call:hears "When is the next fire drill?"
    assert.same({}, call.emergencies)
    call:hears "There is smoke in the hall!"
    call:hears "Yes, smoke!"
    assert.same({ "fire" }, call.emergencies)
    assert.equal("team", call.transferred_to)
  end)
end)
