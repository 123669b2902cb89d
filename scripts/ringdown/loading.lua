-- SPDX-License-Identifier: Apache-2.0
-- loading: an agent's file is run, checked and tried out; what calls need of it besides its functions becomes a module.
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local definition = require "ringdown.definition"
local host = require "ringdown.host"
local json = require "ringdown.json"
local sessions = require "ringdown.session"
local twiml = require "ringdown.twilio.twiml"

local M = {}

-- Every library module that a call may come to require is loaded with the agent, once; what only special moments of a
-- call need stays out of its VM until then.
for _, name in ipairs {
  "adopted", "agent_check", "budget", "comeback", "customers", "errand", "hours", "input_keys", "log", "nearest",
  "pressed", "rollout", "routing", "routing_call", "shape", "site", "sms", "time", "tool_check", "tool_run",
  "tools", "tools.plain", "transfer", "twilio.watchdog", "vapi.ledger", "verify_check",
} do
  require("ringdown." .. name)
end
require("ringdown.errand").load_all()

local function whole_file(module)
  return { file = host.shown(module), line = 1 }
end

-- Errors come as "agents/x.lua:12: …"; those without a line get the file's first.
local function add_error(module, why)
  local file, line, text = tostring(why):match("^([^:\n]+%.lua):(%d+): (.*)$")
  if file then
    complaints.add({ file = file, line = math.tointeger(tonumber(line)) }, "", text)
  else
    complaints.add(whole_file(module), "", tostring(why))
  end
end

local function check_definition(module, def)
  if not agent.is(def) then
    complaints.add(whole_file(module), "", "must end in: return agent { … }")
  elseif def.name and def.name ~= "" and def.name ~= module then
    complaints.add(def.place, "name", ("must be '%s', as the file is called"):format(module))
  end
end

-- What could still go wrong at the first call goes wrong now.
local function try_out(module, def)
  local ok, shown = pcall(function()
    local brief = sessions.new(def, { CallSid = "CA0", From = "+13125550142" }):brief()
    return json.encode(brief) and require("ringdown.describe").text(def, brief)
  end)
  if not ok then
    add_error(module, shown)
  end
  return shown
end

local function info_of(def, shown)
  local warnings = complaints.warnings()
  local countries = require("ringdown.numbers").allowed(def.countries, def.numbers)
  return json.encode {
    name = def.name,
    warnings = warnings ~= "" and warnings or nil,
    shown = shown,
    numbers = json.array(def.numbers),
    hosts = json.array(def.needs.hosts),
    secrets = json.array(def.needs.secrets),
    fallback = twiml.fallback(def),
    nobody = twiml.nobody(def),
    vapi = def.vapi and twiml.vapi_redirect() or nil,
    vapi_assistant = def.vapi and def.vapi.assistant or nil,
    bridges = require("ringdown.vapi.bridge").has(def),
    bypass = def.vapi and def.vapi.route == "bypass" or nil,
    failover = require("ringdown.routing_call").may_fail_over(def),
    split_bp = type(def.routing) == "table" and def.routing.openai_bp or nil,
    help = def.sms and def.sms.templates.help and twiml.message(require("ringdown.sms").help(def)) or nil,
    answers_missed = def.sms ~= nil and def.sms.templates.missed ~= nil,
    record = def.record,
    keep_transcripts_s = (def.keep.transcripts or 0) // 1000,
    keep_recordings_s = (def.keep.recordings or 0) // 1000,
    max_calls = def.limits.calls or 0,
    rules = require("ringdown.desk").rules_of(def),
    countries = countries and json.encode(countries),
    tables = def.needs and def.needs.tables or {},
  }
end

---@param module string
---@return string? info JSON
---@return string? complaints lines
---@return table<string, string>? definition for calls
function M.load(module)
  complaints.start(module)
  local ok, def = pcall(require, module)
  if not ok then
    add_error(module, def)
  else
    check_definition(module, def)
  end
  local shown = not complaints.any() and try_out(module, def)
  if complaints.any() then
    return nil, complaints.text()
  end
  return info_of(def, shown), nil, definition.texts(def)
end

return M
