-- SPDX-License-Identifier: Apache-2.0
local fake = require "ringdown.fake"

describe("brightsmile dental", function()
  local call
  before_each(function()
    fake.now "2026-11-24 09:10" -- a Tuesday, on the agent's clock
    call = fake.call { agent = "brightsmile-dental", from = "+13125550142" }
  end)

  describe("asked about insurance", function()
    it("knows the plans that are taken, in the caller's words", function()
      assert.is_true(call:tool("insurance_plan", { plan = "delta dental, the PPO one" }).taken)
      assert.matches("Out of network", call:tool("insurance_plan", { plan = "MetLife" }).say)
    end)

    it("does not mince words about those that are not", function()
      local answer = call:tool("insurance_plan", { plan = "Medicaid" })
      assert.is_false(answer.taken)
      assert.matches("Not taken here", answer.say)
      assert.is_false(call:tool("insurance_plan", { plan = "my HMO" }).taken)
    end)

    it("makes nothing up about plans it has never heard of", function()
      assert.matches("front desk will call back", call:tool("insurance_plan", { plan = "Acme Gold" }).refused)
      assert.matches("front desk will call back", call:tool("insurance_plan", { plan = "hmong family plan" }).refused)
    end)
  end)

  describe("booking", function()
    it("gives a treatment the time it takes", function()
      call:tool("book_appointment", { day = "tomorrow", time = "10:00", service = "filling", name = "Ann Lee" })
      assert.equal(3600, call.visit.stop - call.visit.start)
      call:tool("send_sms", { template = "booked" })
      assert.equal("Brightsmile Dental: filling, Wednesday, November 25 at 10 am. Call us to change it.",
        call.texts[1].body)
    end)

    it("finds the other dentist before it says no", function()
      fake.booked { from = "2026-11-25 10:00", to = "2026-11-25 11:00", resource = "Dr. Patel" }
      call = fake.call { agent = "brightsmile-dental" }
      assert.is_true(call:tool("book_appointment", { day = "tomorrow", time = "10:00", service = "filling" }).booked)
      assert.equal("Dr. Kim", call.visit.resource)
      local second = call:tool("book_appointment", { day = "tomorrow", time = "10:30", service = "checkup" })
      assert.is_false(second.booked)
      assert.matches("just been taken", second.say)
    end)

    it("is closed at Thanksgiving", function()
      assert.equal("Friday, November 27",
        call:tool("check_availability", { day = "2026-11-26", service = "cleaning" }).next.day)
    end)

    it("takes a wish down while the database is down", function()
      fake.database_down()
      assert.matches("we will call back", call:tool("check_availability", { day = "friday", service = "checkup" }).say)
    end)
  end)

  describe("what cannot wait", function()
    local stories = {
      ["a swelling airway"] = { "my throat is closing up and I can't breathe", "airway", "dentist" },
      ["bleeding that does not stop"] = { "the bleeding won't stop since you pulled the tooth", "bleeding", "dentist" },
      ["a tooth knocked out"] = { "my son's front tooth got knocked out at hockey", "knocked-out-tooth", "dentist" },
      ["a swollen cheek"] = { "my cheek is swollen", "swelling", nil },
    }
    for what, story in pairs(stories) do
      it(("is %s: the dentist knows at once"):format(what), function()
        call:hears(story[1])
        call:hears(story[1])
        assert.same({ story[2] }, call.emergencies)
        assert.equal(story[3], call.transferred_to)
        assert.equal("+13125550177", call.texts[1].to)
      end)
    end

    it("is heard in Spanish", function()
      call:hears "no puedo respirar"
      assert.same({ "airway" }, call.emergencies)
    end)

    it("is not gums that bleed while brushing", function()
      call:hears "my gums bleed when I brush"
      assert.same({}, call.emergencies)
    end)
  end)

  it("leaves a note when nobody at the front desk takes the caller", function()
    call:tool("transfer_call", { to = "front_desk" })
    call:transfer_fails "busy"
    assert.equal("+13125550121", call.texts[1].to)
  end)
end)
