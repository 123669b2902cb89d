-- SPDX-License-Identifier: Apache-2.0
-- errand: something done for an agent beside a call or without one, in a VM of its own: which module does it. Each
-- has a function run(payload, def) and is required only when its errand comes. `def` is the agent as the site of the
-- number makes it that the errand is about, as in a call.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

local _ = host.loading and require "ringdown.site" -- what was not loaded with the agent's file cannot be required later

---By kind: the module that does it.
---@type table<string, string>
M.modules = {
  drill = "ringdown.emergency.drill",
  emergency = "ringdown.emergency",
  hang_up = "ringdown.twilio.watchdog",
  missed = "ringdown.texts.missed",
  text_due = "ringdown.texts.due",
  text_in = "ringdown.texts.inbound",
  left_open = "ringdown.emergency.left_open",
  lost_calls = "ringdown.twilio.lost_calls",
  vapi_assistant = "ringdown.vapi.assistant",
  vapi_bypass = "ringdown.vapi.bypass",
  vapi_heard = "ringdown.vapi.heard",
  vapi_shown = "ringdown.vapi.shown",
  vapi_tools = "ringdown.vapi.tools",
  vapi_transfer = "ringdown.vapi.destination",
}

-- By kind: which member is our own number.
local ours = { emergency = "to", missed = "to", text_due = "from", text_in = "to", vapi_assistant = "to",
  vapi_bypass = "to",
  vapi_heard = "to", vapi_tools = "to", vapi_transfer = "to" }

---@param def table the agent
---@param kind string
---@param payload string JSON object
function M.run(def, kind, payload)
  local module = M.modules[kind]
  if not module then
    error(("there is no errand '%s'"):format(kind), 0)
  end
  local value, why = json.decode(payload)
  if type(value) ~= "table" then
    error(("what the errand '%s' is about is no JSON object: %s"):format(kind, tostring(why)), 0)
  end
  local number = ours[kind] and value[ours[kind]]
  return require(module).run(value, number and require("ringdown.site").of_number(def, number) or def)
end

---Loads them all: what was not loaded with the agent's file, no VM of it can require later.
function M.load_all()
  for _, module in pairs(M.modules) do
    require(module)
  end
end

return M
