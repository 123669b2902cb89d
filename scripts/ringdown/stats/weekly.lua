-- SPDX-License-Identifier: Apache-2.0
-- stats.weekly: the operation `weekly`: a mail about last week that an owner understands, Monday at 08:00 by the
-- agent's clock, to the channels of kind mail that want `info` (alerts.channels). Which words is told here; the numbers
-- are those of stats.read. It goes out once: a row claims it (weekly_claim), and its Message-ID is always the same.
local db = require "ringdown.stats.db"
local draw = require "ringdown.stats.draw"
local host = require "ringdown.host"
local json = require "ringdown.json"
local read = require "ringdown.stats.read"
local time = require "ringdown.time"

local M = {}

local MORNING = 8 * 60

-- ── words ───────────────────────────────────────────────────────────────────────────────────────

local function times(n, one, many)
  return ("%s %s"):format(draw.count(n), n == 1 and one or many)
end

-- "8 of 10": what a share is for somebody who does not like percent.
local function of_ten(share)
  return ("%d of 10"):format(math.floor(share * 10 + 0.5))
end

local function against(now, before)
  if before == 0 then
    return ""
  end
  local change = math.floor((now / before - 1) * 100 + 0.5)
  return (" (the week before: %s, %s)"):format(draw.count(before), change == 0 and "about as many"
    or ("%+d %%"):format(change))
end

local function busiest(groups)
  local best
  for _, group in ipairs(groups) do
    if group.calls > 0 and (not best or group.calls > best.calls) then
      best = group
    end
  end
  return best
end

local function emergencies(e)
  if e.all == 0 then
    return "There was no emergency."
  end
  local text = e.not_handled == 0 and (e.all == 1 and "It was taken by a person" or "All were taken by a person")
    or e.handled == 0 and (e.all == 1 and "NOBODY took it" or "NOBODY took any of them")
    or ("%s of them taken by a person, %s NOT"):format(draw.count(e.handled), draw.count(e.not_handled))
  return ("%s. %s%s."):format(times(e.all, "emergency", "emergencies"), text,
    e.waited.n > 0 and (", half of them within %s"):format(draw.seconds(e.waited.p50_s)) or "")
end

local function cost(total)
  local c = total.cost
  if c.known_calls == 0 then
    return "What the calls cost is not known."
  end
  return ("The calls cost %s, which is %s each.%s"):format(draw.usd(c.micro_usd), draw.usd(c.micro_usd / c.known_calls),
    c.unknown_calls > 0 and (" Of %s the cost is not known; they are not in it."):format(
      times(c.unknown_calls, "more call", "more calls")) or "")
end

