-- SPDX-License-Identifier: Apache-2.0
-- check_availability: which times of a day are free. Used as it is it goes by the agent's hours;
-- `tools.check_availability { length = "30m", resources = { "anna", "ben" } }` says more.
local options = require "ringdown.calendar_options"
local tool = require "ringdown.tool"

---@param opts ringdown.calendar.opts?
local function make(opts)
  local config = options.configure(opts, "check_availability")
  local services = options.services(config)
  local t = tool {
    name = "check_availability",
    about = "Free times for a visit on a day. Use it before you offer a time. Offer two or three of the times it "
      .. "returns, never others; a day without free times comes with the next one that has some.",
    effect = "read",
    args = {
      day = { type = "string", about = "today, tomorrow, a weekday, or a date like 2026-11-24", max = 30 },
      part = { type = "string", about = "of the day, if the caller wishes", optional = true,
        one_of = { "morning", "afternoon", "evening" } },
      service = services and { type = "string", about = "what the visit is for", one_of = services } or nil,
    },
    filler = { "Let me look at the calendar.", "One moment, I am checking the calendar." },
    failed = "Say the calendar is not answering, take name, number and wish, and say that we will call back.",
    run = tool.later("ringdown.booking", "check", config),
  }
  t.with = make
  return t
end

return make()
