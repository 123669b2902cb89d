-- SPDX-License-Identifier: Apache-2.0
-- booking: what check_availability and book_appointment do once they are called. Most calls never book, so this
-- and the calendar behind it stay out of a call's VM until then.
local calendar = require "ringdown.calendar"
local current = require "ringdown.current"
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local time = require "ringdown.time"

local M = {}

local OFFERED = 4 -- more than that nobody remembers

local function answer(free, later)
  if #free > 0 then
    return { free = calendar.speak(free, OFFERED) }
  elseif #later > 0 then
    return { free = false, next = calendar.speak(later, OFFERED) }
  end
  return { free = false, say = "Say that nothing is free in the coming weeks, and offer to take a message." }
end

---Free times of the day that the model asked about.
---@param call ringdown.call
---@param args table day, part, service
---@param config table
---@return table? answer
---@return string? why not
function M.check(call, args, config)
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
end

local BOOK = "select book_appointment($1, $2, $3::text[], $4::bigint, $5::bigint, $6, $7, $8, $9, $10, $11)::text"

-- Call, time and service: whoever asks for the same again, in whatever words, means the same visit.
local function key_of(call, slot, service)
  return ("%s/book/%d/%s"):format(call.id, slot.start, (service or ""):sub(1, 40):gsub("%c", " "))
end

local function book(config, call, slot, args)
  local rows, why = host.query(BOOK, {
    host.agent(), call.site.id, calendar.array(calendar.resources(config, call)), slot.start, slot.stop,
    call.caller.number or false, args.name or false, args.service or false, args.notes or false,
    call.id ~= "" and call.id or false, key_of(call, slot, args.service) })
  if not rows then
    error("the visit could not be booked: " .. tostring(why), 0)
  end
  return json.decode(rows[1][1])
end

local function taken(config, call, days, seconds)
  local free, later = calendar.free(config, call, { days = days, seconds = seconds })
  local near = #free > 0 and free or later
  return { booked = false, say = "Say that this time has just been taken, and offer one of the times in `nearest`.",
    nearest = #near > 0 and calendar.speak(near, 3) or nil }
end

-- A hook that breaks does not undo a booking.
local function tell_agent(call, visit)
  local hook = current.def.on and current.def.on.booked
  if not hook then
    return
  end
  local ok, why = pcall(hook, call, visit)
  if not ok then
    log.fact("error", "booking.hook_failed", call.id, { why = log.known(why),
      fix = log.known "mend on.booked in the agent's file; the visit stands" })
  end
end

local function not_a_time(config, call, days, seconds)
  local free, later = calendar.free(config, call, { days = days, seconds = seconds })
  local near = #free > 0 and free or later
  if #near == 0 then
    return nil, "No visit can begin then, and nothing is free in the coming weeks."
  end
  return { booked = false, say = "Say that no visit can begin then, and offer one of the times in `nearest`.",
    nearest = calendar.speak(near, 3) }
end

---Books what the model asked for.
---@param call ringdown.call
---@param args table day, time, name, service, notes
---@param config table
---@return table? answer
---@return string? why not
function M.book(call, args, config)
  local date, why = time.day(call:now(), args.day)
  local minutes = time.minutes(args.time)
  if not date then
    return nil, why
  elseif not minutes then
    return nil, "That is no time of day; write it like 09:00."
  end
  local days, seconds = time.days(date), calendar.length_of(config, args.service)
  local refused = calendar.refusal(config, call, days)
  if refused then
    return nil, refused
  end
  local slot = calendar.slot(config, call, days, minutes, seconds)
  if not slot then
    return not_a_time(config, call, days, seconds)
  end
  local done = book(config, call, slot, args)
  if done.state == "taken" then
    return taken(config, call, days, seconds)
  end
  local visit = { id = done.id, start = slot.start, stop = slot.stop, day = date, time = args.time,
    service = args.service, name = args.name, resource = done.resource, site = call.site.id }
  call.visit = visit
  if done.state == "booked" then
    tell_agent(call, visit)
  end
  return { booked = true, day = time.day_text(date), time = time.clock_text(minutes), service = args.service }
end

return M
