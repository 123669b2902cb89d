-- SPDX-License-Identifier: Apache-2.0
-- calendar: when a visit may begin, and which of those times are still free. What check_availability offers is
-- what book_appointment takes, because both ask here.
--
-- Times are the site's wall clock: an hour that a change to summer time skips is not offered, and a visit lasts as
-- long as it lasts. Free is what no booked visit overlaps for at least one of the resources.
local current = require "ringdown.current"
local host = require "ringdown.host"
local time = require "ringdown.time"

local M = {}

local LOOK_AHEAD_DAYS = 21 -- for the next free time

local BUSY = "select resource, extract(epoch from lower(during))::bigint, extract(epoch from upper(during))::bigint "
  .. "from appointments where agent = $1 and site = $2 and status = 'booked' and resource = any($3::text[]) "
  .. "and during && tstzrange(to_timestamp($4), to_timestamp($5))"

---@param config table
---@param service string?
---@return integer seconds
function M.length_of(config, service)
  return (config.services and config.services[service or ""] or config.length) // 1000
end

local office_hours = { spans = { { first = 2, last = 6, from = 540, to = 1020 } }, closed = {} }

local function hours_of(config)
  return config.hours or current.def.hours or office_hours
end

---@param config table
---@param call ringdown.call
---@return string[]
function M.resources(config, call)
  local list = config.resources or call.site.resources
  return type(list) == "table" and #list > 0 and list or { "default" }
end

local function is_open(span, weekday)
  if span.first <= span.last then
    return weekday >= span.first and weekday <= span.last
  end
  return weekday >= span.first or weekday <= span.last
end

-- The spans of a day in which a visit can take place; none on closed days.
local function spans_of(hours, days)
  for _, closed in ipairs(hours.closed) do
    if closed == days then
      return {}
    end
  end
  local list, weekday = {}, time.weekday(days)
  for _, span in ipairs(hours.spans) do
    if is_open(span, weekday) then
      list[#list + 1] = span
    end
  end
  return list
end

-- The moment of a wall clock; nil when the clock skips it.
local function moment_of(zone, date, minutes)
  local unix = time.unix_of(zone, ("%s %02d:%02d"):format(date, minutes // 60, minutes % 60))
  return unix and time.at(zone, unix).minutes == minutes and unix or nil
end

---@class ringdown.slot
---@field start integer
---@field stop integer
---@field date string
---@field minutes integer

-- When a visit of so many seconds may begin on that day, earliest first, whether it is free or not.
local function starts_of_day(config, zone, days, seconds, earliest)
  local date, list = time.date(days), {}
  for _, span in ipairs(spans_of(hours_of(config), days)) do
    for minutes = span.from, span.to - seconds // 60, config.step // 60000 do
      local start = moment_of(zone, date, minutes)
      if start and start >= earliest then
        list[#list + 1] = { start = start, stop = start + seconds, date = date, minutes = minutes }
      end
    end
  end
  table.sort(list, function(a, b)
    return a.start < b.start
  end)
  return list
end

---A PostgreSQL array of texts.
---@param list string[]
---@return string
function M.array(list)
  local parts = {}
  for i, text in ipairs(list) do
    parts[i] = '"' .. tostring(text):gsub('[%c"\\]', " ") .. '"'
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- Booked visits between two moments, by resource.
local function busy_between(config, call, from, to)
  local rows, why = host.query(BUSY, { host.agent(), call.site.id, M.array(M.resources(config, call)), from, to })
  if not rows then
    error("the calendar did not answer: " .. tostring(why), 0)
  end
  local busy = {}
  for _, row in ipairs(rows) do
    local list = busy[row[1]] or {}
    busy[row[1]] = list
    list[#list + 1] = { from = tonumber(row[2]), to = tonumber(row[3]) }
  end
  return busy
end

local function overlaps(list, slot)
  for _, visit in ipairs(list or {}) do
    if visit.from < slot.stop and slot.start < visit.to then
      return true
    end
  end
  return false
end

local function is_free(busy, resources, slot)
  for _, resource in ipairs(resources) do
    if not overlaps(busy[resource], slot) then
      return true
    end
  end
  return false
end

---@class ringdown.wish
---@field days integer the day, since 1970
---@field seconds integer how long
---@field part string? "morning", "afternoon", "evening"

local parts = { morning = { 0, 720 }, afternoon = { 720, 1020 }, evening = { 1020, 1440 } }

local function in_part(slot, part)
  local range = parts[part or ""]
  return not range or slot.minutes >= range[1] and slot.minutes < range[2]
end

local function free_of_day(state, days, seconds, part)
  local list = {}
  for _, slot in ipairs(starts_of_day(state.config, state.call.zone, days, seconds, state.earliest)) do
    if in_part(slot, part) and is_free(state.busy, state.resources, slot) then
      list[#list + 1] = slot
    end
  end
  return list
end

---The free times of a day, and the next ones behind it when it has none.
---@param config table
---@param call ringdown.call
---@param wish ringdown.wish
---@return ringdown.slot[] free of that day
---@return ringdown.slot[] next of the first later day that has any
function M.free(config, call, wish)
  local today = time.days(call:now().date)
  local last = math.min(wish.days + LOOK_AHEAD_DAYS, today + config.days_ahead)
  local from = time.unix_of(call.zone, time.date(wish.days) .. " 00:00") - 86400
  local state = {
    config = config, call = call, resources = M.resources(config, call),
    earliest = time.unix() + config.lead // 1000,
    busy = busy_between(config, call, from, from + (last - wish.days + 4) * 86400),
  }
  local free, later = free_of_day(state, wish.days, wish.seconds, wish.part), {}
  local days = wish.days + 1
  while #later == 0 and days <= last do
    later = free_of_day(state, days, wish.seconds, wish.part)
    days = days + 1
  end
  return free, later
end

---Why a day cannot be booked at all; nil: it can.
---@param config table
---@param call ringdown.call
---@param days integer
---@return string?
function M.refusal(config, call, days)
  local ahead = days - time.days(call:now().date)
  if ahead < 0 then
    return "That day is over; ask for another one."
  elseif ahead > config.days_ahead then
    return ("Visits can be booked at most %d days ahead; offer an earlier day."):format(config.days_ahead)
  end
end

---Whether a visit may begin then, were nobody else there.
---@param config table
---@param call ringdown.call
---@param days integer
---@param minutes integer
---@param seconds integer
---@return ringdown.slot?
function M.slot(config, call, days, minutes, seconds)
  local earliest = time.unix() + config.lead // 1000
  for _, slot in ipairs(starts_of_day(config, call.zone, days, seconds, earliest)) do
    if slot.minutes == minutes then
      return slot
    end
  end
end

---As the model says it: { day = "Friday, November 27", times = { { time = "09:00", say = "9 am" }, … } }, at most
---`n` of them, spread over the day.
---@param slots ringdown.slot[]
---@param n integer
---@return table
function M.speak(slots, n)
  local times, count = {}, math.min(n, #slots)
  for i = 1, count do
    local slot = slots[count == 1 and 1 or 1 + (i - 1) * (#slots - 1) // (count - 1)]
    times[i] = { time = ("%02d:%02d"):format(slot.minutes // 60, slot.minutes % 60),
      say = time.clock_text(slot.minutes) }
  end
  return { day = time.day_text(slots[1].date), date = slots[1].date, times = times,
    more = #slots > count and #slots - count or nil }
end

return M
