-- SPDX-License-Identifier: Apache-2.0
-- Smells gas; the one person on call is busy. The caller waits a moment and hangs up.
return {
  name = "smells-gas-nobody", from = "+13125550183", to = "+13125550264", max = "60s",
  caller = {
    { after = "agent", say = "Hello, I smell gas in the cellar." },
    { wait = "9s" },
    { hangup = true },
  },
  model = { { hears = "Hello, I smell gas in the cellar.", says = "One moment." } },
  people = { ["+13125550186"] = { answers = "busy" } },
  expect = { ended_by = "caller" },
}
