-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"

describe("northside plumbing", function()
  local call
  before_each(function()
    fake.now "2026-11-24 14:10" -- a Tuesday, on the agent's clock
    fake.http { ["GET https://api.dispatch.example/eta"] = { json = { minutes = 35 } } }
    call = fake.call { agent = "northside-plumbing", from = "+13125550142", name = "Ann Lee" }
  end)

  it("greets and says that it is automated and recorded", function()
    assert.equal(1, call.brief.opening:find(call.brief.notice, 1, true))
    assert.matches("automated assistant", call.brief.opening)
    assert.matches("recorded", call.brief.opening)
    assert.matches("how can I help%?$", call.brief.opening)
  end)

  it("tells the model who calls and when, as data", function()
    assert.matches('"+13125550142", their name "Ann Lee"', call.brief.instructions, 1, true)
    assert.matches("Tuesday, November 24, 2026, 2:10 pm", call.brief.instructions, 1, true)
    assert.matches("Monday to Friday 8 am to 5 pm", call.brief.instructions, 1, true)
  end)

  describe("booking a visit", function()
    it("offers free times, books one and texts it", function()
      local offered = call:tool("check_availability", { day = "tomorrow", part = "morning" })
      assert.equal("8 am", offered.free.times[1].say)
      local answer = call:tool("book_appointment", { day = "tomorrow", time = "09:00", name = "Ann" })
      assert.same({ booked = true, day = "Wednesday, November 25", time = "9 am" }, answer)
      assert.is_true(call.vars.booked)
      assert.is_true(call:tool("send_sms", { template = "booked" }).sent)
      assert.equal("+13125550142", call.texts[1].to)
      assert.equal("Northside Plumbing: see you Wednesday, November 25 at 9 am.", call.texts[1].body)
    end)

    it("sends two trucks, and not a third, to the same hour", function()
      fake.booked { from = "2026-11-25 09:00", to = "2026-11-25 10:00", resource = "truck 1" }
      fake.booked { from = "2026-11-25 09:00", to = "2026-11-25 10:00", resource = "truck 2" }
      call = fake.call { agent = "northside-plumbing" }
      local answer = call:tool("book_appointment", { day = "tomorrow", time = "09:00" })
      assert.is_false(answer.booked)
      assert.matches("just been taken", answer.say)
      assert.equal("Wednesday, November 25", answer.nearest.day)
    end)

    it("books once when the model asks twice", function()
      call:tool("book_appointment", { day = "tomorrow", time = "09:00" })
      call:tool("book_appointment", { day = "2026-11-25", time = "9:00", name = "Ann" })
      assert.equal(1, #require("ringdown.fake.database").appointments())
    end)

    it("books nothing while the database is down, and says so", function()
      fake.database_down()
      assert.matches("nothing is booked yet", call:tool("book_appointment", { day = "tomorrow", time = "09:00" }).say)
      assert.is_false(call.vars.booked)
    end)
  end)

  describe("a plumber's way", function()
    it("is told in minutes", function()
      assert.same({ minutes = 35 }, call:tool("plumber_eta", { zip = "60614" }))
    end)

    it("has an offer when nobody is free, and a sentence when dispatch is down", function()
      fake.http { ["GET https://api.dispatch.example/eta"] = { status = 404 } }
      assert.matches("tomorrow morning", call:tool("plumber_eta", { zip = "60614" }).refused)
      fake.http_down "api.dispatch.example"
      assert.matches("map is not answering", call:tool("plumber_eta", { zip = "60614" }).say)
    end)
  end)

  describe("an emergency", function()
    it("hands a gas leak to a human exactly once", function()
      call:hears "the gas bill is wrong"
      assert.same({}, call.emergencies)
      call:hears "I smell gas"
      call:hears "yes, I smell gas"
      assert.same({ "gas-leak" }, call.emergencies)
      assert.equal("on_call", call.transferred_to)
      assert.equal(1, #call.texts)
      assert.matches("GAS LEAK.*13125550142.*I smell gas", call.texts[1].body)
    end)

    it("is heard in Spanish", function()
      call:hears "huele a gas en la cocina"
      assert.same({ "gas-leak" }, call.emergencies)
    end)

    it("of water alone wakes a plumber by text, and the agent goes on", function()
      call:hears "the basement is flooding"
      assert.same({ "flood" }, call.emergencies)
      assert.matches("^Flood", call.texts[1].body)
      assert.is_nil(call.transferred_to)
    end)
  end)

  it("asks the office to call back when nobody there takes the caller", function()
    call:tool("transfer_call", { to = "office" })
    assert.equal("office", call.transferred_to)
    call:transfer_fails "no-answer"
    assert.equal("+13125550101", call.texts[1].to)
    assert.matches("call of +13125550142", call.texts[1].body, 1, true)
    assert.is_nil(call.transferred_to) -- the caller is back with the agent
  end)

  it("answers a missed call by a text, and hands what comes back to the office", function()
    call:is_missed "gave_up"
    assert.matches("sorry we missed you", call.texts[1].body)
    call:texts_back "My boiler drips"
    assert.equal("+13125550101", call.texts[2].to)
    assert.matches("My boiler drips", call.texts[2].body)
  end)

  it("hangs up after the goodbye, without another word", function()
    call:tool "end_call"
    assert.equal("goodbye", call.hung_up)
    assert.is_false(call.goes_on)
  end)
end)
