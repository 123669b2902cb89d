-- SPDX-License-Identifier: Apache-2.0
-- What a soak comes to: the verdict on each series, on what is left when nobody calls, and on the books; for people
-- and for programs.
--
--   local verdict = report.judge(result)    { rows = { … }, wrong = { words } }; good when `wrong` is empty
--   report.print(result, verdict), report.json(result, verdict)
local books = require "spec.soak.books"
local chaos = require "spec.chaos.run"
local flat = require "spec.soak.flat"
local json = require "cjson"
local watch = require "spec.soak.watch"

local report = {}

local MB = 1048576

-- What idle may differ by: of what is counted, the number; of memory, what each call may leave behind for good. Before
-- the first call pools of connections are empty (`cold`). An emergency that nobody took keeps its script for a while,
-- which rings and texts on (`script`).
local IDLE = {
  { name = "calls", plus = 0 }, { name = "scripts", plus = 0, script = 1 }, { name = "fds", plus = 2, cold = 14 },
  { name = "threads", plus = 2 },
  { name = "journal", plus = 0 }, { name = "lost", plus = 0 }, { name = "zombies", plus = 0 },
  { name = "mailbox", plus = 64 }, { name = "heap", per_call = 512, plus = MB / 2, memory = true, script = 300000 },
  { name = "rss", per_call = 1024, plus = 4 * MB, memory = true },
}

