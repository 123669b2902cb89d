-- SPDX-License-Identifier: Apache-2.0
-- rollout.override: what is ordered at this machine while the database is away (gateway/override.h has the file). It
-- wins on this node at once; when the database is back, rollout.sweep writes it there, with the name of whoever ordered
-- it, and takes it away.
--
-- Three kinds of order, each with who gave it, when and why: force for all agents; force and rollback of one. Force
-- goes before rollback, and `off` ends force alone: a rollback that was ordered stands. Going back ends force openai.
local host = require "ringdown.host"
local json = require "ringdown.json"
local plan = require "ringdown.rollout.plan"
local time = require "ringdown.time"

local M = {}

M.FILE = "override.json"

---@class ringdown.rollout.by
---@field who string?
---@field at string? "2026-11-27T09:00:00Z"
---@field reason string?

local systems = { openai = true, vapi = true, off = true }

-- The file is one that people may have written.
local function line_read(line)
  line = type(line) == "table" and line or {}
  line.force = systems[line.force] and line.force or nil
  line.rollback = math.type(line.rollback) and math.max(0, math.min(10000, line.rollback)) or nil
  for _, key in ipairs { "force_by", "rollback_by" } do
    line[key] = type(line[key]) == "table" and line[key] or nil
  end
  return line
end

---@return { version: integer, force: string?, force_by: ringdown.rollout.by?, agents: table<string, table> }
function M.read()
  local text = host.kept(M.FILE)
  local value = text and json.decode(text)
  if type(value) ~= "table" then
    return { version = 0, agents = {} }
  end
  value.version = math.type(value.version) == "integer" and value.version or 0
  value.agents = type(value.agents) == "table" and value.agents or {}
  value.force = systems[value.force] and value.force or nil
  value.force_by = type(value.force_by) == "table" and value.force_by or nil
  for agent, line in pairs(value.agents) do
    value.agents[agent] = line_read(line)
  end
  return value
end

-- Lines that say nothing go; whether nothing is left.
local function is_empty(order)
  for agent, line in pairs(order.agents) do
    if not line.force and not line.rollback then
      order.agents[agent] = nil
    end
  end
  order.agents = next(order.agents) and order.agents or nil
  return not order.force and not order.agents
end

---An order that holds nothing any more: the file goes.
---@param order table
function M.write(order)
  order.version = order.version + 1
  local text = not is_empty(order) and json.encode(order) or nil
  local kept, why = host.keep(M.FILE, text)
  if not kept then
    error(("neither the database nor the data folder took it: %s; put the numbers back by their snapshots "
      .. "(ringdown numbers restore)"):format(tostring(why)), 0)
  end
end

local function now()
  local unix = time.unix()
  local second = unix % 86400
  return ("%sT%02d:%02d:%02dZ"):format(time.date(unix // 86400), second // 3600, second // 60 % 60, second % 60)
end

-- who, at and reason of the file are those of its newest order.
local function stamped(order, o)
  order.at, order.who, order.reason = now(), o.who, o.reason
  return { at = order.at, who = o.who, reason = o.reason }
end

---What whoever orders must know.
---@param why string the database is away
function M.told(why)
  return ("the database is away (%s): ordered at this machine alone, in kept/%s of its data folder. It is written to "
    .. "the database when that is back; say the same at the other nodes until then"):format(why, M.FILE)
end

---@param system "openai"|"vapi"|"off"
---@param o { who: string, reason: string? }
function M.force(system, o)
  local order = M.read()
  order.force, order.force_by = system, stamped(order, o)
  M.write(order)
end

local function line_of(order, agent)
  order.agents[agent] = order.agents[agent] or {}
  return order.agents[agent]
end

---All calls of one agent.
---@param agent string
---@param system "openai"|"vapi"|"off"
---@param o { who: string, reason: string? }
---@return integer? rollback what was ordered besides, and stands
function M.force_agent(agent, system, o)
  local order = M.read()
  local line = line_of(order, agent)
  line.force, line.force_by = system, stamped(order, o)
  M.write(order)
  return line.rollback
end

---So much at most. Raises where less was ordered before.
---@param agent string
---@param bp integer
---@param o { who: string, reason: string? }
function M.rollback(agent, bp, o)
  local order = M.read()
  local line = line_of(order, agent)
  if line.rollback and bp > line.rollback then
    error(("%s is not less: a rollback of %s to %s was ordered here while the database is away, and stands until that "
      .. "is back"):format(plan.show(bp), agent, plan.show(line.rollback)), 0)
  end
  line.rollback, line.rollback_by = bp, stamped(order, o)
  if line.force == "openai" then
    line.force, line.force_by = nil, nil
  end
  M.write(order)
end

return M
