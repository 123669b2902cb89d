-- SPDX-License-Identifier: Apache-2.0
-- record: does the version that took a call, replayed, do again what was recorded of it? Where it does not, the
-- recording, the version or this program is not what it was, and what the replay says is to be read with care.
--
--   routing, prompt, emergencies, tools' answers, texts, transfers ── as recorded? ──▶ drift { what, was, now, … }
--
-- What the record cannot hold is no drift but a note: words that were not kept, inputs above the limit, what a node
-- did without asking the script.
local json = require "ringdown.json"
local sorted = require "ringdown.sorted"

local M = {}

local AT_ONCE_MS = 2000 -- after an emergency: what its errand does later depends on who answers
local RINGS_MS = 60000
local LEAVES_MS = 15000 -- a transfer waits for what is being said; who hangs up before was not transferred

local function acts_of(steps, kind)
  local found = {}
  for _, step in ipairs(steps) do
    for _, act in ipairs(step.did) do
      if act.kind == kind then
        found[#found + 1] = { at_ms = step.at_ms, text = act.text, name = act.name }
      end
    end
  end
  return found
end

local function set_of(list, key)
  local set = {}
  for _, item in ipairs(list) do
    set[key and item[key] or item] = true
  end
  return set
end

local record = {}
record.__index = record

function record:differs(what, was, now, at_ms)
  table.insert(self.drift, { what = what, was = was or "nothing", now = now or "nothing", at_ms = at_ms })
end

function record:note(text, ...)
  table.insert(self.notes, text:format(...))
end

-- ── one thing after the other ───────────────────────────────────────────────────────────────────
function record:routing()
  local was, now = self.was, acts_of(self.steps, "routing")[1].text
  local recorded = was.system and was.system .. ", " .. (was.reason or "")
  if not recorded or recorded == now then
    return
  elseif was.system == "fallback" then
    self:note("its node answered with the fallback (%s)", was.reason or "")
  else
    self:differs("routing", recorded, now)
  end
end

function record:prompt()
  local was = self.was.brief
  if was and self.about.brief and was ~= self.about.brief and not was:find("[", 1, true) then
    self:differs("prompt", "digest " .. was, "digest " .. self.about.brief)
  end
end

function record:emergencies()
  if not self.was.emergencies then
    return
  end
  local was, now = set_of(self.was.emergencies), set_of(acts_of(self.steps, "emergency"), "text")
  for _, rule in ipairs(self.was.unheard or {}) do
    if not now[rule] then
      was[rule] = nil
      self:note("%s was found in words that are not kept: whether it still would be, nobody knows", rule)
    end
  end
  for _, rule in ipairs(sorted.keys(was)) do
    if not now[rule] then
      self:differs("emergency", rule)
    end
  end
  for _, rule in ipairs(sorted.keys(now)) do
    if not was[rule] then
      self:differs("emergency", nil, rule)
    end
  end
end

-- A text out of which something was taken when it was kept is equal to any.
local function equal(was, now)
  if type(was) == "string" and (was:find("[card]", 1, true) or was:find("[ssn]", 1, true)
    or was:find("[digits]", 1, true)) then
    return true
  elseif type(was) ~= "table" or type(now) ~= "table" then
    return was == now
  end
  for key, value in pairs(was) do
    if not equal(value, now[key]) then
      return false
    end
  end
  for key in pairs(now) do
    if was[key] == nil then
      return false
    end
  end
  return true
end

function record:tool(input, step)
  local was = input.output and json.decode(input.output)
  for _, act in ipairs(step.did) do
    local now = act.kind == "tool" and json.decode(act.text)
    if now and type(was) == "table" and was.failed and not now.failed then
      self:note("%s failed then and does not now: how long things took is not replayed", input.name)
    elseif now and was ~= nil and not equal(was, now) then
      self:differs("tool " .. input.name, input.output, act.text, step.at_ms)
    elseif act.kind == "not_recorded" then
      self:differs("question", nil, act.text, step.at_ms)
    end
  end
end

-- Who broke a fence then was answered by the fallback.
function record:broken(step)
  if self.was.system ~= "fallback" then
    self:differs("fence", nil, step.did[1].text, step.at_ms)
  end
end

-- Its steps are one for the webhook and then one for each input.
function record:tools()
  local n_played = math.min(#self.recording.inputs, #self.steps - 1)
  for i = 1, n_played do
    local input, step = self.recording.inputs[i], self.steps[i + 1]
    if step.did[1] and step.did[1].kind == "broken" then
      self:broken(step)
      return
    elseif input.at_ms < self.until_ms and input.what == "tool" then
      self:tool(input, step)
    end
  end
end

local function label(text)
  return ("%s to %s"):format(text.template or text.kind, text.to)
end

local function soon_after(list, at_ms, ms)
  for _, opened_ms in ipairs(list or {}) do
    if at_ms >= opened_ms and at_ms - opened_ms <= ms then
      return true
    end
  end
  return false
end

-- Of an emergency's texts only those of its first moment are sure: later ones depend on who answers.
function record:texts()
  local was = self.was.texts
  if type(was) == "number" then -- of an older file
    if was ~= #self.about.texts then
      self:differs("texts", tostring(was), tostring(#self.about.texts))
    end
    return
  end
  local left = {}
  for _, text in ipairs(was or {}) do
    left[#left + 1] = { label = label(text), sure = text.kind == "tool"
      or text.kind == "emergency" and soon_after(self.was.opened_ms, text.at_ms, AT_ONCE_MS), text = text }
  end
  for _, text in ipairs(was and self.about.texts or {}) do
    local found
    for i, one in ipairs(left) do
      found = found or one.label == label(text) and i
    end
    if found then
      table.remove(left, found)
    elseif text.kind == "tool" or text.kind == "emergency" then
      self:differs("text", nil, label(text))
    end
  end
  for _, one in ipairs(left) do
    if one.sure and one.text.at_ms < self.until_ms then
      self:differs("text", one.label, nil, one.text.at_ms)
    end
  end
end

-- Whom an emergency rings after its first one depends on who answers.
function record:transfers()
  local was, now = self.was.transfers, acts_of(self.steps, "transfer")
  if not was then
    return
  end
  local recorded, replayed = set_of(was, "whom"), set_of(now, "text")
  local inputs = self.recording.inputs
  local end_ms = #inputs > 0 and inputs[#inputs].at_ms or 0
  for _, one in ipairs(was) do
    if one.asked and not replayed[one.whom] and one.at_ms < self.until_ms
      and not soon_after(self.was.opened_ms, one.at_ms, RINGS_MS) then
      self:differs("transfer", one.whom, nil, one.at_ms)
    end
  end
  for _, one in ipairs(now) do
    if not recorded[one.text] and one.at_ms < self.until_ms and end_ms - one.at_ms > LEAVES_MS then
      self:differs("transfer", nil, one.text, one.at_ms)
    end
  end
end

-- ── all of it ───────────────────────────────────────────────────────────────────────────────────
---What of a recording is not whole, whatever plays it.
---@param recording ringdown.recording
---@return string[]
function M.notes(recording)
  local notes = json.array {}
  if recording.cut_ms then
    notes[1] = ("after %.1f s keys, silences, and what hosts and database answered are not kept: there were more "
      .. "than a call may keep"):format(recording.cut_ms / 1000)
  end
  return notes
end

---@param recording ringdown.recording
---@param steps ringdown.replay.step[] of the version that took it
---@param about ringdown.replay.about
---@return table[] drift { what, was, now, at_ms }
---@return string[] notes
function M.check(recording, steps, about)
  local self = setmetatable({ recording = recording, was = recording.recorded, steps = steps, about = about,
    until_ms = recording.cut_ms or math.huge, drift = json.array {}, notes = M.notes(recording) }, record)
  if not next(self.was) then
    self:note "it does not hold what was done then: whether this repeats it, nobody knows"
  end
  self:routing()
  self:prompt()
  self:emergencies()
  self:tools()
  self:texts()
  self:transfers()
  return self.drift, self.notes
end

---Emergencies that were found then, in words that are kept.
---@param recording ringdown.recording
---@return string[]
function M.found(recording)
  local unheard, list = set_of(recording.recorded.unheard or {}), {}
  for _, rule in ipairs(recording.recorded.emergencies or {}) do
    if not unheard[rule] then
      list[#list + 1] = rule
    end
  end
  return list
end

return M
