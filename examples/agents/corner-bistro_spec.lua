-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"

describe("corner bistro", function()
  local call
  before_each(function()
    fake.now "2026-11-24 15:00" -- a Tuesday
    call = fake.call { agent = "corner-bistro", from = "+13125550142" }
  end)

  it("books a table and tells the manager for how many", function()
    call:tool("party", { people = 4 })
    assert.is_true(call:tool("book_appointment", { day = "tomorrow", time = "19:00", name = "Ann" }).booked)
    assert.equal(7200, call.visit.stop - call.visit.start)
    assert.equal("Table window, Wednesday, November 25 at 7 pm, 4 people, +13125550142", call.texts[1].body)
    assert.equal("+13125550172", call.texts[1].to)
  end)

  it("gives a table to one party at a time", function()
    for _, name in ipairs { "window", "corner", "bar", "terrace" } do
      fake.booked { from = "2026-11-25 19:00", to = "2026-11-25 21:00", resource = name }
    end
    call = fake.call { agent = "corner-bistro" }
    assert.is_false(call:tool("book_appointment", { day = "tomorrow", time = "20:00" }).booked)
    assert.is_true(call:tool("book_appointment", { day = "tomorrow", time = "21:00" }).booked)
  end)

  it("is closed on Mondays", function()
    assert.is_not_true(call:tool("book_appointment", { day = "2026-11-30", time = "19:00" }).booked)
  end)

  it("leaves large parties to the manager, who is told when he did not answer", function()
    assert.matches("manager", call:tool("party", { people = 12 }).refused)
    call:tool("transfer_call", { to = "manager" })
    call:transfer_fails "no-answer"
    assert.equal("Please call back +13125550142: 12 people.", call.texts[1].body)
  end)
end)
