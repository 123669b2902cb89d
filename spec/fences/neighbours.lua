-- SPDX-License-Identifier: Apache-2.0
-- What one call each of five unruly agents does to fifty others, in paired runs: without, with, without, with…
--
--   lua5.4 spec/fences/neighbours.lua [pairs]        (scripts/test --only fences)
--
-- The neighbours' frame delay may move by less than 1 ms at the 99th percentile, and their tools must be answered
-- within 20 ms at the 99th percentile (medians of the runs). Both hold the harness's own lag, which is told.
local json = require "cjson"

local BIN = os.getenv "RINGDOWN_BIN" or "build/ringdown"
local PAIRS = tonumber(arg[1]) or 5
local UNRULY = { "+13125550901", "+13125550902", "+13125550903", "+13125550904", "+13125550905" }
local MOVED_MAX_US, TOOL_MAX_US = 1000, 20000

local function run(numbers)
  local command = { BIN, "load --agents spec/fences/agents --calls 50 --seconds 10 --work --pin --json" }
  for _, number in ipairs(numbers) do
    command[#command + 1] = "--unruly " .. number
  end
  local pipe = assert(io.popen(table.concat(command, " ") .. " 2>/dev/null"))
  local text = pipe:read "a"
  pipe:close()
  local report = json.decode(text)
  assert(report.established == 50 and report.dropped == 0 and report.lost_ms == 0, "a neighbour was hurt: " .. text)
  return { up = report.up.p99_us, down = report.down.p99_us, tool = report.tool.p99_us, lag = report.harness_lag_us }
end

local function median(list, key)
  local values = {}
  for i, item in ipairs(list) do
    values[i] = item[key]
  end
  table.sort(values)
  return values[(#values + 1) // 2]
end

local alone, beside = {}, {}
for i = 1, PAIRS do
  alone[i], beside[i] = run {}, run(UNRULY)
  for name, r in pairs { alone = alone[i], ["beside unruly calls"] = beside[i] } do
    print(("pair %d, %s: up %d, down %d, tool %d us (lag %d)"):format(i, name, r.up, r.down, r.tool, r.lag))
  end
end

local failed = false
local function judge(what, value_us, max_us)
  local good = value_us < max_us
  failed = failed or not good
  print(("%s: %.2f ms, allowed %.0f ms%s"):format(what, value_us / 1000, max_us / 1000, good and "" or "   FAILED"))
end

judge("frames to the model, p99 moved by", median(beside, "up") - median(alone, "up"), MOVED_MAX_US)
judge("frames to the caller, p99 moved by", median(beside, "down") - median(alone, "down"), MOVED_MAX_US)
judge("tools of neighbours, p99", median(beside, "tool"), TOOL_MAX_US)
os.exit(not failed)
