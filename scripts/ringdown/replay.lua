-- SPDX-License-Identifier: Apache-2.0
-- replay: what `ringdown replay` asks, one recorded call at a time. Texts in, JSON out; C finds recordings and
-- versions and prints.
require "ringdown.fake" -- first: from here on the host is the fake one

local compare = require "ringdown.replay.compare"
local json = require "ringdown.json"
local play = require "ringdown.replay.play"
local record = require "ringdown.replay.record"
local recordings = require "ringdown.replay.recording"

local M = {}

---Whose call it was; { why } when it cannot be replayed.
---@param text string JSON of the recording
---@return string json { call, agent, version } or { why }
function M.about(text)
  local r, why = recordings.read(text)
  if not r then
    return json.encode { why = why }
  end
  return json.encode { call = r.call, agent = r.agent, version = r.version }
end

local function withheld(recording)
  local n = 0
  for _, input in ipairs(recording.inputs) do
    n = n + (input.what == "withheld" and input.role ~= "agent" and 1 or 0)
  end
  return n > 0 and n or nil
end

local function length_ms(recording)
  local last = recording.inputs[#recording.inputs]
  return last and last.at_ms or 0
end

---The call in two versions. What its own one does is held against what was recorded.
---@param text string
---@param was string where its own version is found
---@param now string where the other one is
---@return string json { call, agent, version, differences, lost, drift, notes, … }
function M.compare(text, was, now)
  local r = recordings.read(text)
  local before, about = play.whole(r, was)
  local after, other = play.whole(recordings.read(text), now)
  local differences, lost = compare.compare(before, after, record.found(r))
  local drift, notes = record.check(r, before, about)
  return json.encode { call = r.call, agent = r.agent, version = r.version, played = about.version,
    candidate = other.version, differences = differences, lost = lost, withheld = withheld(r), ms = length_ms(r),
    drift = drift, notes = notes }
end

---The call in one version: everything it does.
---@param text string
---@param now string
---@return string json { call, agent, steps, … }
function M.show(text, now)
  local r = recordings.read(text)
  local steps, about = play.whole(r, now)
  for _, step in ipairs(steps) do
    json.array(step.did)
  end
  return json.encode { call = r.call, agent = r.agent, version = r.version, candidate = about.version,
    steps = json.array(steps), withheld = withheld(r), ms = length_ms(r), notes = record.notes(r) }
end

---The call as a file beside a spec, and the spec that holds its agent to what it does now.
---@param text string
---@param now string
---@param name string of the file, without its ending
---@return string fixture
---@return string spec
function M.spec(text, now, name)
  return require("ringdown.replay.spec").write(recordings.read(text), now, name)
end

return M
