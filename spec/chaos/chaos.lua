-- SPDX-License-Identifier: Apache-2.0
-- The command behind scripts/chaos: reads the arguments, runs (spec/chaos/run.lua), prints the table.
package.path = "./?.lua;" .. package.path

local json = require "cjson"
local books = require "spec.chaos.books"
local faults = require "spec.chaos.faults"
local pg = require "spec.support.postgres"
local run = require "spec.chaos.run"

local DEFAULTS = { calls = 10, seconds = 60, seed = 1, every = 5, nodes = 2 }

local function names()
  local list = {}
  for name in pairs(faults) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

local function fail(text)
  io.stderr:write("scripts/chaos: ", text, "; see: scripts/chaos --help\n")
  os.exit(2)
end

local function fault_list(text)
  local list = {}
  for name in text:gmatch "[^,%s]+" do
    if not faults[name] then
      fail(("no fault is called %s; there are: %s"):format(name, table.concat(names(), ", ")))
    end
    list[#list + 1] = name
  end
  return #list > 0 and list or fail "--faults wants names, as --list shows them"
end

local function number(name, text)
  local value = tonumber(text)
  if not value or value < (name == "every" and 0.1 or 1) or (name ~= "every" and value % 1 ~= 0) then
    fail(("--%s must be a number above 0, and is %s"):format(name, tostring(text)))
  end
  return name == "every" and value or math.tointeger(value)
end

local function read(args)
  local o, i = { faults = names() }, 1
  for name, value in pairs(DEFAULTS) do
    o[name] = value
  end
  while args[i] do
    local name, value = args[i]:match "^%-%-(%a+)=?(.*)$"
    if name == "json" or name == "short" then
      o[name] = true
    elseif name == "list" then
      for _, fault in ipairs(names()) do
        print(("%-16s %s"):format(fault, faults[fault].about))
      end
      os.exit(0)
    elseif name == "faults" or DEFAULTS[name or ""] then
      if value == "" then
        i = i + 1
        value = args[i]
      end
      o[name] = name == "faults" and fault_list(value or "") or number(name, value)
    else
      fail(("unknown option %s"):format(args[i]))
    end
    i = i + 1
  end
  if o.calls > 90 then
    fail "--calls must be at most 90"
  end
  return o
end

local function ms(value)
  return value == nil and "-" or value == math.huge and "never" or ("%.2f s"):format(value / 1000)
end

local function row(what, fmt, ...)
  print(("  %-34s " .. fmt):format(what, ...))
end

local function print_table(result)
  local b = result.books
  local happened = {}
  for _, name in ipairs(names()) do
    if result.faults[name] then
      happened[#happened + 1] = ("%s %d"):format(name, result.faults[name])
    end
  end
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

local function print_json(result)
  local b = result.books
  print(json.encode { seed = result.o.seed, nodes = result.o.nodes, seconds = result.seconds, faults = result.faults,
    calls = b.calls, well = b.well, refused = #b.refused, cut = #b.cut, streams_again = #b.talking,
    talking_within_3s = run.share_within(b.talking, 3000), adopted = b.adopted, streams_elsewhere = b.elsewhere,
    breaks = b.breaks, gap_p50_ms = books.rank(b.gaps, 0.5), gap_p99_ms = books.rank(b.gaps, 0.99),
    usual_silence_ms = b.usual_ms, said = b.said, owed = b.owed, lost_turns = #b.lost_turns,
    double_turns = #b.double_turns, visits = b.visits, texts = b.texts, lost_effects = #b.lost_effects,
    double_effects = #b.double_effects, wrong = #run.wrong(result) })
end

local o = read(arg)
o.tell = function(line)
  io.stderr:write(line, "\n")
end
pg.start()
local ok, result = pcall(run, o)
pg.stop()
if not ok then
  io.stderr:write("scripts/chaos: ", tostring(result), "\n")
  os.exit(1)
end
if o.json then
  print_json(result)
else
  print_table(result)
end
os.exit(#run.wrong(result) == 0 and 0 or 1)
