-- SPDX-License-Identifier: Apache-2.0
-- alerts.alone: the operation `alerts_alone`: what a node tells people itself while the database is away, because
-- nobody else can: that it is away, and emergencies, which wait for nobody. Everything else follows from that one
-- cause, or is told once the database has it.
--
-- Webhooks are told before mails, and whoever did not answer last time after all others, and once in a round.
--
-- What was told is in a file (kept/alerts_alone.json), which is written after each channel: who dies here repeats one
-- notice at most. That something is over is told by the process that saw it; a process that began since waits until
-- the database has answered. Back again, the database learns what people know already.
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
  kept = type(kept) == "table" and kept.told and kept or { told = {} }
  kept.slow = kept.slow or {}
  return kept
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

-- One channel is told, or will be asked again; false: it did not answer. How far that came is in `how`: tries,
-- due_ms, done.
local function try(c, how, body, now_ms)
  local ok, why, code = channels.send(c, body)
  how.tries = (how.tries or 0) + 1
  local wait_ms = not ok and code ~= "refused" and AGAIN_MS[how.tries] or nil
  how.done, how.due_ms = wait_ms == nil, wait_ms and now_ms + wait_ms or nil
  log.fact(ok and "info" or "warn", ok and "alert.told_alone" or "alert.not_told", body.alerts[1].call or "", {
    channel = log.known(c.name), rule = log.known(body.rule), status = log.known(body.status),
      why = why and log.known(why),
    fix = not ok and log.known "correct the channel in alerts.channels; then: ringdown alerts test CHANNEL" or nil })
  return ok or code == "refused"
end

-- What each channel has heard of one alert's beginning, or of its end.
local function heard(t, status, name)
  local key = status == "resolved" and "over" or "heard"
  t[key] = t[key] or {}
  t[key][name] = t[key][name] or {}
  return t[key][name]
end

-- Webhooks before mails, those that did not answer last time after all others.
local function in_turn(list, slow)
  local out = table.move(list, 1, #list, 1, {})
  local place = {}
  for i, c in ipairs(out) do
    place[c] = (slow[c.name] and 2000 or 0) + (c.kind == "mail" and 1000 or 0) + i
  end
  table.sort(out, function(a, b)
    return place[a] < place[b]
  end)
  return out
end

local function wanted_by(c, jobs)
  local out = {}
  for _, job in ipairs(jobs) do
    if channels.wants(c, job.t.severity, job.t.labels.agent) then
      out[#out + 1] = job
    end
  end
  return out
end

-- Everybody who should hear of it; who does not answer is asked again in the next round.
local function tell_all(kept, list, jobs)
  for _, c in ipairs(in_turn(list, kept.slow)) do
    for _, job in ipairs(wanted_by(c, jobs)) do
      local how, now_ms = heard(job.t, job.status, c.name), host.unix_ms()
      if not how.done and now_ms >= (how.due_ms or 0) and not host.stopping() then
        local answered = try(c, how, body_of(job.fingerprint, job.t, job.rule, job.status, now_ms), now_ms)
        kept.slow[c.name] = not answered or nil
        write(kept)
        if not answered then
          break
        end
      end
    end
  end
end

local function all_heard(list, job)
  for _, c in ipairs(list) do
    if channels.wants(c, job.t.severity, job.t.labels.agent) and not heard(job.t, job.status, c.name).done then
      return false
    end
  end
  return true
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

-- Which process this is; when it began is known to the second.
local function this_process()
  local now = json.decode(host.node.status() or "") or {}
  return { pid = now.pid, began_s = host.unix_ms() // 1000 - (now.uptime_s or 0) }
end

-- A process that has just started sees nothing yet: that is no end, as long as the database does not answer.
local function saw_it(t, this)
  return t.by ~= nil and t.by.pid == this.pid and math.abs(t.by.began_s - this.began_s) <= 5
end

-- What is to be told: what goes on, those about life first, and what is over.
local function jobs_of(kept, here, rules, answers)
  local by_name, jobs, this = {}, {}, this_process()
  for _, rule in ipairs(rules) do
    by_name[rule.name] = rule
  end
  for _, fingerprint in ipairs(require("ringdown.sorted").keys(kept.told)) do
    local t = kept.told[fingerprint]
    local status = here[fingerprint] and "firing" or "resolved"
    if status == "firing" then
      t.by = this
    end
    if answers or saw_it(t, this) then
      local rule = by_name[t.rule]
      table.insert(jobs, rule and rule.at_once and 1 or #jobs + 1, { fingerprint = fingerprint, t = t, rule = rule,
        status = status })
    end
  end
  return jobs
end

---@param payload { away_ms: integer? } since the database answered last; nil: it has just answered
---@return table result
function M.run(payload)
  local alarms, now_ms = host.open_alarms(), host.unix_ms()
  local kept, away = read(), is_away(alarms)
  if not away and not next(kept.told) then
    return { told = 0 }
  end
  local rules, list = rules_of.load(), channels.list()
  local here = found(rules, alarms)
  if away then
    remember(kept, found(rules, since(alarms, now_ms - (payload.away_ms or 0) - UNTOLD_MS)), now_ms)
  end
  local jobs = jobs_of(kept, here, rules, not payload.away_ms)
  write(kept) -- who dies now knows what it had begun to tell
  tell_all(kept, list, jobs)
  for _, job in ipairs(jobs) do
    if all_heard(list, job) and (job.status == "resolved"
      or not away and hand_over(job.fingerprint, job.t)) then
      kept.told[job.fingerprint] = nil
    end
  end
  write(kept)
  return { told = #require("ringdown.sorted").keys(kept.told) }
end

return M
