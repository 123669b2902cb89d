-- SPDX-License-Identifier: Apache-2.0
-- check_availability: which times of a day are free. Used as it is it goes by the agent's hours;
-- `tools.check_availability { length = "30m", resources = { "anna", "ben" } }` says more.
local calendar = require "ringdown.calendar"
local time = require "ringdown.time"
local tool = require "ringdown.tool"

local OFFERED = 4 -- more than that nobody remembers

local function answer(free, later)
  if #free > 0 then
    return { free = calendar.speak(free, OFFERED) }
  elseif #later > 0 then
    return { free = false, next = calendar.speak(later, OFFERED) }
  end
  return { free = false, say = "Say that nothing is free in the coming weeks, and offer to take a message." }
end

---@param opts ringdown.calendar.opts?
local function make(opts)
  local config = calendar.configure(opts, "check_availability")
  local services = calendar.services(config)
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
    run = function(call, args)
      local date, why = time.day(call:now(), args.day)
      if not date then
        return nil, why
      end
      local days = time.days(date)
      local refused = calendar.refusal(config, call, days)
      if refused then
        return nil, refused
      end
      return answer(calendar.free(config, call, { days = days, part = args.part,
        seconds = calendar.length_of(config, args.service) }))
    end,
  }
  t.with = make
  return t
end

return make()
