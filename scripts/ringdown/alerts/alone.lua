-- SPDX-License-Identifier: Apache-2.0
-- alerts.alone: the operation `alerts_alone`: what a node tells people itself while the database is away, because
-- nobody else can: that it is away, and emergencies, which wait for nobody. Everything else follows from that one
-- cause, or is told once the database has it.
--
-- What was told is in a file (kept/alerts_alone.json), so that a restart does not tell it again, and so that it is told
-- that it is over, once the database has answered. Back again, the database learns what people know already.
local channels = require "ringdown.alerts.channels"
local engine = require "ringdown.alerts.engine"
local formats = require "ringdown.alerts.formats"
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local look = require "ringdown.alerts.look"
local rules_of = require "ringdown.alerts.rules"
local store = require "ringdown.alerts.store"

local M = {}

local FILE = "alerts_alone.json"
local AGAIN_MS = { 30000, 120000, 600000 }
local UNTOLD_MS = 12000 -- what was wrong for so long when the database was last there was told by who leads

local function read()
  local text = host.kept(FILE)
  local kept = text and json.decode(text)
  return type(kept) == "table" and kept.told and kept or { told = {} }
end

local function write(kept)
  local some = next(kept.told) ~= nil
  local ok, why = host.keep(FILE, some and json.encode(kept) or nil)
  if not ok then
    log.fact("warn", "alerts.not_kept", "", { why = log.known(why),
      fix = log.known "free or repair the disk of the data folder; until then an alert may be told twice" })
  end
end

-- What is wrong here that is ours to tell, by fingerprint. What was wrong before the database went away was told then.
local function found(rules, alarms)
  local out, by_rule = {}, look.by_rule(rules, alarms)
  for _, rule in ipairs(rules) do
    for _, seen in ipairs((rule.told_alone or rule.at_once) and by_rule[rule.name] or {}) do
      out[host.digest(engine.identity(rule, seen.labels))] = { rule = rule, seen = seen }
    end
  end
  return out
end

local function is_away(alarms)
  for _, alarm in ipairs(alarms) do
    if alarm.kind == "database.down" then
      return true
    end
  end
  return false
end

local function since(alarms, ms)
  local out = {}
  for _, alarm in ipairs(alarms) do
    if alarm.since_ms >= ms then
      out[#out + 1] = alarm
    end
  end
  return out
end

local function body_of(fingerprint, t, rule, status, now_ms)
  local n = { group = ("%s|%s"):format(t.rule, t.labels.agent or ""), rule = t.rule, status = status,
    severity = t.severity,
    at_ms = now_ms, n_alerts = 1, alerts = { { fingerprint = fingerprint, rule = t.rule, status = status,
      severity = t.severity, labels = t.labels, text = t.text, fix = t.fix, call = t.call, since_ms = t.fired_ms,
      resolved_ms = status == "resolved" and now_ms or nil } } }
  local body = formats.notice(n, rule)
  body.notice = host.digest(("%s %s %d"):format(fingerprint, status, t.fired_ms)):sub(1, 32)
  return body
end

-- One channel is told, or will be asked again. How far that came is in `how`: tries, due_ms, done.
local function try(c, how, body, now_ms)
  if how.done or now_ms < (how.due_ms or 0) then
    return
  end
  local ok, why, code = channels.send(c, body)
  how.tries = (how.tries or 0) + 1
  local wait_ms = not ok and code ~= "refused" and AGAIN_MS[how.tries] or nil
  how.done, how.due_ms = wait_ms == nil, wait_ms and now_ms + wait_ms or nil
  log.fact(ok and "info" or "warn", ok and "alert.told_alone" or "alert.not_told", body.alerts[1].call or "", {
    channel = log.known(c.name), rule = log.known(body.rule), status = log.known(body.status),
      why = why and log.known(why),
    fix = not ok and log.known "correct the channel in alerts.channels; then: ringdown alerts test CHANNEL" or nil })
end

-- Everybody who should hear of it; true: nobody is left.
local function tell_all(list, fingerprint, t, rule, status, now_ms)
  local key = status == "resolved" and "over" or "heard"
  t[key] = t[key] or {}
  local body, all = body_of(fingerprint, t, rule, status, now_ms), true
  for _, c in ipairs(list) do
    if channels.wants(c, t.severity, t.labels.agent) then
      t[key][c.name] = t[key][c.name] or {}
      try(c, t[key][c.name], body, now_ms)
      all = all and t[key][c.name].done
    end
  end
  return all
end

local function state_of(fingerprint, t)
  return { rule = t.rule, fingerprint = fingerprint, labels = t.labels, severity = t.severity, state = "firing",
    text = formats.masked(t.text), fix = formats.masked(t.fix), call = t.call, began_ms = t.fired_ms,
      fired_ms = t.fired_ms,
    seen_ms = t.fired_ms, told = "firing", told_ms = t.fired_ms }
end

-- The database is back: it takes over what goes on. False: not yet.
local function hand_over(fingerprint, t)
  return (pcall(store.told, { state_of(fingerprint, t) }))
end

local function remember(kept, here, now_ms)
  for fingerprint, one in pairs(here) do
    if not kept.told[fingerprint] then
      kept.told[fingerprint] = { rule = one.rule.name, labels = one.seen.labels, severity = one.rule.severity,
        text = one.seen.text, fix = one.seen.fix, call = one.seen.call, fired_ms = now_ms }
    end
  end
end

---@param payload { away_ms: integer? } since the database answered last; nil: it has just answered
---@return table result
function M.run(payload)
  local alarms, now_ms = host.open_alarms(), host.unix_ms()
  local kept, away = read(), is_away(alarms)
  if not away and not next(kept.told) then
    return { told = 0 }
  end
  local rules, list, by_name = rules_of.load(), channels.list(), {}
  for _, rule in ipairs(rules) do
    by_name[rule.name] = rule
  end
  local here = found(rules, alarms)
  if away then
    remember(kept, found(rules, since(alarms, now_ms - (payload.away_ms or 0) - UNTOLD_MS)), now_ms)
    write(kept) -- first: who dies now does not tell it twice
  end
  for fingerprint, t in pairs(kept.told) do
    local rule = by_name[t.rule]
    if not here[fingerprint] then
      -- a process that has just started sees nothing yet: that is no end, as long as the database does not answer
      if not payload.away_ms and tell_all(list, fingerprint, t, rule, "resolved", now_ms) then
        kept.told[fingerprint] = nil
      end
    elseif tell_all(list, fingerprint, t, rule, "firing", now_ms) and not away and hand_over(fingerprint, t) then
      kept.told[fingerprint] = nil
    end
  end
  write(kept)
  return { told = #require("ringdown.sorted").keys(kept.told) }
end

return M
