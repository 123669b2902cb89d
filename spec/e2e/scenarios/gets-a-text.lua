-- SPDX-License-Identifier: Apache-2.0
-- Somebody who has a text sent, and hangs up.
return {
  name = "gets-a-text", from = "+13125550231", to = "+13125550230", max = "60s",
  caller = {
    { after = "agent", say = "Please text me the time." },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "Please text me the time.", tool = { name = "send_sms", arguments = { template = "booked" } },
      then_says = "It is on its way." },
  },
  expect = { ended_by = "caller", tools = { "send_sms" }, heard = { "It is on its way." } },
}
