-- SPDX-License-Identifier: Apache-2.0
-- Asks once whether somebody is there, then hangs up.
local agent = require "ringdown.agent"

return agent {
  name = "patient",
  numbers = { "+13125550205" },
  greeting = "Hello, who is there?",
  prompt = "You wait for an answer.",
  silence = { after = "2s", times = 1, say = "Is anybody there?", bye = "Nobody is there, so goodbye." },
  on = {
    silence = function(call, times)
      call:log("silence", { times = times })
    end,
  },
}
