-- SPDX-License-Identifier: Apache-2.0
-- tool_args: the arguments that a model gives to a tool, checked and in the form that its `run` gets. A call loads
-- this when a tool is used first.
local host = require "ringdown.host"
local json = require "ringdown.json"
local sorted = require "ringdown.sorted"

local M = {}

local days_in = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_day(year, month, day)
  local leap = month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return days_in[month] ~= nil and day >= 1 and day <= days_in[month] + (leap and 1 or 0)
end

-- Each gives the value in its one form, or nil and perhaps what is wrong.
local formats = {
  date = { form = "like 2026-11-24", read = function(text)
    local year, month, day = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
    if not year then
      return nil
    elseif not is_day(tonumber(year), tonumber(month), tonumber(day)) then
      return nil, "is a day that there is not"
    end
    return text
  end },
  time = { form = "24 hours, like 09:30", read = function(text)
    local hour, minute = text:match("^(%d%d?):(%d%d)$")
    hour, minute = tonumber(hour), tonumber(minute)
    return hour and hour < 24 and minute < 60 and ("%02d:%02d"):format(hour, minute) or nil
  end },
  phone = { form = "with country code, like +13125550142", read = function(text)
    local digits = text:gsub("[%s().-]", "")
    return #digits >= 8 and #digits <= 16 and digits:match("^%+[1-9]%d+$") or nil
  end },
  email = { form = "like name@example.com", read = function(text)
    return #text <= 254 and text:match("^[%w.!#$%%&'*+/=?^_`{|}~-]+@[%w-]+%.[%w.-]*%w$") or nil
  end },
}

M.formats = formats

-- 1e999 is no number that anything can be done with.
local function finite(n)
  return n and n == n and n ~= math.huge and n ~= -math.huge and n or nil
end

local coerce = {
  string = function(v)
    if type(v) == "number" then
      return finite(v) and tostring(v)
    end
    return type(v) == "string" and v:match("^%s*(.-)%s*$") or nil
  end,
  number = function(v)
    return type(v) ~= "boolean" and type(v) ~= "table" and finite(tonumber(v)) or nil
  end,
  integer = function(v)
    local n = type(v) ~= "boolean" and type(v) ~= "table" and tonumber(v)
    return n and math.tointeger(n) or nil
  end,
  boolean = function(v)
    if v == "true" or v == "false" then
      return v == "true"
    end
    if type(v) == "boolean" then
      return v
    end
    return nil
  end,
}

local function wrong_size(arg, value)
  local size = type(value) == "string" and (utf8.len(value) or #value) or type(value) == "number" and value
  if size and (arg.min and size < arg.min or arg.max and size > arg.max) then
    local of = type(value) == "string" and " characters" or ""
    return ("must be from %s to %s%s"):format(arg.min or "any", arg.max or "any", of)
  end
end

local function wrong_value(arg, value)
  if arg.one_of then
    for _, allowed in ipairs(arg.one_of) do
      if allowed == value then
        return nil
      end
    end
    return "must be one of: " .. table.concat(arg.one_of, ", ")
  end
  if arg.pattern and type(value) == "string" and not value:find(arg.pattern) then
    return "has the wrong form; it is: " .. arg.about
  end
  return wrong_size(arg, value)
end

-- The value as `run` gets it, or nil and what is wrong with it.
local function convert(arg, value)
  local converted = coerce[arg.type](value)
  if converted == nil then
    return nil, "must be of type " .. arg.type
  elseif arg.format and type(converted) == "string" then
    local read, wrong = formats[arg.format].read(converted)
    if not read then
      return nil, wrong or "has the wrong form; write it " .. formats[arg.format].form
    end
    converted = read
  end
  return converted, wrong_value(arg, converted)
end

---@param t ringdown.tool
---@param given table
---@return table? args
---@return string[]? problems
function M.check(t, given)
  local declared = t.args or json.decode(host.file "ringdown.def.args")[t.name]
  local args, problems = {}, json.array {}
  local names = sorted.keys(declared)
  for name in pairs(given) do
    if not declared[name] then
      local list = #names > 0 and require("ringdown.nearest").hint(tostring(name), names) or "it takes no arguments"
      problems[#problems + 1] = ("'%s' is not an argument; %s"):format(tostring(name), list)
    end
  end
  for _, name in ipairs(names) do
    local arg, value = declared[name], given[name]
    if value == "" and arg.optional then
      value = nil
    end
    if value == nil then
      if not arg.optional then
        problems[#problems + 1] = ("'%s' is missing; it is: %s"):format(name, arg.about)
      end
    else
      local converted, wrong = convert(arg, value)
      if wrong then
        problems[#problems + 1] = ("'%s' %s"):format(name, wrong)
      end
      args[name] = converted
    end
  end
  if #problems > 0 then
    table.sort(problems)
    return nil, problems
  end
  return args
end

return M
