-- SPDX-License-Identifier: Apache-2.0
-- sorted: the order of tables that have none, so that the same is said and written each time.
local M = {}

---@param t table<any, any>?
---@return string[] keys sorted, as texts; none of nil
function M.keys(t)
  local keys = {}
  for key in pairs(t or {}) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  return keys
end

return M
