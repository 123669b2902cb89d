-- SPDX-License-Identifier: Apache-2.0
-- Repeats each digit that is pressed, and hangs up at the hash key.
local agent = require "ringdown.agent"

local names = { ["4"] = "four", ["2"] = "two" }

return agent {
  name = "keypad",
  numbers = { "+13125550204" },
  vars = { digits = "" },
  greeting = "Please enter your room number.",
  prompt = "You read back what is entered.",
  on = {
    dtmf = function(call, digit)
      if digit == "#" then
        call:log("entered", { digits = call.vars.digits })
        call:say("Thank you, room " .. call.vars.digits:gsub("%d", function(d) return names[d] .. " " end) .. "it is.")
        call:hang_up("entered")
      else
        call.vars.digits = call.vars.digits .. digit
      end
    end,
  },
}
