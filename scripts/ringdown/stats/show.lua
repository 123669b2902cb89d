-- SPDX-License-Identifier: Apache-2.0
-- stats.show: an answer of stats.read as lines for a terminal, or for a spreadsheet. Pure.
local csv = require "ringdown.stats.csv"
local draw = require "ringdown.stats.draw"

local M = {}

local NARROW, WIDE = 40, 120

---@param width any columns of the terminal
---@return integer
function M.width(width)
  return math.max(NARROW, math.min(WIDE, math.tointeger(tonumber(width)) or 80))
end

local function of_calls(n, row)
  return ("%9s  %7s"):format(draw.count(n), row.calls > 0 and draw.percent(n / row.calls) or "")
end

local function facts(row)
  local e, tools, first = row.emergencies, row.tools, row.first_audio
  local list = {
    { "calls", ("%9s"):format(draw.count(row.calls)) },
    { "answered", of_calls(row.answered, row) },
    { "missed", of_calls(row.missed, row) .. (row.fallback > 0 and ("  and %s heard the fallback"):format(
      draw.count(row.fallback)) or "") },
    { "no person needed", ("%9s  %7s of answered calls"):format(draw.count(row.contained),
      draw.percent(row.containment)) },
    { "handed to a person", ("%9s  asked for %s times, %s calls found nobody"):format(draw.count(row.transferred),
      draw.count(row.transfers.asked), draw.count(row.not_taken)) },
    { "broke off", of_calls(row.failed, row) },
    { "booked", ("%9s"):format(draw.count(row.bookings)) },
    { "talked", ("%9s on average"):format(draw.seconds(row.talk_average_s)) },
  }
  local function put(name, text)
    list[#list + 1] = { name, text }
  end
  put("emergencies", ("%9s  %s about life, %s handled, %s not"):format(draw.count(e.all), draw.count(e.life),
    draw.count(e.handled), draw.count(e.not_handled)))
  if e.waited.n > 0 then
    put("  until handled", ("%9s  half of them; 95 %% within %s"):format(draw.seconds(e.waited.p50_s),
      draw.seconds(e.waited.p95_s)))
  end
  put("tools", ("%9s  %7s worked%s"):format(draw.count(tools.calls), draw.percent(tools.success),
    tools.took.n > 0 and (", 95 %% within %s"):format(draw.ms(tools.took.p95_ms)) or ""))
  if first.n > 0 then
    put("first words", ("%9s  half of them; 95 %% within %s"):format(draw.ms(first.p50_ms), draw.ms(first.p95_ms)))
  end
  if row.turn_latency.n > 0 then
    put("answers", ("%9s  half of them; 95 %% within %s"):format(draw.ms(row.turn_latency.p50_ms),
      draw.ms(row.turn_latency.p95_ms)))
  end
  return list
end

---What it cost, in one line: never a sum that hides what nobody knows.
---@param cost table of a group
---@return string
function M.cost(cost)
  local text = draw.usd(cost.micro_usd)
  if cost.unknown_calls > 0 then
    text = ("%s for %s calls; of %s others the cost is not known (%s of it is)"):format(text,
      draw.count(cost.known_calls), draw.count(cost.unknown_calls), draw.usd(cost.unknown_part_micro_usd))
  end
  return text
end

local function heading(answer)
  return ("%s%s%s, %s"):format(answer.agent or "all agents", answer.site and ", site " .. answer.site or "",
    answer.system and ", on " .. answer.system or "", answer.period.text)
end

local function values_of(groups)
  local values = {}
  for i, group in ipairs(groups) do
    values[i] = group.calls
  end
  return values
end

-- The days as one line.
local function line_of_days(days, width, plain)
  local values, each = draw.squeeze(values_of(days), width - 26)
  local most = 0
  for _, value in ipairs(values) do
    most = math.max(most, value)
  end
  return ("%-20s %s  0 to %s"):format(each == 1 and "calls each day" or ("calls each %d days"):format(each),
    draw.sparkline(values, plain), draw.count(most))
end

---@param answer table stats.read's, without `by`
---@param days table[] groups by day
---@param reasons table[] groups by reason
---@param o { width: any, plain: boolean? }
---@return string[] lines
function M.summary(answer, days, reasons, o)
  local width, lines = M.width(o.width), { heading(answer) }
  if answer.total.calls == 0 then
    lines[2] = "No call is over that began then."
    return lines
  end
  for _, fact in ipairs(facts(answer.total)) do
    lines[#lines + 1] = ("  %-20s %s"):format(fact[1], fact[2])
  end
  lines[#lines + 1] = ("  %-20s %s"):format("cost", M.cost(answer.total.cost))
  if #days > 1 then
    lines[#lines + 1] = "  " .. line_of_days(days, width, o.plain)
  end
  for i, reason in ipairs(reasons) do
    if i > 5 then
      break
    end
    lines[#lines + 1] = ("  %-20s %s  %s"):format(i == 1 and "how calls ended" or "",
      of_calls(reason.calls, answer.total), reason.name)
  end
  return lines
end

local by_words = { hour = "by hour of the day", weekday = "by weekday", day = "by day", site = "by site",
  reason = "by how they ended", agent = "by agent", system = "by system", outcome = "by how they came out" }

---@param answer table stats.read's, with `by`
---@param o { width: any, plain: boolean? }
---@return string[] lines
function M.groups(answer, o)
  local lines = { heading(answer) .. ", " .. by_words[answer.by] }
  if answer.total.calls == 0 then
    lines[2] = "No call is over that began then."
    return lines
  end
  local list, most = {}, 0
  for i, group in ipairs(answer.groups) do
    most = math.max(most, group.calls)
    list[i] = { name = group.name, value = group.calls, text = ("%s  %6s contained"):format(draw.count(group.calls),
      draw.percent(group.containment)) }
  end
  table.move(draw.bars(list, M.width(o.width), ("%s calls"):format(draw.count(most)), o.plain), 1, #list + 1, 2, lines)
  return lines
end

local function at(...)
  local path = { ... }
  return function(row)
    for _, name in ipairs(path) do
      row = row and row[name]
    end
    return row
  end
end

local columns = {
  { "calls", at "calls" }, { "answered", at "answered" }, { "missed", at "missed" }, { "fallback", at "fallback" },
  { "failed", at "failed" }, { "contained", at "contained" }, { "transferred", at "transferred" },
  { "not_taken", at "not_taken" }, { "emergency", at "emergency" }, { "containment", at "containment" },
  { "talk_ms", at "talk_ms" }, { "bookings", at "bookings" }, { "transfers_asked", at("transfers", "asked") },
  { "transfers_answered", at("transfers", "answered") }, { "emergencies", at("emergencies", "all") },
  { "emergencies_life", at("emergencies", "life") }, { "emergencies_handled", at("emergencies", "handled") },
  { "handled_p50_s", at("emergencies", "waited", "p50_s") }, { "handled_p95_s", at("emergencies", "waited", "p95_s") },
  { "near_misses", at("emergencies", "near_misses") }, { "tools", at("tools", "calls") },
  { "tools_failed", at("tools", "failed") }, { "tools_open", at("tools", "open") },
  { "tool_p95_ms", at("tools", "took", "p95_ms") }, { "first_audio_p50_ms", at("first_audio", "p50_ms") },
  { "first_audio_p95_ms", at("first_audio", "p95_ms") }, { "micro_usd", at("cost", "micro_usd") },
  { "unknown_cost_calls", at("cost", "unknown_calls") },
  { "unknown_part_micro_usd", at("cost", "unknown_part_micro_usd") },
  { "known_cost_calls", at("cost", "known_calls") }, { "emergencies_not_handled", at("emergencies", "not_handled") },
  { "answered_share", at "answered_share" }, { "talk_average_s", at "talk_average_s" }, { "turns", at "turns" },
  { "barge_ins", at "barge_ins" }, { "errors", at "errors" }, { "failed_over", at "failed_over" },
  { "handled_p99_s", at("emergencies", "waited", "p99_s") }, { "tool_success", at("tools", "success") },
  { "tool_p50_ms", at("tools", "took", "p50_ms") }, { "tool_p99_ms", at("tools", "took", "p99_ms") },
  { "first_audio_p99_ms", at("first_audio", "p99_ms") }, { "turn_p50_ms", at("turn_latency", "p50_ms") },
  { "turn_p95_ms", at("turn_latency", "p95_ms") }, { "turn_p99_ms", at("turn_latency", "p99_ms") },
}
for _, part in ipairs { { "items", { "model", "transcription", "provider", "carrier", "stream", "transfer", "texts",
  "hosting" } }, { "bases", { "billed", "reported", "estimated" } } } do
  for _, name in ipairs(part[2]) do
    columns[#columns + 1] = { name .. "_micro_usd", at("cost", part[1], name) }
  end
end

---@param answer table stats.read's
---@return string[] lines
function M.csv(answer)
  local with_key = { { answer.by or "period", at "name" }, table.unpack(columns) }
  local rows = answer.groups
  if not answer.by then
    answer.total.name = answer.period.text
    rows = { answer.total }
  end
  return csv.table(with_key, rows)
end

return M
