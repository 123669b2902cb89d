-- SPDX-License-Identifier: Apache-2.0
-- One answer fails for a rate limit; asked again, the model answers.
return {
  name = "model-is-busy", from = "+13125550158", to = "+13125550201", max = "40s",
  caller = {
    { after = "agent", say = "Please wake me up at half past five." },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "Please wake me up at half past five.", fault = "rate-limit", says = "I will." },
  },
  expect = { ended_by = "caller", heard = { "All right. What else can I do for you?" } },
}
