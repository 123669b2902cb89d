-- SPDX-License-Identifier: Apache-2.0
-- tools: the ones that come with the library. `tools.end_call` is used as it is.
local nearest = require "ringdown.nearest"

---@class ringdown.tools
---@field end_call ringdown.tool hangs up once the goodbye was heard
local M = { end_call = require "ringdown.tools.end_call" }

local later = { check_availability = true, book_appointment = true, lookup_customer = true, send_sms = true,
  transfer_call = true }

return setmetatable(M, {
  __index = function(_, name)
    if later[name] then
      error(("tools.%s is not supported yet; allowed: end_call, and your own tool { … }"):format(name), 2)
    end
    error(("tools.%s does not exist; %s"):format(tostring(name), nearest.hint(name, { "end_call" })), 2)
  end,
})
