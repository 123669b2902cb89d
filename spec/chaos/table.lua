-- SPDX-License-Identifier: Apache-2.0
-- The result of a run, for people and for programs.
local json = require "cjson"
local books = require "spec.chaos.books"
local run = require "spec.chaos.run"

local tables = {}

local function ms(value)
  return value == nil and "-" or value == math.huge and "never" or ("%.2f s"):format(value / 1000)
end

local function row(what, fmt, ...)
  print(("  %-34s " .. fmt):format(what, ...))
end

function tables.print(result)
  local b = result.books
  local happened = {}
  for name, n in pairs(result.faults) do
    happened[#happened + 1] = ("%s %d"):format(name, n)
  end
  table.sort(happened)
  print(("\n%d calls on %d nodes in %d s, seed %d\n"):format(b.calls, result.o.nodes, result.seconds // 1,
    result.o.seed))
  row("faults", "%s", #happened > 0 and table.concat(happened, ", ") or "none")
  row("calls to their good end", "%d of %d (refused %d, cut %d)", b.well, b.calls, #b.refused, #b.cut)
  row("new streams", "%d; adopted from another process %d, streams that came to another node %d", #b.talking,
    b.adopted, b.elsewhere)
  row("talking again within 3 s", "%.1f %%; median %s, p99 %s", 100 * run.share_within(b.talking, 3000),
    ms(books.rank(b.talking, 0.5)), ms(books.rank(b.talking, 0.99)))
  row("sessions of the model that broke", "%d; gap heard: median %s, p99 %s (beside the usual %s)", b.breaks,
    ms(books.rank(b.gaps, 0.5)), ms(books.rank(b.gaps, 0.99)), ms(b.usual_ms))
  row("what callers said", "%d utterances, %d of them owed; lost %d, twice %d", b.said, b.owed, #b.lost_turns,
    #b.double_turns)
  row("visits and texts", "%d and %d; lost %d, twice %d", b.visits, b.texts, #b.lost_effects, #b.double_effects)
  row("journals", "events missing in %d calls, lost %d, dead letters %d", #b.holes, b.journal_lost, b.journal_dead)
  for _, list in ipairs { run.wrong(result), b.cut, b.refused } do
    for _, text in ipairs(list) do
      print("  ! " .. text)
    end
  end
end

function tables.json(result)
  local b = result.books
  return json.encode { seed = result.o.seed, nodes = result.o.nodes, seconds = result.seconds, faults = result.faults,
    calls = b.calls, well = b.well, refused = #b.refused, cut = #b.cut, streams_again = #b.talking,
    talking_within_3s = run.share_within(b.talking, 3000), adopted = b.adopted, streams_elsewhere = b.elsewhere,
    breaks = b.breaks, gap_p50_ms = books.rank(b.gaps, 0.5), gap_p99_ms = books.rank(b.gaps, 0.99),
    usual_silence_ms = b.usual_ms, said = b.said, owed = b.owed, lost_turns = #b.lost_turns,
    double_turns = #b.double_turns, visits = b.visits, texts = b.texts, lost_effects = #b.lost_effects,
    double_effects = #b.double_effects, wrong = #run.wrong(result) }
end

return tables
