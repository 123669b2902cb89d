-- SPDX-License-Identifier: Apache-2.0
-- alerts.engine: from what the rules see to what people hear. Pure: what was before and the time come in, what is now
-- and the notices go out; the same again gives the same.
--
--            true            for long enough            not true for keep_firing_for
--   (none) ───────▶ pending ─────────────────▶ firing ──────────────────────────────▶ resolved
--      ▲               │ not true                 ▲ │ true again: nothing happened
--      └───────────────┘                          └─┘
--
-- - An alert is its rule and its labels: the same again is the same alert.
-- - A rule that could not be asked (its query failed) says nothing: its alerts stay as they are.
-- - Told once, again after `repeats` while nobody acknowledged it, and once that it is over if it was told.
-- - Muted, it fires all the same, and is told when what mutes it is over: a silence, a rule that explains it. What was
--   told before is told to be over all the same: an incident elsewhere would stay open for ever.
-- - What comes and goes is told once as flapping, and then when it has been steady for half an hour.
-- - At most CAP notices in CAP_MS, and as many pages besides, which tickets do not crowd out; what does not fit waits,
--   and one notice says how many, as loudly as the worst of them. About life: always at once.
-- - At most OPEN_MAX alerts are open, PAGES_MAX with those that page: what finds no place is counted (`left_out`).
-- - An alert of a node that left (`gone`) is over, and says that this is why.
local M = {}

M.CAP, M.CAP_MS = 10, 600000
M.FLAPS, M.FLAP_MS = 3, 1800000
M.OPEN_MAX, M.PAGES_MAX = 1000, 1500
local GROUP_MS = 60000 -- of one rule and agent, not more often
local SHOWN = 20 -- alerts in one notice
local REFRESH_MS = 30000 -- a value that changes alone is kept so often

local sorted = require "ringdown.sorted"

