-- SPDX-License-Identifier: Apache-2.0
-- Corner Bistro: takes reservations for two sittings, large parties go to the manager.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local sms = require "ringdown.sms"

local PARTY_MAX = 6

-- Both booking tools must offer and book by the same rules. A table is a resource; one is taken for two hours.
local tables = {
  resources = { "window", "corner", "bar", "terrace" },
  hours = { tue_sun = "17:00-23:00" },
  length = "2h",
  step = "30m",
  lead = "1h",
  days_ahead = 30,
}

local party = tool {
  name = "party",
  about = "Note how many people come. Use it before a table is booked.",
  effect = "write",
  args = { people = { type = "integer", about = "how many people", min = 1, max = 60 } },
  run = function(call, args)
    call.vars.people = args.people
    if args.people > PARTY_MAX then
      return nil, "That is more than a table seats; offer to connect the caller with the manager."
    end
    return { people = args.people }
  end,
}

return agent {
  name = "corner-bistro",
  numbers = { "+13125550171" },
  time_zone = "America/Chicago",
  hours = { tue_sun = "17:00-23:00", closed = { "2026-12-24", "2026-12-25" } },
  people = { manager = "+13125550172" },
  vars = { people = 0 },
  notice = { ai = true },
  greeting = "Corner Bistro, good evening. How can I help?",
  prompt = [[
You answer the phone for {{site.name}}, a restaurant. It is {{now.text}}. It is open {{hours.text}}.
Ask for the day, the time, and how many people come; use party, then check_availability, then book_appointment once
the caller agreed. Repeat the day and the time that it returns. Offer a text with them.
Questions about allergies, bills and lost things are for the manager: use transfer_call.]],
  tools = {
    party,
    tools.check_availability(tables),
    tools.book_appointment(tables),
    tools.send_sms { templates = { "booked" } },
    tools.transfer_call { to = { "manager" }, screen = true },
    tools.end_call,
  },
  sms = {
    missed = "Corner Bistro: sorry we missed you. Reply with day, time and how many. STOP to opt out.",
    booked = "Corner Bistro: a table on {{visit.start | day_time}}. Call us to change it.",
    reserved = 'Table {{visit.resource}}, {{visit.start | day_time}}, {{vars.people}} people, {{caller.number or "?"}}',
    call_back = 'Please call back {{caller.number or "a withheld number"}}: {{vars.people}} people.',
  },
  on = {
    booked = function(call)
      sms.send(call, "reserved", { to = "manager" })
    end,
    transfer_failed = function(call, whom)
      sms.send(call, "call_back", { to = whom })
    end,
  },
}
