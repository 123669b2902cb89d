-- SPDX-License-Identifier: Apache-2.0
-- health.look: the operation `health`: each minute and on each node, what it stands on, and what it makes of that.
-- Nothing is asked but the node itself and the database's clock. With the database away there is an alarm of its own,
-- and the journal's age goes on being told by /health and the metrics.
local host = require "ringdown.host"
local json = require "ringdown.json"
local judge = require "ringdown.health.judge"
local led = require "ringdown.alerts.led"

local M = {}

local NOW = "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint::text"

local LEADS = "select node::text from node_leader where until > now() and since <= now() - interval '10 minutes'"

local function status()
  local text, why = host.node.status()
  return text and json.decode(text) or error("the node does not say how it is: " .. tostring(why), 0)
end

local function database_clock()
  local before = host.unix_ms()
  local rows = host.query(NOW, {}, 5000)
  local after = host.unix_ms()
  local at = rows and rows[1] and math.tointeger(tonumber(rows[1][1]))
  if at then
    judge.tell("clock.wrong", "database", judge.clock(at, at, before, after))
  end
end

-- Those that agents name, the node's own for the others, and the one that writes down what callers say.
local function models_in_use(own, transcription)
  local used = { [own] = true, [transcription] = true }
  for _, agent in ipairs((host.agents())) do
    local shown = json.decode(agent.shown or "")
    local model = type(shown) == "table" and shown.model
    if type(model) == "string" and model ~= "" then
      used[model] = true
    end
  end
  return used
end

local function on_openai()
  local calls, n = json.decode(host.node.calls() or "[]") or {}, 0
  for _, call in ipairs(calls) do
    n = n + (call.system == "openai" and 1 or 0)
  end
  return n
end

-- Another node has led for as long as it takes to find everything anew: what this one said as the leader is its now.
local function end_led(node)
  local rows = host.query(LEADS, {}, 5000)
  local leader = rows and rows[1] and rows[1][1]
  if not leader or leader == node then
    return
  end
  local open = host.open_alarms()
  for _, alarm in ipairs(table.move(open, 1, #open, 1, {})) do
    if led.is[alarm.kind] then
      host.alarm_over(alarm.kind, alarm.subject)
    end
  end
end

function M.run()
  local now = status()
  local standing = now.standing or {}
  judge.tell("disk.low", "", judge.disk(standing.disk_free_mb or -1, standing.disk_free_percent or -1))
  if now.certificate_expires_in_s then
    judge.tell("certificate.expires", "", judge.certificate(now.certificate_expires_in_s))
  else
    judge.tell("certificate.expires", "")
  end
  if now.journal then
    judge.tell("journal.old", "", judge.journal(now.journal.oldest_age_ms or 0))
  end
  local used = models_in_use(standing.openai_model or "", standing.transcription_model or "")
  for model in pairs(used) do
    judge.tell("model.shutdown", model, judge.model(model, standing.shutdowns or "", host.unix_ms() // 1000))
  end
  judge.forget("model.shutdown", used)
  judge.tell("openai.concurrency", "", judge.concurrency(on_openai(), standing.openai_concurrency or 0))
  database_clock()
  end_led(now.node)
end

return M
