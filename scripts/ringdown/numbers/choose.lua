-- SPDX-License-Identifier: Apache-2.0
-- numbers.choose: which numbers a command is about: named ones, an agent's, or all.
local M = {}

---@class ringdown.numbers.choice
---@field numbers string[]?
---@field agent string?
---@field all boolean?

---@param choice ringdown.numbers.choice
---@param by_number table<string, ringdown.numbers.seen>
---@param agents table ringdown.numbers.agents
---@param is_wanted fun(seen: ringdown.numbers.seen): boolean of `all`
---@return ringdown.numbers.seen[] chosen sorted
---@return { number: string, why: string }[] unknown
function M.of(choice, by_number, agents, is_wanted)
  local chosen, unknown, taken = {}, {}, {}
  local function take(number)
    local seen = by_number[number]
    if taken[number] then
      return
    end
    taken[number] = true
    if seen then
      chosen[#chosen + 1] = seen
    else
      unknown[#unknown + 1] = { number = number, why = "is not among the account's numbers at Twilio" }
    end
  end
  for _, number in ipairs(choice.numbers or {}) do
    take(number)
  end
  if choice.agent then
    for number in pairs(agents:numbers()) do
      local agent = agents:of(number)
      if agent and agent.name == choice.agent then
        take(number)
      end
    end
  end
  if choice.all then
    for number, seen in pairs(by_number) do
      if is_wanted(seen) then
        take(number)
      end
    end
  end
  table.sort(chosen, function(a, b)
    return a.number < b.number
  end)
  return chosen, unknown
end

return M
