-- SPDX-License-Identifier: Apache-2.0
-- dates: days and times of day as a text says them, in the agent's zone and the text's language.
local time = require "ringdown.time"

local M = {}

local spanish_days = { sunday = "domingo", monday = "lunes", tuesday = "martes", wednesday = "miércoles",
  thursday = "jueves", friday = "viernes", saturday = "sábado" }
local spanish_months = { "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
  "octubre", "noviembre", "diciembre" }

-- A moment given as seconds since 1970, or as the wall clock "2026-11-24 09:00"; nil for anything else.
local function moment_of(value, zone)
  local unix = math.tointeger(value) or math.type(value) == "float" and math.floor(value) or nil
  if not unix and type(value) == "string" then
    local date, clock = value:match("^(%d%d%d%d%-%d%d%-%d%d)[ T](%d%d:%d%d)")
    unix = date and time.unix_of(zone, date .. " " .. clock)
  elseif type(value) == "table" then
    unix = math.tointeger(value.unix)
  end
  return unix and time.at(zone, unix)
end

local function day_of(moment, language)
  if language == "es" then
    local _, month, day = moment.date:match("^(%d+)%-(%d+)%-(%d+)$")
    return ("%s %d de %s"):format(spanish_days[moment.weekday], day, spanish_months[math.tointeger(month)])
  end
  return (time.day_text(moment.date))
end

local function clock_of(moment, language)
  if language == "en" then
    return time.clock_text(moment.minutes)
  end
  return (moment.time:gsub("^0", ""))
end

local joints = { en = " at ", es = " a las " }

---@class ringdown.dates.at
---@field zone string
---@field language string

-- What is no moment stays what it is: a date that a person wrote reads well enough.
local function spoken(value, at, say)
  local moment = moment_of(value, at.zone)
  return moment and say(moment, at.language) or tostring(value)
end

---"Tuesday, November 24"
---@param value any seconds since 1970, "2026-11-24 09:00", or a table with `unix`
---@param at ringdown.dates.at
---@return string
function M.date(value, at)
  if type(value) == "string" and value:match("^%d%d%d%d%-%d%d%-%d%d$") then
    value = value .. " 12:00"
  end
  return spoken(value, at, day_of)
end

---"9 am"
function M.time(value, at)
  return spoken(value, at, clock_of)
end

---"Tuesday, November 24 at 9 am"
function M.day_time(value, at)
  return spoken(value, at, function(moment, language)
    return day_of(moment, language) .. (joints[language] or ", ") .. clock_of(moment, language)
  end)
end

---"(312) 555-0142"
function M.phone(value)
  local area, exchange, line = tostring(value):match("^%+1(%d%d%d)(%d%d%d)(%d%d%d%d)$")
  return area and ("(%s) %s-%s"):format(area, exchange, line) or tostring(value)
end

return M
