-- SPDX-License-Identifier: Apache-2.0
-- session: one call with one agent: routing, brief, tools, hooks. The runtime makes one per VM, specs
-- make them by ringdown.fake.
local calls = require "ringdown.call"
local current = require "ringdown.current"
local host = require "ringdown.host"
local json = require "ringdown.json"
local memory = require "ringdown.memory"

local M = {}

-- Calls find only what was loaded with the agent.
local _ = host.loading and require "ringdown.brief" and require "ringdown.harmless"

---@class ringdown.session
---@field def table the agent
---@field call ringdown.call
---@field harmless boolean? a synthetic call
local session = {}
session.__index = session

---@param def table the agent
---@param form table<string, string> the webhook's
---@param site table? the number's site, as sites were imported
---@return ringdown.session
function M.new(def, form, site)
  if site then
    def = require("ringdown.site").over(def, site)
  end
  local call, check_vars = calls.new(def, form)
  local began_ms = host.now_ms and host.now_ms() or 0 -- where agents are only loaded there is no clock
  local self = setmetatable({
    def = def, call = call, form = form, check_vars = check_vars, writes = {},
    memory = memory.new(), began_ms = began_ms,
  }, session)
  self:vars_kept()
  current.enter(self)
  return self
end

---Who calls, if the database knows in time; before routing is decided.
function session:know_caller()
  if self.def.wants_customer ~= false then
    require("ringdown.customers").know(self.def, self.call, self.form)
  end
end

---Where this call goes.
---@param known ringdown.routing.known? what the node knows besides the agent's file
---@return "openai"|"vapi" system
---@return string reason
---@return string assistant "" unless vapi
---@return table facts for the records
function session:route(known)
  local def = self.def
  if self.harmless then
    return require("ringdown.harmless").route(self)
  elseif not def.vapi and type(def.routing) ~= "function" then
    return "openai", "default", "",
      { system = "openai", first = "openai", first_reason = "default", reason = "default" }
  end
  local facts = require("ringdown.routing_call").decide(self, known or {})
  return facts.system, facts.detail or facts.reason, def.vapi and def.vapi.assistant or "", facts
end

---Where it goes was decided. Does its audio run through us, whoever speaks?
---@param system "openai"|"vapi"
---@return boolean
function session:runs_here(system)
  local vapi = self.def.vapi
  self.system = system
  return system == "openai" or vapi ~= nil and vapi.route == "bridge"
end

---@return table
function session:brief()
  local brief = require("ringdown.brief").render(self.def, self.call, self.system)
  return self.harmless and require("ringdown.harmless").brief(brief) or brief
end

---What this session wants to hear of, " ended said utterance ": the agent's hooks, and what is remembered.
---@return string
function session:hooks()
  local names = { "", "said", "utterance" }
  for name in pairs(self.def.on) do
    if name ~= "said" and name ~= "utterance" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return table.concat(names, " ") .. " "
end

-- ── tools ───────────────────────────────────────────────────────────────────────────────────────
---@param name string
---@param arguments string JSON as the model wrote it
---@return string output JSON for the model
---@return boolean go_on the model answers now
---@return string? hang_up reason
---@return string? transfer_to
function session:tool(name, arguments)
  current.enter(self)
  return require("ringdown.tool_run").run(self, name, arguments)
end

-- ── transfers ───────────────────────────────────────────────────────────────────────────────────
-- In a module of its own, because most calls never need it and each has its own VM.
---Asks the carrier to dial somebody else for the caller. It then ends the stream by itself.
---@param to string a number, or one of the agent's people
---@return boolean asked
---@return string? why not
---@return boolean? unknown there was no answer: perhaps it happens all the same
---@return string? tell what the model is told then
function session:transfer(to)
  return require("ringdown.transfer").ask(self, to)
end

---The carrier asks how a call goes on whose caller is with somebody else.
---@param kind "resume"|"accept" a <Dial> is over; or who was dialled is asked whether they take the call
---@param form table<string, string> what the carrier says, and what our address said
---@param noticed boolean the notice was heard, or none is owed
---@return "stream"|"twiml"|"hang_up"|"fallback" how
---@return string document TwiML, or why "fallback"
---@return table? brief for "stream"
---@return string whom the transfer was to that is over
---@return string why it came to nothing
function session:resume(kind, form, noticed)
  return require("ringdown.transfer").resume(self, kind, form, noticed)
end

-- ── hooks ───────────────────────────────────────────────────────────────────────────────────────
---@param event string "utterance"
---@param text string
---@param number integer
function session:event(event, text, number)
  current.enter(self)
  local hook = self.def.on[event]
  if event == "utterance" or event == "said" then
    memory.heard(self.memory, event == "said" and "you" or "caller", text)
    if event == "said" then
      self.answered = nil -- the caller is here: the carrier does not repeat a question from before
    end
  elseif event == "dtmf" then
    self.pressed = require("ringdown.pressed").add(self.pressed, text)
  end
  if not hook or event == "transfer_failed" and not self.failed then
    return
  end
  if event == "silence" then
    hook(self.call, number)
  elseif event == "transfer_failed" then
    hook(self.call, self.failed.whom, self.failed.why)
  else
    hook(self.call, text)
  end
  local too_much = self.check_vars()
  if too_much then
    error(too_much, 0)
  end
  self:keep_vars()
end

---@return table
function session:vars()
  local vars = {}
  for name, value in pairs(self.call.vars) do
    vars[name] = value
  end
  return vars
end

---@return string JSON of call.vars, without the keys that were pressed
function session:vars_text()
  local vars = self:vars()
  return json.encode(self.pressed and require("ringdown.pressed").hide(vars, self.pressed) or vars)
end

---What the call remembers now is kept already.
function session:vars_kept()
  self.kept_vars = self:vars_text()
end

---Keeps what the call remembers, whenever it has changed: whoever takes the call over goes on with it.
function session:keep_vars()
  local text = self:vars_text()
  if text ~= self.kept_vars then
    self.kept_vars = text
    host.fact("vars", '{"vars":' .. text .. "}")
  end
end

---@param reason string
function session:ended(reason)
  if reason == "claimed" then
    return -- the call goes on elsewhere, and its end will be told there
  end
  local ok, why = pcall(self.event, self, "ended", reason, 0)
  if not self.harmless then
    require("ringdown.twilio.watchdog").after(self.call.id, reason)
  end
  if not ok then
    error(why, 0)
  end
end

return M