-- What somebody should do something about; most weeks nothing.
local function look_at(total)
  local list = {}
  local function put(text, ...)
    list[#list + 1] = text:format(...)
  end
  if total.emergencies.not_handled > 0 then
    put("Somebody with an emergency was not taken by anybody. Look at ringdown why, and at who is on call.")
  end
  if total.failed > 0 and total.failed >= total.calls * 0.03 then
    put("%s broke off.", times(total.failed, "call", "calls"))
  end
  if total.not_taken > 0 then
    put("%s for a person, and nobody took the call.", times(total.not_taken, "caller asked", "callers asked"))
  end
  if total.fallback > 0 then
    put("%s no agent, because there was no room or something was broken.", times(total.fallback, "caller got",
      "callers got"))
  end
  if total.tools.success and total.tools.success < 0.95 then
    put("Tools did not work in %s of their uses.", draw.percent(1 - total.tools.success))
  end
  return list
end

---What a mail about a week says.
---@param w { agent: string, monday: string, total: table, before: table, days: table[], hours: table[] }
---@return string subject
---@return string[] paragraphs
---@return string[] look what should be looked at
function M.words(w)
  local total = w.total
  if total.calls == 0 then
    return ("%s: nobody called last week"):format(w.agent), { ("Nobody called last week%s."):format(
      against(0, w.before.calls)) }, {}
  end
  local day, hour = busiest(w.days), busiest(w.hours)
  local paragraphs = {
    ("%s%s. %s were answered%s."):format(times(total.calls, "call", "calls"), against(total.calls, w.before.calls),
      draw.count(total.answered), total.missed > 0 and (", %s did not get through"):format(draw.count(total.missed)) or
        ""),
    total.containment and ("%s answered calls needed nobody of yours. %s handed to a person."):format(
      of_ten(total.containment), times(total.transferred, "caller was", "callers were")) or nil,
  }
  paragraphs[#paragraphs + 1] = ("%s booked."):format(times(total.bookings, "visit was", "visits were"))
  paragraphs[#paragraphs + 1] = emergencies(total.emergencies)
  paragraphs[#paragraphs + 1] = cost(total)
  paragraphs[#paragraphs + 1] = ("Most called on %s, and from %s to %02d:00."):format(
    (time.day_text(day.key) or day.key), hour.name, (tonumber(hour.key) + 1) % 24)
  return ("%s: %s last week%s"):format(w.agent, times(total.calls, "call", "calls"), total.containment and
    (", %s needed nobody"):format(of_ten(total.containment)) or ""), paragraphs, look_at(total)
end

-- ── a mail ──────────────────────────────────────────────────────────────────────────────────────

local function heading(w)
  return ("%s, %s to %s"):format(w.agent, time.day_text(w.monday), time.day_text(w.sunday))
end

local function text_of(w, paragraphs, look)
  local lines = { heading(w), "" }
  table.move(paragraphs, 1, #paragraphs, #lines + 1, lines)
  lines[#lines + 1] = ""
  local bars = {}
  for i, day in ipairs(w.days) do
    bars[i] = { name = (time.day_text(day.key) or day.key):match "^%a+", value = day.calls,
      text = draw.count(day.calls) }
  end
  table.move(draw.bars(bars, 60, "calls", true), 1, #bars + 1, #lines + 1, lines)
  if #look > 0 then
    lines[#lines + 1], lines[#lines + 2] = "", "Worth a look:"
    for _, item in ipairs(look) do
      lines[#lines + 1] = "- " .. item
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function escaped(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

local function html_of(w, paragraphs, look)
  local most, parts = 1, { "<!doctype html><html><body style=\"font-family:sans-serif;max-width:40em\">" }
  local function put(text, ...)
    parts[#parts + 1] = text:format(...)
  end
  put("<h2>%s</h2>", escaped(heading(w)))
  for _, paragraph in ipairs(paragraphs) do
    put("<p>%s</p>", escaped(paragraph))
  end
  for _, day in ipairs(w.days) do
    most = math.max(most, day.calls)
  end
  put "<table role=\"presentation\" style=\"width:100%%\">"
  for _, day in ipairs(w.days) do
    put("<tr><td style=\"width:7em\">%s</td><td><div style=\"background:#456;height:0.9em;width:%d%%\"></div></td>"
      .. "<td style=\"width:4em;text-align:right\">%s</td></tr>", escaped((time.day_text(day.key) or ""):match "^%a*"),
      math.floor(day.calls / most * 100 + 0.5), draw.count(day.calls))
  end
  put "</table>"
  if #look > 0 then
    put "<p><b>Worth a look</b></p><ul>"
    for _, item in ipairs(look) do
      put("<li>%s</li>", escaped(item))
    end
    put "</ul>"
  end
  put "</body></html>"
  return table.concat(parts)
end

---@param agent string
---@param monday string "2026-11-16"
---@return { subject: string, text: string, html: string, calls: integer }
function M.mail(agent, monday)
  local first = time.days(monday)
  local function week(from)
    return { local_from = time.date(from), local_to = time.date(from + 7), first = time.date(from),
      last = time.date(from + 6), days = 7 }
  end
  local ask = { agent = agent }
  local w = { agent = agent, monday = monday, sunday = time.date(first + 6) }
  w.total, w.days = read.groups(ask, week(first), "day")
  w.before = read.groups(ask, week(first - 7))
  local _, hours = read.groups(ask, week(first), "hour")
  w.hours = hours
  local subject, paragraphs, look = M.words(w)
  return { subject = subject, text = text_of(w, paragraphs, look), html = html_of(w, paragraphs, look),
    calls = w.total.calls }
end

-- ── sending ─────────────────────────────────────────────────────────────────────────────────────

local WEEKDAYS = { monday = 0, tuesday = 1, wednesday = 2, thursday = 3, friday = 4, saturday = 5, sunday = 6 }

---The Monday of the last whole week, by an agent's clock; and whether it is time for the mail about it: from Monday
---morning on, for a day.
---@param zone string
---@return string monday
---@return boolean due
function M.last_week(zone)
  local now = time.at(zone)
  local since = WEEKDAYS[now.weekday] * 1440 + now.minutes - MORNING
  return time.date(time.days(now.date) - WEEKDAYS[now.weekday] - 7), since >= 0 and since < 1440
end

local function addresses(agent)
  local channels, list, seen = require "ringdown.alerts.channels", {}, {}
  for _, c in ipairs((channels.list())) do
    if c.kind == "mail" and channels.wants(c, "info", agent) then
      for _, to in ipairs(c.to) do
        if not seen[to] then
          seen[to], list[#list + 1] = true, to
        end
      end
    end
  end
  return list
end

-- True: it went out.
local function send(agent, monday, to)
  local mail = M.mail(agent, monday)
  local _, from = host.mail_ready()
  local sent, why = host.mail { to = to, subject = mail.subject, text = mail.text, html = mail.html,
    id = ("weekly.%s.%s@%s"):format(host.digest(agent):sub(1, 16), monday, (from or ""):match "@(.+)$" or "localhost") }
  db.must("select weekly_done($1, $2::date, $3)::text", { agent, monday, not sent and tostring(why) or false })
  return sent, why
end

-- Zones of the agents that are loaded here.
local function zones()
  local list = {}
  for _, one in ipairs((host.agents())) do
    list[one.name] = (json.decode(one.shown or "{}") or {}).time_zone or "UTC"
  end
  return list
end

---The operation of the node that leads.
function M.run(_, tell)
  local sent = json.array {}
  for agent, zone in pairs(zones()) do
    local monday, due = M.last_week(zone)
    local to = due and addresses(agent) or {}
    if #to > 0 and db.must("select to_json(weekly_claim($1, $2::date))::text", { agent, monday }) then
      local ok, why = send(agent, monday, to)
      if ok then
        sent[#sent + 1] = agent
      else
        tell { note = ("the weekly mail about %s did not go out: %s"):format(agent, tostring(why)) }
      end
    end
  end
  return { sent = sent }
end

---`ringdown stats weekly`: what it would say, and nothing is sent.
function M.print(payload, tell)
  require("ringdown.stats.roll").run { rounds = 20 }
  local agent = require("ringdown.rollout.agents").one(payload.agent).name
  local mail = M.mail(agent, (M.last_week(read.zone { agent = agent })))
  tell { text = "Subject: " .. mail.subject }
  tell { text = "" }
  tell { text = mail.text }
  return mail
end

return M
