-- SPDX-License-Identifier: Apache-2.0
-- Vapi answers over our line: its caller cuts in on a long answer, and it hangs up after the goodbye.
return {
  name = "asks-the-lake-house", from = "+13125550171", to = "+13125550231", max = "60s",
  caller = {
    { after = "agent", say = "Which rooms does the lake house have?" },
    { during = "agent", at = "2000ms", say = "Sorry, I shall take the smallest one." },
  },
  model = {
    { hears = "Which rooms does the lake house have?",
      says = "We have the blue room, the green room, the tower room, the garden room, the captain's room, "
        .. "the library, the boat house, the attic with the round window, and a very small one above the stairs." },
    { hears = "Sorry, I shall take the smallest one.",
      tool = { name = "smallest_room" },
      then_says = "It is yours. We look forward to your visit.", then_tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", barge_ins = 1, heard = { "forward to your visit" } },
}
