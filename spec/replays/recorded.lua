-- SPDX-License-Identifier: Apache-2.0
-- Calls that a node took, with the doubles of carrier and model: each replayed many times on the version that took it.
-- What is replayed must be what was recorded, and the same each time, byte by byte.
--
-- usage: lua5.4 spec/replays/recorded.lua [TIMES]     (25: of some forty calls, a thousand replays)
package.path = "./?.lua;scripts/?.lua;" .. package.path
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"

local TIMES, CALLS_MIN = tonumber(arg[1] or "25"), 25

local scenarios = {}
for path in proc.run("ls spec/e2e/scenarios/*.lua"):gmatch "[^\n]+" do
  scenarios[#scenarios + 1] = path
end

local n = node.start { agents = "spec/e2e/agents", env = { RINGDOWN_MAX_CALLS_PER_CALLER = "0" } }
n:call { scenarios = scenarios, seconds = 150 } -- what they expect is for their own stories
n:wait_shipped()
local first, began = nil, os.time()
for i = 1, TIMES do
  local text = n:ringdown("replay", "--last", "200", "--json")
  first = first or text
  assert(text == first, ("replay %d of the same calls is not like the first one"):format(i))
end
local took_s = os.time() - began
n:stop()
local _, calls = first:gsub('"candidate":', "")
print(("%d recorded calls replayed %d times in %d s: %s"):format(calls, TIMES, took_s, first:match "[^\n]*\n?$"))
for line in first:gmatch "[^\n]+" do
  if not line:find('"drift":[]', 1, true) or line:find '"why":' then
    io.stderr:write(line, "\n")
  end
end
assert(calls >= CALLS_MIN, "too few calls were taken: this proves nothing")
for _, none in ipairs { "drifted", "different", "lost", "unplayable" } do
  assert(first:find(('"%s":0'):format(none), 1, true), "there are calls that are " .. none)
end
