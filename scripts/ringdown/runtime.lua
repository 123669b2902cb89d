-- SPDX-License-Identifier: Apache-2.0
-- runtime: the functions that C calls. One VM, one agent, one call.
local inputs = require "ringdown.inputs"
local json = require "ringdown.json"
local sessions = require "ringdown.session"

local M = {}

local session ---@type ringdown.session

---Loads an agent's file: see loading.lua, which calls have no use for.
---@param module string
---@return string? info JSON
---@return string? complaints lines
---@return table<string, string>? definition for calls
function M.load(module)
  return require("ringdown.loading").load(module)
end

---@param module string
---@param form string JSON
---@param site string? JSON: the number's site
---@param known string? JSON: what was kept of the call, which was another process's; "" or nil: it begins
---@param seed integer? of a call that is replayed
---@param routes string? JSON: what the node knows about where its calls go
---@param harmless boolean? a synthetic call: nothing may come of it
---@return string system
---@return string reason
---@return string assistant
---@return string brief JSON
---@return string hooks
---@return string? decision JSON, of a call that begins
function M.open(module, form, site, known, seed, routes, harmless)
  inputs.begin(seed)
  local def, said, place = require(module), json.decode(form) or {}, site and json.decode(site)
  session = sessions.new(harmless and require("ringdown.harmless").of(def) or def, said, place)
  session.harmless = harmless
  session:know_caller()
  if known and known ~= "" then
    local system = def.openai and "openai" or session:runs_here("vapi") and "vapi" or "openai"
    session:runs_here(system)
    local brief = require("ringdown.adopted").take_over(session, json.decode(known))
    return system, "resumed", "", json.encode(brief), session:hooks()
  end
  local plan = routes and routes ~= "" and json.decode(routes) or nil
  local system, reason, assistant, decision = session:route(plan)
  local brief = session:runs_here(system) and json.encode(session:brief()) or ""
  inputs.opened(said, place, brief, plan)
  inputs.begin, inputs.opened = nil, nil -- a VM has one call: their memory is wanted back
  return system, reason, assistant, brief, session:hooks(), json.encode(decision)
end

function M.tool(name, arguments)
  return session:tool(name, arguments)
end

function M.event(event, text, number)
  inputs.event(event, text, number)
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
  local told = json.decode(form)
  if type(told) ~= "table" then
    return "fallback", "what the carrier says cannot be read", "", "", ""
  end
  local how, document, brief, whom, why = session:resume(kind, told, noticed)
  return how, document, brief and json.encode(brief) or "", whom, why
end

function M.ended(reason)
  inputs.ended()
  session:ended(reason)
end

---Something beside a call, or without one, in a VM of its own.
---@param module string the agent's
---@param kind string
---@param payload string JSON object
function M.errand(module, kind, payload)
  require("ringdown.errand").run(require(module), kind, payload)
end

---A job of the library, of no agent and no call, in a VM of its own.
---@param kind string
---@param payload string JSON object
---@return string result JSON
function M.operate(kind, payload)
  return require("ringdown.operations").run(kind, payload)
end

---How an emergency begins, beside a call that is tried out or replayed.
---@param module string the agent's
---@param payload string JSON object
---@return string? whom of its people the caller is handed over to
function M.emergency_begins(module, payload)
  local def, found = require(module), json.decode(payload)
  require("ringdown.emergency").begin(found, require("ringdown.site").of_number(def, found.to))
  for _, rule in ipairs(def.emergencies) do
    if rule.id == found.rule then
      return rule.transfer
    end
  end
end

---What the call remembers, as others may see it.
---@return string JSON
function M.vars()
  return session:vars_text()
end

---What specs see of the call: plain data.
---@return table
function M.look()
  local call = {}
  for name, value in pairs(session.call) do
    call[name] = value
  end
  call.vars = session:vars()
  return { call = call, away = session.away }
end

return M
