-- SPDX-License-Identifier: Apache-2.0
-- on_duty: which of an agent's people to turn to where nothing says it: those who are called so, else those whom the
-- rules about life name, else everybody.
local sorted = require "ringdown.sorted"

local M = {}

local function is_there(def, group)
  local numbers = group and def.people[group]
  return numbers ~= nil and #numbers > 0
end

local function of_life(def)
  local list, known = {}, {}
  for _, rule in ipairs(type(def.emergencies) == "table" and def.emergencies or {}) do
    for _, group in ipairs(rule.severity == "life" and { rule.text and rule.text.to or rule.transfer,
      rule.transfer } or {}) do
      if is_there(def, group) and not known[group] then
        known[group] = true
        list[#list + 1] = group
      end
    end
  end
  return list
end

---@param def table the agent
---@param ... string names of `people` that go before all others
---@return string[] groups names of `people`; empty: it has none
function M.groups(def, ...)
  for _, group in ipairs { ... } do
    if is_there(def, group) then
      return { group }
    end
  end
  local list = of_life(def)
  for _, group in ipairs(#list == 0 and sorted.keys(def.people) or {}) do
    list[#list + 1] = is_there(def, group) and group or nil
  end
  return list
end

return M
