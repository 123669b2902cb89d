-- SPDX-License-Identifier: Apache-2.0
-- Is with somebody who does not come to an end, when the operator does.
return {
  name = "is-kept-talking", from = "+13125550179", to = "+13125550201", max = "60s",
  caller = { { after = "agent", wait = "55s" } },
  people = { ["+13125550176"] = { talks = "50s" } },
  expect = { ended_by = "transfer", verbs = { "Connect", "Dial" } },
}
