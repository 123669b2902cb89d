-- SPDX-License-Identifier: Apache-2.0
-- The script does not decide in time where the call goes: no stream, but a voice.
return {
  name = "never-decided", from = "+13125550166", to = "+13125550209", max = "40s",
  caller = { { wait = "40s" } },
  expect = {
    ended_by = "fallback", verbs = { "Say", "Say", "Hangup" },
    heard = { "We are sorry, nobody can take your call right now. Please call again later." },
  },
}
