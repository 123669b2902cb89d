-- SPDX-License-Identifier: Apache-2.0
-- GET /api/v1/events?after=N: what was recorded behind event N, as an array; each has its number in
-- `event`. With nothing there yet, the answer waits up to WAIT_MS (`wait_ms` makes it less).
-- Without `after`: the last event only, which is where one starts to follow. Numbers that were dropped
-- from the ring are skipped.
local WAIT_MS = 10000

local function events(context, request)
  local last = context.host.events_last()
  local after = request.query.after
  if after == nil then return 200, (context.host.events_after(math.max(last - 1, 0))) end
  if not after:match "^%d+$" or #after > 15 then
    return context.failure(400, "after must be the number of an event", "take it from the last answer")
  end
  local wait = WAIT_MS
  if request.query.wait_ms then
    wait = request.query.wait_ms:match "^%d%d?%d?%d?%d?$" and tonumber(request.query.wait_ms)
    if not wait then return context.failure(400, "wait_ms must be milliseconds", "leave it out to wait 10 s") end
  end
  local number = math.tointeger(tonumber(after))
  if number > last then number = 0 end -- from a node that ran here before: numbers began anew
  local text, n = context.host.events_after(number)
  if n > 0 or request.waited then return 200, text end
  return nil, nil, math.min(wait, WAIT_MS)
end

return {
  { "GET", "/api/v1/events", events },
}
