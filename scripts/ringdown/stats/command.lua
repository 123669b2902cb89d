-- SPDX-License-Identifier: Apache-2.0
-- stats.command: the operation `stats`: what `ringdown stats` prints. Counts first what changed, so that a call which
-- has just ended is in it.
local read = require "ringdown.stats.read"
local roll = require "ringdown.stats.roll"
local show = require "ringdown.stats.show"

local M = {}

local ROUNDS = 20 -- portions; the first time there may be a year of hours, which the leader counts

local function say(tell, lines)
  for _, line in ipairs(lines) do
    tell { text = line }
  end
end

-- Calls that are left out are told of, where they are all there is.
local function tell_others(payload, answer, tell)
  if answer.total.calls > 0 or payload.tests and payload.imported then
    return
  end
  local ask = {}
  for key, value in pairs(payload) do
    ask[key] = value
  end
  ask.tests, ask.imported, ask.by = true, true, nil
  local others = read.groups(ask, answer.period)
  if others.calls > 0 then
    tell { note = ("%d calls are tests of ours or were at Vapi before; --tests and --imported count them"):format(
      others.calls) }
  end
end

---@param payload table ringdown.stats.ask, and csv, width, plain
function M.run(payload, tell)
  if payload.verb == "weekly" then
    return require("ringdown.stats.weekly").print(payload, tell)
  elseif payload.verb == "today" then
    return require("ringdown.stats.today").print(payload, tell)
  end
  local left = roll.run({ rounds = ROUNDS }).left
  local answer = read.range(payload)
  if left > 0 then
    tell { note = ("%d hours are not counted yet; ask again in a minute"):format(left) }
  end
  if payload.csv then
    say(tell, show.csv(answer))
  elseif payload.by then
    say(tell, show.groups(answer, payload))
  else
    local _, days = read.groups(payload, answer.period, "day")
    local _, reasons = read.groups(payload, answer.period, "reason")
    say(tell, show.summary(answer, days, reasons, payload))
    answer.days, answer.reasons = days, reasons
  end
  tell_others(payload, answer, tell)
  return answer
end

return M
