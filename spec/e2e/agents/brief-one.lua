-- SPDX-License-Identifier: Apache-2.0
-- Ten seconds and no more.
local agent = require "ringdown.agent"

return agent {
  name = "brief-one",
  numbers = { "+13125550206" },
  greeting = "Be quick, please.",
  prompt = "You have little time.",
  max_call = { after = "10s", say = "Time is up, goodbye." },
}
