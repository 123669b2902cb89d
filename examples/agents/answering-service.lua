-- SPDX-License-Identifier: Apache-2.0
-- An answering service: after hours, for many businesses, each a site with its own name, hours and people. Takes
-- messages; what cannot wait is put through to whoever is on call.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local sms = require "ringdown.sms"

local take_message = tool {
  name = "take_message",
  about = "Take a message. Use it once you know the caller's name and what it is about.",
  effect = "write",
  args = {
    name = { type = "string", about = "the caller's name", max = 40 },
    about = { type = "string", about = "the message, in one short sentence", max = 100 },
    urgent = { type = "boolean", about = "the caller says that it cannot wait until the morning" },
  },
  failed = "Say that the message may not have arrived, and ask the caller to ring again in the morning.",
  run = function(call, args)
    local whom = args.urgent and "on_call" or "office"
    local sent, why = sms.send(call, args.urgent and "urgent" or "message", { to = whom, args = args })
    if not sent then
      return nil, why
    end
    call.vars.taken = true
    if args.urgent then
      return { taken = true, say = "Offer to connect the caller with whoever is on call." }
    end
    return { taken = true, say = "Say that somebody calls back in the morning." }
  end,
}

return agent {
  name = "answering-service",
  numbers = { "+13125550181" },
  time_zone = "America/Chicago",
  hours = { mon_fri = "08:00-17:00" }, -- of the businesses; a site's own go before these
  people = { office = "+13125550182", on_call = { "+13125550188", "+13125550189" } },
  vars = { taken = false },
  notice = { ai = true, recording = true },
  keep = { transcripts = "30d" },
  greeting = "Thank you for calling. The office is closed; may I take a message?",
  prompt = [[
You answer the phone for {{site.name}} while it is closed. It is open {{hours.text}}; now it is {{now.text}}.
Find out who calls and what it is about, read the message back, then use take_message. Promise nothing else: no
prices, no times. If it cannot wait, and only then, connect the caller with on_call.]],
  tools = {
    take_message,
    tools.transfer_call { to = { "on_call" }, ring = "in_turn", screen = true, when = "Only what cannot wait." },
    tools.end_call,
  },
  sms = {
    missed = "Sorry we missed you. Reply with a message and we will pass it on. STOP to opt out.",
    message = '{{site.name}}: {{args.name}}, {{caller.number or "number withheld"}}: {{args.about}}',
    urgent = 'URGENT {{site.name}}: {{args.name}}, {{caller.number or "number withheld"}}: {{args.about}}',
    nobody = '{{site.name}}: nobody on call took {{caller.number or "a withheld number"}}.',
    reply = "{{site.name}}: {{caller.number}} texts: {{args.words}}",
  },
  max_call = "8m",
  on = {
    transfer_failed = function(call)
      sms.send(call, "nobody", { to = "office" })
    end,
    ended = function(call)
      call:log("after_hours", { taken = call.vars.taken })
    end,
    sms = function(call, text)
      sms.send(call, "reply", { to = "office", args = { words = text.body } })
    end,
  },
}
