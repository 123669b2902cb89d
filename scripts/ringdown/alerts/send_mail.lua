-- SPDX-License-Identifier: Apache-2.0
-- alerts.send_mail: the operation `notices_mail`.
local M = {}

---@return table result
function M.run()
  return require("ringdown.alerts.send").all "mail"
end

return M
