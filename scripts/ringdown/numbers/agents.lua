-- SPDX-License-Identifier: Apache-2.0
-- numbers.agents: which agent answers a number, and what a change of it must know about that agent.
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---@class ringdown.numbers.agent
---@field name string
---@field assistant string? at Vapi
---@field has_life boolean has rules about life and limb
---@field accepts_no_triage boolean
---@field has_both boolean runs on OpenAI and on Vapi
---@field says_where boolean its file says which of them, by `routing`
---@field has_rollout boolean? one in force: a draft is none
---@field countries table<string, true>? where its people may be called; nil: anywhere
---@field time_zone string?
---@field broken string? why it does not load

local function agent_of(one)
  local shown = json.decode(one.shown or "{}") or {}
  local vapi, has_life = shown.vapi or {}, false
  for _, rule in ipairs(shown.emergencies or {}) do
    has_life = has_life or rule.severity == "life"
  end
  return { name = one.name, numbers = one.numbers or {}, assistant = vapi.assistant, has_life = has_life,
    accepts_no_triage = vapi.no_triage == "accepted", has_both = shown.vapi ~= nil and shown.openai == true,
    says_where = shown.routing ~= nil, countries = one.countries and json.decode(one.countries) or nil,
    time_zone = shown.time_zone }
end

local Agents = {}
Agents.__index = Agents

---The agents that this process has; nothing of the database: `assigned` is for whoever knows of some numbers.
function M.files()
  local loaded, broken = host.agents()
  local all = setmetatable({ by_name = {}, by_number = {}, assigned = {} }, Agents)
  for _, one in ipairs(loaded) do
    local agent = agent_of(one)
    all.by_name[agent.name], all.only = agent, #loaded == 1 and #(broken or {}) == 0 and agent or nil
    for _, number in ipairs(agent.numbers) do
      all.by_number[number] = agent
    end
  end
  for _, one in ipairs(broken or {}) do
    local agent = all.by_name[one.module] or { name = one.module }
    agent.broken = (one.lines or ""):match("[^\n]+") or "it does not load"
    all.by_name[one.module] = agent
  end
  return all
end

---The agents that this process has, and the operator's assignments.
function M.load()
  local all = M.files()
  for _, one in ipairs(db.ask([[select coalesce(jsonb_agg(jsonb_build_object('number', number, 'agent', agent, 'site',
      coalesce(site, 'default'))), '[]')::text from phone_numbers]])) do
    all.assigned[one.number] = one
  end
  for _, name in ipairs(db.ask([[select coalesce(jsonb_agg(agent), '[]')::text from rollout_now
      where state <> 'draft' or mode <> 'split' or kill]])) do
    local agent = all.by_name[name]
    if agent then
      agent.has_rollout = true
    end
  end
  return all
end

---Who answers this number, or nil and why nobody does.
---@param number string
---@return ringdown.numbers.agent?
---@return string? why
---@return string? site
function Agents:of(number)
  local assigned = self.assigned[number]
  if assigned then
    local agent = self.by_name[assigned.agent]
    return agent, not agent and ("is assigned to %s, and no such agent loads here"):format(assigned.agent) or nil,
      assigned.site
  end
  local agent = self.by_number[number] or self.only
  return agent, not agent and "has no agent; ringdown numbers assign gives it one" or nil, "default"
end

---Every number that has an agent of its own: not those that merely the only one would get.
---@return table<string, true>
function Agents:numbers()
  local set = {}
  for number in pairs(self.assigned) do
    set[number] = true
  end
  for number in pairs(self.by_number) do
    set[number] = true
  end
  return set
end

return M
