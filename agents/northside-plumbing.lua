-- SPDX-License-Identifier: Apache-2.0
-- Northside Plumbing: books visits in English and Spanish; gas leaks and floods go to a human at once.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local http, secret, sms = require "ringdown.http", require "ringdown.secret", require "ringdown.sms"
local emergencies = require "lib.emergencies"

-- Both tools must offer and book by the same rules.
local visits = { length = "1h", hours = { mon_sun = "08:00-18:00" }, resources = { "truck 1", "truck 2" } }

local eta = tool {
  name = "plumber_eta",
  about = "Minutes until the nearest free plumber arrives.",
  effect = "read",
  args = { zip = { type = "string", about = "5-digit ZIP code", pattern = "^%d%d%d%d%d$" } },
  timeout = "4s",
  filler = "Let me see who is closest.",
  failed = "Say the map is not answering and that we will text the time.",
  run = function(call, args)
    local reply = http.get("https://api.dispatch.example/eta",
      { query = { zip = args.zip, site = call.site.id }, bearer = secret "DISPATCH_KEY", retries = 1 })
    if reply.status == 404 then
      return nil, "Nobody is free today; offer tomorrow morning."
    end
    return { minutes = reply.json.minutes }
  end,
}

return agent {
  name = "northside-plumbing",
  numbers = { "+13125550100" },
  time_zone = "America/Chicago",
  languages = { "en", "es" },
  hours = { mon_fri = "08:00-17:00", sat = "09:00-12:00", closed = { "2026-12-25" } },
  people = { on_call = { "+13125550188", "+13125550189" }, office = "+13125550101" },
  needs = { hosts = { "api.dispatch.example" }, secrets = { "DISPATCH_KEY" } },
  vars = { booked = false },
  openai = { voice = "marin" },
  notice = { ai = true, recording = true },
  greeting = {
    en = "Northside Plumbing, how can I help?",
    es = "Northside Plumbing, ¿en qué puedo ayudar?",
  },
  prompt = agent.file "northside-plumbing.md",
  tools = {
    eta,
    tools.check_availability(visits),
    tools.book_appointment(visits),
    tools.lookup_customer,
    tools.send_sms { templates = { "booked" } },
    tools.transfer_call { to = { "office", "on_call" }, when = "The office only during its hours." },
    tools.end_call,
  },
  emergencies = {
    emergencies.gas_leak {
      transfer = "on_call",
      text = { to = "on_call", body = "GAS LEAK {{caller.number}}: {{match.words}}" },
    },
    emergencies.electric_flood {
      transfer = "on_call",
      text = { to = "on_call", body = "WATER ON ELECTRICITY {{caller.number}}: {{match.words}}" },
    },
    emergencies.flood { text = { to = "on_call", body = "Flood {{caller.number}}: {{match.words}}" } },
  },
  sms = {
    missed = "Northside Plumbing: sorry we missed you. What is broken? Reply here. STOP to opt out.",
    booked = {
      en = "Northside Plumbing: see you {{visit.start | day_time}}.",
      es = "Northside Plumbing: nos vemos el {{visit.start | day_time}}.",
    },
    call_back = 'Nobody took the call of {{caller.number or "a withheld number"}}. Please call back.',
    reply = "{{caller.number}} texts: {{args.words}}",
  },
  silence = { after = "12s", times = 2 },
  max_call = "15m",
  on = {
    booked = function(call)
      call.vars.booked = true
    end,
    transfer_failed = function(call, whom)
      sms.send(call, "call_back", { to = whom })
    end,
    sms = function(call, text)
      sms.send(call, "reply", { to = "office", args = { words = text.body } })
    end,
  },
}
