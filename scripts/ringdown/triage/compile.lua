-- SPDX-License-Identifier: Apache-2.0
-- compile: an agent's rules as plain data that match.lua can go through without looking at most of them.
--
--   rules    what to do with what was found: severity, how many slots must be filled
--   phrases  every phrase once: its keys, and its uses, each { rule, role, group, slot } (0 where there is none)
--   index    key → phrases to try when it is heard: each phrase once, under its rarest word
--   sounds   sound → keys, for words that were misheard
local text = require "ringdown.triage.text"

local M = {}

local SOUND_MIN, SOUND_LONG = 3, 5 -- consonants; fewer sound like everything

local function read_phrase(phrase)
  local read = text.read(phrase)
  local keys, ordered = {}, false
  for i, word in ipairs(read.words) do
    if not text.cues.light[word] then
      keys[#keys + 1] = read.keys[i]
      ordered = ordered or text.cues.particles[word] or text.cues.loose[word] or text.cues.negators[word] or false
    end
  end
  if #keys == 0 or #keys == 1 and read.n > 1 then
    return read.keys, true, true
  end
  return keys, ordered, false
end

local read_before = {} -- the same phrases are compiled several times while an agent loads

---The words of a phrase that count, and whether their order does. Small words do not, but where they leave one word
--- alone:
---"fire him" is not "fire".
---@param phrase string
---@return string[] keys
---@return boolean ordered
---@return boolean exact nothing may stand between them
function M.phrase(phrase)
  local known = read_before[phrase]
  if not known then
    known = { read_phrase(phrase) }
    read_before[phrase] = known
  end
  return known[1], known[2], known[3]
end

local compiler = {}
compiler.__index = compiler

-- `unless` takes words away, so it must be meant: nothing foreign may stand in it.
local function identity(keys, ordered, exact, strict)
  return ("%s %s %s %s"):format(table.concat(keys, " "), ordered, exact, strict)
end

function compiler:add(rule, role, phrase, group, slot)
  local keys, ordered, exact = M.phrase(phrase)
  if #keys == 0 then
    return
  end
  local strict = role == "unless"
  local id = identity(keys, ordered, exact, strict)
  local known = self.known[id]
  if not known then
    known = { keys = keys, ordered = ordered, exact = exact, strict = strict, uses = {} }
    self.known[id], self.phrases[#self.phrases + 1] = known, known
    for _, key in ipairs(keys) do
      self.count[key] = (self.count[key] or 0) + 1
    end
  end
  known.uses[#known.uses + 1] = { rule, role, group or 0, slot or 0 }
end

function compiler:add_all(rule, role, phrases)
  for _, phrase in ipairs(phrases or {}) do
    self:add(rule, role, phrase)
  end
end

-- Slots are lists of alternatives: { { "smell", "odor" }, { "gas" } }.
function compiler:add_slots(rule, role, slots, group)
  for slot, alternatives in ipairs(slots) do
    for _, phrase in ipairs(alternatives) do
      self:add(rule, role, phrase, group, slot)
    end
  end
end

function compiler:add_groups(rule, role, groups)
  local list = {}
  for g, group in ipairs(groups or {}) do
    list[g] = { within = group.within, slots = #group.words }
    self:add_slots(rule, role, group.words, g)
  end
  return list
end

function compiler:add_rule(i, rule)
  self:add_all(i, "any", rule.any)
  self:add_all(i, "ask", rule.ask)
  self:add_all(i, "unless", rule.unless)
  self:add_slots(i, "all", rule.all or {})
  self.rules[i] = { id = rule.id, severity = rule.severity, languages = rule.languages,
    near = self:add_groups(i, "near", rule.near), ask_near = self:add_groups(i, "ask_near", rule.ask_near),
    all = #(rule.all or {}), needs_more = (rule.any or rule.near) ~= nil }
end

function compiler:index_phrases()
  local index = {}
  for number, phrase in ipairs(self.phrases) do
    local rarest = 1
    for k, key in ipairs(phrase.keys) do
      if self.count[key] < self.count[phrase.keys[rarest]] then
        rarest = k
      end
    end
    local key = phrase.keys[rarest]
    phrase.anchor = rarest
    index[key] = index[key] or {}
    table.insert(index[key], number)
  end
  return index
end

---A word's sound; short words must begin alike too. Nil when it says too little.
---@param key string
---@return string?
function M.sound_of(key)
  local sound = text.sound(key)
  return #sound > SOUND_MIN and sound or #sound == SOUND_MIN and sound .. key:sub(1, 2) or nil
end

---A long sound with one consonant less, each marked: of two words at most one has lost one.
---@param sound string
---@return string[]
function M.shorter(sound)
  local list = {}
  for i = 2, #sound >= SOUND_LONG and #sound or 1 do
    list[#list + 1] = sound:sub(1, i - 1) .. sound:sub(i + 1)
  end
  return list
end

local function listen_for(sounds, key)
  local sound = M.sound_of(key)
  if not sound then
    return
  end
  sounds[sound] = sounds[sound] or {}
  table.insert(sounds[sound], key)
  for _, shorter in ipairs(M.shorter(sound)) do
    sounds["-" .. shorter] = sounds["-" .. shorter] or {}
    table.insert(sounds["-" .. shorter], key)
  end
end

function compiler:may_save_a_life(phrase)
  for _, use in ipairs(phrase.uses) do
    if self.rules[use[1]].severity == "life" then
      return not phrase.strict
    end
  end
  return false
end

-- Only what may save a life is worth a question about what was perhaps said.
function compiler:listen_for_sounds()
  local sounds, done = {}, {}
  for _, phrase in ipairs(self.phrases) do
    if self:may_save_a_life(phrase) then
      for _, key in ipairs(phrase.keys) do
        if not done[key] then
          done[key] = true
          listen_for(sounds, key)
        end
      end
    end
  end
  return sounds
end

---@param rules table[] as the shape of `emergencies` left them
---@param languages string[]
---@return table
function M.compile(rules, languages)
  local self = setmetatable({ rules = {}, phrases = {}, count = {}, known = {} }, compiler)
  for i, rule in ipairs(rules) do
    self:add_rule(i, rule)
  end
  local index = self:index_phrases()
  return { rules = self.rules, phrases = self.phrases, index = index, sounds = self:listen_for_sounds(),
    vocabulary = self.count, languages = languages }
end

return M
