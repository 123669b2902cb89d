-- SPDX-License-Identifier: Apache-2.0
-- alerts.formats: a notice as people and programs read it: mail, our own webhook, Slack, PagerDuty. Pure.
local M = {}

-- ── words ───────────────────────────────────────────────────────────────────────────────────────

---@param ms integer
---@return string "2026-11-22T06:40:00Z"
function M.time(ms)
  local s = ms // 1000
  local days, rest = s // 86400, s % 86400
  local z = days + 719468 -- as in ringdown.time
  local era = z // 146097
  local doe = z - era * 146097
  local yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
  local doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
  local mp = (5 * doy + 2) // 153
  local month = mp < 10 and mp + 3 or mp - 9
  return ("%04d-%02d-%02dT%02d:%02d:%02dZ"):format(yoe + era * 400 + (month <= 2 and 1 or 0), month,
    doy - (153 * mp + 2) // 5 + 1, rest // 3600, rest % 3600 // 60, rest % 60)
end

local units = {
  share = function(v) return ("%.1f %%"):format(v * 100) end,
  s = function(v)
    return v < 120 and ("%.0f s"):format(v) or ("%.0f min"):format(v / 60)
  end,
  usd = function(v) return ("%.2f USD"):format(v) end,
  calls = function(v) return ("%.0f calls"):format(v) end,
}

---@param v number?
---@param unit string?
---@return string? "12.5 %"
function M.value(v, unit)
  if not v then
    return nil
  end
  local say = units[unit or ""]
  return say and say(v) or ("%.6g"):format(v)
end

---@param ms integer
---@return string "4 h"
function M.duration(ms)
  local s = ms // 1000
  if s < 120 then
    return ("%d s"):format(s)
  elseif s < 7200 then
    return ("%d min"):format(s // 60)
  end
  return s < 172800 and ("%d h"):format(s // 3600) or ("%d days"):format(s // 86400)
end

---@param rule ringdown.alerts.rule
---@return string "above 20.0 % within 15 min"
function M.condition(rule)
  if rule.alarms then
    return "alarm " .. table.concat(rule.alarms, ", ")
  end
  return ("%s %s%s"):format(rule.above and "above" or "below", M.value(rule.above or rule.below, rule.unit),
    rule.window and " within " .. M.duration(rule.window) or "")
end

---A person's number stays within the house.
---@param text string?
---@return string?
function M.masked(text)
  return text and (text:gsub("%+%d%d%d%d%d%d%d+", function(number)
    return number:sub(1, 2) .. "…" .. number:sub(-2)
  end))
end

local function about(alert)
  local l, parts = alert.labels or {}, {}
  for _, key in ipairs(require("ringdown.sorted").keys(l)) do
    if key ~= "alarm" and not (key == "subject" and l.subject == l.agent) and key ~= "agent" then
      parts[#parts + 1] = ("%s %s"):format(key, l[key])
    end
  end
  return table.concat(parts, ", ")
end

---What an alert tells to whoever asks, of what the engine has: `ringdown why` for what can be looked at.
---@param a table
---@param rule table? of ringdown.alerts.rules
---@return table
function M.alert(a, rule)
  rule = rule or {}
  local labels = a.labels or {}
  local call, number = a.call or labels.call, labels.number
  local id = a.id and tostring(a.id)
  return { id = id, rule = a.rule, status = a.status or a.state, severity = a.severity, agent = labels.agent,
    labels = labels, value = a.value, threshold = a.threshold, unit = rule.unit, window = rule.window_text, call = call,
    about = rule.about or a.rule, text = M.masked(a.text), fix = M.masked(a.fix),
    since = a.since_ms and M.time(a.since_ms) or nil, resolved_at = a.resolved_ms and M.time(a.resolved_ms) or nil,
    runbook = rule.runbook,
    why = (call or number) and ("ringdown why %s"):format(call or number)
      or id and ("ringdown alerts show %s"):format(id) or "ringdown status",
    ack = id and ("ringdown alerts ack %s"):format(id) or nil }
end

---The body of a notice, kept until it is told.
---@param n table as the engine makes it
---@param rule table?
---@return table
function M.notice(n, rule)
  local alerts = require("ringdown.json").array {}
  for i, a in ipairs(n.alerts) do
    alerts[i] = M.alert(a, rule)
    alerts[i].fingerprint = a.fingerprint
  end
  return { version = 1, status = n.status, severity = n.severity, rule = n.rule, group = n.group, at = M.time(n.at_ms),
    alerts = alerts, more = math.max(n.n_alerts - #alerts, 0) }
end

-- Ids are known when it is told: by then the alerts are in the database.
local function with_ids(notice)
  for _, a in ipairs(notice.alerts) do
    if a.id then
      a.ack = "ringdown alerts ack " .. a.id
      a.why = a.why == "ringdown status" and "ringdown alerts show " .. a.id or a.why
    end
  end
  return notice
end

local function headline(notice)
  if notice.status == "suppressed" then
    return ("%d more alerts wait, because too many were told already"):format(notice.more)
  elseif notice.status == "test" then
    return "a test: nothing is wrong"
  end
  local first = notice.alerts[1]
  local n = #notice.alerts + notice.more
  local words = first.agent and first.agent .. ": " .. first.about or first.about
  return n > 1 and ("%s (%d alerts)"):format(words, n) or words
end

local marks = { firing = "FIRING", resolved = "over", suppressed = "MORE", test = "test" }

---One line for people.
---@param notice table
---@return string
function M.title(notice)
  local first = notice.alerts[1]
  local mark = first and first.status == "flapping" and "FLAPPING" or marks[notice.status]
  return ("[%s %s] %s"):format(mark, notice.severity, headline(notice))
end

local function lines_of(a)
  local lines = {}
  local function add(name, value)
    if value and value ~= "" then
      lines[#lines + 1] = ("%-10s %s"):format(name .. ":", value)
    end
  end
  add("what", a.text)
  add("agent", a.agent)
  add("about", about(a))
  add("value", a.value and M.value(a.value, a.unit) .. (a.window and (" within %s"):format(a.window) or ""))
  add("threshold", M.value(a.threshold, a.unit))
  add("since", a.since)
  add("over", a.resolved_at)
  add("fix", a.fix)
  add("runbook", a.runbook)
  add("look", a.why)
  add("ack", a.status ~= "resolved" and a.ack or nil)
  if a.status == "flapping" then
    lines[#lines + 1] = "It comes and goes: you hear of it again when it is over for good."
  end
  return table.concat(lines, "\n")
end

local function body_text(notice)
  local parts = { headline(notice) }
  for _, a in ipairs(notice.alerts) do
    parts[#parts + 1] = lines_of(a)
  end
  if notice.instead_of then
    parts[#parts + 1] = ("You hear of this because the channel %s could not be told."):format(notice.instead_of)
  end
  if notice.status == "suppressed" or notice.more > 0 then
    parts[#parts + 1] = "All of them: ringdown alerts list"
  end
  return table.concat(parts, "\n\n")
end

---@param notice table
---@return { subject: string, text: string }
function M.mail(notice)
  with_ids(notice)
  local subject = M.title(notice)
  if #subject > 200 then
    subject = subject:sub(1, (utf8.offset(subject, 0, 198) or 198) - 1) .. "…"
  end
  return { subject = subject, text = body_text(notice) .. "\n" }
end

---Our own: the notice as it is.
function M.ringdown(notice)
  return { with_ids(notice) }
end

-- What Slack takes for its own is written out, which makes it longer; cut between characters and such words.
local function slack_text(text, max)
  text = text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" })
  if #text > max then
    text = text:sub(1, (utf8.offset(text, 0, max - 3) or max - 3) - 1):gsub("&%a*$", "") .. "…"
  end
  return text
end

function M.slack(notice)
  with_ids(notice)
  local title, text = slack_text(M.title(notice), 400), slack_text(body_text(notice), 2500) -- a section has 3000
  return { { text = title, blocks = { { type = "section", text = { type = "mrkdwn",
    text = ("*%s*\n```%s```"):format(title, text) } } } } }
end

local pagerduty_severities = { page = "critical", ticket = "warning", info = "info" }

local function pagerduty_event(notice, c, key, a)
  local over = notice.status == "resolved"
  local one = { version = 1, status = notice.status, severity = notice.severity, alerts = { a },
    more = a and 0 or notice.more }
  return { routing_key = c.routing_key, event_action = over and "resolve" or "trigger",
    dedup_key = ("ringdown/" .. key):sub(1, 255),
    client = "Ringdown", payload = not over and { summary = M.title(one):sub(1, 1024),
      source = a and a.labels.node or "ringdown",
      severity = pagerduty_severities[notice.severity], timestamp = a and a.since or notice.at,
        component = a and a.agent,
      class = notice.rule, custom_details = a or { waiting = notice.more } } or nil }
end

---An event for each alert: each is an incident of its own, which ends by itself.
function M.pagerduty(notice, c)
  with_ids(notice)
  local events = {}
  for i, a in ipairs(notice.alerts) do
    events[i] = pagerduty_event(notice, c, a.fingerprint or a.rule, a)
  end
  if #events == 0 then
    events[1] = pagerduty_event(notice, c, notice.group)
  end
  return events
end

return M
