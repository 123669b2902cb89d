-- SPDX-License-Identifier: Apache-2.0
-- rollout.agents: whose rollout it is: which agents there are, and what their files say that a change must know.
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"
local store = require "ringdown.rollout.store"

local M = {}

---@class ringdown.rollout.agent
---@field name string
---@field loads boolean here
---@field openai boolean can run there
---@field vapi boolean
---@field file_bp integer? the share that its file begins a rollout with
---@field own boolean? a function of its file says where calls go
---@field life string[] rules about life and limb that may not be searched for on Vapi

local HEARD_MIN = 5 -- calls

local fixed = { openai = 10000, vapi = 0 }

local function agent_of(one)
  local shown = json.decode(one.shown or "{}") or {}
  local vapi = type(shown.vapi) == "table" and shown.vapi or nil
  local life = json.array {}
  for _, rule in ipairs(shown.emergencies or {}) do
    if rule.severity == "life" and not (vapi and (vapi.no_triage == "accepted" or vapi.route == "bridge")) then
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

-- Of the newest calls of an agent on Vapi, how many brought what was said while it was said; nil: nobody can say now.
local function heard(name)
  local asked, known = pcall(store.ask, "select vapi_heard($1)::text", { name })
  return asked and type(known) == "table" and known or nil
end

-- A call or two prove nothing, and a webhook may be lost.
local function is_heard(known)
  return known.calls >= HEARD_MIN and known.heard * 10 >= known.calls * 9
end

local function unheard(known)
  if not known then
    return "whether its assistant sends transcripts cannot be looked up now"
  elseif known.calls == 0 then
    return "no call there shows yet whether its assistant sends transcripts"
  elseif known.heard == 0 then
    return ("its assistant sends no transcripts: none came in the last %d calls there"):format(known.calls)
  elseif is_heard(known) then
    return nil
  end
  return ("transcripts came in %d of the last %d calls there"):format(known.heard, known.calls)
end

---The share that meets OpenAI where no rollout is in force; nil: nobody can say, or a function of its file does.
---@param agent ringdown.rollout.agent?
---@return integer? basis points
function M.share_without(agent)
  if not agent or not agent.loads or agent.own then
    return nil
  elseif not (agent.openai and agent.vapi) then
    return agent.openai and 10000 or 0
  end
  return agent.file_bp or 10000
end

---Why calls of these agents may not be sent to Vapi; nil: they may.
---@param agents ringdown.rollout.agent[]
---@return string?
---@return string[] watched what is so where they may
function M.unwatched(agents)
  local lines, watched = {}, {}
  for _, agent in ipairs(agents) do
    local known = agent.vapi and #agent.life > 0 and heard(agent.name)
    local why = agent.vapi and #agent.life > 0 and unheard(known or nil)
    if why then
      lines[#lines + 1] = ("%s (%s): %s"):format(agent.name, table.concat(agent.life, ", "), why)
    elseif known then
      watched[#watched + 1] = ("On Vapi, too, what callers of %s say is searched for %s: transcripts came in %d of the "
        .. "last %d calls there."):format(agent.name, table.concat(agent.life, ", "), known.heard, known.calls)
    end
  end
  if lines[1] then
    return ("on Vapi nobody here would know of emergencies about life of %s; have transcripts sent (docs/vapi.md), or "
      .. "say vapi.no_triage = \"accepted\" in the agent's file where that is meant"):format(table.concat(lines, "; ")),
      watched
  end
  return nil, watched
end

return M
