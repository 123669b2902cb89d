-- SPDX-License-Identifier: Apache-2.0
-- rollout.override: what is ordered at this machine while the database is away (gateway/override.h has the file). It
-- wins on this node at once; when the database is back, rollout.sweep writes it there, with the name of whoever ordered
-- it, and takes it away.
local host = require "ringdown.host"
local json = require "ringdown.json"
local time = require "ringdown.time"

local M = {}

M.FILE = "override.json"

---@return { version: integer, at: string?, who: string?, reason: string?, force: string?, agents: table }
function M.read()
  local text = host.kept(M.FILE)
  local value = text and json.decode(text)
  if type(value) ~= "table" then
    return { version = 0, agents = {} }
  end
  value.version = math.type(value.version) == "integer" and value.version or 0
  value.agents = type(value.agents) == "table" and value.agents or {}
  return value
end

---@param order table
function M.write(order)
  order.version = order.version + 1
  local kept, why = host.keep(M.FILE, json.encode(order))
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

local function stamped(order, o)
  order.at, order.who, order.reason = now(), o.who, o.reason or order.reason
  return order
end

---@param system "openai"|"vapi"|"off"
---@param o { who: string, reason: string? }
function M.force(system, o)
  local order = stamped(M.read(), o)
  order.force = system
  M.write(order)
end

---What whoever orders must know.
---@param why string the database is away
function M.told(why)
  return ("the database is away (%s): ordered at this machine alone, in kept/%s of its data folder. It is written to "
    .. "the database when that is back; say the same at the other nodes until then"):format(why, M.FILE)
end

---@param agent string
---@param change { percent_bp: integer|false|nil, kill: boolean? } percent_bp false: what was ordered is no more
---@param o { who: string, reason: string? }
function M.agent(agent, change, o)
  local order = stamped(M.read(), o)
  order.agents[agent] = order.agents[agent] or {}
  for key, value in pairs(change) do
    order.agents[agent][key] = value
    if key == "percent_bp" and not value then
      order.agents[agent][key] = nil
    end
  end
  M.write(order)
end

return M
