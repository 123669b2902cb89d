-- SPDX-License-Identifier: Apache-2.0
-- pressed: what a script remembers of the keys that its caller pressed, before it is kept. Records show keys as "*";
-- two or more of them in a row, wherever they stand in call.vars, do too, because they may be a card or a PIN.
local M = {}

local KEYS_MAX = 200

---@param keys string? pressed so far
---@param key string
---@return string
function M.add(keys, key)
  return ((keys or "") .. key):sub(-KEYS_MAX)
end

local hidden ---@type fun(value: any, keys: string): any

-- One key in each place of a list.
local function is_spread(list, keys)
  local in_row = {}
  for i, value in ipairs(list) do
    in_row[i] = tostring(value)
    if #in_row[i] ~= 1 then
      return false
    end
  end
  return #in_row >= 2 and keys:find(table.concat(in_row), 1, true) ~= nil
end

local function hidden_table(value, keys)
  local copy, spread = {}, is_spread(value, keys)
  for k, v in pairs(value) do
    copy[k] = spread and "*" or hidden(v, keys)
  end
  return copy
end

function hidden(value, keys)
  if type(value) == "string" then
    return (value:gsub("%d%d+", function(run)
      return keys:find(run, 1, true) and ("*"):rep(#run)
    end))
  elseif math.type(value) == "integer" and #tostring(value) >= 2 and keys:find(tostring(value), 1, true) then
    return 0
  elseif type(value) == "table" then
    return hidden_table(value, keys)
  end
  return value
end

---A copy without the keys. A number made of them is 0.
---@param vars table<string, any>
---@param keys string
---@return table<string, any>
function M.hide(vars, keys)
  return hidden_table(vars, keys)
end

return M
