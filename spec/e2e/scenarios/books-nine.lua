-- SPDX-License-Identifier: Apache-2.0
-- A caller who wants an hour that somebody else wants, too.
return {
  name = "books-nine", from = "+13125550142", to = "+13125550100", max = "60s",
  caller = {
    { after = "agent", say = "Can somebody come tomorrow at nine?" },
    { after = "agent", say = "No thank you, that was everything. Goodbye." },
  },
  model = {
    { hears = "Can somebody come tomorrow at nine?",
      tool = { name = "book_appointment", arguments = { day = "tomorrow", time = "09:00", name = "Ann Lee" } },
      then_says = "I have looked at the calendar. Anything else?" },
    { hears = "No thank you, that was everything. Goodbye.",
      says = "Thank you for calling, and goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "looked at the calendar", "goodbye" } },
}
