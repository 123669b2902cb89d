-- SPDX-License-Identifier: Apache-2.0
-- The slow proofs of calls that go on, with their limits; scripts/test --full runs them, with the optimised program.
--
--   lua5.4 spec/chaos/proofs.lua resumes    the connection to the model breaks at a random moment in each of 200 calls
--   lua5.4 spec/chaos/proofs.lua kills      kill -9 of one of two nodes every 20 s, for 5 minutes under 40 calls
package.path = "./?.lua;" .. package.path

local books = require "spec.chaos.books"
local pg = require "spec.support.postgres"
local run = require "spec.chaos.run"
local tables = require "spec.chaos.table"

local GAP_MS, TALKING_MS, TALKING_SHARE, SEED = 1500, 3000, 0.99, 20261127

local proofs = {}

function proofs.resumes()
  local result = run { calls = 40, waves = 5, seed = SEED, faults = { "drop" }, every = 0.8, nodes = 1, tell = print }
  local b = result.books
  local gap_ms = books.rank(b.gaps, 0.99) or math.huge
  return result, {
    [("only %d of %d calls came to a good end"):format(b.well, b.calls)] = b.well < b.calls,
    [("only %d connections broke"):format(b.breaks)] = b.breaks < 0.9 * b.calls,
    [("the gap heard was %d ms (p99)"):format(gap_ms)] = gap_ms > GAP_MS,
  }
end

function proofs.kills()
  local result = run { calls = 40, seconds = 300, seed = SEED, faults = { "kill" }, every = 20, nodes = 2,
    tell = print }
  local b = result.books
  local share = run.share_within(b.talking, TALKING_MS)
  return result, {
    [("only %.2f %% of the calls were talking again after 3 s"):format(100 * share)] = share < TALKING_SHARE,
    [("only %d calls were taken over"):format(b.adopted)] = b.adopted < 100,
  }
end

local proof = proofs[arg[1] or ""]
if not proof then
  io.stderr:write "usage: lua5.4 spec/chaos/proofs.lua resumes|kills\n"
  os.exit(2)
end
pg.start()
local ok, result, limits = pcall(proof)
pg.stop()
assert(ok, result)
tables.print(result)
local bad = #run.wrong(result)
for what, is_so in pairs(limits) do
  if is_so then
    print("  ! " .. what)
    bad = bad + 1
  end
end
os.exit(bad == 0 and 0 or 1)
