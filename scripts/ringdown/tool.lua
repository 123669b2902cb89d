-- SPDX-License-Identifier: Apache-2.0
-- tool: what an agent may do. `tool { … }` in an agent's file declares one; running one checks the
-- model's arguments first and always ends in an answer that the model can work with.
local complaints = require "ringdown.complaints"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local shape = require "ringdown.shape"

---@class ringdown.arg
---@field type "string"|"integer"|"number"|"boolean"
---@field about string what it means, for the model
---@field optional boolean?
---@field one_of (string|number)[]? the only values allowed
---@field pattern string? Lua pattern that a string must match
---@field format "date"|"time"|"phone"|"email"|nil what a string must be: 2026-11-24, 09:30, +13125550142, a@b.example
---@field min number? smallest number, or shortest string
---@field max number? largest number, or longest string

---@class ringdown.tool.spec
---@field name string lower case, digits and _
---@field about string what it does and when to use it, for the model
---@field effect "read"|"write" a write is done at most once per call with the same arguments
---@field args table<string, ringdown.arg>?
---@field timeout string? how long it may take: "10s"
---@field filler string|string[]? spoken when it takes longer than a moment
---@field failed string? what the model should say when it breaks
---@field verify true|"if_declared"|(fun(call: ringdown.call, args: table): boolean?, string?)|nil only for a caller who
---  was verified: true needs the agent's `verify`; a function decides by itself: true, or why not
---@field run fun(call: ringdown.call, args: table): any, string? a value, or nil and why not

---@class ringdown.tool: ringdown.tool.spec
---@field timeout_ms integer
---@field schema table JSON schema of the arguments

---@field with (fun(options: table): ringdown.tool)? one like it with options: tools.transfer_call { to = … }
---@field fits (fun(def: table): ringdown.tool?)? the agent is known: the tool for this agent; complains by itself

local M = {}
local mark = {
  __name = "ringdown.tool",
  -- The library's tools are used as they are, or with options.
  __call = function(t, options)
    if not t.with then
      error(("the tool '%s' takes no options; use it as it is"):format(tostring(t.name)), 2)
    end
    local made = t.with(options)
    return made -- not a tail call: its line would be lost
  end,
}

M.DEFAULT_FAILED = "Say that this is not working right now, and offer to take a message."

local arg_shape = shape.fields({
  type = shape.one_of { "string", "integer", "number", "boolean" },
  about = shape.text,
  optional = shape.flag,
  one_of = function(value, path, complain)
    if type(value) ~= "table" or #value == 0 then
      complain(path, "must be a list of the values allowed")
      return nil
    end
    return value
  end,
  pattern = function(value, path, complain)
    if type(value) ~= "string" or not pcall(string.find, "", value) then
      complain(path, "is no Lua pattern")
      return nil
    end
    return value
  end,
  format = shape.one_of { "date", "time", "phone", "email" },
  min = shape.number(-1e15, 1e15),
  max = shape.number(-1e15, 1e15),
}, { "type", "about" })

local spec_shape = shape.fields({
  name = shape.matching("^%l[%l%d_]*$", "a tool's name; use lower case letters, digits and _"),
  about = shape.text,
  effect = shape.one_of { "read", "write" },
  args = shape.map_of(arg_shape),
  timeout = shape.duration("1ms", "2m"),
  filler = shape.one_or_list_of(shape.text),
  failed = shape.text,
  verify = function(value, path, complain)
    local _ = host.loading and require "ringdown.verify" -- calls find only what was loaded with the agent
    if value ~= true and value ~= "if_declared" and type(value) ~= "function" then
      complain(path, "must be true, \"if_declared\" or function(call, args) … end")
    end
    return value
  end,
  run = shape.func,
}, { "name", "about", "effect", "run" })

local days_in = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- Each gives the value in its one form, or nil.
local formats = {
  date = { form = "like 2026-11-24", read = function(text)
    local month, day = text:match("^%d%d%d%d%-(%d%d)%-(%d%d)$")
    month, day = tonumber(month), tonumber(day)
    return month and days_in[month] and day >= 1 and day <= days_in[month] and text or nil
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

local function schema_of(args)
  local required, properties = json.array {}, {}
  for name, arg in pairs(args) do
    local form = arg.format and formats[arg.format].form
    local about = form and ("%s (%s)"):format(arg.about, form) or arg.about
    local p = { type = arg.type, description = about, enum = arg.one_of and json.array(arg.one_of) }
    if arg.type == "string" then
      p.minLength, p.maxLength = arg.min, arg.max
    else
      p.minimum, p.maximum = arg.min, arg.max
    end
    properties[name] = p
    if not arg.optional then
      required[#required + 1] = name
    end
  end
  table.sort(required)
  return { type = "object", properties = properties, required = required, additionalProperties = false }
end

local function define(spec)
  local place = complaints.place("tool")
  place.label = "tool"
  local t = spec_shape(spec, "", function(path, text)
    complaints.add(place, path, text)
  end)
  t.args = t.args or {}
  t.timeout_ms = t.timeout or 10000
  t.failed = t.failed or M.DEFAULT_FAILED
  t.schema = schema_of(t.args)
  return setmetatable(t, mark)
end

---@return boolean
function M.is(value)
  return getmetatable(value) == mark
end

-- ── arguments ───────────────────────────────────────────────────────────────────────────────────
local coerce = {
  string = function(v)
    if type(v) == "number" then
      return tostring(v)
    end
    return type(v) == "string" and v:match("^%s*(.-)%s*$") or nil
  end,
  number = function(v)
    return type(v) ~= "boolean" and type(v) ~= "table" and tonumber(v) or nil
  end,
  integer = function(v)
    local n = type(v) ~= "boolean" and type(v) ~= "table" and tonumber(v)
    return n and math.tointeger(n) or nil
  end,
  boolean = function(v)
    if v == "true" or v == "false" then
      return v == "true"
    end
    return type(v) == "boolean" and v or nil
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
    converted = formats[arg.format].read(converted)
    if not converted then
      return nil, "has the wrong form; write it " .. formats[arg.format].form
    end
  end
  return converted, wrong_value(arg, converted)
end

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

---@param t ringdown.tool
---@param given table
---@return table? args
---@return string[]? problems
function M.check(t, given)
  local args, problems = {}, json.array {}
  local names = sorted_names(t.args)
  for name in pairs(given) do
    if not t.args[name] then
      local list = #names > 0 and nearest.hint(tostring(name), names) or "it takes no arguments"
      problems[#problems + 1] = ("'%s' is not an argument; %s"):format(tostring(name), list)
    end
  end
  for _, name in ipairs(names) do
    local arg, value = t.args[name], given[name]
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

---@overload fun(spec: ringdown.tool.spec): ringdown.tool
return setmetatable(M, {
  ---Declares a tool, for `tools` of an agent. What `run` returns is the model's answer; `nil, "why"` is an outcome to
  ---expect, what is raised becomes the sentence in `failed`.
  ---@param spec ringdown.tool.spec
  ---@return ringdown.tool
  __call = function(_, spec)
    local t = define(spec)
    return t -- not a tail call: its line would be lost
  end,
})
