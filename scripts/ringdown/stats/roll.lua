-- SPDX-License-Identifier: Apache-2.0
-- stats.roll: the operation `rollup`: counts the hours in which something changed (statistics_roll), every minute on
-- the node that leads, and whenever somebody asks for statistics. The database lets one count at a time; two that do
-- are as right as one.
local db = require "ringdown.stats.db"
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

local PORTION, ROUNDS = 24, 500 -- a day of many calls is counted within the time of one answer
local ANSWER_MS = 60000

-- The clock of each agent's file, for whoever asks by hour or weekday. Agents that are not loaded here keep theirs.
local function tell_zones()
  local zones = {}
  for _, one in ipairs((host.agents())) do
    local shown = json.decode(one.shown or "{}") or {}
    zones[one.name] = shown.time_zone
  end
  if next(zones) then
    db.must("select agents_zones($1::jsonb)::text", { json.encode(zones) })
  end
end

---@param rounds integer? how many portions at most
---@return table { hours: integer, left: integer } hours is how many were counted
function M.roll(rounds)
  local counted, left = 0, 0
  for _ = 1, rounds or ROUNDS do
    local said = db.must("select statistics_roll($1::integer)::text", { PORTION }, ANSWER_MS)
    counted, left = counted + said.hours, said.left
    if left == 0 or host.stopping() then
      break
    end
  end
  return { hours = counted, left = left }
end

---@param payload { rounds: integer? }? whoever waits for it asks for fewer
function M.run(payload)
  tell_zones()
  return M.roll(payload and payload.rounds)
end

return M
