-- SPDX-License-Identifier: Apache-2.0
-- The table that is ringdown.host in specs, what a spec sets back between two tests, and time: no clock but
-- the one a spec sets. What it can do is in host.lua and its parts, which take this table and add to it.
local clock = require "ringdown.fake.clock"

local M = { loading = true }

local now
local passed_ms = 0 -- of the clock that only goes forward
local resets = {}

---A part's own state: set now, and again by reset().
---@param set fun()
function M.on_reset(set)
  resets[#resets + 1] = set
  set()
end

function M.reset()
  for _, set in ipairs(resets) do
    set()
  end
end

M.on_reset(function()
  M.naps = {}
  M.deadline_ms, M.failed_output, M.filler = nil, nil, nil
  now, passed_ms = nil, 0
  clock.stop()
end)

function M.set_unix(unix)
  now = unix
end

---The clock goes on to this moment, unless it is past that already.
---@param ms integer as now_ms() tells it
function M.move_to(ms)
  if ms > passed_ms then
    now = M.unix() + ms // 1000 - passed_ms // 1000
    passed_ms = ms
  end
end

function M.unix()
  return now or os.time()
end

function M.unix_ms()
  return M.unix() * 1000
end

function M.now_ms()
  return passed_ms
end

function M.deadline(ms, failed_output, filler, after_ms, second)
  M.deadline_ms, M.failed_output, M.filler = ms, failed_output, filler
  M.filler_after_ms, M.second_filler = after_ms, second
  clock.start(passed_ms, ms, filler, after_ms, second)
end

---Time passes, at most until the tool that waits has used up its own.
function M.sleep(ms)
  M.naps[#M.naps + 1] = ms
  local passes_ms = clock.wait(passed_ms, ms, M.say)
  now = M.unix() + math.tointeger((passed_ms + passes_ms) // 1000 - passed_ms // 1000)
  passed_ms = passed_ms + passes_ms
  if clock.late then
    error("the tool was late", 0)
  end
end

---The longest delays the runtime might draw.
function M.retry_delay(policy, failures, began_ms, after_ms)
  if policy.attempts and failures >= policy.attempts then
    return nil
  end
  local delay = math.max(math.min(policy.first_ms << (failures - 1), policy.max_ms), after_ms)
  if policy.budget_ms and passed_ms + delay > began_ms + policy.budget_ms then
    return nil
  end
  return delay
end

return M
