-- SPDX-License-Identifier: Apache-2.0
-- Front Desk: answers the phone, takes messages, and hands an emergency to a person at once.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local sms = require "ringdown.sms"

local take_message = tool {
  name = "take_message",
  about = "Take a message for the team. Use it once you know what it is about.",
  effect = "write", -- done at most once, however often the model asks for the same
  args = {
    about = { type = "string", about = "the message, in one short sentence", max = 80 },
    name = { type = "string", about = "the caller's name", max = 40 },
  },
  failed = "Say that the message may not have arrived, and that the caller should ring again tomorrow.",
  run = function(call, args)
    local sent, why = sms.send(call, "message", { to = "team", args = args })
    if not sent then
      return nil, why
    end
    call.vars.message = args.about
    return { taken = true }
  end,
}

return agent {
  name = "front-desk",
  numbers = { "+13125550150" }, -- nobody's: put yours here, as Twilio shows it
  time_zone = "America/Chicago",
  languages = { "en" },
  hours = { mon_fri = "09:00-17:00" },
  people = { team = "+13125550101" }, -- nobody's either: who gets messages and emergencies
  vars = { message = "" }, -- what call.vars may hold
  openai = { voice = "marin" },
  notice = { ai = true },
  greeting = "Front Desk, how can I help?",
  prompt = agent.file "front-desk.md",
  tools = { take_message, tools.end_call },
  emergencies = {
    {
      id = "fire", severity = "life",
      any = { "fire", "smoke", "burning" }, unless = { "fire drill", "fire alarm test" },
      say = "Leave the building now, then call 911.",
      transfer = "team",
      text = { to = "team", body = "FIRE, says {{caller.number}}: {{match.words}}" },
    },
  },
  sms = { message = "For you: {{args.about}} ({{args.name}}, {{caller.number}})" },
}
