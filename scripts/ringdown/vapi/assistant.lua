-- SPDX-License-Identifier: Apache-2.0
-- vapi.assistant: the errand `vapi_assistant`: a number at Vapi has no assistant of its own, and Vapi asks who answers.
-- It is the assistant of the agent that the call was given to, and knows what the agent's prompt would know.
local host = require "ringdown.host"
local json = require "ringdown.json"
local sessions = require "ringdown.session"

local M = {}

local LOOK_MS = 3000

local function plain(value)
  local copy = {}
  for name, one in pairs(type(value) == "table" and value or {}) do
    if type(one) == "string" or type(one) == "number" or type(one) == "boolean" then
      copy[name] = one
    end
  end
  return copy
end

---What its prompt there may insert: {{site.name}}, {{caller.name}}, {{agent}}…
---@param def table the agent
---@param session ringdown.session
---@param call string
---@return table
function M.values(def, session, call)
  local now = session.call:now()
  -- A call that has only Vapi's name is not told it: the carrier's comes with a later webhook.
  return { ringdown_call = not call:find "^vapi" and call or nil, agent = def.name,
    caller = plain(session.call.caller), site = plain(session.call.site), today = now.day, time = now.time,
    language = session.call.language }
end

---@param p ringdown.vapi.call and `from`, `to`
---@param def table the agent
function M.run(p, def)
  local session = sessions.new(def, { CallSid = p.call, From = p.from, To = p.to })
  host.deadline(LOOK_MS, json.encode { assistantId = def.vapi and def.vapi.assistant })
  pcall(session.know_caller, session)
  host.reply(json.encode(def.vapi and {
    assistantId = def.vapi.assistant,
    assistantOverrides = { variableValues = M.values(def, session, p.call) },
  } or { error = "Sorry, nobody can answer right now. Please call again later." }))
end

return M
