-- SPDX-License-Identifier: Apache-2.0
-- brief: what the call core and the provider must know about the agent, for one call. Member names
-- are those of struct brief. What is the same in every call is made when the agent is loaded (brief_fixed.lua).
local host = require "ringdown.host"
local json = require "ringdown.json"
local template = require "ringdown.template"
local time = require "ringdown.time"

local M = {}

-- In a call it is read when it is needed: at the beginning, and when the caller is back from somebody else.
local function opening_of(def)
  if def.template then
    return { brief = require("ringdown.brief_fixed").of(def), template = def.template }
  end
  return json.decode(host.file "ringdown.def.opening")
end

---@param def table the agent
---@param call ringdown.call
---@param system "openai"|"vapi"|nil who speaks
---@return table
function M.render(def, call, system)
  local opening = opening_of(def)
  local brief = opening.brief
  local prompt = template.render(opening.template, {
    agent = call.agent, site = call.site, caller = call.caller, call = { id = call.id }, vars = call.vars,
    hours = { text = def.hours_text }, now = time.at(def.time_zone),
  })
  brief.instructions = prompt .. "\n\n" .. brief.instructions
  if brief.vapi_assistant ~= "" then
    require("ringdown.vapi.bridge").add(brief, call, system or "openai")
  end
  return brief
end

return M
