-- SPDX-License-Identifier: Apache-2.0
-- alerts.send_webhook: the operation `notices_webhook`.
local M = {}

---@return table result
function M.run()
  return require("ringdown.alerts.send").all "webhook"
end

return M
