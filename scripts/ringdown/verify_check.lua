-- SPDX-License-Identifier: Apache-2.0
-- verify_check: the key `verify` of an agent, and the tool it gets by it, while it loads.
local shape = require "ringdown.shape"
local tool = require "ringdown.tool"
local verify = require "ringdown.verify"

local M = {}

local about = shape.map_of(shape.text)

local function ask(value, path, complain)
  if type(value) ~= "table" or next(value) == nil then
    complain(path, "must name what the caller is asked, like { \"postcode\" }")
    return {}
  elseif value[1] == nil then
    return about(value, path, complain)
  end
  local asked = {}
  for i, name in ipairs(value) do
    if type(name) ~= "string" or not name:match("^%l[%l%d_]*$") then
      complain(("%s.%d"):format(path, i), "is no name; use lower case letters, digits and _")
    else
      asked[name] = "the caller's " .. name:gsub("_", " ")
    end
  end
  return asked
end

---The agent's key `verify`.
M.shape = shape.fields({ ask = ask, check = shape.func }, { "ask", "check" })

local function verify_tool(rule)
  local args = {}
  for name, what in pairs(rule.ask) do
    args[name] = { type = "string", about = what .. ", as the caller said it", max = 200 }
  end
  return tool {
    name = verify.TOOL, effect = "read", args = args,
    about = "Check who the caller is, with what they just said. Never fill in what you know from elsewhere.",
    failed = "Say that this cannot be checked right now, and offer a person or a call back.",
    run = tool.later("ringdown.verify", "run"),
  }
end

---Gives an agent the tool, when one of its tools demands it. Called once all keys were read.
---@param def table the agent
---@param complain fun(path: string, text: string)
function M.add(def, complain)
  local demanded, there
  for i, t in ipairs(def.tools) do
    if t.verify == true and not def.verify then
      complain(("tools.%d"):format(i), ("tool %s demands a verified caller; add verify = { ask = { \"postcode\" }, "
        .. "check = function(call, answers) … end }"):format(t.name))
    end
    demanded = demanded or t.verify == true or t.verify == "if_declared"
    there = there or t.name == verify.TOOL
  end
  if there then
    complain("tools", ("'%s' is the name of a built-in tool"):format(verify.TOOL))
  elseif demanded and def.verify and next(def.verify.ask or {}) then
    def.tools[#def.tools + 1] = verify_tool(def.verify)
  end
end

return M
