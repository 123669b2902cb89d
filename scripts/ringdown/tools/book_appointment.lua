-- SPDX-License-Identifier: Apache-2.0
-- book_appointment: takes one of the free times. The database lets one of two have an hour; who is late hears
-- what is nearest. Asked twice in a call, it books once. Afterwards call.visit says what was booked, and the agent's
-- `on.booked` runs.
local options = require "ringdown.calendar_options"
local tool = require "ringdown.tool"

---@param opts ringdown.calendar.opts? as for check_availability
local function make(opts)
  local config = options.configure(opts, "book_appointment")
  local services = options.services(config)
  local t = tool {
    name = "book_appointment",
    about = "Book a visit at a time that check_availability offered. Repeat day and time to the caller and have "
      .. "them agree first. It is booked only when the result says so.",
    effect = "write",
    args = {
      day = { type = "string", about = "today, tomorrow, a weekday, or a date like 2026-11-24", max = 30 },
      time = { type = "string", about = "when it begins, 24 hours, like 09:00", pattern = "^%d%d?:%d%d$" },
      name = { type = "string", about = "the caller's name", optional = true, max = 80 },
      service = services and { type = "string", about = "what the visit is for", one_of = services }
        or { type = "string", about = "what the visit is for, in a few words", optional = true, max = 80 },
      notes = { type = "string", about = "what else whoever comes should know", optional = true, max = 500 },
    },
    filler = { "I am putting that into the calendar.", "One moment, I am booking that." },
    failed = "Say the calendar is not answering, that nothing is booked yet, and that we will call back to agree on "
      .. "a time.",
    run = tool.later("ringdown.booking", "book", config),
  }
  t.with = make
  return t
end

return make()
