-- SPDX-License-Identifier: Apache-2.0
-- A caller of one of many places, who asks what only the database knows.
return {
  name = "asks-the-price", from = "+13125550144", to = "+13125550105", max = "60s",
  caller = {
    { after = "agent", at = "7s", say = "What does a drain cost, please?" },
    { after = "agent", say = "No thank you, that was everything. Goodbye." },
  },
  model = {
    { hears = "What does a drain cost, please?", tool = { name = "price", arguments = { what = "drain" } },
      then_says = "It costs ninety dollars. Anything else?" },
    { hears = "No thank you, that was everything. Goodbye.",
      says = "Thank you for calling, and goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "you have reached northside lakeview", "ninety dollars" } },
}
