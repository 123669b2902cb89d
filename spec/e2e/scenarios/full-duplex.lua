-- SPDX-License-Identifier: Apache-2.0
-- GPT-Live answers: its caller cuts in on a long answer, a tool brings the next one, and it hangs up.
return {
  name = "full-duplex", from = "+13125550191", to = "+13125550291", max = "60s",
  caller = {
    { after = "agent", say = "Which cabins does the ferry have?" },
    { during = "agent", at = "2000ms", say = "Sorry, just give me the cheapest one." },
  },
  model = {
    { hears = "Which cabins does the ferry have?",
      says = "There is the captain's suite, the sunrise cabin, the sunset cabin, the family cabin, the quiet cabin, "
        .. "the cabin beside the engine room, and a berth without a window." },
    { hears = "Sorry, just give me the cheapest one.",
      tool = { name = "cheapest_cabin" },
      then_says = "It is yours. Welcome on board of our ferry.", then_tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "Welcome on board" } },
}
