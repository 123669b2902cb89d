-- SPDX-License-Identifier: Apache-2.0
-- health.heartbeat: the operation `heartbeat`: each minute the node that leads tells a watcher elsewhere
-- (heartbeat.url) that all is well. Whoever misses it wakes somebody, also when this machine is gone. So nothing is
-- told while nothing should be: no node leads without the database, and one that lets callers down keeps silent.
local host = require "ringdown.host"
local json = require "ringdown.json"
local judge = require "ringdown.health.judge"

local M = {}

---What lets callers down whoever takes their calls: as in /health (runtime/control/health.c).
M.fails = { ["certificate.expires"] = true, ["clock.wrong"] = true, ["disk.low"] = true, ["journal.disk"] = true,
  ["journal.full"] = true }

---@param status table
---@return string? why not
function M.ails(status)
  if status.draining then
    return "it drains"
  elseif #(status.agents or {}) == 0 and (status.agent_errors or 0) > 0 then
    return "no agent loads"
  end
  for _, alarm in ipairs(status.alarms or {}) do
    if alarm.severity == "critical" and M.fails[alarm.kind] then
      return alarm.kind
    end
  end
end

function M.run(_, tell)
  local status = json.decode(host.node.status() or "") or {}
  if (status.standing or {}).heartbeat_url ~= "set" then
    return
  end
  local ails = M.ails(status)
  if ails then
    tell { note = "no heartbeat: " .. ails }
    return { silent = ails }
  end
  local answer, why = host.heartbeat(json.encode { node = status.node, version = status.version })
  if answer and answer.status < 300 then
    judge.tell("heartbeat.failed", "")
    return { told = true }
  end
  why = answer and ("it answered %d"):format(answer.status) or why
  judge.tell("heartbeat.failed", "", "warning", "heartbeat.url was not reached: " .. why)
  return { failed = true, why = why }
end

return M
