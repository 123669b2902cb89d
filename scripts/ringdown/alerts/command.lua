-- SPDX-License-Identifier: Apache-2.0
-- alerts.command: the operation `alerts_command`: what `ringdown alerts` shows and does.
local channels = require "ringdown.alerts.channels"
local formats = require "ringdown.alerts.formats"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local rules_of = require "ringdown.alerts.rules"
local sorted = require "ringdown.sorted"
local store = require "ringdown.alerts.store"
local time = require "ringdown.time"

local M = {}

local function usage(tell, text)
  tell { note = text }
  return { usage = true, failed = true, why = text }
end

local function refuse(tell, text)
  tell { note = text }
  return { failed = true, why = text }
end

local function labels_text(labels)
  local parts = {}
  for _, key in ipairs(sorted.keys(labels)) do
    parts[#parts + 1] = ("%s=%s"):format(key, labels[key])
  end
  return table.concat(parts, " ")
end

local function rules_by_name()
  local by_name = {}
  for _, rule in ipairs((rules_of.load())) do
    by_name[rule.name] = rule
  end
  return by_name
end

-- ── showing ─────────────────────────────────────────────────────────────────────────────────────

local function line_of(s, rule)
  local marks = s.acked_by and ("  acknowledged by %s"):format(s.acked_by) or ""
  if s.muted_by then
    marks = marks .. ("  muted by %s"):format(s.muted_by)
  end
  local since = s.resolved_ms or s.fired_ms or s.began_ms
  local value = s.value and rule and rule.sql and "  " .. formats.value(s.value, rule.unit) or ""
  return ("%5d  %-8s %-6s %-22s since %s (%s)%s  %s%s"):format(s.id, s.state, s.severity, s.rule, formats.time(since),
    formats.duration(host.unix_ms() - since), value, labels_text(s.labels), marks)
end

-- Those that go on before those that are over.
local function open_first(alerts)
  local out = {}
  for _, over in ipairs { false, true } do
    for _, s in ipairs(alerts) do
      if (s.state == "resolved") == over then
        out[#out + 1] = s
      end
    end
  end
  return out
end

local function list(wish, tell)
  local alerts = store.list { state = wish.all and "all" or nil, rule = wish.rule,
    agents = wish.agent and { wish.agent } }
  local by_name = rules_by_name()
  alerts = open_first(alerts)
  for _, s in ipairs(alerts) do
    tell { text = line_of(s, by_name[s.rule]) }
  end
  if #alerts == 0 then
    tell { text = wish.all and "No alert yet." or "Nothing is wrong that a rule knows of." }
  end
  local silences = store.silences()
  for _, s in ipairs(silences) do
    tell { text = ("silence %d: %s until %s, by %s: %s"):format(s.id, labels_text(s.labels),
      formats.time(s.until_ms), s.who,
      s.reason) }
  end
  return { alerts = json.array(alerts), silences = json.array(silences) }
end

local function show(wish, tell)
  local s = wish.words[1] and store.show(wish.words[1])
  if not wish.words[1] then
    return usage(tell, "which one? ringdown alerts show ID; ringdown alerts list has them")
  elseif not s then
    return refuse(tell, ("there is no alert %s; ringdown alerts list has them"):format(wish.words[1]))
  end
  local rule = rules_by_name()[s.rule] or {}
  tell { text = line_of(s, rule) }
  local a = formats.alert({ id = s.id, rule = s.rule, labels = s.labels, severity = s.severity, state = s.state,
    call = s.call,
    value = s.value, threshold = s.threshold, text = s.text, fix = s.fix, since_ms = s.fired_ms or s.began_ms }, rule)
  for _, pair in ipairs { { "rule", rule.about }, { "what", a.text }, { "fix", a.fix }, { "runbook", a.runbook },
    { "look", a.call and a.why }, { "note", s.ack_note } } do
    if pair[2] then
      tell { text = ("       %-8s %s"):format(pair[1] .. ":", pair[2]) }
    end
  end
  for _, n in ipairs(s.notices) do
    local how = n.sent_ms and "told at " .. formats.time(n.sent_ms)
      or n.given_up_ms and "given up: " .. tostring(n.why) or ("waits after %d tries: %s"):format(n.attempts,
        n.why or "new")
    tell { text = ("       %-8s %s: %s"):format("channel:", n.channel, ("%s, %s"):format(n.status, how)) }
  end
  return s
end

local function rules(_, tell)
  local list_of, mistakes = rules_of.load()
  local out = json.array {}
  for i, rule in ipairs(list_of) do
    out[i] = { name = rule.name, severity = rule.severity, about = rule.about, condition = formats.condition(rule),
      for_s = rule.for_ms // 1000, runbook = rule.runbook }
    tell { text = ("%-22s %-6s %s%s\n%30s%s"):format(rule.name, rule.severity, formats.condition(rule),
      rule.for_ms > 0 and ", for " .. formats.duration(rule.for_ms) or "", "", rule.about) }
  end
  for _, mistake in ipairs(mistakes) do
    tell { note = mistake }
  end
  return { rules = out, mistakes = json.array(mistakes), failed = #mistakes > 0 or nil }
end

-- ── doing ───────────────────────────────────────────────────────────────────────────────────────

local function ack(wish, tell)
  if not wish.words[1] then
    return usage(tell, "which one? ringdown alerts ack ID [--reason TEXT]")
  end
  local s, why = store.ack(wish.words[1], host.who(), wish.reason)
  if not s or why then
    return refuse(tell, ("alert %s: %s"):format(wish.words[1], why))
  end
  tell { text = ("alert %d (%s) is yours: it is not told again until it is over."):format(s.id, s.rule) }
  return s
end

local function unack(wish, tell)
  if not wish.words[1] then
    return usage(tell, "which one? ringdown alerts unack ID")
  end
  local s, why = store.unack(wish.words[1], host.who())
  if not s or why then
    return refuse(tell, ("alert %s: %s"):format(wish.words[1], why))
  end
  tell { text = ("alert %d (%s) is nobody's: it is told again."):format(s.id, s.rule) }
  return s
end

-- "failed_calls", "agent=northside", "rule=no_*"
local function labels_of(words)
  local labels = {}
  for _, word in ipairs(words) do
    local key, value = word:match "^([%a_][%w_]*)=(.+)$"
    if not key and word:match "^[%a_*][%w_*]*$" then
      key, value = "rule", word
    end
    if not key or labels[key] then
      return nil, ("'%s' says nothing: a rule's name, or label=value"):format(word)
    end
    labels[key] = value
  end
  return labels
end

local function silence(wish, tell)
  local labels, why = labels_of(wish.words)
  local for_ms = time.duration(wish["for"] or "")
  if not labels then
    return usage(tell, why)
  elseif not next(labels) or not for_ms then
    return usage(tell, "ringdown alerts silence RULE|LABEL=VALUE… --for 2h --reason TEXT")
  end
  local s
  s, why = store.silence({ labels = labels, for_ms = for_ms, reason = wish.reason }, host.who())
  if not s then
    return usage(tell, why)
  end
  tell { text = ("silence %d: nobody hears of %s until %s. They are watched all the same; ringdown alerts unsilence %d "
    .. "ends it.")
    :format(s.id, labels_text(s.labels), formats.time(s.until_ms), s.id) }
  return s
end

local function unsilence(wish, tell)
  if not wish.words[1] then
    return usage(tell, "which one? ringdown alerts unsilence ID; ringdown alerts list has them")
  end
  local s = store.unsilence(wish.words[1], host.who())
  if not s then
    return refuse(tell, ("there is no silence %s that is not over"):format(wish.words[1]))
  end
  tell { text = ("silence %d is over: %s is told again."):format(s.id, labels_text(s.labels)) }
  return s
end

local function test(wish, tell)
  local all, mistakes = channels.list()
  local names, found = {}, nil
  for i, c in ipairs(all) do
    names[i] = c.name
    found = c.name == wish.words[1] and c or found
  end
  for _, mistake in ipairs(mistakes) do
    tell { note = mistake }
  end
  if not found then
    return usage(tell, #all == 0 and "there are no channels: alerts.channels is empty, or wrong"
      or ("which one? ringdown alerts test CHANNEL; %s"):format(nearest.hint(wish.words[1] or "", names)))
  end
  local now_ms = host.unix_ms()
  local body = { version = 1, status = "test", severity = "info", rule = "test", group = "test|", more = 0,
    at = formats.time(now_ms), notice = host.digest(("test %s %d"):format(found.name, now_ms)):sub(1, 32),
      alerts = json.array {} }
  local ok, why, code = channels.send(found, body)
  if not ok then
    return refuse(tell, ("%s was not told: %s%s"):format(found.name, why,
      code == "unknown" and "; it may have arrived all the same" or ""))
  end
  tell { text = ("%s was told: \"%s\""):format(found.name, formats.title(body)) }
  return { channel = found.name, sent = true }
end

local verbs = { list = list, show = show, rules = rules, ack = ack, unack = unack, silence = silence,
  unsilence = unsilence, test = test }

---@param wish { verb: string, words: string[]?, all: boolean?, rule: string?, agent: string?, reason: string? }
---@return table result
function M.run(wish, tell)
  local run = verbs[wish.verb]
  wish.words = wish.words or {}
  if not run then
    return usage(tell, ("there is no '%s'; %s"):format(tostring(wish.verb), nearest.hint(wish.verb,
      sorted.keys(verbs))))
  end
  return run(wish, tell)
end

return M
