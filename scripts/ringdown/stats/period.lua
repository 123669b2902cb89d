-- SPDX-License-Identifier: Apache-2.0
-- stats.period: "7d", "24h", "2026-11-02": which time is meant. Days are those of the clock at each site, the last one
-- included; hours are moments.
local nearest = require "ringdown.nearest"
local time = require "ringdown.time"

local M = {}

local HOUR, LONGEST_DAYS = 3600, 3660

---@class ringdown.stats.period
---@field local_from string? "2026-11-02", by the sites' clocks
---@field local_to string? excluded
---@field from string? the same as moments: "2026-11-27T10:00:00Z"
---@field to string?
---@field days integer how many days it is long, at least 1
---@field text string for people

---An RFC 3339 moment.
---@param unix integer
---@return string
function M.moment(unix)
  local at = time.at("UTC", unix)
  return ("%sT%s:00Z"):format(at.date, at.time)
end

local function mistake(what, text)
  error(("--%s '%s' is no time; write it like 7d (days, today is the last), 24h or 2026-11-02"):format(what,
    tostring(text):sub(1, 40)), 0)
end

-- The first day of "7d", or of a date; nil: none.
local function first_day(text, today)
  local n = math.tointeger(tonumber(text:match "^(%d%d?%d?%d?)d$" or ""))
  if n and n >= 1 and n <= LONGEST_DAYS then
    return today - n + 1
  end
  return time.days(text)
end

-- Whole hours, up to now.
local function of_hours(text, unix)
  local n = math.tointeger(tonumber(text:match "^(%d%d?%d?%d?)h$" or ""))
  if not n or n < 1 then
    return nil
  end
  local to = unix // HOUR * HOUR + HOUR
  return { from = M.moment(to - n * HOUR), to = M.moment(to), days = math.max(n // 24, 1),
    text = n == 1 and "this hour" or ("the last %d hours"):format(n) }
end

---Raises what is wrong, for people.
---@param since string? "7d" if left out
---@param till string? a date, included; today if left out
---@param zone string whose today it is
---@return ringdown.stats.period
function M.of(since, till, zone)
  since = since or "7d"
  local unix = time.unix()
  local today = time.days(time.at(zone, unix).date)
  local last = today
  if till then
    last = time.days(till) or mistake("until", till)
  end
  local hours = not till and of_hours(since, unix)
  if hours then
    return hours
  end
  local first = first_day(since, last) or mistake("since", since)
  if first > last then
    error(("--since %s is after %s"):format(since, till and "--until " .. till or "today"), 0)
  elseif last - first >= LONGEST_DAYS then
    error("that is more than ten years", 0)
  end
  local from, to = time.date(first), time.date(last)
  return { local_from = from, local_to = time.date(last + 1), days = last - first + 1,
    first = from, last = to, text = from == to and from or ("%s to %s"):format(from, to) }
end

---In words: what a filter says of a time, which need not be whole days nor have both ends.
---@param filter { local_from: string?, local_to: string?, from: string?, to: string?, day: string? }
---@return string
function M.words(filter)
  local from, to = filter.local_from or filter.from or filter.day, filter.to or filter.day
  local after = filter.local_to and time.days(filter.local_to)
  if filter.local_to then
    to = after and time.date(after - 1) or filter.local_to
  end
  if not from and not to then
    return "all times"
  elseif not from or not to then
    return from and "since " .. from or "until " .. to
  end
  return from == to and from or ("%s to %s"):format(from, to)
end

---What one may say for `known`, or raises with what was probably meant.
---@param what string the option
---@param word string
---@param known string[]
function M.one_of(what, word, known)
  for _, one in ipairs(known) do
    if one == word then
      return word
    end
  end
  error(("--%s '%s' is not possible; %s"):format(what, tostring(word):sub(1, 40), nearest.hint(word, known)), 0)
end

return M
