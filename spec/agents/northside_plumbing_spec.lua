-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"

describe("northside plumbing", function()
  local call
  before_each(function()
    fake.now "2026-11-24 14:10" -- a Tuesday, in the agent's zone
    call = fake.call { agent = "northside-plumbing", from = "+13125550142", name = "Ann Lee" }
  end)

  it("greets and says that it is automated and recorded", function()
    assert.matches("automated assistant", call.brief.opening)
    assert.matches("recorded", call.brief.opening)
    assert.equal(1, call.brief.opening:find(call.brief.notice, 1, true))
    assert.matches("how can I help%?$", call.brief.opening)
  end)

  it("tells the model who calls, as data", function()
    assert.matches('"+13125550142"', call.brief.instructions, 1, true)
    assert.matches('"Ann Lee"', call.brief.instructions, 1, true)
    assert.matches("Tuesday, November 24, 2026, 2:10 pm", call.brief.instructions, 1, true)
    assert.matches("Monday to Friday 8 am to 5 pm", call.brief.instructions, 1, true)
  end)

  it("books a visit and remembers it", function()
    local said = call:tool("book_visit", { day = "tomorrow", time = "09:00", name = "Ann" })
    assert.same({ booked = true, day = "Wednesday, November 25", time = "9 am" }, said)
    assert.same({ day = "2026-11-25", time = "09:00", name = "Ann" }, call.vars.visit)
  end)

  it("understands weekdays and dates", function()
    assert.equal("Friday, November 27", call:tool("book_visit", { day = "Friday", time = "10:00" }).day)
    assert.equal("Tuesday, December 1", call:tool("book_visit", { day = "2026-12-01", time = "8:30" }).day)
  end)

  it("says why a time is impossible, and keeps nothing", function()
    assert.matches("between 8 am and 6 pm", call:tool("book_visit", { day = "tomorrow", time = "22:00" }).refused)
    assert.matches("in the past", call:tool("book_visit", { day = "today", time = "09:00" }).refused)
    assert.matches("two months", call:tool("book_visit", { day = "2027-11-24", time = "09:00" }).refused)
    assert.matches("tomorrow, a weekday", call:tool("book_visit", { day = "soon", time = "09:00" }).refused)
    assert.same({}, call.vars.visit)
  end)

  it("lets the model correct arguments it got wrong", function()
    local answer = call:tool("book_visit", { day = "tomorrow", time = "nine", when = "now" })
    assert.matches("correct them", answer.error)
    assert.same({
      "'time' has the wrong form; it is: when the visit begins, 24 hours, like 09:00",
      "'when' is not an argument; allowed: day, name, time",
    }, answer.problems)
  end)

  it("hangs up after the goodbye, without another word", function()
    call:tool("end_call")
    assert.equal("goodbye", call.hung_up)
    assert.is_false(call.goes_on)
  end)
end)
