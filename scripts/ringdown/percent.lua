-- SPDX-License-Identifier: Apache-2.0
-- percent: what may stand in an address or a form as it is, and the rest as %XX (RFC 3986).
local M = {}

---@param text any written as a text
---@return string
function M.encode(text)
  return (tostring(text):gsub("[^%w%-._~]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

return M
