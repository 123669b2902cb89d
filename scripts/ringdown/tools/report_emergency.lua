-- SPDX-License-Identifier: Apache-2.0
-- report_emergency: the model has noticed an emergency that no rule heard. Every agent with `emergencies` has it. A
-- kind that a rule is about is acted on like a match of that rule; any other is recorded, and a person is told when a
-- life is at stake.
local tool = require "ringdown.tool"

local M = {}

M.NAME = "report_emergency"
local OTHER = "other"

---@param rules table[] `emergencies` of an agent
---@return ringdown.tool
function M.make(rules)
  local kinds = {}
  for i, rule in ipairs(rules) do
    kinds[i] = rule.id
  end
  kinds[#kinds + 1] = OTHER
  return tool {
    name = M.NAME,
    about = "Call this at once, before you say anything, when the caller or somebody with them may be in danger: "
      .. "a life, a fire, gas, water near electricity. Rather once too often than not at all.",
    effect = "read", -- each rule is acted on once anyway, and nothing waits for the disk here
    args = {
      kind = { type = "string", about = "what it is; \"other\" when nothing fits", one_of = kinds },
      words = { type = "string", about = "what the caller said, in their words", max = 500 },
      severity = { type = "string", about = "is a life in danger, or must somebody come today?",
        one_of = { "life", "urgent" }, optional = true },
    },
    timeout = "5s",
    failed = "Tell the caller to leave if they are in danger and to call the emergency services.",
    run = tool.later("ringdown.tools.plain", "report_emergency"),
  }
end

return M
