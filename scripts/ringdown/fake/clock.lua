-- SPDX-License-Identifier: Apache-2.0
-- fake.clock: the time that a tool has, in virtual time. Waiting moves the clock; what the caller hears meanwhile is
-- said, and whoever waits beyond the tool's timeout is ended, as the runtime would do it.
local M = {}

local FILLER_MS, SECOND_FILLER_MS = 800, 6000 -- the second after the first, as the runtime has it

local began_ms, limit_ms, fillers
M.late = false ---@type boolean did the last tool run out of time?

---No tool runs.
function M.stop()
  began_ms, limit_ms, fillers, M.late = nil, nil, {}, false
end

---A tool has `ms` from now on.
---@param now_ms integer
---@param ms integer
---@param filler string? said after `after_ms`
---@param after_ms integer?
---@param second string? said when it takes longer still
function M.start(now_ms, ms, filler, after_ms, second)
  began_ms, limit_ms, fillers = now_ms, ms, {}
  if filler then
    fillers[1] = { at = after_ms or FILLER_MS, words = filler }
    fillers[2] = second and { at = (after_ms or FILLER_MS) + SECOND_FILLER_MS, words = second } or nil
  end
end

---How long somebody may wait who wants to wait `ms`; says what is due meanwhile.
---@param now_ms integer
---@param ms integer
---@param say fun(words: string)
---@return integer ms
function M.wait(now_ms, ms, say)
  if not began_ms then
    return ms
  end
  local until_ms = math.min(now_ms - began_ms + ms, limit_ms)
  while fillers[1] and fillers[1].at <= until_ms do
    say(table.remove(fillers, 1).words)
  end
  if now_ms - began_ms + ms > limit_ms then
    M.late = true
    return math.max(began_ms + limit_ms - now_ms, 0)
  end
  return ms
end

M.stop()

---pcall, for a tool: one that was late has failed, whatever its script made of it.
---@param run function
---@return boolean ok
---@return any ...
function M.within(run, ...)
  M.stop()
  local results = table.pack(pcall(run, ...))
  local late = M.late
  M.stop()
  if late then
    return false, "the tool was late"
  end
  return table.unpack(results, 1, results.n)
end

return M
