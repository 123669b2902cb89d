-- SPDX-License-Identifier: Apache-2.0
-- rollout.agents: whose rollout it is: which agents there are, and what their files say that a change must know.
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"

local M = {}

---@class ringdown.rollout.agent
---@field name string
---@field loads boolean here
---@field openai boolean can run there
---@field vapi boolean
---@field file_bp integer? the share that its file begins a rollout with
---@field own boolean? a function of its file says where calls go
---@field life string[] rules about life and limb that nobody watches on Vapi

local fixed = { openai = 10000, vapi = 0 }

local function agent_of(one)
  local shown = json.decode(one.shown or "{}") or {}
  local vapi = type(shown.vapi) == "table" and shown.vapi or nil
  local life = json.array {}
  for _, rule in ipairs(shown.emergencies or {}) do
    if rule.severity == "life" and (not vapi or vapi.no_triage ~= "accepted") then
      life[#life + 1] = rule.id
    end
  end
  local routing = shown.routing
  return { name = one.name, loads = true, openai = shown.openai == true or not vapi, vapi = vapi ~= nil, life = life,
    own = routing == "function", file_bp = type(routing) == "table" and routing.openai_bp or fixed[routing] }
end

---@return table<string, ringdown.rollout.agent> by name
function M.all()
  local loaded, broken = host.agents()
  local all = {}
  for _, one in ipairs(loaded) do
    all[one.name] = agent_of(one)
  end
  for _, one in ipairs(broken or {}) do
    all[one.module] = all[one.module] or { name = one.module, loads = false, openai = false, vapi = false, life = {} }
  end
  return all
end

---The one that is meant; raises with what was probably meant.
---@param name string? nil: the only one
---@param records table<string, any>? agents that have a plan
---@return ringdown.rollout.agent
function M.one(name, records)
  local all = M.all()
  for agent in pairs(records or {}) do
    all[agent] = all[agent] or { name = agent, loads = false, openai = false, vapi = false, life = {} }
  end
  local names = sorted.keys(all)
  if name and all[name] then
    return all[name]
  elseif name and #names > 0 then
    error(("there is no agent '%s'; %s"):format(name:sub(1, 64), nearest.hint(name, names)), 0)
  elseif #names == 1 then
    return all[names[1]]
  elseif #names == 0 then
    error("there is no agent: ringdown new agent NAME makes one; RINGDOWN_AGENTS or agents.path names the folder", 0)
  end
  error("for which agent? Say --agent NAME: " .. table.concat(names, ", "), 0)
end

---Why calls of these agents may not be sent to Vapi; nil: they may.
---@param agents ringdown.rollout.agent[]
---@return string?
function M.unwatched(agents)
  local lines = {}
  for _, agent in ipairs(agents) do
    if agent.vapi and #agent.life > 0 then
      lines[#lines + 1] = ("%s (%s)"):format(agent.name, table.concat(agent.life, ", "))
    end
  end
  if lines[1] then
    return ("on Vapi nobody watches for emergencies about life of %s; say vapi.no_triage = \"accepted\" in the agent's "
      .. "file where that is meant"):format(table.concat(lines, "; "))
  end
end

return M
