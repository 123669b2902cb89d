-- SPDX-License-Identifier: Apache-2.0
-- quiet: when people should not be woken by a text, on the clock where they are, as far as their number tells.
local time = require "ringdown.time"
local zones = require "ringdown.texts.zones"

local M = {}

local STEPS = 8 -- zones that disagree, and clocks that change, are settled in a few
local CHANGE_MAX = 120 -- minutes that a clock jumps

-- Minutes until the span is over; nil outside of it.
local function minutes_left(span, minutes)
  local inside
  if span.from < span.to then
    inside = minutes >= span.from and minutes < span.to
  else
    inside = minutes >= span.from or minutes < span.to
  end
  return inside and (span.to - minutes) % 1440 or nil
end

-- When the span that `unix` lies in is over in a zone; nil outside of it. The clock may change meanwhile.
local function end_of(span, zone, unix)
  local left = minutes_left(span, time.at(zone, unix).minutes)
  if not left then
    return nil
  end
  local over = unix - unix % 60 + left * 60
  local late = (time.at(zone, over).minutes - span.to) % 1440
  return late <= CHANGE_MAX and over - late * 60 or over
end

---When a text may go: nil for now, else unix.
---@param span { from: integer, to: integer } minutes since midnight
---@param number string of who gets it
---@param zone string the agent's, for numbers that do not tell theirs
---@param unix integer
---@return integer? due_at
function M.until_when(span, number, zone, unix)
  local names, due = zones.of(number) or { zone }, unix
  for _ = 1, STEPS do
    local over
    for _, name in ipairs(names) do
      local here = end_of(span, time.zone(name) and name or zone, due)
      over = here and math.max(over or here, here) or over
    end
    if not over then
      break
    end
    due = over
  end
  return due > unix and due or nil
end

return M
