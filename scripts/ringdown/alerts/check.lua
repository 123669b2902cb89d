-- SPDX-License-Identifier: Apache-2.0
-- alerts.check: the operation `alerts_check`: what is wrong with channels and rules, for `ringdown check`. Asks nobody.
local channels = require "ringdown.alerts.channels"
local host = require "ringdown.host"
local json = require "ringdown.json"
local rules_of = require "ringdown.alerts.rules"

local M = {}

---@return { mistakes: string[], rules: integer, channels: integer, failed: boolean? }
function M.run(_, tell)
  local rules, mistakes = rules_of.load()
  local list, wrong = channels.list()
  table.move(wrong, 1, #wrong, #mistakes + 1, mistakes)
  for _, mistake in ipairs(mistakes) do
    tell { text = mistake }
  end
  return { mistakes = json.array(mistakes), rules = #rules, channels = #list, mail = host.mail_ready(),
    failed = #mistakes > 0 or nil }
end

return M
