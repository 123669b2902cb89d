-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"

describe("the clinic desk", function()
  local call
  local function opens()
    fake.now "2026-11-24 09:10"
    fake.db("from patients", function(params)
      return params[2] == "1980-05-31" and { { there = 1 } } or {}
    end)
    fake.db("from patient_visits", { { day = "2026-12-01", doctor = "Dr. Chen" } })
    call = fake.call { agent = "clinic-desk", from = "+13125550142" }
  end
  before_each(opens)

  it("tells nobody anything before they have shown who they are", function()
    assert.is_string(call:tool("next_visit").refused)
    call:tool("verify_caller", { born = "1979-01-01" })
    assert.is_string(call:tool("next_visit").refused)
    call:tool("verify_caller", { born = "1980-05-31" })
    assert.same({ day = "2026-12-01", doctor = "Dr. Chen" }, call:tool "next_visit")
  end)

  it("books a visit and confirms it in Spanish", function()
    assert.is_true(call:tool("book_appointment", { day = "tomorrow", time = "10:00", service = "checkup" }).booked)
    call:tool("send_sms", { template = "booked_es" })
    assert.matches("^Clínica Lakeside: su cita con Dr%. ", call.texts[1].body)
  end)

  for _, words in ipairs { "I have chest pain", "no puedo respirar" } do
    it("sends whoever says '" .. words .. "' to 911 and rings a nurse", function()
      call:hears(words)
      assert.same({ "heart-or-breath" }, call.emergencies)
      assert.equal("nurse", call.transferred_to)
      assert.equal("+13125550192", call.texts[1].to)
    end)
  end

  it("asks, and rings nobody, when it may be less", function()
    call:hears "I am a bit short of breath on the stairs"
    assert.same({}, call.emergencies)
    assert.is_nil(call.transferred_to)
  end)

  it("has a sentence ready when the records do not open", function()
    call:tool("verify_caller", { born = "1980-05-31" })
    fake.database_down()
    assert.matches("cannot be opened", call:tool("next_visit").say)
  end)
end)
