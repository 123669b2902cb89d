-- SPDX-License-Identifier: Apache-2.0
-- The caller cuts in, and the model goes on sending what nobody shall hear any more.
return {
  name = "late-words", from = "+13125550159", to = "+13125550201", max = "60s",
  caller = {
    { after = "agent", say = "Tell me the history of this house." },
    { during = "agent", at = "600ms", say = "Stop it, that is quite enough." },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "Tell me the history of this house.", fault = "late-deltas",
      says = "It was built by a sea captain, who sold it to a baker, who sold it to a dentist, who gave it to "
        .. "his daughter, who turned it into a school, which was closed, and then it stood empty for "
        .. "a long time, until somebody had the idea of a hotel." },
    { hears = "Stop it, that is quite enough.", says = "As you wish." },
  },
  expect = { ended_by = "caller", barge_ins = 1, heard = { "As you wish." } },
}
