-- SPDX-License-Identifier: Apache-2.0
-- bridge: calls that an assistant of Vapi answers over our own line (`vapi.route = "bridge"`). What the assistant's
-- templates may use of a call, and who speaks first.
local json = require "ringdown.json"

local M = {}

---@param def table the agent
---@return boolean
function M.has(def)
  return def.vapi ~= nil and def.vapi.route == "bridge"
end

---May each of the two go on with what the other cannot? Where the agent has both, unless it says otherwise.
---@param def table the agent
---@return boolean
function M.takes_over(def)
  return M.has(def) and require("ringdown.routing_call").may_fail_over(def)
end

---May Vapi take a caller whom OpenAI lost, although their stream is over then?
---@param def table the agent
---@return boolean
function M.takes_caller(def)
  return def.vapi ~= nil and def.vapi.route == "bypass" and require("ringdown.routing_call").may_fail_over(def)
end

---What a brief holds for Vapi; where OpenAI speaks first, it is there for the case that it cannot.
---@param brief table
---@param call ringdown.call
---@param system "openai"|"vapi" who speaks
function M.add(brief, call, system)
  brief.system = system
  if brief.other ~= "" then
    brief.other = system == "vapi" and "openai" or "vapi"
  end
  brief.vapi_variables = json.encode {
    agent = call.agent.name, site = call.site.id, site_name = call.site.name, caller_name = call.caller.name,
  }
end

return M