local function shown(value, unit)
  return unit == "MB" and ("%.1f MB"):format(value / MB) or ("%d"):format(value // 1)
end

local function judge_series(result, verdict)
  for i, of_node in ipairs(result.series) do
    for _, series in ipairs(watch.series) do
      local points = of_node[series.name]
      local is_memory = series.unit == "MB"
      local judged = result.idle.rested and series.allowance and not (is_memory and result.o.sanitized) and
        flat.judge(series.follows and flat.without(points, of_node[series.follows]) or points, series.allowance)
        or nil -- a short soak only warms up
      verdict.rows[#verdict.rows + 1] = { node = i, series = series, points = points, judged = judged }
      if judged and not judged.ok then
        table.insert(verdict.wrong, ("node %d: %s grew from %s to %s (by its trend %s; %s are allowed)"):format(i,
          series.title, shown(judged.early, series.unit), shown(judged.late, series.unit),
          shown(judged.trend, series.unit), shown(judged.allowed, series.unit)))
      end
    end
  end
end

local function judge_idle(result, verdict)
  local from = result.idle.rested or result.idle.before
  local calls = result.over - (result.idle.rested and result.rested_over or 0)
  for i, after in ipairs(result.idle.after) do
    for _, what in ipairs(IDLE) do
      local before, first = from[i][what.name], result.idle.before[i][what.name]
      -- Memory before the first call lacks what fills once: without a rest it says nothing.
      if not what.memory or result.idle.rested and not result.o.sanitized then
        local plus = not result.idle.rested and what.cold or what.plus
        local judged = flat.leak(before, after[what.name], calls, { per_call = what.per_call,
          plus = plus + (what.script or 0) * result.books.n_open })
        local unit = what.memory and "MB" or ""
        verdict.idle[#verdict.idle + 1] = { node = i, name = what.name, first = first, before = before,
          after = after[what.name], judged = judged, unit = unit }
        if not judged.ok then
          table.insert(verdict.wrong, ("node %d, idle again: %s was %s and is %s%s"):format(i, what.name,
            shown(before, unit), shown(after[what.name], unit),
            what.memory and (": %d bytes a call"):format(judged.per_call // 1) or ""))
        end
      end
    end
  end
end

function report.judge(result)
  local verdict = { rows = {}, idle = {}, wrong = {} }
  judge_series(result, verdict)
  judge_idle(result, verdict)
  for _, list in ipairs { chaos.wrong(result), books.wrong(result.books) } do
    table.move(list, 1, #list, #verdict.wrong + 1, verdict.wrong)
  end
  for status, n in pairs(result.answers) do
    if status:find "^[45]" and status ~= "503" then
      table.insert(verdict.wrong, ("who looked on was answered %s, %d times"):format(status, n))
    end
  end
  return verdict
end

-- ── for people ──────────────────────────────────────────────────────────────────────────────────

local BARS, WIDTH = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }, 40

local function sparkline(points)
  if #points == 0 then
    return ""
  end
  local high, text = 0, {}
  for _, point in ipairs(points) do
    high = math.max(high, point.v)
  end
  for k = 1, math.min(WIDTH, #points) do
    local point = points[1 + (k - 1) * #points // math.min(WIDTH, #points)]
    text[k] = BARS[high == 0 and 1 or 1 + math.min(7, (7.99 * point.v / high) // 1)]
  end
  return table.concat(text)
end

local function counted(list)
  local words = {}
  for name, n in pairs(list) do
    words[#words + 1] = ("%s %d"):format(name, n)
  end
  table.sort(words)
  return #words > 0 and table.concat(words, ", ") or "none"
end

report.counted = counted

-- The lines about what happened, for the table and for the page: { what, words }.
function report.facts(result)
  local b = result.books
  return {
    { "callers", counted(result.kinds) },
    { "events", counted(result.counts) },
    { "to their good end", ("%d of %d on our line; %d calls at Vapi"):format(b.well, b.calls, b.n_vapi) },
    { "cut off, refused", ("%d, %d (they heard the fallback)"):format(#b.cut, #b.refused) },
    { "what callers said", ("%d utterances, %d of them owed; lost %d, twice %d"):format(b.said, b.owed, #b.lost_turns,
      #b.double_turns) },
    { "visits, texts", ("%d and %d; lost %d, twice %d"):format(b.visits, b.n_texts, #b.lost_effects,
      #b.double_effects) },
    { "emergencies, dialled legs", ("%d, %d"):format(b.n_emergencies, b.n_legs) },
    { "answers of the model", ("%d paid for; %d broke off with their call or session"):format(b.n_usage,
      b.usage_missing) },
    { "sessions of the model", ("%d broke and went on; new streams %d"):format(b.breaks, #b.talking) },
    { "who looked on", counted(result.answers) },
  }
end

function report.print(result, verdict)
  print(("\n%d calls on %d nodes in %d s, seed %d\n"):format(result.over, result.o.nodes, result.seconds // 1,
    result.o.seed))
  for _, fact in ipairs(report.facts(result)) do
    print(("  %-26s %s"):format(fact[1], fact[2]))
  end
  for i = 1, #result.series do
    print(("\n  node %d                     %-40s  second fifth    last fifth       allowed"):format(i, ""))
    for _, row in ipairs(verdict.rows) do
      if row.node == i then
        local j, unit = row.judged, row.series.unit
        print(("  %-26s %s%s  %s"):format(row.series.title, sparkline(row.points),
          (" "):rep(WIDTH - math.min(WIDTH, #row.points)), j and ("%12s  %12s  %12s%s"):format(shown(j.early, unit),
          shown(j.late, unit), "+" .. shown(j.allowed, unit), j.ok and "" or "  GREW") or ""))
      end
    end
  end
  print(("\n  %-26s %12s  %12s  %12s"):format("when nobody calls", "at first", "at rest", "in the end"))
  for _, row in ipairs(verdict.idle) do
    print(("  node %d %-19s %12s  %12s  %12s%s%s"):format(row.node, row.name, shown(row.first, row.unit),
      result.idle.rested and shown(row.before, row.unit) or "-", shown(row.after, row.unit),
      row.unit == "MB" and ("  %d bytes a call"):format(row.judged.per_call // 1) or "",
      row.judged.ok and "" or "  NOT"))
  end
  print(#verdict.wrong == 0 and "\nflat, and the books agree" or "\nwrong:")
  for _, text in ipairs(verdict.wrong) do
    print("  ! " .. text)
  end
end

-- ── for programs ────────────────────────────────────────────────────────────────────────────────

function report.json(result, verdict)
  local series, idle, b = {}, {}, result.books
  for _, row in ipairs(verdict.rows) do
    local j = row.judged
    series[#series + 1] = { node = row.node, name = row.series.name, points = #row.points, ok = not j or j.ok,
      early = j and j.early, late = j and j.late, trend = j and j.trend, allowed = j and j.allowed }
  end
  for _, row in ipairs(verdict.idle) do
    idle[#idle + 1] = { node = row.node, name = row.name, first = row.first, before = row.before, after = row.after,
      ok = row.judged.ok, per_call = row.judged.per_call }
  end
  return json.encode { seed = result.o.seed, nodes = result.o.nodes, seconds = result.seconds, calls = result.over,
    kinds = result.kinds, events = result.counts, well = b.well, cut = #b.cut, refused = #b.refused, vapi = b.n_vapi,
    owed = b.owed, texts = b.n_texts, visits = b.visits, emergencies = b.n_emergencies, answers = b.n_usage,
    series = series, idle = idle, wrong = #verdict.wrong > 0 and verdict.wrong or json.empty_array }
end

return report
