-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"

describe("the answering service", function()
  local call
  local leak = { name = "Ann", about = "water comes through the ceiling", urgent = true }
  before_each(function()
    fake.now "2026-11-24 22:15"
    call = fake.call { agent = "answering-service", from = "+13125550142", site = { id = "elm", name = "Elm Dental",
      people = { office = "+13125550183" } } }
  end)

  it("answers in the name of the business that was called", function()
    assert.matches("for Elm Dental while it is closed", call.brief.instructions)
    call:tool("take_message", { name = "Ann", about = "move Friday's visit", urgent = false })
    assert.equal("Elm Dental: Ann, +13125550142: move Friday's visit", call.texts[1].body)
    assert.equal("+13125550183", call.texts[1].to)
  end)

  it("texts whoever is on call what cannot wait, once", function()
    call:tool("take_message", leak)
    call:tool("take_message", leak)
    assert.equal("URGENT Elm Dental: Ann, +13125550142: water comes through the ceiling", call.texts[1].body)
    assert.equal("+13125550188", call.texts[1].to)
    assert.is_true(call.vars.taken)
  end)

  it("tells the office when nobody on call picked up", function()
    call:tool("transfer_call", { to = "on_call" })
    assert.equal("twiml", call:transfer_fails "no-answer")
    assert.equal("stream", call:transfer_fails "no-answer")
    assert.equal("Elm Dental: nobody on call took +13125550142.", call.texts[#call.texts].body)
  end)

  it("passes on what is texted to it", function()
    call:texts_back "Never mind, it stopped"
    assert.equal("Elm Dental: +13125550142 texts: Never mind, it stopped", call.texts[1].body)
  end)
end)
