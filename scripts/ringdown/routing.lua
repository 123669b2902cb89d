-- SPDX-License-Identifier: Apache-2.0
-- routing: which system a call runs on, decided once, by a pure function of agent and call.
--
-- A split is sticky: a caller always meets the same system, and a larger share only adds callers to it.
-- The bucket is GrowthBook's second version: two passes of FNV-1a over seed and key.
local calls = require "ringdown.call"

local M = {}

---@alias ringdown.routing
---| "openai" # every call
---| "vapi"
---| { split: { openai: number } } # so many percent of callers
---| fun(call: ringdown.call): "openai"|"vapi"|nil, string? # and the reason, for the records

---@param text string
---@return integer 0 to 2^32 - 1
function M.fnv1a32(text)
  local h = 2166136261
  for i = 1, #text do
    h = (h ~ text:byte(i)) * 16777619 & 0xffffffff
  end
  return h
end

---@param seed string
---@param key string
---@return integer 0 to 9999
function M.bucket(seed, key)
  return M.fnv1a32(("%d"):format(M.fnv1a32(seed .. key))) % 10000
end

---What a caller is known by; a withheld number is nobody's, so that each such call stands for itself.
---@param number string?
---@param call_id string
---@return string
function M.key(number, call_id)
  return calls.number_of(number) or call_id
end

---@param routing ringdown.routing? as the agent's file says, checked
---@param agent string its name
---@param has { openai: boolean, vapi: boolean } what the agent has a table for
---@param call ringdown.call
---@return string system
---@return string reason
function M.decide(routing, agent, has, call)
  local system, reason
  if type(routing) == "string" then
    return routing, "fixed"
  elseif type(routing) == "table" then
    local bucket = M.bucket("rollout:" .. agent .. ":v1:", M.key(call.caller.number, call.id))
    return bucket < routing.openai_bp and "openai" or "vapi", "split"
  elseif routing then
    system, reason = routing(call)
  end
  if system == nil then
    return has.vapi and not has.openai and "vapi" or "openai", "default"
  elseif system ~= "openai" and system ~= "vapi" then
    error(("routing returned %s; allowed: \"openai\", \"vapi\", nil"):format(tostring(system)), 0)
  elseif system == "vapi" and not has.vapi then
    error("routing returned \"vapi\", but the agent has no vapi table", 0)
  end
  return system, reason and tostring(reason) or "agent"
end

return M
