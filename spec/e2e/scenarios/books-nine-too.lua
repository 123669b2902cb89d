-- SPDX-License-Identifier: Apache-2.0
-- The somebody else.
return {
  name = "books-nine-too", from = "+13125550143", to = "+13125550100", max = "60s",
  caller = {
    { after = "agent", say = "Can somebody come tomorrow at nine?" },
    { after = "agent", say = "No thank you, that was everything. Goodbye." },
  },
  model = {
    { hears = "Can somebody come tomorrow at nine?",
      tool = { name = "book_appointment", arguments = { day = "tomorrow", time = "09:00", name = "Bob Ray" } },
      then_says = "I have looked at the calendar. Anything else?" },
    { hears = "No thank you, that was everything. Goodbye.",
      says = "Thank you for calling, and goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "looked at the calendar", "goodbye" } },
}
