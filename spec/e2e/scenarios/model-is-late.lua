-- SPDX-License-Identifier: Apache-2.0
-- One answer does not come: the caller is told to wait, and asked again the model answers.
return {
  name = "model-is-late", from = "+13125550159", to = "+13125550201", max = "40s",
  caller = {
    { after = "agent", say = "Is there a swimming pool?" },
    { after = "agent", at = "2s", hangup = true },
  },
  model = {
    { hears = "Is there a swimming pool?", fault = "no-answer", says = "On the roof." },
  },
  expect = { ended_by = "caller", heard = { "One moment, please.", "All right. What else can I do for you?" } },
}
