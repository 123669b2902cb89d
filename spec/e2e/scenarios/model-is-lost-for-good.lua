-- SPDX-License-Identifier: Apache-2.0
-- The model's key is refused while it should answer, and Vapi takes only whole calls: it goes on with the caller.
return {
  name = "model-is-lost-for-good", from = "+13125550173", to = "+13125550100", max = "60s",
  caller = {
    { after = "agent", say = "Is there a berth free for tonight?" },
    { after = "agent", say = "One for a sailing boat, please." },
  },
  model = {
    { hears = "Is there a berth free for tonight?", fault = "3000", says = "Let me look." },
    { hears = "One for a sailing boat, please.", says = "Berth seven is yours.", tool = { name = "end_call" } },
  },
  expect = { heard = { "the line was interrupted", "Berth seven is yours" },
    verbs = { "Connect", "Redirect", "Connect" } },
}
