-- SPDX-License-Identifier: Apache-2.0
-- A caller presses a key, books a visit, and smells gas before saying goodbye.
return {
  name = "a-call-to-replay", from = "+13125550177", to = "+13125550100", max = "60s",
  caller = {
    { after = "agent", digits = "1" },
    { after = "agent", say = "Can somebody come tomorrow at nine?" },
    { after = "agent", say = "By the way I smell gas in the kitchen" },
    { after = "agent", say = "No thank you, that was everything. Goodbye." },
  },
  model = {
    { hears = "Can somebody come tomorrow at nine?",
      tool = { name = "book_appointment", arguments = { day = "tomorrow", time = "09:00", name = "Ann Lee" } },
      then_says = "I have looked at the calendar. Anything else?" },
    { hears = "By the way I smell gas in the kitchen", says = "I have told somebody about the gas." },
    { hears = "No thank you, that was everything. Goodbye.",
      says = "Thank you for calling, and goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "looked at the calendar", "goodbye" } },
}
