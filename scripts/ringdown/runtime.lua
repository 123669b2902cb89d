-- SPDX-License-Identifier: Apache-2.0
-- runtime: the functions that C calls. One VM, one agent, one call.
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local host = require "ringdown.host"
local json = require "ringdown.json"
local sessions = require "ringdown.session"
local tools = require "ringdown.tools"
local twiml = require "ringdown.twilio.twiml"

local M = {}

local session ---@type ringdown.session

-- Every library module that may be required at call time is loaded with the agent, once. What only the end of a
-- call or a transfer needs stays out of the call's VM until then.
M.loaded = { tools, require "ringdown.time", host.loading and {
  require "ringdown.transfer", require "ringdown.comeback", require "ringdown.twilio.watchdog",
  require "ringdown.site", require "ringdown.customers", require("ringdown.errand").load_all() } }

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

---@param module string
---@return string? info JSON
---@return string? complaints lines
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
  local warnings = complaints.warnings()
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
    help = def.sms and def.sms.templates.help and twiml.message(require("ringdown.sms").help(def)) or nil,
    answers_missed = def.sms ~= nil and def.sms.templates.missed ~= nil,
    record = def.record,
    keep_transcripts_s = (def.keep.transcripts or 0) // 1000,
    keep_recordings_s = (def.keep.recordings or 0) // 1000,
    max_calls = def.limits.calls or 0,
    rules = require("ringdown.desk").rules_of(def),
    tables = def.needs and def.needs.tables or {},
  }
end

---@param module string
---@param form string JSON
---@param site string? JSON: the number's site
---@return string system
---@return string reason
---@return string assistant
---@return string brief JSON
---@return string hooks
function M.open(module, form, site)
  complaints.start(module)
  local def = require(module)
  if complaints.any() then
    error(complaints.text(), 0)
  end
  session = sessions.new(def, json.decode(form) or {}, site and json.decode(site))
  session:know_caller()
  local system, reason, assistant = session:route()
  local brief = system == "openai" and json.encode(session:brief()) or ""
  return system, reason, assistant, brief, session:hooks()
end

function M.tool(name, arguments)
  return session:tool(name, arguments)
end

function M.event(event, text, number)
  session:event(event, text, number)
end

---@param to string
---@return boolean asked
---@return string? why not
---@return boolean? unknown
---@return string? tell
function M.transfer(to)
  return session:transfer(to)
end

---@param kind "resume"|"accept"
---@param form string JSON
---@param noticed boolean
---@return string how
---@return string document
---@return string brief JSON
---@return string whom
---@return string why
function M.resume(kind, form, noticed)
  local how, document, brief, whom, why = session:resume(kind, json.decode(form) or {}, noticed)
  return how, document, brief and json.encode(brief) or "", whom, why
end

function M.ended(reason)
  session:ended(reason)
end

---Something beside a call, or without one, in a VM of its own.
---@param module string the agent's
---@param kind string
---@param payload string JSON object
function M.errand(module, kind, payload)
  complaints.start(module)
  require("ringdown.errand").run(require(module), kind, payload)
end

---What the call remembers.
---@return string JSON
function M.vars()
  local vars = {}
  for name, value in pairs(session.call.vars) do
    vars[name] = value
  end
  return json.encode(vars)
end

---What specs see of the call: plain data.
---@return table
function M.look()
  local call = {}
  for name, value in pairs(session.call) do
    call[name] = value
  end
  call.vars = json.decode(M.vars())
  return { call = call, away = session.away }
end

return M
