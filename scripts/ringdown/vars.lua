-- SPDX-License-Identifier: Apache-2.0
-- vars: what a call remembers. The agent declares the names; values are plain data and at most 16 KB
-- as JSON together, so that they can be stored and brought back.
local json = require "ringdown.json"

local M = {}

local BYTES_MAX = 16 * 1024

---@param declared table<string, any> names and first values
---@return table vars what scripts see
---@return fun(): string? check the reason why the values cannot be kept; then the last good ones are back
function M.new(declared)
  local values, kept = json.copy(declared), json.copy(declared)
  local function must_be_declared(name)
    if declared[name] == nil then
      local hint = require("ringdown.nearest").hint(name, require("ringdown.sorted").keys(declared))
      error(("call.vars.%s is not declared in vars; %s"):format(tostring(name), hint), 3)
    end
  end
  local vars = setmetatable({}, {
    __index = function(_, name)
      must_be_declared(name)
      return values[name]
    end,
    __newindex = function(_, name, value)
      must_be_declared(name)
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
