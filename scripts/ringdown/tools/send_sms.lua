-- SPDX-License-Identifier: Apache-2.0
-- send_sms: texts the caller. The model picks one of the agent's texts and fills in what it declares; the words
-- are the agent's. Everything else is decided in texts/post.lua.
local complaints = require "ringdown.complaints"
local json = require "ringdown.json"
local shape = require "ringdown.shape"
local tool = require "ringdown.tool"

local M = {}

local ARG_MAX = 100 -- characters of a value that the model puts into a text

---@class ringdown.send_sms.spec
---@field templates string[]? names of the agent's `sms`; all of them that want no arguments if left out
---@field args table<string, ringdown.arg>? what {{args.…}} in these texts stands for
---@field to string? one of the agent's people; the caller if left out
---@field about string? when to use it, for the model

local settings = shape.fields {
  templates = shape.list_of(shape.matching("^[%l_][%l%d_]*$",
    "the name of a text; use lower case letters, digits and _")),
  args = function(value, path, complain)
    if type(value) ~= "table" then
      complain(path, "must be a table like { zip = { type = \"string\", about = \"…\" } }")
      return {}
    end
    return value
  end,
  to = shape.text,
  about = shape.text,
}

local ABOUT = "Send a text message (SMS) to the caller's phone. Use it when the caller agrees to get one. You choose "
  .. "which text; its words are fixed. Say that it is on its way only after this tool says that it was sent."

local function arguments(given, names)
  local args = { template = { type = "string", about = "which text", one_of = names or { "none" } } }
  for name, arg in pairs(given or {}) do
    local copy = {}
    for key, value in pairs(arg) do
      copy[key] = value
    end
    if copy.type == "string" then
      copy.max = math.min(copy.max or ARG_MAX, ARG_MAX)
    end
    args[name] = copy
  end
  return args
end

---@param spec ringdown.send_sms.spec
---@return ringdown.tool
function M.new(spec)
  local place = complaints.place("send_sms")
  place.label = "send_sms"
  local o = settings(spec, "", function(path, text)
    complaints.add(place, path, text)
  end)
  local t = tool {
    name = "send_sms", about = o.about or ABOUT, effect = "write", timeout = "20s",
    args = arguments(o.args, o.templates),
    failed = "Say that the text could not be sent for certain, and tell the caller what it would have said.",
    run = tool.later("ringdown.tools.plain", "send_sms", { to = o.to }),
  }
  t.with = M.new
  t.texts = {
    names = o.templates, to = o.to,
    allow = function(names)
      t.args.template.one_of = names
      t.schema.properties.template.enum = json.array(names)
    end,
  }
  return t
end

return M
