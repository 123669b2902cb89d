-- SPDX-License-Identifier: Apache-2.0
-- brief: what the call core and the provider must know about the agent, for one call. Member names
-- are those of struct brief. What is the same in every call is made when the agent is loaded (brief_fixed.lua).
local json = require "ringdown.json"
local template = require "ringdown.template"
local time = require "ringdown.time"

local M = {}

local function prompt(def, call)
  return template.render(def.template, {
    agent = call.agent, site = call.site, caller = call.caller, call = { id = call.id }, vars = call.vars,
    hours = { text = def.hours_text }, now = time.at(def.time_zone),
  })
end

---@param def table the agent
---@param call ringdown.call
---@return table
function M.render(def, call)
  local fixed = def.brief or require("ringdown.brief_fixed").of(def)
  local brief = json.copy(fixed)
  brief.instructions = prompt(def, call) .. "\n\n" .. fixed.instructions
  return brief
end

return M