---What is the same alert. An alarm is known by its kind, subject and node: whose agent it is about may turn out later.
---@param rule { name: string, alarms: string[]? }
---@param labels table<string, string>
---@return string
function M.identity(rule, labels)
  local parts = { rule.name }
  for _, key in ipairs(sorted.keys(labels)) do
    if key ~= "agent" or not rule.alarms then
      parts[#parts + 1] = ("%s=%q"):format(key, tostring(labels[key]))
    end
  end
  return table.concat(parts, "\n")
end

-- ── is it true? ─────────────────────────────────────────────────────────────────────────────────

local function is_true(rule, seen, fires)
  if rule.alarms then
    return true
  elseif seen.value == nil or rule.min_sample and (seen.n or 0) < rule.min_sample then
    return false
  elseif rule.above then
    return seen.value > (fires and rule.back_at or rule.above)
  end
  return seen.value < (fires and rule.back_at or rule.below)
end

local function in_scope(rule, labels)
  if not rule.agents or not labels.agent then
    return true
  end
  for _, name in ipairs(rule.agents) do
    if name == labels.agent then
      return true
    end
  end
  return false
end

-- ── the states ──────────────────────────────────────────────────────────────────────────────────

local function begin(rule, fingerprint, labels, now)
  return { rule = rule.name, fingerprint = fingerprint, labels = labels, severity = rule.severity, state = "pending",
    began_ms = now, seen_ms = now, is_new = true, changed = true }
end

local function take_over(s, rule, seen, now)
  local threshold = rule.above or rule.below
  local value = seen.value
  if s.text ~= seen.text or s.severity ~= rule.severity or s.threshold ~= threshold
    or now - s.seen_ms >= REFRESH_MS then
    s.changed = true
  end
  s.value, s.threshold, s.text, s.fix, s.labels = value, threshold, seen.text, seen.fix, seen.labels
  s.call, s.severity, s.seen_ms = seen.call or s.call, rule.severity, now
end

local function become_true(s, rule, now)
  if s.clear_ms then
    s.clear_ms, s.changed = nil, true
  end
  if s.state == "pending" and now - s.began_ms >= rule.for_ms then
    s.state, s.fired_ms, s.changed = "firing", now, true
  end
end

-- Whose node is not there any more: nobody says whether it was mended.
local function tell_gone(s, o)
  local why = o.gone and s.labels.node and o.gone[s.labels.node]
  if why and not s.labels.call then
    s.text = ("%s; it is over because node %s %s"):format(s.text or s.rule, s.labels.node, why)
  end
end

local function become_false(s, rule, o)
  local now = o.now_ms
  if s.state == "pending" then
    s.gone, o.n_open = true, o.n_open - 1
    return
  end
  if not s.clear_ms then
    s.clear_ms, s.changed = now, true
  end
  if now - s.clear_ms >= (rule and rule.keep_ms or 0) then
    s.state, s.resolved_ms, s.changed = "resolved", now, true
    o.n_open = o.n_open - 1
    tell_gone(s, o)
  end
end

-- Is there a place for one more?
local function has_room(rule, o)
  local most = rule.at_once and math.huge or rule.severity == "page" and M.PAGES_MAX or M.OPEN_MAX
  if o.n_open < most then
    o.n_open = o.n_open + 1
    return true
  end
  o.left_out = o.left_out + 1
  return false
end

local function advance(open, rule, seen, o)
  local hit = {}
  for _, one in ipairs(seen) do
    if in_scope(rule, one.labels) then
      local fingerprint = o.fingerprint(M.identity(rule, one.labels))
      local s = open[fingerprint]
      local yes = is_true(rule, one, s and s.state == "firing")
      if yes and not s and has_room(rule, o) then
        s = begin(rule, fingerprint, one.labels, o.now_ms)
        open[fingerprint] = s
        o.all[#o.all + 1] = s
      end
      if s and yes then
        take_over(s, rule, one, o.now_ms)
        become_true(s, rule, o.now_ms)
      elseif s and one.value ~= nil then
        s.value = one.value
      end
      hit[fingerprint] = yes or nil
    end
  end
  for fingerprint, s in pairs(open) do
    if s.rule == rule.name and not hit[fingerprint] then
      become_false(s, rule, o)
    end
  end
end

-- ── who may hear of it ──────────────────────────────────────────────────────────────────────────

local function matches(pattern, value)
  value = tostring(value or "")
  if not pattern:find("*", 1, true) then
    return pattern == value
  end
  return value:match("^" .. pattern:gsub("[^%w%s]", "%%%0"):gsub("%%%*", ".*") .. "$") ~= nil
end

---Does a silence mean this alert?
---@param silence { labels: table<string, string> }
---@param s table
---@return boolean
function M.is_meant(silence, s)
  for key, pattern in pairs(silence.labels) do
    local value = s.labels[key]
    if key == "rule" then
      value = s.rule
    elseif key == "severity" then
      value = s.severity
    end
    if value == nil or not matches(pattern, value) then
      return false
    end
  end
  return next(silence.labels) ~= nil
end

-- Two alerts are about the same as far as both say which agent and which node.
local function are_near(a, b)
  return (not a.agent or not b.agent or a.agent == b.agent) and (not a.node or not b.node or a.node == b.node)
end

local function muted_by(s, rule, o)
  for _, silence in ipairs(o.silences) do
    if M.is_meant(silence, s) then
      return "silence " .. silence.id
    end
  end
  for _, name in ipairs(rule and rule.muted_by or {}) do
    for _, other in ipairs(o.all) do
      if other.rule == name and other.state == "firing" and other ~= s and are_near(other.labels, s.labels) then
        return name
      end
    end
  end
end

-- ── what is told ────────────────────────────────────────────────────────────────────────────────

-- How often it fired within the last half hour, and whether people know that it flaps.
local function episodes(s, o)
  local n, known, newer = 0, false, false
  for _, other in ipairs(o.all) do
    if other.fingerprint == s.fingerprint and other.fired_ms and not other.gone then
      if o.now_ms - other.fired_ms <= M.FLAP_MS then
        n = n + 1
      end
      known = known or other ~= s and (other.told == "flapping" or other.told == "held")
      newer = newer or other.began_ms > s.began_ms
    end
  end
  return n, known, newer
end

-- What people should hear of one that fires; nil: nothing.
local function wanted_firing(s, rule, o)
  if rule.told_alone then
    return nil
  elseif s.told then
    return not s.acked_ms and o.now_ms - s.told_ms >= rule.repeat_ms and "firing" or nil
  end
  local n, known = episodes(s, o)
  if n > M.FLAPS and known then
    s.told, s.told_ms, s.changed = "held", o.now_ms, true
    return nil
  end
  return n > M.FLAPS and "flapping" or "firing"
end

-- The same of one that is over.
local function wanted_resolved(s, o)
  if not s.told or s.told == "resolved" then
    return nil
  elseif s.told == "firing" then
    return "resolved"
  end
  local _, _, newer = episodes(s, o) -- then it is that one's to tell
  return not newer and o.now_ms - s.resolved_ms >= M.FLAP_MS and "resolved" or nil
end

local function mute(s, by)
  if s.muted_by ~= by then
    s.muted_by, s.changed = by, true
  end
end

-- What wants to be told now, with what for. Who heard that it fires hears that it is over, whatever mutes it now.
local function wanted(s, rule, o)
  if s.state ~= "firing" then
    return wanted_resolved(s, o)
  end
  local by = muted_by(s, rule, o)
  mute(s, by)
  return not by and wanted_firing(s, rule, o) or nil
end

local ranks = { page = 1, ticket = 2, info = 3 }

-- By rule, agent and what is told; in the order in which they are to be told.
local function groups_of(o)
  local by_key, list = {}, {}
  for _, s in ipairs(o.all) do
    local rule = o.by_name[s.rule]
    local what = not s.gone and s.state ~= "pending" and (rule or s.state == "resolved")
      and wanted(s, rule or { repeat_ms = 0 }, o) or nil
    if what then
      local group = s.rule .. "|" .. (s.labels.agent or "")
      local key = group .. "|" .. (what == "resolved" and "resolved" or "firing")
      local g = by_key[key]
      if not g then
        g = { group = group, rule = s.rule, status = what == "resolved" and "resolved" or "firing",
          severity = s.severity,
          at_once = rule and rule.at_once or false, alerts = {}, n = #list }
        by_key[key], list[#list + 1] = g, g
      end
      g.alerts[#g.alerts + 1] = { state = s, what = what }
      g.first = g.first or what == "firing" and not s.told
    end
  end
  table.sort(list, function(a, b)
    if a.at_once ~= b.at_once then
      return a.at_once
    elseif a.severity ~= b.severity then
      return ranks[a.severity] < ranks[b.severity]
    end
    return a.n < b.n
  end)
  return list
end

-- A moment ago people heard of this group: more of it can wait for the minute to be over.
local function is_too_soon(g, o)
  if g.at_once or not g.first then
    return false
  end
  for _, s in ipairs(o.all) do
    if s.rule == g.rule and s.told_ms and g.group == s.rule .. "|" .. (s.labels.agent or "")
      and o.now_ms - s.told_ms < GROUP_MS then
      return true
    end
  end
  return false
end

local function shown(s, what)
  return { fingerprint = s.fingerprint, rule = s.rule, status = what, severity = s.severity, labels = s.labels,
    value = s.value, threshold = s.threshold, text = s.text, fix = s.fix, call = s.call, since_ms = s.fired_ms,
    resolved_ms = s.state == "resolved" and s.resolved_ms or nil }
end

local function notice_of(g, o)
  local n = { group = g.group, rule = g.rule, status = g.status, severity = g.severity, counts = not g.at_once,
    at_ms = o.now_ms, alerts = {}, n_alerts = #g.alerts }
  for i, one in ipairs(g.alerts) do
    if i <= SHOWN then
      n.alerts[i] = shown(one.state, one.what)
    end
    one.state.told, one.state.told_ms, one.state.changed = one.what, o.now_ms, true
  end
  return n
end

-- It waits for the room of other notices.
local function hold(g)
  for _, one in ipairs(g.alerts) do
    if one.state.state == "firing" then
      mute(one.state, "limit")
    end
  end
end

local function suppressed(waiting, severity, now_ms)
  return { group = "limit", rule = "limit", status = "suppressed", severity = severity, counts = false, at_ms = now_ms,
    alerts = {}, n_alerts = waiting }
end

local function tell(o)
  local pages = o.n_pages or 0
  local notices, waiting, worst = {}, 0, nil
  local room = { page = M.CAP - pages, other = M.CAP - (o.n_notices - pages) }
  for _, g in ipairs(groups_of(o)) do
    local of = g.severity == "page" and "page" or "other"
    if g.at_once or room[of] > 0 and not is_too_soon(g, o) then
      notices[#notices + 1] = notice_of(g, o)
      room[of] = room[of] - (g.at_once and 0 or 1)
    elseif room[of] <= 0 then
      waiting = waiting + #g.alerts
      worst = worst and ranks[worst] < ranks[g.severity] and worst or g.severity
      hold(g)
    end
  end
  local suppressed_ms
  local louder = worst and ranks[worst] < (ranks[o.suppressed_severity] or 0)
  if waiting > 0 and (louder or o.now_ms - (o.suppressed_ms or -M.CAP_MS) >= M.CAP_MS) then
    suppressed_ms = o.now_ms
    notices[#notices + 1] = suppressed(waiting, worst, o.now_ms)
  end
  return notices, waiting, suppressed_ms
end

-- ── the whole ───────────────────────────────────────────────────────────────────────────────────

---@class ringdown.alerts.step
---@field rules table[] as ringdown.alerts.rules has them
---@field states table[] of before: all that are open, and those that were resolved lately
---@field seen table<string, table[]?> by rule: list of { labels, value, n, text, fix, call }; nil: nobody knows
---@field silences table[]
---@field n_notices integer that counted within CAP_MS
---@field n_pages integer? of these
---@field suppressed_severity string? and how loudly
---@field gone table<string, string>? nodes that are not there any more, and what became of each
---@field suppressed_ms integer? when that was last told
---@field now_ms integer
---@field fingerprint fun(identity: string): string

---@param o ringdown.alerts.step
---@return { states: table[], gone: table[], notices: table[], waiting: integer, suppressed_ms: integer?,
---  left_out: integer }
function M.step(o)
  local open = {}
  o.all, o.by_name, o.n_open, o.left_out = {}, {}, 0, 0
  for i, s in ipairs(o.states) do
    o.all[i] = s
    if s.state ~= "resolved" then
      open[s.fingerprint] = s
      o.n_open = o.n_open + 1
    end
  end
  for _, rule in ipairs(o.rules) do
    o.by_name[rule.name] = rule
    if o.seen[rule.name] then
      advance(open, rule, o.seen[rule.name], o)
    end
  end
  for _, s in pairs(open) do
    if not o.by_name[s.rule] then -- its rule is gone
      become_false(s, nil, o)
    end
  end
  local notices, waiting, suppressed_ms = tell(o)
  local result = { states = {}, gone = {}, notices = notices, waiting = waiting, suppressed_ms = suppressed_ms,
    left_out = o.left_out }
  for _, s in ipairs(o.all) do
    if s.gone and s.id then
      result.gone[#result.gone + 1] = s.id
    elseif s.changed and not s.gone then
      result.states[#result.states + 1] = s
    end
  end
  return result
end

return M
