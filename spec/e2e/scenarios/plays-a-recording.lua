-- SPDX-License-Identifier: Apache-2.0
-- A recorded human voice, and an answer.
local prompt = "/usr/share/asterisk/sounds/en_US_f_Allison/conf-getpin.wav"

return {
  name = "plays-a-recording", from = "+13125550144", to = "+13125550202", max = "60s",
  caller = { { after = "agent", play = prompt } },
  model = {
    { hears = "Please enter the conference pin number.", hears_file = prompt, says = "You are in. Good night.",
      tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", barge_ins = 0, tools = { "end_call" }, heard = { "You are in" } },
}
