-- SPDX-License-Identifier: Apache-2.0
-- replay: what `ringdown replay` asks, one recorded call at a time. Texts in, JSON out; C finds recordings and
-- versions and prints.
require "ringdown.fake" -- first: from here on the host is the fake one

local compare = require "ringdown.replay.compare"
local json = require "ringdown.json"
local play = require "ringdown.replay.play"
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

local function acts_of(steps, kind)
  local found = {}
  for _, step in ipairs(steps) do
    for _, act in ipairs(step.did) do
      if act.kind == kind then
        found[#found + 1] = act.text
      end
    end
  end
  return found
end

-- Where the version that took the call does not do again what was recorded of it: then the recording, or this program,
-- is not what it was, and differences are to be read with care.
local function drift_of(recording, steps, brief)
  local was, drift = recording.recorded, {}
  local found = acts_of(steps, "emergency")
  if was.brief and brief and was.brief ~= brief then
    drift[#drift + 1] = "prompt"
  end
  if was.emergencies and table.concat(found, " ") ~= table.concat(was.emergencies, " ") then
    drift[#drift + 1] = "emergencies"
  end
  if was.system and acts_of(steps, "routing")[1] ~= was.system .. ", " .. (was.reason or "") then
    drift[#drift + 1] = "routing"
  end
  return #drift > 0 and drift or nil
end

---The call in two versions.
---@param text string
---@param was string where its own version is found
---@param now string where the other one is
---@return string json { call, agent, version, differences, lost, … }
function M.compare(text, was, now)
  local r = recordings.read(text)
  local before, version, brief = play.whole(r, was)
  local after, candidate = play.whole(recordings.read(text), now)
  local differences, lost = compare.compare(before, after)
  return json.encode { call = r.call, agent = r.agent, version = r.version, played = version, candidate = candidate,
    differences = differences, lost = lost, withheld = withheld(r), ms = length_ms(r),
    drift = drift_of(r, before, brief) }
end

---The call in one version: everything it does.
---@param text string
---@param now string
---@return string json { call, agent, steps, … }
function M.show(text, now)
  local r = recordings.read(text)
  local steps, version = play.whole(r, now)
  for _, step in ipairs(steps) do
    json.array(step.did)
  end
  return json.encode { call = r.call, agent = r.agent, version = r.version, candidate = version,
    steps = json.array(steps), withheld = withheld(r), ms = length_ms(r) }
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
