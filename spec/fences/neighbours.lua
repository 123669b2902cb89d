-- SPDX-License-Identifier: Apache-2.0
-- What one call each of five unruly agents does to fifty others, in paired runs: without, with, without, with…
--
--   lua5.4 spec/fences/neighbours.lua [pairs]        (scripts/test --only fences)
--
-- The neighbours' frame delay may move by less than 1 ms at the 99th percentile (the median of what the pairs moved),
-- and their tools must be answered, and callers' words held against two hundred rules, within 20 ms at the 99th
-- percentile. Both runs of a pair carry as many calls: where
-- nobody is unruly, five more behave well. A pair in which the harness itself lagged is discarded and made again, a
-- bounded number of times; with too few pairs left nothing was measured, which is no success: exit code 3.
local json = require "cjson"

local BIN = os.getenv "RINGDOWN_BIN" or "build/ringdown"
local PAIRS = tonumber(arg[1]) or 5
local TRIES = 3 * PAIRS
local NEIGHBOURS = 50
local UNRULY = { "+13125550901", "+13125550902", "+13125550903", "+13125550904", "+13125550905" }
local MOVED_MAX_US, TOOL_MAX_US, LAG_MAX_US = 1000, 20000, 500
local NOT_MEASURED = 3

local function run(calls, numbers)
  local options = "load --agents spec/fences/agents --calls %d --seconds 10 --work --pin --json"
  local command = { BIN, options:format(calls) }
  for _, number in ipairs(numbers) do
    command[#command + 1] = "--unruly " .. number
  end
  local pipe = assert(io.popen(table.concat(command, " ") .. " 2>/dev/null"))
  local text = pipe:read "a"
  pipe:close()
  local report = json.decode(text)
  assert(report.established == calls and report.dropped == 0 and report.lost_ms == 0, "a neighbour was hurt: " .. text)
  return {
    up = report.up.p99_us, down = report.down.p99_us, tool = report.tool.p99_us,
    triage = report.triage.p99_us, lag = report.harness_lag_p99_us,
  }
end

local function median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

local function tell(i, name, r, note)
  print(("pair %d, %s: up %d, down %d, tool %d, triage %d us (harness lag p99 %d)%s"):format(
    i, name, r.up, r.down, r.tool, r.triage, r.lag, note))
end

local up_moved, down_moved, tool, triage = {}, {}, {}, {}
local tries = 0
while #tool < PAIRS and tries < TRIES do
  tries = tries + 1
  local alone, beside = run(NEIGHBOURS + #UNRULY, {}), run(NEIGHBOURS, UNRULY)
  local quiet = alone.lag <= LAG_MAX_US and beside.lag <= LAG_MAX_US
  local note = quiet and "" or "   discarded: the harness lagged in this pair"
  tell(tries, "alone", alone, note)
  tell(tries, "beside unruly calls", beside, note)
  if quiet then
    up_moved[#up_moved + 1] = beside.up - alone.up
    down_moved[#down_moved + 1] = beside.down - alone.down
    tool[#tool + 1] = beside.tool
    triage[#triage + 1] = beside.triage
  end
end

if #tool < PAIRS then
  print(("NOT MEASURED: %d of %d pairs were quiet enough in %d tries; run it again on a quiet machine"):format(
    #tool, PAIRS, tries))
  os.exit(NOT_MEASURED)
end

local failed = false
local function judge(what, value_us, max_us)
  local good = value_us < max_us
  failed = failed or not good
  print(("%s: %.2f ms, allowed %.0f ms%s"):format(what, value_us / 1000, max_us / 1000, good and "" or "   FAILED"))
end

judge("frames to the model, p99 moved by", median(up_moved), MOVED_MAX_US)
judge("frames to the caller, p99 moved by", median(down_moved), MOVED_MAX_US)
judge("tools of neighbours, p99", median(tool), TOOL_MAX_US)
judge("a caller's words held against 200 rules, p99", median(triage), TOOL_MAX_US)
os.exit(not failed)
