-- SPDX-License-Identifier: Apache-2.0
-- time: durations, days, opening hours, and the clock on the agent's wall.
local host = require "ringdown.host"

local M = {}

local units = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }
local weekdays = { "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday" }
local months = { "January", "February", "March", "April", "May", "June", "July", "August", "September",
  "October", "November", "December" }

---@param text any "500ms", "4s", "10m", "1h", "90d"
---@return integer? ms
function M.duration(text)
  if type(text) ~= "string" then
    return nil
  end
  local number, unit = text:match("^(%d+)(%l+)$")
  if not number or #number > 9 or not units[unit] then
    return nil
  end
  return math.tointeger(number) * units[unit]
end

-- Days since 1970-01-01 of a date, and back: the proleptic Gregorian calendar without tables.
local function days_of(year, month, day)
  local y = month <= 2 and year - 1 or year
  local era = y // 400
  local year_of_era = y - era * 400
  local day_of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  local day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
  return era * 146097 + day_of_era - 719468
end

local function date_of(days)
  local z = days + 719468
  local era = z // 146097
  local day_of_era = z - era * 146097
  local year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
  local day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
  local m = (5 * day_of_year + 2) // 153
  local month = m < 10 and m + 3 or m - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return year, month, day_of_year - (153 * m + 2) // 5 + 1
end

local function weekday_of(days)
  return (days + 4) % 7 + 1 -- 1970-01-01 was a Thursday
end

---@param text any "2026-12-25"
---@return integer? days since 1970
local function parse_date(text)
  if type(text) ~= "string" then
    return nil
  end
  local y, m, d = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
  if not y then
    return nil
  end
  local days = days_of(math.tointeger(y), math.tointeger(m), math.tointeger(d))
  if ("%04d-%02d-%02d"):format(date_of(days)) ~= text then
    return nil
  end
  return days
end

---Minutes since midnight; nil for what is no time of day.
---@param text any "09:30"
---@return integer? minutes
function M.minutes(text)
  local h, m = tostring(text):match("^(%d%d?):(%d%d)$")
  h, m = math.tointeger(h), math.tointeger(m)
  if not h or h > 23 or m > 59 then
    return nil
  end
  return h * 60 + m
end

-- ── time zones ──────────────────────────────────────────────────────────────────────────────────
-- A compiled zone (RFC 8536): moments at which the distance to UTC changes. All of them would be most of a call's
-- memory, so of a zone only the span is kept that was asked about last.
local spans = {} -- name → { from, to, offset }; false: no such zone

local function span_at(bytes, unix)
  if bytes:sub(1, 4) ~= "TZif" then
    return nil
  end
  local function header(at)
    local isutc, isstd, leap, n_time, n_type, n_char = string.unpack(">I4I4I4I4I4I4", bytes, at + 20)
    return { isutc = isutc, isstd = isstd, leap = leap, times = n_time, types = n_type, chars = n_char }
  end
  local at, width, format = 1, 4, ">i4"
  local h = header(at)
  if bytes:byte(5) >= 50 then -- the second block has 64-bit times
    at = at + 44 + h.times * 5 + h.types * 6 + h.chars + h.leap * 8 + h.isstd + h.isutc
    h, width, format = header(at), 8, ">i8"
  end
  local base = at + 44
  local function time_of(i)
    return (string.unpack(format, bytes, base + (i - 1) * width))
  end
  local low, high = 0, h.times
  while low < high do
    local middle = (low + high + 1) // 2
    if time_of(middle) <= unix then
      low = middle
    else
      high = middle - 1
    end
  end
  local kind = low == 0 and 0 or bytes:byte(base + h.times * width + low - 1)
  return {
    from = low == 0 and math.mininteger or time_of(low),
    to = low == h.times and math.maxinteger or time_of(low + 1),
    offset = string.unpack(">i4", bytes, base + h.times * (width + 1) + kind * 6),
  }
end

local function span_of(name, unix)
  local span = spans[name]
  if span == nil or span and not (span.from <= unix and unix < span.to) then
    local ok, found = pcall(span_at, host.zone(name) or "", unix)
    span = ok and found or false
    spans[name] = span
  end
  return span
end

---@param name string "America/Chicago"
---@return true? nil when there is no such zone
function M.zone(name)
  return span_of(name, M.unix()) and true or nil
end

-- UTC where there is no such zone.
local function offset_at(name, unix)
  local span = span_of(name, unix)
  return span and span.offset or 0
