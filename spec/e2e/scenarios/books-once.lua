-- SPDX-License-Identifier: Apache-2.0
-- Vapi has booked and is gone before its caller speaks: OpenAI goes on, and books once more, for it knows no better.
return {
  name = "books-once", from = "+13125550173", to = "+13125550233", max = "60s",
  caller = {
    { after = "agent", wait = "8s" }, -- until the story has had it booked, and Vapi killed
    { say = "Please book two nights for me." },
  },
  model = {
    { hears = "Please book two nights for me.", tool = { name = "book_nights", arguments = { nights = 2 } },
      then_says = "Your nights are booked.", then_tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "Your nights are booked" } },
}
