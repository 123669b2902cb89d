-- SPDX-License-Identifier: Apache-2.0
-- template: {{path}}, {{path or "words"}}, {{path | filter}} in a prompt or a text. Paths are checked when the
-- agent loads; values that came from outside (the caller, what tools stored) are quoted as data for the model,
-- and made harmless for people.
--
-- Paths:
--   site.id, site.name and whatever else a site has, agent.name, call.id, hours.text
--   now.text, now.date, now.time, now.weekday
--   caller.number, caller.name, caller.known, caller.vip
--   vars.… what the agent declared
--   visit.start, visit.stop, visit.service, visit.name, visit.resource   in texts: what was booked in this call
--   args.…                                                               in texts: what the tool was given
--   match.words, match.rule, match.severity                              in texts of emergencies
-- Filters: upper, lower, spell (digit by digit), date, time, day_time, phone.
local json = require "ringdown.json"

local M = {}

local VALUE_MAX = 200

local filters = {
  upper = string.upper,
  lower = string.lower,
  spell = function(text) -- digit by digit, as a voice should say a number
    return (text:gsub(".", "%0 "):gsub(" $", ""))
  end,
}

-- Of moments and numbers, as people write them. Few calls need them, so they are loaded when one does.
for _, name in ipairs { "day_time", "date", "time", "phone" } do
  filters[name] = function(_, value, at)
    return require("ringdown.texts.dates")[name](value, at)
  end
end
local function quote_as_data(value)
  local text = type(value) == "table" and json.encode(value) or tostring(value)
  text = text:sub(1, VALUE_MAX):gsub('"', "'"):gsub("%c", " "):gsub("{{", "( ("):gsub("}}", ") )")
  return '"' .. text .. '"'
end

-- For people: no quotes around it, but nothing in it that could pass for more than a value.
local function clean(text)
  if not utf8.len(text) then
    text = text:gsub("[\x80-\xff]", "?")
  end
  text = text:sub(1, (utf8.offset(text, VALUE_MAX + 1) or #text + 1) - 1)
  return (text:gsub("%c", " "):gsub("{{", "( ("):gsub("}}", ") )"))
end

---@class ringdown.template
---@field parts (string|table)[]
---@field outside boolean holds values that came from outside

---@param text string
---@param vars table<string, any> what the agent declared
---@param has_hours boolean
---@param complain fun(line: integer, text: string)
---@param more table<string, boolean>? other paths there are, and whether their values come from outside; "args.*"
---for whatever arguments there may be
---@return ringdown.template
function M.compile(text, vars, has_hours, complain, more)
  return require("ringdown.template_parse").compile(text, vars, has_hours, complain, more)
end

local plainly = { zone = "UTC", language = "en" } -- when nobody said where and in which language

local function value_at(values, path)
  for key in path:gmatch("[^.]+") do
    if type(values) ~= "table" then
      return nil
    end
    values = values[key]
  end
  return values
end

---@param template ringdown.template
---@param values table
---@param at ringdown.dates.at? for people, in this zone and language; else for the model. `marked`: between \1 and \2
---  stands what came from outside, for texts/lures.lua
---@return string
function M.render(template, values, at)
  local out, shown = {}, at and clean or quote_as_data
  for i, part in ipairs(template.parts) do
    if type(part) == "table" then
      local value = value_at(values, part.path)
      if value == "" then
        value = nil
      end
      local text = value ~= nil and (type(value) == "string" and value or json.encode(value)) or part.literal or ""
      local given = value ~= nil and value or text
      for _, name in ipairs(part.filters) do
        text = filters[name](text, given, at or plainly)
        given = text -- for the filter behind it
      end
      local outside = value ~= nil and part.outside
      text = outside and shown(text) or text
      part = outside and at and at.marked and part.path ~= "caller.number" and "\1" .. text .. "\2" or text
    end
    out[i] = part
  end
  return table.concat(out)
end

return M
