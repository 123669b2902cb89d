-- SPDX-License-Identifier: Apache-2.0
-- The caller cuts in while a long answer plays: it stops at once, and the rest is never heard.
return {
  name = "cut-in", from = "+13125550143", to = "+13125550100", max = "60s",
  caller = {
    { after = "agent", say = "Please tell me everything that you repair." },
    { during = "agent", at = "2500ms", say = "Sorry, I only want the price of a visit." },
    { after = "agent", say = "That sounds fair. Have a nice day." },
  },
  model = {
    { hears = "Please tell me everything that you repair.",
      says = "We repair dripping taps, leaking pipes, blocked drains, running toilets, old boilers, "
        .. "cold radiators, noisy pumps, broken showers, garden hoses, sump pumps, "
        .. "water heaters, and whatever else has water in it." },
    { hears = "Sorry, I only want the price of a visit.",
      says = "A visit costs eighty nine dollars, parts not included." },
    { hears = "That sounds fair. Have a nice day.",
      says = "You too. We are here whenever you need us.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", barge_ins = 1, tools = { "end_call" },
    heard = { "eighty nine dollars", "whenever you need us" },
  },
}
