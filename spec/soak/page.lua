-- SPDX-License-Identifier: Apache-2.0
-- A soak as one page: the verdict, what happened, and each series as a picture. Nothing else is loaded by it.
--
--   page.write(file, result, verdict)
local flat = require "spec.soak.flat"
local report = require "spec.soak.report"

local page = {}

local MB = 1048576
local W, H, LEFT, BOTTOM, TOP = 620, 150, 56, 22, 10

local STYLE = [[
:root { color-scheme: light dark; --ink: #1c2430; --dim: #66707d; --line: #d9dee5; --back: #fbfcfd; --card: #fff;
  --mark: #2563a8; --calls: #9db4cc; --good: #1f7a4d; --bad: #b3261e; --warm: #eef1f5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --dim: #97a1ae; --line: #333b46; --back: #14181d;
  --card: #1b2027; --mark: #6cb0f2; --calls: #4a5f78; --good: #5ec58f; --bad: #ff8f86; --warm: #20262e; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 1320px;
  margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
p.sub { color: var(--dim); margin: .2rem 0 1.2rem; }
.verdict { border-left: 4px solid var(--good); background: var(--card); padding: .7rem 1rem; }
.verdict.bad { border-color: var(--bad); } .verdict ul { margin: .3rem 0 0; padding-left: 1.2rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1.4rem .2rem 0; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } th { color: var(--dim); font-weight: 500; }
tr + tr td { border-top: 1px solid var(--line); } .bad-text { color: var(--bad); font-weight: 600; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 600px), 1fr)); gap: 1rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .8rem; }
figcaption { display: flex; justify-content: space-between; gap: 1rem; }
figcaption span { color: var(--dim); font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
.curve { fill: none; stroke: var(--mark); stroke-width: 1.6; stroke-linejoin: round; }
.axis { stroke: var(--line); } .warm { fill: var(--warm); } .median { stroke: var(--ink); stroke-dasharray: 5 4; }
.event { stroke: var(--calls); } .event.db { stroke: var(--bad); }
]]

