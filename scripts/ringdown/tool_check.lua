-- SPDX-License-Identifier: Apache-2.0
-- tool_check: a tool as an agent's file declares it: every mistake is told, and the model's schema is made.
local complaints = require "ringdown.complaints"
local json = require "ringdown.json"
local pattern = require "ringdown.pattern"
local shape = require "ringdown.shape"
local formats = require("ringdown.tool_args").formats

local M = {}

local DEFAULT_FAILED = "Say that this is not working right now, and offer to take a message."

local NAME_MAX = 64
local ABOUT_MAX = 1024 -- the model reads it anew in every turn

local a_name = shape.matching("^%l[%l%d_]*$", "a tool's name; use lower case letters, digits and _")

local function about(value, path, complain)
  local text = shape.text(value, path, complain)
  if #text > ABOUT_MAX then
    complain(path, ("is longer than %d bytes, all of which the model reads in every turn; put what it needs only now "
      .. "and then into what the tool answers"):format(ABOUT_MAX))
  end
  return text
end

-- Exact words: nothing is filled in.
local function spoken(value, path, complain)
  local text = shape.text(value, path, complain)
  if text:find("{{", 1, true) then
    complain(path, "is said as it stands; {{…}} is filled in only in prompts, greetings and texts")
  end
  return text
end

local arg_shape = shape.fields({
  type = shape.one_of { "string", "integer", "number", "boolean" },
  about = about,
  optional = shape.flag,
  one_of = function(value, path, complain)
    if type(value) ~= "table" or #value == 0 then
      complain(path, "must be a list of the values allowed")
      return nil
    end
    return value
  end,
  pattern = function(value, path, complain)
    local why = type(value) == "string" and pattern.wrong(value) or type(value) ~= "string" and "it must be a text"
    if why then
      complain(path, "is no Lua pattern: " .. why)
      return nil
    end
    return value
  end,
  format = shape.one_of { "date", "time", "phone", "email" },
  min = shape.number(-1e15, 1e15),
  max = shape.number(-1e15, 1e15),
}, { "type", "about" })

-- What its keys say together.
local function sound_arg(value, path, complain)
  local arg = arg_shape(value, path, complain)
  local is_text = arg.type == "string"
  for _, key in ipairs { "pattern", "format" } do
    if arg[key] and not is_text then
      complain(path .. "." .. key, "is for arguments of type \"string\"")
      arg[key] = nil
    end
  end
  if arg.type == "boolean" and (arg.min or arg.max or arg.one_of) then
    complain(path, "is true or false: min, max and one_of say nothing about it")
  elseif arg.min and arg.max and arg.min > arg.max then
    complain(path .. ".min", ("is larger than max, so that nothing is right"))
  end
  for i, allowed in ipairs(arg.type ~= "boolean" and arg.one_of or {}) do
    if is_text ~= (type(allowed) == "string") or arg.type == "integer" and not math.tointeger(allowed) then
      complain(("%s.one_of.%d"):format(path, i), ("must be of type %s, as the argument is"):format(arg.type))
    end
  end
  return arg
end

local function tool_name(value, path, complain)
  if type(value) == "string" and #value > NAME_MAX then
    complain(path, ("is longer than %d characters, which the model does not take"):format(NAME_MAX))
  end
  return a_name(value, path, complain)
end

local spec_shape = shape.fields({
  name = tool_name,
  about = about,
  effect = shape.one_of { "read", "write" },
  args = shape.map_of(sound_arg),
  timeout = shape.duration("1ms", "2m"),
  filler = shape.one_or_list_of(spoken),
  failed = spoken,
  verify = function(value, path, complain)
    require "ringdown.verify" -- calls find only what was loaded with the agent
    if value ~= true and value ~= "if_declared" and type(value) ~= "function" then
      complain(path, "must be true, \"if_declared\" or function(call, args) … end")
    end
    return value
  end,
  run = shape.func,
}, { "name", "about", "effect", "run" })

local function schema_of(args)
  local required, properties = json.array {}, {}
  for name, arg in pairs(args) do
    local form = arg.format and formats[arg.format].form
    local described = form and ("%s (%s)"):format(arg.about, form) or arg.about
    local p = { type = arg.type, description = described, enum = arg.one_of and json.array(arg.one_of) }
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

---@param spec ringdown.tool.spec
---@return table
function M.define(spec)
  local place = complaints.place("tool")
  place.label = "tool"
  local t = spec_shape(spec, "", function(path, text)
    complaints.add(place, path, text)
  end)
  t.args = t.args or {}
  t.timeout_ms = t.timeout or 10000
  t.failed = t.failed or DEFAULT_FAILED
  t.schema = schema_of(t.args)
  return t
end

return M
