-- SPDX-License-Identifier: Apache-2.0
-- tools: the ones that come with the library. Used as they are (`tools.end_call`), or with options
-- (`tools.transfer_call { to = { "office" } }`). Each is loaded with an agent that names it, once.
local host = require "ringdown.host"
local tool = require "ringdown.tool"

---@class ringdown.tools
---@field end_call ringdown.tool hangs up once the goodbye was heard
---@field transfer_call ringdown.tool hands the caller to one of the agent's people; takes { to = { "office" } }
---@field send_sms ringdown.tool texts the caller; takes { templates = { "booked" } }
---@field check_availability ringdown.tool free times of a day; takes { length = "30m" } and so on
---@field book_appointment ringdown.tool books a visit, once; takes the same
---@field lookup_customer ringdown.tool whether we know the caller; takes { show = { "name", "visits" } }
local M = {}

local names = { "book_appointment", "check_availability", "end_call", "lookup_customer", "send_sms", "transfer_call" }

local function there_is(name)
  for _, known in ipairs(names) do
    if known == name then
      return true
    end
  end
end

local n_missing = 0

-- Told with all other mistakes; until then this stands for it, whatever options it is given.
local function missing(name)
  local complaints = require "ringdown.complaints"
  complaints.add(complaints.place(), "", ("tools.%s does not exist; %s"):format(tostring(name),
    require("ringdown.nearest").hint(name, names)))
  n_missing = n_missing + 1
  local t = tool { name = "missing_" .. n_missing, about = "None.", effect = "read", run = function() end }
  t.with = function()
    return t
  end
  return t
end

-- Made anew for each agent.
local made = { send_sms = "ringdown.tools.send_sms" }

return setmetatable(M, {
  __index = function(_, name)
    if not host.loading then
      return tool.named(name)
    elseif made[name] then
      local t = require(made[name]).new {}
      return t
    elseif there_is(name) then
      return require("ringdown.tools." .. name)
    end
    return missing(name)
  end,
})
