-- SPDX-License-Identifier: Apache-2.0
-- The caller presses keys; the script counts them and answers in its own words.
return {
  name = "keypad", from = "+13125550161", to = "+13125550204", max = "40s",
  caller = { { after = "agent", digits = "42#" } },
  expect = {
    ended_by = "agent", barge_ins = 0, heard = { "Thank you, room four two it is." },
    verbs = { "Connect", "Redirect", "Hangup" },
  },
}