local function escaped(text)
  return (tostring(text):gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function shown(value, unit)
  return unit == "MB" and ("%.1f MB"):format(value / MB) or ("%.4g"):format(value)
end

-- Of the largest value, a round number above it.
local function ceiling(value, unit)
  local scale = unit == "MB" and MB or 1
  local v = math.max(value / scale, 1)
  local power = 10 ^ math.floor(math.log(v, 10))
  for _, step in ipairs { 1, 1.5, 2, 3, 4, 5, 6, 8, 10 } do
    if step * power >= v then
      return step * power * scale
    end
  end
end

local function clock(seconds)
  return ("%d:%02d"):format(seconds // 60, seconds // 1 % 60)
end

local function axes(out, first, last, high, unit)
  local function x(t)
    return LEFT + (W - LEFT - 8) * (t - first) / math.max(last - first, 1)
  end
  local function y(v)
    return TOP + (H - TOP - BOTTOM) * (1 - v / high)
  end
  out[#out + 1] = ('<rect class="warm" x="%d" y="%d" width="%.1f" height="%d"/>'):format(LEFT, TOP,
    x(first + 0.2 * (last - first)) - LEFT, H - TOP - BOTTOM)
  for _, v in ipairs { 0, high / 2, high } do
    out[#out + 1] = ('<line class="axis" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" '
      .. 'text-anchor="end">%s</text>'):format(LEFT, W - 8, y(v), y(v), LEFT - 6, y(v) + 4, shown(v, unit))
  end
  for k = 0, 4 do
    local t = first + k * (last - first) / 4
    out[#out + 1] = ('<text x="%.1f" y="%d" text-anchor="%s">%s</text>'):format(x(t), H - 6,
      k == 4 and "end" or "middle", clock(t))
  end
  return x, y
end

local function picture(row, timeline)
  local points, unit, high = row.points, row.series.unit, 0
  for _, point in ipairs(points) do
    high = math.max(high, point.v)
  end
  local out = { ('<svg viewBox="0 0 %d %d" role="img" aria-label="%s">'):format(W, H, escaped(row.series.title)) }
  local first, last = points[1].t, points[#points].t
  local x, y = axes(out, first, last, ceiling(high, unit), unit)
  for _, event in ipairs(timeline) do
    if event.t >= first and event.t <= last then
      out[#out + 1] = ('<line class="event%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"><title>%s</title></line>'):format(
        event.name:find "^database" and " db" or "", x(event.t), x(event.t), H - BOTTOM - 5, H - BOTTOM, event.name)
    end
  end
  local path, before = {}, nil
  for i, point in ipairs(points) do -- a rest is a gap
    local is_new = i == 1 or point.t - before > 20
    path[i] = ("%s%.1f %.1f"):format(is_new and "M" or "L", x(point.t), y(point.v))
    before = point.t
  end
  out[#out + 1] = ('<path class="curve" d="%s"/>'):format(table.concat(path))
  for _, part in ipairs(row.judged and { { row.judged.early, 0.2, 0.4 }, { row.judged.late, 0.8, 1 } } or {}) do
    out[#out + 1] = ('<line class="median" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>'):format(
      x(first + part[2] * (last - first)), x(first + part[3] * (last - first)), y(part[1]), y(part[1]))
  end
  out[#out + 1] = "</svg>"
  return table.concat(out)
end

local function caption(row)
  local j, unit = row.judged, row.series.unit
  if not j then
    local values = {}
    for i, point in ipairs(row.points) do
      values[i] = point.v
    end
    return "median " .. shown(flat.median(values), unit)
  end
  return ('%s → %s%s'):format(shown(j.early, unit), shown(j.late, unit),
    j.ok and "" or ' <b class="bad-text">grew</b>')
end

local function figures(result, verdict)
  local out = {}
  for i = 1, #result.series do
    out[#out + 1] = ('<h2>%s</h2><div class="grid">'):format(#result.series > 1 and "Node " .. i or "What was watched")
    for _, row in ipairs(verdict.rows) do
      if row.node == i and #row.points > 1 then
        out[#out + 1] = ("<figure><figcaption><b>%s</b><span>%s</span></figcaption>%s</figure>"):format(
          escaped(row.series.title), caption(row), picture(row, result.timeline))
      end
    end
    out[#out + 1] = "</div>"
  end
  return table.concat(out, "\n")
end

local function idle_table(result, verdict)
  local out = { '<h2>When nobody calls</h2><table><tr><th>node<th>what<th class="n">before the first call'
    .. '<th class="n">at rest<th class="n">in the end<th class="n">a call leaves behind</tr>' }
  for _, row in ipairs(verdict.idle) do
    out[#out + 1] = ('<tr><td>%d<td>%s<td class="n">%s<td class="n">%s<td class="n%s">%s<td class="n">%s</tr>'):format(
      row.node, row.name, shown(row.first, row.unit), result.idle.rested and shown(row.before, row.unit) or "–",
      row.judged.ok and "" or " bad-text", shown(row.after, row.unit),
      row.unit == "MB" and ("%d bytes"):format(row.judged.per_call // 1) or "")
  end
  return table.concat(out, "\n") .. "</table>"
end

local function facts_table(result)
  local out = { "<h2>What happened</h2><table>" }
  for _, fact in ipairs(report.facts(result)) do
    out[#out + 1] = ("<tr><th>%s<td>%s</tr>"):format(escaped(fact[1]), escaped(fact[2]))
  end
  return table.concat(out, "\n") .. "</table>"
end

function page.write(path, result, verdict)
  local words = {}
  for i, text in ipairs(verdict.wrong) do
    words[i] = "<li>" .. escaped(text)
  end
  local file = assert(io.open(path, "w"))
  file:write(('<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    .. "<title>Ringdown: a soak</title><style>%s</style>\n<h1>A soak</h1><p class=\"sub\">%d calls on %d node%s in %d "
    .. 'minutes, about %d at once, seed %d. The first fifth (grey) warms up; dashed: the medians that are compared. '
    .. "The ticks below are what happened, red where PostgreSQL was away.</p>\n"
    .. '<div class="verdict%s"><b>%s</b>%s</div>\n'):format(STYLE, result.over, result.o.nodes,
    result.o.nodes > 1 and "s" or "", result.seconds // 60, result.o.calls, result.o.seed,
    #words > 0 and " bad" or "", #words > 0 and "Not well" or "Flat, and the books agree",
    #words > 0 and "<ul>" .. table.concat(words, "\n") .. "</ul>" or ""))
  file:write(figures(result, verdict), "\n", idle_table(result, verdict), "\n", facts_table(result), "\n</html>\n")
  file:close()
end

return page
