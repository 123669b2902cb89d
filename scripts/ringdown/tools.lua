-- SPDX-License-Identifier: Apache-2.0
-- tools: the ones that come with the library. Used as they are (`tools.end_call`), or with options
-- (`tools.transfer_call { to = { "office" } }`). Each is loaded when an agent names it: every call has its own VM.
local nearest = require "ringdown.nearest"

---@class ringdown.tools
---@field end_call ringdown.tool hangs up once the goodbye was heard
---@field transfer_call ringdown.tool hands the caller to one of the agent's people; takes { to = { "office" } }
local M = { end_call = require "ringdown.tools.end_call" }

local names = { "end_call", "transfer_call" }
local later = { check_availability = true, book_appointment = true, lookup_customer = true, send_sms = true }

local function there_is(name)
  for _, known in ipairs(names) do
    if known == name then
      return true
    end
  end
end

return setmetatable(M, {
  __index = function(_, name)
    if there_is(name) then
      return require("ringdown.tools." .. name)
    elseif later[name] then
      error(("tools.%s is not supported yet; allowed: %s, and your own tool { … }"):format(name,
        table.concat(names, ", ")), 2)
    end
    error(("tools.%s does not exist; %s"):format(tostring(name), nearest.hint(name, names)), 2)
  end,
})
