-- SPDX-License-Identifier: Apache-2.0
-- rollout.sweep: the operation `rollout_sweep`: what was ordered at this machine while the database was away is written
-- there once it is back, by the name of whoever ordered it, and taken away here when every node knows it from there.
--
--   each order ── somebody ordered otherwise later? ──▶ alarm, gone ── nothing to do? ──▶ told, gone ──▶ written, gone
--
-- The database is still away, or others are always faster: next time. Ordered anew: that stays, and is
-- written next time. An order of long ago (a node that was cut off, a data folder that was put back) never undoes what
-- people have said since; what the guards did since is no such order.
local host = require "ringdown.host"
local json = require "ringdown.json"
local override = require "ringdown.rollout.override"
local sorted = require "ringdown.sorted"
local states = require "ringdown.rollout.states"
local store = require "ringdown.rollout.store"

local M = {}

local NODES_KNOW_MS = 2000
local TRIES = 5
local STALE = "routing.override_stale"

local function reason_of(by)
  return (("local override by %s%s%s"):format(by.who or "somebody", by.at and " at " .. by.at or "",
    by.reason and ": " .. by.reason or "")):sub(1, 2000)
end

-- The orders of the file, in the order in which they are written.
local function orders_of(order)
  local list = {}
  local function add(agent, kind, value, by)
    if value ~= nil then
      list[#list + 1] = { agent = agent, kind = kind, value = value, by = by or { at = order.at, who = order.who,
        reason = order.reason } }
    end
  end
  add(nil, "force", order.force, order.force_by)
  for _, agent in ipairs(sorted.keys(order.agents)) do
    local line = order.agents[agent]
    add(agent, "rollback", line.rollback, line.rollback_by)
    add(agent, "force", line.force, line.force_by)
  end
  return list
end

local function words_of(one)
  return one.kind == "force" and ("force %s%s"):format(one.value, one.agent and " --agent " .. one.agent or "")
    or ("rollback --agent %s --to %g"):format(one.agent, one.value / 100)
end

local function command_of(one)
  if one.kind == "rollback" then
    return { command = "rollback", to = ("%g"):format(one.value / 100) }
  end
  return ({ openai = { command = "fix", system = "openai" }, vapi = { command = "kill" },
    off = { command = "release" } })[one.value]
end

-- What became of it: "written"; "left", why; "waits".
local function write_force(one)
  local force, why, code = store.force()
  if code then
    return "waits", why
  elseif one.value == (force and force.system or "off") then
    return "left", "that is so already"
  end
  local made, wrong = store.force_put(one.value, one.by.who or "somebody", reason_of(one.by))
  return made and "written" or "waits", wrong
end

-- Somebody else may be faster, several times: the guards, another node that writes the same.
local function write_change(one)
  for _ = 1, TRIES do
    local record, why, code = store.record(one.agent)
    if code then
      return "waits", why
    end
    record = record or states.new(one.agent)
    local order = command_of(one)
    order.who = one.by.who or "somebody"
    local next_one, wrong = states.apply(record, order)
    if not next_one then
      store.refused(one.agent, order.who, order.command, ("%s: %s"):format(reason_of(one.by), wrong))
      return "left", wrong
    elseif store.change(next_one, record.version, { who = order.who, reason = reason_of(one.by),
      what = order.command }) then
      return "written"
    end
  end
  return "waits", "others changed it at the same time"
end

local function write(one)
  local newer, why, code = store.ordered_since(one.agent, one.by.at)
  if code then
    return "waits", why
  elseif newer then
    return "stale", ("%s ordered at %s otherwise"):format(newer.who, tostring(newer.at):sub(1, 19))
  elseif one.agent then
    return write_change(one)
  end
  return write_force(one)
end

-- Those that are done, unless they were ordered anew.
local function take_away(done)
  local order = override.read()
  for _, one in ipairs(done) do
    local line = one.agent and order.agents[one.agent] or not one.agent and order
    local by = line and (line[one.kind .. "_by"] or { at = order.at })
    if line and line[one.kind] == one.value and by.at == one.by.at then
      line[one.kind], line[one.kind .. "_by"] = nil, nil
    end
  end
  if #done > 0 then
    override.write(order)
  end
end

local function told(tell, one, became, why)
  local text = ("%s, ordered here by %s%s"):format(words_of(one), one.by.who or "somebody",
    one.by.at and " at " .. one.by.at or "")
  if became == "written" then
    tell { text = text .. ": is in the database now" }
  elseif became == "stale" then
    host.alarm("warning", STALE, one.agent or "*", ("%s: %s; it was dropped"):format(text, why))
    store.refused(one.agent or "*", one.by.who or "somebody", one.kind, ("%s: %s"):format(text, why))
    tell { note = ("%s: dropped, because %s"):format(text, why) }
  else
    tell { note = ("%s: %s, because %s"):format(text, became == "left" and "was left out" or "waits", tostring(why)) }
  end
end

---@return table result
function M.run(_, tell)
  local order = override.read()
  local written, done, waits = json.array {}, {}, false
  for _, one in ipairs(order.version > 0 and orders_of(order) or {}) do
    local became, why = write(one)
    told(tell, one, became, why)
    if became == "waits" then
      waits = true
    else
      done[#done + 1] = one
    end
    if became == "written" then
      written[#written + 1] = one.agent or "force"
    end
  end
  if #written > 0 then
    host.sleep(NODES_KNOW_MS)
  end
  take_away(done)
  for _, one in ipairs(done) do
    host.alarm_over(STALE, one.agent or "*") -- it was told and is over: nothing is left to be done here
  end
  return { written = written, waits = waits or nil }
end

return M
