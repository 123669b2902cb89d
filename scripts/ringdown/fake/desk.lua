-- SPDX-License-Identifier: Apache-2.0
-- fake.desk: the triage desk of a call in a spec. What a rule or the model finds begins as it does live, at most once
-- per rule: the caller hears the words, is handed over, people are texted. Nobody answers.
local desk = require "ringdown.desk"
local fake_host = require "ringdown.fake.host"
local json = require "ringdown.json"
local sites = require "ringdown.site"

local M = {}

---@class ringdown.fake.desk
---@field emergencies string[] ids of the rules that were acted on
---@field asked string[] those the model was told to ask about
---@field transferred_to string? one of the agent's people
local fake = {}
fake.__index = fake

---@param call ringdown.fake.call
---@return ringdown.fake.desk
function M.new(call)
  local self = setmetatable({ call = call, emergencies = {}, asked = {}, acted = {} }, fake)
  function fake_host.emergency(kind, severity, said)
    return self:report(kind, severity, said)
  end
  return self
end

local function rule_of(def, id)
  for _, rule in ipairs(def.emergencies) do
    if rule.id == id then
      return rule
    end
  end
end

-- Of an agent that is only known by its outline, its sandbox does it.
local function begin(call, payload)
  if call.def.rules then
    return call.session:emergency(payload)
  end
  require("ringdown.emergency").begin(payload, sites.of_number(call.def, payload.to))
  local rule = rule_of(call.def, payload.rule)
  return rule and rule.transfer
end

local opened ---@type string? the rules that the desk has

local function open(def)
  local rules = def.rules or desk.rules_of(def)
  if rules ~= opened then
    desk.open(rules)
    opened = rules
  end
end

function fake:act(found, source)
  if self.acted[found.rule] then
    return false
  end
  self.acted[found.rule] = true
  local seen, is_rule = self.call.session.call, found.verdict == "match"
  if is_rule then
    table.insert(self.emergencies, found.rule)
  end
  local whom = begin(self.call, { call = seen.id, rule = found.rule, severity = found.severity, source = source,
    words = found.words, from = seen.caller.number, to = seen.called, language = found.language })
  self.transferred_to = self.transferred_to or whom
  return is_rule
end

function fake:follow(findings, source)
  local acted = false
  for _, found in ipairs(findings and json.decode(findings) or {}) do
    if found.verdict == "match" or found.verdict == "tell" then
      acted = self:act(found, source) or acted
    elseif found.verdict == "ask" and not self.acted[found.rule] then
      table.insert(self.asked, found.rule)
    end
  end
  return acted
end

function fake:hear(text)
  open(self.call.def)
  self:follow(desk.hear(text), "rule")
end

function fake:report(kind, severity, said)
  open(self.call.def)
  return self:follow(desk.report(kind, severity, said), "model")
end

return M
