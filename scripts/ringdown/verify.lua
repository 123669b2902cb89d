-- SPDX-License-Identifier: Apache-2.0
-- verify: is the caller who they say? A number on a display is no proof. A tool that tells or changes
-- personal data says `verify = true`; the agent says what to ask and how an answer is checked:
--
--   verify = { ask = { "postcode" }, check = function(call, answers) return answers.postcode == … end }
--
-- Such a tool does nothing until the caller was verified by the built-in tool verify_caller.
local shape = require "ringdown.shape"
local tool = require "ringdown.tool"

local M = {}

M.ATTEMPTS, M.TOOL = 3, "verify_caller"

local GIVE_UP = "The caller could not be verified. Tell and change nothing personal; offer a person or a call back."

---@class ringdown.verify
---@field ask string[]|table<string, string> what the caller is asked; or each with what it means, for the model
---@field check fun(call: ringdown.call, answers: table<string, string>): boolean?, string? true, or why not

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

local function names_of(asked)
  local names = {}
  for name in pairs(asked) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function verify_tool(rule)
  local args = {}
  for name, what in pairs(rule.ask) do
    args[name] = { type = "string", about = what .. ", as the caller said it", max = 200 }
  end
  return tool {
    name = M.TOOL, effect = "read", args = args,
    about = "Check who the caller is, with what they just said. Never fill in what you know from elsewhere.",
    failed = "Say that this cannot be checked right now, and offer a person or a call back.",
    run = function(call, answers)
      if call.verified then
        return { verified = true }
      elseif call.verify_attempts >= M.ATTEMPTS then
        return nil, GIVE_UP
      end
      call.verify_attempts = call.verify_attempts + 1
      local right, why = rule.check(call, answers)
      if right then
        call.verified = true
        return { verified = true }
      elseif call.verify_attempts >= M.ATTEMPTS then
        return nil, GIVE_UP
      end
      return nil, why or "That does not match; ask again, without saying what would be right."
    end,
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
    there = there or t.name == M.TOOL
  end
  if there then
    complain("tools", ("'%s' is the name of a built-in tool"):format(M.TOOL))
  elseif demanded and def.verify and next(def.verify.ask or {}) then
    def.tools[#def.tools + 1] = verify_tool(def.verify)
  end
end

---What stands in the way of a tool, nil when nothing does.
---@param t ringdown.tool
---@param def table the agent
---@param call ringdown.call
---@param args table
---@return string? refusal
function M.refusal(t, def, call, args)
  if type(t.verify) == "function" then
    local allowed, why = t.verify(call, args)
    return not allowed and (why or "The caller was not verified for this; offer a person.") or nil
  elseif not t.verify or call.verified or not def.verify then
    return nil
  elseif call.verify_attempts >= M.ATTEMPTS then
    return GIVE_UP
  end
  return ("The caller is not verified yet, and the number they call from proves nothing. Ask for: %s. Then call %s.")
    :format(table.concat(names_of(def.verify.ask), ", "), M.TOOL)
end

return M
