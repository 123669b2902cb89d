-- SPDX-License-Identifier: Apache-2.0
-- alerts.look: the operation `alerts`: measures every rule that is due, lets the engine decide, and keeps states and
-- notices together. On the node that leads; with two of them, the one that is slower keeps nothing.
local channels = require "ringdown.alerts.channels"
local engine = require "ringdown.alerts.engine"
local formats = require "ringdown.alerts.formats"
local host = require "ringdown.host"
local json = require "ringdown.json"
local led = require "ringdown.alerts.led"
local log = require "ringdown.log"
local rules_of = require "ringdown.alerts.rules"
local store = require "ringdown.alerts.store"

local M = {}

local ROWS_MAX = 200

-- ── measuring ───────────────────────────────────────────────────────────────────────────────────

-- What an alarm is about, as labels: a call, a number, else its subject; and the agent, where that is known.
local function labels_of(alarm)
  local labels, subject = { alarm = alarm.kind, node = not led.is[alarm.kind] and alarm.node or nil,
    agent = alarm.agent }, alarm.subject
  if subject:match "^CA%x+$" then
    labels.call, labels.node = subject, nil -- whichever process follows it
  elseif subject:match "^%+%d+$" then
    labels.number = subject
  elseif subject ~= "" then
    labels.subject = subject
  end
  return labels
end

---What an alarm is to a rule.
---@param alarm table kind, subject, text; node, agent, fix, count where they are known
---@return table seen
function M.seen_of(alarm)
  local labels = labels_of(alarm)
  return { labels = labels, call = labels.call, text = alarm.text, fix = alarm.fix, value = alarm.count }
end

---Alarms by the rules that are about them.
---@param rules ringdown.alerts.rule[]
---@param alarms table[]
---@return table<string, table[]>
function M.by_rule(rules, alarms)
  local of_kind, rest, seen = {}, nil, {}
  for _, rule in ipairs(rules) do
    for _, kind in ipairs(rule.alarms or {}) do
      seen[rule.name] = seen[rule.name] or {}
      if kind == "*" then
        rest = rule.name
      else
        of_kind[kind] = of_kind[kind] or {}
        table.insert(of_kind[kind], rule.name)
      end
    end
  end
  for _, alarm in ipairs(alarms) do
    local names = of_kind[alarm.kind] or alarm.severity == "critical" and rest and { rest } or {}
    for _, name in ipairs(names) do
      table.insert(seen[name], M.seen_of(alarm))
    end
  end
  return seen
end

local function said_by(rule, one)
  if not rule.say then
    return one.text
  end
  local ok, text = pcall(rule.say, { value = one.value, n = one.n, call = one.call, labels = one.labels,
    rule = rule.name,
    threshold = rule.above or rule.below })
  return ok and type(text) == "string" and text:sub(1, 1000) or one.text
end

-- A row: every column that the engine does not know is a label.
local function seen_of_row(rule, row)
  local one = { labels = {}, value = tonumber(row.value), n = tonumber(row.n), call = row.call, text = row.text }
  for key, value in pairs(row) do
    if key ~= "value" and key ~= "n" and key ~= "call" and key ~= "text" and type(value) ~= "table" then
      one.labels[key] = tostring(value)
    end
  end
  if rule.each_call then
    one.labels.call = row.call
  end
  one.text = said_by(rule, one)
  return one
end

-- The rows of a question, which is part of another one, so that it can change nothing itself. nil, why: it failed
-- or took too long; all others are asked all the same.
local function measure(rule)
  local params = rule.sql:find("$1", 1, true) and { ("%d milliseconds"):format(rule.window) } or {}
  local rows, why, code = host.query(("select to_jsonb(measured)::text from (%s\n) measured limit %d"):format(rule.sql,
    ROWS_MAX), params, 3000)
  if not rows then
    local slow = why == "the database is slow"
    local is_away = code == "down" or code == "busy" -- nobody's mistake
    return nil, slow and "its question takes longer than 3 s" or not is_away and why or nil
  end
  local seen = {}
  for i, row in ipairs(rows) do
    seen[i] = seen_of_row(rule, json.decode(row[1]))
  end
  return seen
end

-- Its time has come since the look before.
local function is_due(rule, now_ms, looked_ms)
  return rule.every_ms <= 5000 or now_ms // rule.every_ms ~= looked_ms // rule.every_ms
end

