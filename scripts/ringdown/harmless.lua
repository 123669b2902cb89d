-- SPDX-License-Identifier: Apache-2.0
-- harmless: an agent as a synthetic call has it: it speaks, and that is all. No tools but the one that hangs up, no
-- hooks, no emergencies, no texts, nobody whom it could hand the caller to. What is left out here could not do
-- anything either: the runtime gives such a call no way to anybody outside (api_open_harmless).
local json = require "ringdown.json"

local M = {}

local KEPT_TOOL = "end_call"

local function one_tool(tools)
  for _, tool in ipairs(tools or {}) do
    if tool.name == KEPT_TOOL then
      return { tool }
    end
  end
  return {}
end

---@param def table the agent
---@return table
function M.of(def)
  local less = {}
  for key, value in pairs(def) do
    less[key] = value
  end
  less.tools, less.on, less.emergencies, less.people = one_tool(def.tools), {}, {}, {}
  less.sms, less.routing, less.wants_customer = nil, nil, false
  return less
end

---@param brief table
---@return table the same
function M.brief(brief)
  local tools = json.array {}
  for _, tool in ipairs(json.decode(brief.tools_json or "[]") or {}) do
    if tool.name == KEPT_TOOL then
      tools[#tools + 1] = tool
    end
  end
  brief.tools_json, brief.record = json.encode(tools), false
  return brief
end

---Where it goes: nothing is decided, because nobody shall be counted.
---@param session ringdown.session
---@return "openai"|"vapi" system
---@return string reason
---@return string assistant
---@return table facts for the records
function M.route(session)
  local system = session.form.RingdownSystem == "vapi" and "vapi" or "openai"
  if system == "vapi" and not session:runs_here "vapi" then
    error("a synthetic call can follow this agent to Vapi only over a bridge (vapi.route = \"bridge\"); "
      .. "set synthetic.system to openai", 0)
  end
  return system, "synthetic", "", { system = system, first = system, first_reason = "default", reason = "synthetic" }
end

return M
