-- SPDX-License-Identifier: Apache-2.0
-- hours: the opening hours of an agent or a site: read when it loads, and as people say them.
local time = require "ringdown.time"

local M = {}

local weekdays = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
local short = { sun = 1, mon = 2, tue = 3, wed = 4, thu = 5, fri = 6, sat = 7 }

local function parse_days(key)
  local from, to = key:match("^(%l%l%l)_(%l%l%l)$")
  from = from or key
  to = to or from
  if short[from] and short[to] then
    return short[from], short[to]
  end
end

local function parse_span(text)
  local from, to = tostring(text):match("^(%d%d:%d%d)%-(%d%d:%d%d)$")
  from, to = from and time.minutes(from), to and time.minutes(to)
  if from and to and from < to then
    return { from = from, to = to }
  end
end

---The shape of `hours`: { mon_fri = "08:00-17:00", sat = "09:00-12:00", closed = { "2026-12-25" } }.
function M.shape(value, path, complain)
  local out = { spans = {}, closed = {} }
  if type(value) ~= "table" then
    complain(path, 'must be a table like { mon_fri = "08:00-17:00" }')
    return out
  end
  for key, text in pairs(value) do
    local from, to = parse_days(tostring(key))
    if key == "closed" then
      for i, date in ipairs(type(text) == "table" and text or { text }) do
        if time.days(date) then
          out.closed[#out.closed + 1] = time.days(date)
        else
          complain(path .. ".closed." .. i, ('%s is no date; write it like "2026-12-25"'):format(tostring(date)))
        end
      end
    elseif not from then
      complain(path .. "." .. tostring(key), "unknown; allowed: mon, mon_fri and so on, closed")
    elseif not parse_span(text) then
      complain(path .. "." .. key, ('%s is no time span; write it like "08:00-17:00"')
        :format(type(text) == "table" and "a list" or tostring(text)))
    else
      local span = parse_span(text)
      span.first, span.last = from, to
      out.spans[#out.spans + 1] = span
    end
  end
  table.sort(out.closed)
  table.sort(out.spans, function(a, b)
    return (a.first + 5) % 7 < (b.first + 5) % 7 -- the week begins on Monday
  end)
  return out
end

---@param hours { spans: table[], closed: integer[] } as M.shape leaves them
---@param moment ringdown.moment
---@return boolean
function M.is_open(hours, moment)
  local days = time.days(moment.date)
  local weekday = time.weekday(days)
  for _, closed in ipairs(hours.closed) do
    if closed == days then
      return false
    end
  end
  for _, span in ipairs(hours.spans) do
    local within = span.first <= span.last and span.first <= weekday and weekday <= span.last
      or span.first > span.last and (weekday >= span.first or weekday <= span.last)
    if within and span.from <= moment.minutes and moment.minutes < span.to then
      return true
    end
  end
  return false
end

---@return string "Monday to Friday 8 am to 5 pm; Saturday 9 am to 12 pm; closed on December 25, 2026"
function M.text(hours)
  local parts = {}
  for _, span in ipairs(hours.spans) do
    local days = weekdays[span.first]
    if span.last ~= span.first then
      days = days .. " to " .. weekdays[span.last]
    end
    parts[#parts + 1] = ("%s %s to %s"):format(days, time.clock_text(span.from), time.clock_text(span.to))
  end
  local closed = {}
  for _, days in ipairs(hours.closed) do
    closed[#closed + 1] = time.date_text(days, true)
  end
  if #closed > 0 then
    parts[#parts + 1] = "closed on " .. table.concat(closed, " and ")
  end
  return table.concat(parts, "; ")
end

return M