-- Kinds of alarms that wait for nothing.
local function urgent_kinds(rules)
  local kinds = json.array {}
  for _, rule in ipairs(rules) do
    if rule.at_once and rule.alarms then
      table.move(rule.alarms, 1, #rule.alarms, #kinds + 1, kinds)
    end
  end
  return kinds
end

---@return table<string, table[]?> by rule
---@return string[] failed "name: why"
---@return table found all about alarms, as alarms_look() has it
local function observe(rules, before)
  local found = store.alarms(led.kinds, urgent_kinds(rules))
  local seen, failed = M.by_rule(rules, found.alarms), {}
  for _, rule in ipairs(rules) do
    if rule.sql and is_due(rule, before.now_ms, before.looked_ms) then
      local rows, why = measure(rule)
      seen[rule.name] = rows
      failed[#failed + 1] = not rows and why and ("%s: %s"):format(rule.name, why) or nil
    end
  end
  return seen, failed, found
end

-- ── telling ─────────────────────────────────────────────────────────────────────────────────────

local function channels_for(list, n)
  local agent, wanted = n.alerts[1] and n.alerts[1].labels.agent, json.array {}
  for _, c in ipairs(list) do
    if channels.wants(c, n.severity, agent) then
      wanted[#wanted + 1] = { name = c.name, kind = c.kind }
    end
  end
  return wanted
end

local function queued(result, rules, list)
  local by_name, out = {}, json.array {}
  for _, rule in ipairs(rules) do
    by_name[rule.name] = rule
  end
  for i, n in ipairs(result.notices) do
    out[i] = { notice = host.digest(("%s %d %s %d"):format(n.group, n.at_ms, n.status, i)):sub(1, 32), group = n.group,
      status = n.status, severity = n.severity, counts = n.counts, channels = channels_for(list, n),
      body = formats.notice(n, by_name[n.rule]) }
    log.fact("info", "alert." .. n.status, n.alerts[1] and n.alerts[1].call or "", { rule = log.known(n.rule),
      severity = log.known(n.severity), alerts = n.n_alerts, channels = #out[i].channels })
  end
  return out
end

local function for_database(s)
  local out = { text = formats.masked(s.text), fix = formats.masked(s.fix) }
  for _, key in ipairs { "id", "rule", "fingerprint", "labels", "severity", "state", "value", "threshold", "call",
    "began_ms", "fired_ms", "clear_ms", "resolved_ms", "seen_ms", "told_ms", "told", "muted_by" } do
    out[key] = s[key]
  end
  if not next(out.labels) then
    out.labels = nil
  end
  return out
end

-- ── the whole ───────────────────────────────────────────────────────────────────────────────────

-- Mistakes of the operator are alarms like any other: somebody thinks that he would be told.
local function tell_mistakes(kind, mistakes)
  if #mistakes > 0 then
    host.alarm("warning", kind, "", table.concat(mistakes, "; "):sub(1, 250))
  else
    host.alarm_over(kind, "")
  end
end

-- More is wrong than is looked at: who reads a list must know that it is not all.
local function tell_left_out(alarms, alerts)
  if alarms + alerts > 0 then
    host.alarm("warning", "alerts.left_out", "", ("%d alarms and %d alerts found no place: the most severe are told")
      :format(alarms, alerts))
  else
    host.alarm_over("alerts.left_out", "")
  end
end

local function look(tell)
  local rules, mistakes = rules_of.load()
  local list, wrong = channels.list()
  tell_mistakes("alerts.channels", wrong)
  local before = store.before(engine.CAP_MS, engine.FLAP_MS)
  local seen, failed, found = observe(rules, before)
  table.move(failed, 1, #failed, #mistakes + 1, mistakes)
  tell_mistakes("alerts.rules", mistakes)
  local result = engine.step { rules = rules, states = before.states, seen = seen, silences = before.silences,
    n_notices = before.notices, n_pages = before.pages, suppressed_ms = before.suppressed_ms,
    suppressed_severity = before.suppressed_severity, gone = found.gone, now_ms = before.now_ms,
    fingerprint = host.digest }
  tell_left_out(found.left_out, result.left_out)
  local states = json.array {}
  for i, s in ipairs(result.states) do
    states[i] = for_database(s)
  end
  local kept = store.after(before.version, { states = states, gone = json.array(result.gone),
    notices = queued(result, rules, list), suppressed_ms = result.suppressed_ms })
  if not kept then
    tell { text = "another node was faster" }
  end
  return { kept = kept, notices = #result.notices, waiting = result.waiting }
end

---@return table result
function M.run(_, tell)
  local result, why = store.unless_away(look, tell)
  if not result then
    tell { text = why }
  end
  return result or { kept = false }
end

return M
