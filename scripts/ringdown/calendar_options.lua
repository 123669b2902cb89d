-- SPDX-License-Identifier: Apache-2.0
-- calendar_options: what an agent's file may say about booking, for check_availability and book_appointment alike.
local complaints = require "ringdown.complaints"
local shape = require "ringdown.shape"
local sorted = require "ringdown.sorted"
local time = require "ringdown.time"

local M = {}

local DEFAULT_LENGTH_MS, DEFAULT_STEP_MS, DEFAULT_LEAD_MS, DEFAULT_DAYS = 3600000, 1800000, 7200000, 60

---@class ringdown.calendar.opts
---@field resources string[]? whom or what one can book at once; the site's `resources`, or one that is nameless
---@field services table<string, string>? what one can book and how long it takes: { checkup = "30m" }
---@field length string? how long a visit takes: "1h"
---@field step string? how far apart visits may begin: "30m"
---@field hours table? when visits take place, written like the agent's hours, which hold otherwise
---@field days_ahead integer? how far ahead one can book: 60
---@field lead string? how soon a visit may begin: "2h" from now

local words = shape.matching("^[^%c\"{}\\]+$", "a name; leave out quotes, braces and line breaks")
local length = shape.duration("5m", "24h")
local fields = shape.fields {
  resources = shape.list_of(words),
  services = shape.map_of(length),
  length = length,
  step = shape.duration("5m", "24h"),
  hours = time.hours_shape,
  days_ahead = shape.integer(0, 365),
  lead = shape.duration("0m", "30d"),
}

---Checks what a tool was given in the agent's file.
---@param opts ringdown.calendar.opts?
---@param callee string the tool's name, for the line
---@return table
function M.configure(opts, callee)
  local out = {}
  if opts ~= nil then
    local place = complaints.place(callee)
    place.label = callee
    out = fields(opts, "", function(path, text)
      complaints.add(place, path, text)
    end)
  end
  out.length, out.step = out.length or DEFAULT_LENGTH_MS, out.step or DEFAULT_STEP_MS
  out.lead, out.days_ahead = out.lead or DEFAULT_LEAD_MS, out.days_ahead or DEFAULT_DAYS
  return out
end

---The names of the services, sorted; nil when there are none to choose from.
---@param config table
---@return string[]?
function M.services(config)
  local names = sorted.keys(config.services)
  return #names > 0 and names or nil
end

return M