end

local function clock_text(minutes)
  local h, m = minutes // 60, minutes % 60
  local twelve = h % 12 == 0 and 12 or h % 12
  local half = h < 12 and "am" or "pm"
  return m == 0 and ("%d %s"):format(twelve, half) or ("%d:%02d %s"):format(twelve, m, half)
end
M.clock_text = clock_text

local function date_text(days, with_year)
  local year, month, day = date_of(days)
  local text = ("%s %d"):format(months[month], day)
  return with_year and ("%s, %d"):format(text, year) or text
end

M.date_text = date_text

local function capital(word)
  return word:sub(1, 1):upper() .. word:sub(2)
end

---@class ringdown.moment a moment on the agent's wall clock
---@field date string "2026-11-24"
---@field time string "14:05"
---@field minutes integer since midnight
---@field weekday string "tuesday"
---@field text string "Tuesday, November 24, 2026, 2:05 pm"

---A moment on the wall clocks of a zone. In a call, call:now() is shorter.
---@param zone_name string "America/Chicago"
---@param unix integer? seconds since 1970; now if left out
---@return ringdown.moment
function M.at(zone_name, unix)
  unix = unix or M.unix()
  local moment = unix + offset_at(zone_name, unix)
  local days, minutes = moment // 86400, moment % 86400 // 60
  local weekday = weekdays[weekday_of(days)]
  return {
    date = ("%04d-%02d-%02d"):format(date_of(days)),
    time = ("%02d:%02d"):format(minutes // 60, minutes % 60),
    minutes = minutes,
    weekday = weekday,
    text = ("%s, %s, %s"):format(capital(weekday), date_text(days, true), clock_text(minutes)),
  }
end

---The moment of a wall clock: the inverse of M.at.
---@param zone_name string
---@param text string "2026-11-24 02:10"
---@return integer? unix
function M.unix_of(zone_name, text)
  local date, clock = text:match("^(%S+) (%S+)$")
  local days, minutes = parse_date(date), M.minutes(clock)
  if not days or not minutes or not M.zone(zone_name) then
    return nil
  end
  local wall = days * 86400 + minutes * 60
  local unix = wall - offset_at(zone_name, wall)
  return wall - offset_at(zone_name, unix)
end

---Now.
---@return integer seconds since 1970
function M.unix()
  return host.unix and host.unix() or os.time()
end

---A day as people say it: "today", "tomorrow", "friday", "next friday", "2026-11-27".
---@param now ringdown.moment
---@param text any
---@return string? date "2026-11-27"
---@return string? why
function M.day(now, text)
  local today = parse_date(now.date)
  local word = tostring(text):lower():gsub("^next ", ""):gsub("^on ", "")
  local days = parse_date(word)
  if word == "today" then
    days = today
  elseif word == "tomorrow" then
    days = today + 1
  end
  for i, name in ipairs(weekdays) do
    if word == name then
      days = today + (i - weekday_of(today) - 1) % 7 + 1
    end
  end
  if not days then
    return nil, "Say the day as today, tomorrow, a weekday, or a date like " .. now.date .. "."
  end
  return ("%04d-%02d-%02d"):format(date_of(days))
end

---A date as people say it.
---@param date string "2026-11-27"
---@return string? text "Friday, November 27"
function M.day_text(date)
  local days = parse_date(date)
  return days and ("%s, %s"):format(capital(weekdays[weekday_of(days)]), date_text(days))
end

---@param date string "2026-11-27"
---@return integer? days since 1970
function M.days(date)
  return parse_date(date)
end

---@param days integer since 1970
---@return string date "2026-11-27"
function M.date(days)
  return ("%04d-%02d-%02d"):format(date_of(days))
end

---@param days integer since 1970
---@return integer weekday 1 is Sunday
function M.weekday(days)
  return weekday_of(days)
end

---Days from one date to another.
---@param from string
---@param to string
---@return integer
function M.days_between(from, to)
  return parse_date(to) - parse_date(from)
end

---The shape of `hours`; see hours.lua, which few calls need.
function M.hours_shape(value, path, complain)
  return require("ringdown.hours").shape(value, path, complain)
end

---@return string "Monday to Friday 8 am to 5 pm; Saturday 9 am to 12 pm; closed on December 25, 2026"
function M.hours_text(hours)
  return require("ringdown.hours").text(hours)
end

return M
