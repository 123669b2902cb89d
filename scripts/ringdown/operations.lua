-- SPDX-License-Identifier: Apache-2.0
-- operations: jobs of the library, of no agent and no call, each in a VM of its own that may wait: what the commands
-- do that change numbers and rollouts, and what the leader does every minute. Which module does which is told here.
--
-- A module has run(payload, tell) and returns the result, plain data. tell(value) sends one object to whoever asked:
--   { text = "for people" }, { note = "besides, a warning" }, { progress = "12 of 40" }; more members are for programs
-- A result with failed = true ends a command with exit code 1. What is raised is told as it is: error("…", 0).
-- host.stopping() is true once whoever asked wants it to end: finish the step and return.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---By kind: the module that does it, required when it comes.
---@type table<string, string>
M.modules = {
  accounts = "ringdown.health.accounts",
  alerts = "ringdown.alerts.look",
  alerts_alone = "ringdown.alerts.alone",
  alerts_check = "ringdown.alerts.check",
  alerts_command = "ringdown.alerts.command",
  api = "ringdown.api.front",
  budgets = "ringdown.stats.budgets",
  console = "ringdown.api.sessions",
  cost = "ringdown.stats.costs",
  demo = "ringdown.demo.command",
  doctor = "ringdown.doctor",
  force = "ringdown.rollout.force",
  guards = "ringdown.rollout.watch",
  health = "ringdown.health.look",
  heartbeat = "ringdown.health.heartbeat",
  job = "ringdown.jobs",
  notices_mail = "ringdown.alerts.send_mail",
  notices_webhook = "ringdown.alerts.send_webhook",
  numbers = "ringdown.numbers.command",
  numbers_drift = "ringdown.numbers.drift",
  rollout = "ringdown.rollout.command",
  rollout_sweep = "ringdown.rollout.sweep",
  rollup = "ringdown.stats.roll",
  stats = "ringdown.stats.command",
  synthetic = "ringdown.synthetic",
  timed = "ringdown.operations.timed",
  tokens = "ringdown.api.tokens",
  undo = "ringdown.rollout.undo",
  vapi_import = "ringdown.vapi.import",
  vapi_joined = "ringdown.vapi.joined",
  vapi_poll = "ringdown.vapi.poll",
  weekly = "ringdown.stats.weekly",
  why = "ringdown.operations.why",
}

---@class ringdown.operations.timed
---@field every_s integer
---@field everywhere boolean? on each node, not on the one that leads only
---@field kept string? only while this file is kept (host.keep)
---@field alone boolean? also, and whether that file is there or not, at each beat that the database does not answer

---What nodes do by themselves, by kind. Each must be safe to run twice, and on a node that has just lost the lead.
---@type table<string, ringdown.operations.timed>
M.timed = {
  accounts = { every_s = 60, everywhere = true },
  alerts = { every_s = 4 },
  alerts_alone = { every_s = 2, everywhere = true, kept = "alerts_alone.json", alone = true },
  budgets = { every_s = 3 },
  guards = { every_s = 60 },
  health = { every_s = 60, everywhere = true },
  heartbeat = { every_s = 60 },
  notices_mail = { every_s = 2 },
  notices_webhook = { every_s = 2 },
  numbers_drift = { every_s = 300 },
  rollout_sweep = { every_s = 5, everywhere = true, kept = "override.json" },
  rollup = { every_s = 60 },
  synthetic = { every_s = 10 },
  vapi_poll = { every_s = 60 },
  weekly = { every_s = 300 },
}

local function told(value)
  local text, why = json.encode(value)
  if not text then
    error("what an operation tells is no JSON: " .. tostring(why), 0)
  end
  return text
end

local function tell(value)
  host.tell(told(value))
end

---@param kind string
---@param payload string JSON object
---@return string result JSON
function M.run(kind, payload)
  local module = M.modules[kind]
  if not module then
    local known = require("ringdown.sorted").keys(M.modules)
    error(("there is no operation '%s'; %s"):format(kind, require("ringdown.nearest").hint(kind, known)), 0)
  end
  local value, why = json.decode(payload)
  if type(value) ~= "table" then
    error(("what the operation '%s' is about is no JSON object: %s"):format(kind, tostring(why)), 0)
  end
  local result = require(module).run(value, tell)
  return told(result == nil and {} or result)
end

return M
