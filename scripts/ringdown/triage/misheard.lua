-- SPDX-License-Identifier: Apache-2.0
-- misheard: which words of the rules a word nobody knows was perhaps meant to be. All it ever leads to is a question.
--
-- 1. written as it sounds: "umo" is "humo", "gaz" is "gas", "inchado" is "hinchado"
-- 2. the same consonants, or one less: "monoxcide"
-- 3. a long word with one letter wrong, missing or too many: "elevater"
--
-- The answers are kept, because callers use the same few thousand words.
local compile = require "ringdown.triage.compile"
local text = require "ringdown.triage.text"

local M = {}

local KNOWN_MAX = 4000
local SHORT, LONG = 3, 6 -- letters: shorter ones are never believed; from here on one letter may be wrong

-- One change each, as ears and fingers make them.
local respellings = {
  { "^([aeiou])", "h%1" }, { "^h", "" }, { "^w", "hu" }, { "^gu?([eo])", "hu%1" }, { "v", "b" }, { "b", "v" },
  { "z", "s" }, { "s", "z" }, { "s([ei])", "c%1" }, { "c([ei])", "s%1" }, { "c([ei])", "z%1" }, { "y", "ll" },
  { "ll", "y" }, { "k", "c" }, { "k([ei])", "qu%1" }, { "j", "g" }, { "g([ei])", "j%1" }, { "rr", "r" },
  { "c([aou])", "g%1" }, { "n([pb])", "m%1" }, { "ee", "ea" }, { "ea", "ee" }, { "ei", "ie" }, { "ph", "f" },
  { "er$", "or" }, { "or$", "er" }, { "ar$", "er" }, { "ks", "x" }, { "^k?n", "kn" }, { "eau", "o" }, { "a$", "er" },
  { "in$", "ing" },
}

local function respelled(vocabulary, word)
  local list
  for _, step in ipairs(respellings) do
    local other, n = word:gsub(step[1], step[2])
    local key = n > 0 and #other >= SHORT and text.key(other)
    if key and vocabulary[key] then
      list = list or {}
      list[#list + 1] = key
    end
  end
  return list
end

local function same_sound(compiled, key)
  local sounds, sound = compiled.sounds, #key > SHORT and compile.sound_of(key)
  local meant = sound and (sounds[sound] or sounds["-" .. sound])
  for _, shorter in ipairs(sound and not meant and compile.shorter(sound) or {}) do
    meant = meant or sounds[shorter]
  end
  return meant
end

-- Every long word of the rules, and each of them without one of its letters. Plain strings: a table for each would
-- keep the collector busy in the middle of calls.
local function spellings_of(vocabulary)
  local spellings = {}
  for key in pairs(vocabulary) do
    if #key >= LONG and not key:find "[^%a]" then
      spellings[key] = key
      for i = 2, #key do
        local shorter = key:sub(1, i - 1) .. key:sub(i + 1)
        local other = spellings[shorter]
        spellings[shorter] = (not other or key < other) and key or other
      end
    end
  end
  return spellings
end

local function one_letter_off(spellings, key)
  if #key < LONG then
    return nil
  end
  local meant = spellings[key]
  for i = 2, meant and 0 or #key do
    meant = meant or spellings[key:sub(1, i - 1) .. key:sub(i + 1)]
  end
  return meant and { meant }
end

local known = {} -- of the rules that were asked last, a desk has no others: what is known of words already

local function remember(compiled)
  if known.compiled ~= compiled then
    known = { compiled = compiled, spellings = spellings_of(compiled.vocabulary), meant = {}, n = 0 }
  elseif known.n >= KNOWN_MAX then
    known.meant, known.n = {}, 0
  end
end

---The keys of the rules that a word which is none of theirs was perhaps meant to be.
---@param compiled table
---@param word string
---@param key string of the word
---@return string[]?
function M.meant(compiled, word, key)
  if #word < SHORT or text.cues.common[word] or word:find "%d" then
    return nil
  end
  remember(compiled)
  local meant = known.meant[word]
  if meant == nil then
    meant = respelled(compiled.vocabulary, word) or same_sound(compiled, key)
      or one_letter_off(known.spellings, key) or false
    known.meant[word], known.n = meant, known.n + 1
  end
  return meant or nil
end

return M
