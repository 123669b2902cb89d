-- SPDX-License-Identifier: Apache-2.0
-- The caller speaks before anybody is there to listen.
return {
  name = "speaks-at-once", from = "+13125550160", to = "+13125550203", max = "60s",
  caller = {
    { say = "I am calling about my green suitcase." },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "I am calling about my green suitcase.", says = "We have found your green suitcase." },
  },
  expect = { ended_by = "caller", heard = { "found your green suitcase" } },
}
