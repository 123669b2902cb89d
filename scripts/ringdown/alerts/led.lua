-- SPDX-License-Identifier: Apache-2.0
-- alerts.led: the kinds of alarms that only the node which leads raises. They are about all nodes, so an alert of them
-- has no label `node`: it is the same one whoever leads. Who leads no more is not heard about them (alarms_look in
-- sql/), and ends its own after as long as the next one needs to find them (health.look).
local M = {}

---@type string[]
M.kinds = { "alerts.channels", "alerts.left_out", "alerts.rules", "cost.call_near_cap", "cost.near_cap",
  "cost.over_cap", "heartbeat.failed", "node.lost", "nodes.differ", "notice.given_up", "numbers.drift", "rollout.held",
  "rollout.not_judged", "rollout.ready", "rollout.rolled_back", "synthetic.failed", "synthetic.held", "vapi.given_up" }

---By kind.
---@type table<string, true>
M.is = {}
for _, kind in ipairs(M.kinds) do
  M.is[kind] = true
end

return M
