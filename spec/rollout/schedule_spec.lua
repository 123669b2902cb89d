-- SPDX-License-Identifier: Apache-2.0
require "spec.helper"
local schedule = require "ringdown.rollout.schedule"

describe("the hours of a rollout", function()
  it("are written as people do, and read back", function()
    for text, wanted in pairs {
      open = { { when = "open" }, "within the agent's hours; else Vapi" },
      closed = { { when = "closed" }, "outside of the agent's hours; else Vapi" },
      ["mon_fri 08:00-17:00, sat 09:00-12:00"] = { { when = "open",
        hours = { mon_fri = "08:00-17:00", sat = "09:00-12:00" } }, "mon_fri 08:00-17:00, sat 09:00-12:00; else" },
      ["closed mon_fri 08:00-17:00 America/Chicago"] = { { when = "closed", zone = "America/Chicago",
        hours = { mon_fri = "08:00-17:00" } }, "outside of mon_fri 08:00-17:00 America/Chicago" },
      ["open America/Chicago"] = { { when = "open", zone = "America/Chicago" }, "hours America/Chicago" } } do
      local read, why = schedule.parse(text)
      assert.same(wanted[1], read, why)
      assert.is_truthy(schedule.line(read):find(wanted[2], 1, true), schedule.line(read))
    end
    assert.is_false(schedule.parse "none")
    assert.is_nil(schedule.line(nil))
  end)

  it("say what is wrong with them", function()
    for text, words in pairs { [""] = "is not understood", ["mon_fri"] = "is not understood",
      ["none mon_fri 08:00-17:00"] = "is not understood", ["sometimes"] = "write open, closed, none, or hours",
      ["mon_fri 8-17"] = "'8-17'|is no time span", ["xyz_fri 08:00-17:00"] = "unknown; allowed: mon",
      ["mon 08:00-17:00 mon 18:00-19:00"] = "there twice",
      ["open Nowhere/Atlantis"] = "there is no time zone 'Nowhere/Atlantis'" } do
      local read, why = schedule.parse(text)
      assert.is_nil(read, text)
      assert.is_truthy(why:find(words:match "[^|]+$", 1, true), why)
    end
  end)
end)
