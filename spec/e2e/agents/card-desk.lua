-- SPDX-License-Identifier: Apache-2.0
-- Takes a card number between the star key and the hash key, and neither hears nor keeps it.
local agent = require "ringdown.agent"

return agent {
  name = "card-desk",
  numbers = { "+13125550210" },
  greeting = "Press star, then tell me your card number.",
  prompt = "You take payments.",
  on = {
    dtmf = function(call, key)
      if key == "*" then
        call:pause()
      elseif key == "#" then
        call:resume()
        call:say("Thank you for your payment.")
      end
    end,
  },
}
