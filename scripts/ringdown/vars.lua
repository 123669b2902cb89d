-- SPDX-License-Identifier: Apache-2.0
-- vars: what a call remembers. The agent declares the names; values are plain data and at most 16 KB
-- as JSON together, so that they can be stored and brought back.
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"

local M = {}

local BYTES_MAX = 16 * 1024

local function names_of(t)
  local names = {}
  for name in pairs(t) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  return names
end

---@param declared table<string, any> names and first values
---@return table vars what scripts see
---@return fun(): string? check the reason why the values cannot be kept; then the last good ones are back
function M.new(declared)
  local values, kept = json.copy(declared), json.copy(declared)
  local names = names_of(declared)
  local vars = setmetatable({}, {
    __index = function(_, name)
      if declared[name] == nil then
        error(("call.vars.%s is not declared in vars; %s"):format(tostring(name), nearest.hint(name, names)), 2)
      end
      return values[name]
    end,
    __newindex = function(_, name, value)
      if declared[name] == nil then
        error(("call.vars.%s is not declared in vars; %s"):format(tostring(name), nearest.hint(name, names)), 2)
      end
      local text, why = json.encode(value)
      if not text then
        error(("call.vars.%s: %s"):format(name, why), 2)
      elseif #text > BYTES_MAX then
        error(("call.vars.%s is larger than 16 KB"):format(name), 2)
      end
      values[name] = value
    end,
    __pairs = function()
      return next, values
    end,
  })
  local function check()
    local text, why = json.encode(values)
    if text and #text <= BYTES_MAX then
      kept = json.copy(values)
      return nil
    end
    values = json.copy(kept)
    return why or "call.vars are larger than 16 KB together"
  end
  return vars, check
end

return M
