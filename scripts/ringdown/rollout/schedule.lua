-- SPDX-License-Identifier: Apache-2.0
-- rollout.schedule: the hours at which a rollout may use OpenAI, as people write them and read them. Pure, but for
-- the names of time zones.
--
--   open                                          while the agent's own hours are open; closed: while they are not
--   mon_fri 08:00-17:00, sat 09:00-12:00          hours of the plan's own, on the agent's clock
--   closed mon_fri 08:00-17:00 America/Chicago    outside of these, on that clock
--   none                                          at any hour
local hours_of = require "ringdown.hours"
local sorted = require "ringdown.sorted"
local time = require "ringdown.time"

local M = {}

local EXAMPLE = "write open, closed, none, or hours like \"mon_fri 08:00-17:00, sat 09:00-12:00 America/Chicago\""

local function wrong(word)
  return nil, ("--schedule: '%s' is not understood; %s"):format(word:sub(1, 40), EXAMPLE)
end

local function check(schedule)
  local complaint
  if schedule.hours then
    hours_of.shape(schedule.hours, "--schedule", function(path, text)
      complaint = complaint or ("%s: %s"):format(path, text)
    end)
  end
  if schedule.zone and not time.zone(schedule.zone) then
    complaint = complaint or ("--schedule: there is no time zone '%s'; write like America/Chicago"):format(
      schedule.zone:sub(1, 40))
  end
  return not complaint and schedule or nil, complaint
end

---@param text string
---@return table|false|nil schedule false: none; nil: not understood
---@return string? why
function M.parse(text)
  local schedule, days, n = { when = "open" }, nil, 0
  for word in tostring(text):gmatch "[^,%s]+" do
    n = n + 1
    if n == 1 and (word == "open" or word == "closed" or word == "none") then
      schedule.when = word
    elseif days then
      schedule.hours = schedule.hours or {}
      if schedule.hours[days] then
        return nil, ("--schedule: '%s' is there twice; one time span for each"):format(days)
      end
      schedule.hours[days], days = word, nil
    elseif schedule.zone then
      return wrong(word)
    elseif word:match "^%l%l%l$" or word:match "^%l%l%l_%l%l%l$" then
      days = word
    elseif word:match "^%u[%w_+-]*/?[%w_/+-]*$" and n > 1 then
      schedule.zone = word
    else
      return wrong(word)
    end
  end
  if n == 0 or days or n > 20 or schedule.when == "none" and n > 1 then
    return wrong(text)
  elseif schedule.when == "none" then
    return false
  end
  return check(schedule)
end

---@param schedule table?
---@return string? line
function M.line(schedule)
  if type(schedule) ~= "table" then
    return nil
  end
  local spans = {}
  for _, days in ipairs(sorted.keys(schedule.hours or {})) do
    spans[#spans + 1] = days .. " " .. tostring(schedule.hours[days])
  end
  return ("  hours     OpenAI only %s %s%s; else Vapi"):format(schedule.when == "closed" and "outside of" or "within",
    schedule.hours and table.concat(spans, ", ") or "the agent's hours", schedule.zone and " " .. schedule.zone or "")
end

return M
