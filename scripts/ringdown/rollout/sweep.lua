-- SPDX-License-Identifier: Apache-2.0
-- rollout.sweep: the operation `rollout_sweep`: what was ordered at this machine while the database was away is written
-- there once it is back, by the name of whoever ordered it, and taken away here when every node knows it from there.
--
-- The database is still away: next time. Ordered anew meanwhile: that stays, and is written next time. What the record
-- says already, or does not let be done any more, is left out.
local host = require "ringdown.host"
local json = require "ringdown.json"
local override = require "ringdown.rollout.override"
local sorted = require "ringdown.sorted"
local states = require "ringdown.rollout.states"
local store = require "ringdown.rollout.store"

local M = {}

local NODES_KNOW_MS = 2000

local function reason_of(order)
  return (("local override by %s%s%s"):format(order.who or "somebody", order.at and " at " .. order.at or "",
    order.reason and ": " .. order.reason or "")):sub(1, 2000)
end

local function commands_of(line)
  local list = {}
  if line.percent_bp == 10000 then
    list[#list + 1] = { command = "fix", system = "openai" }
  elseif line.percent_bp then
    list[#list + 1] = { command = "rollback", to = tostring(line.percent_bp / 100) }
  end
  if line.kill then
    list[#list + 1] = { command = "kill" }
  elseif line.kill == false and not line.percent_bp then
    list[#list + 1] = { command = "release" }
  end
  return list
end

local function reconcile(agent, line, order, written)
  for _, command in ipairs(commands_of(line)) do
    local record, why, code = store.record(agent)
    if code then
      error(why, 0)
    end
    record = record or states.new(agent)
    command.who = order.who or "somebody"
    local next_one = states.apply(record, command)
    if next_one and store.change(next_one, record.version, { who = command.who, reason = reason_of(order),
      what = command.command }) then
      written[#written + 1] = agent
    end
  end
end

---@return table result
function M.run(_, tell)
  local order = override.read()
  if order.version == 0 then
    return { written = json.array {} }
  end
  local force, _, code = store.force()
  if code then
    return { waits = true }
  end
  local written = json.array {}
  if order.force and order.force ~= (force and force.system or "off") then
    store.force_put(order.force, order.who or "somebody", reason_of(order))
    written[#written + 1] = "force"
  end
  for _, agent in ipairs(sorted.keys(order.agents)) do
    reconcile(agent, order.agents[agent], order, written)
  end
  host.sleep(NODES_KNOW_MS)
  if override.read().version == order.version then
    host.keep(override.FILE, nil)
  end
  tell { text = ("what was ordered here is in the database: %s"):format(#written > 0 and table.concat(written, ", ")
    or "nothing was left to do") }
  return { written = written }
end

return M
