-- SPDX-License-Identifier: Apache-2.0
-- text: what somebody said, as a list of words that can be compared. Rules and utterances go through the same door,
-- so
-- that what differs only in writing is the same afterwards:
--
--   "There's, um, a really STRONG smell of gaaas!"  →  there is a really strong smel of gas
--
-- 1. lower case, no accents; what is no letter or digit separates (bytes that are no UTF-8 too)
-- 2. contractions written out, fillers and stammering left out, number words as digits
-- 3. each word gets a key: its family or its stem. Rules are found by keys, cues ("not", "if") by words
-- 4. each word knows its sentence and its clause, for what a "no" is about
--
-- A text longer than TEXT_MAX bytes or WORDS_MAX words is cut: an utterance never is, what is typed or sent may be.
local english = require "ringdown.triage.english"
local spanish = require "ringdown.triage.spanish"

local M = {}

local TEXT_MAX, WORDS_MAX, WORD_BYTES_MAX = 8000, 600, 40

local function set_of(...)
  local set = {}
  for _, words in ipairs { ... } do
    for word in words:gmatch "%S+" do
      set[word] = true
    end
  end
  return set
end

local function merged(name)
  local all = {}
  for _, language in ipairs { english, spanish } do
    for key, value in pairs(language[name]) do
      all[key] = value
    end
  end
  return all
end

---Sequences of words by their first one: { ["in case"] } → { ["in"] = { { "in", "case" } } }.
local function sequences(...)
  local by_first = {}
  for _, list in ipairs { ... } do
    for _, text in ipairs(list) do
      local words = {}
      for word in text:gmatch "%S+" do
        words[#words + 1] = word
      end
      local same = by_first[words[1]] or {}
      same[#same + 1], by_first[words[1]] = words, same
    end
  end
  return by_first
end

---The cues of all languages: sets of words under the names of english.lua, sequences of words.
M.cues = {}
for _, name in ipairs { "light", "loose", "particles", "negators", "after_interjection", "breakers", "joiners",
  "subjects", "business", "question_leads", "common" } do
  M.cues[name] = set_of(english[name], spanish[name])
end
for _, name in ipairs { "not_denials", "hypothetical", "not_hypothetical", "questions", "offers", "asserts", "past",
  "fiction", "over" } do
  M.cues[name] = sequences(english[name], spanish[name])
end

-- ── letters ─────────────────────────────────────────────────────────────────────────────────────
local plain = {}
for from, to in pairs {
  ["àáâãäåāăąÀÁÂÃÄÅ"] = "a", ["çćčÇ"] = "c", ["ďđ"] = "d", ["èéêëēęěÈÉÊË"] = "e", ["ìíîïīÌÍÎÏ"] = "i",
  ["ñńňÑ"] = "n", ["òóôõöøōÒÓÔÕÖØ"] = "o", ["ŕř"] = "r", ["śš"] = "s", ["ť"] = "t", ["ùúûüůūÙÚÛÜ"] = "u",
  ["ýÿÝ"] = "y", ["źżž"] = "z", ["ł"] = "l", ["ß"] = "ss", ["æ"] = "ae", ["œ"] = "oe",
  ["’‘ʼ´"] = "'", ["…"] = ".", ["¿¡–—"] = ",",
} do
  for _, code in utf8.codes(from) do
    plain[utf8.char(code)] = to
  end
end
for code = 0x300, 0x36F do -- accents that follow their letter
  plain[utf8.char(code)] = ""
end

local function letters_of(text)
  text = text:sub(1, TEXT_MAX)
  if text:find "[\128-\255]" then
    text = text:gsub("%f[%w\128-\255][sS]\195[\173\141]%f[^%w\128-\255]", "yes") -- "sí" is no "si"
    text = text:gsub("[\194-\244][\128-\191]*", plain):gsub("[\128-\255]", " ")
  end
  return (text:lower():gsub("%f[%w](%a)%.(%a)%f[%W]%.?", "%1%2")) -- "C.O."
end

-- ── keys ────────────────────────────────────────────────────────────────────────────────────────
local families, irregular = merged "families", merged "irregular"

local function ending(word, ...)
  for _, tail in ipairs { ... } do
    local n = #word - #tail
    if n >= 3 and word:sub(-#tail) == tail and word:find "^[^aeiou]*[aeiou]" and word:sub(1, n):find "[aeiouy]" then
      return word:sub(1, n)
    end
  end
  return word
end

local function stem(word)
  if irregular[word] then
    return irregular[word]
  end
  if #word > 6 then
    word = word:gsub("it([ao]s?)$", "%1"):gsub("isim([ao]s?)$", "%1") -- "alarmita", "hinchadísimo"
    if irregular[word] then
      return irregular[word]
    end
  end
  for n = math.min(#word, 10), 4, -1 do
    local family = families[word:sub(1, n)]
    if family then
      return family
    end
  end
  if #word <= 3 or word:find "%d" then
    return word
  end
  if not word:find "[suiy]s$" then
    word = ending(word, "s")
  end
  if not word:find "eed$" then
    word = ending(word, "ing", "ed", "ando", "iendo", "aron", "ieron", "ado", "ada", "ido", "ida")
  end
  if #word > 3 then
    word = word:gsub("ie$", "y"):gsub("[aeo]$", "")
  end
  return (word:gsub("(%a)%1", "%1"))
end

local keys, n_keys = {}, 0 -- of words seen before; emptied when it grows
local KEYS_MAX = 4000

---@param word string as read() leaves it
---@return string
function M.key(word)
  local key = keys[word]
  if not key then
    if n_keys >= KEYS_MAX then
      keys, n_keys = {}, 0
    end
    key = M.cues.light[word] and word or stem(word)
    if M.cues.light[key] and key ~= word then
      key = key .. "+" -- "hissing" is not "his"
    end
    keys[word], n_keys = key, n_keys + 1
  end
  return key
end

---Keys that a key was perhaps meant to be.
M.mistaken = {}
for _, language in ipairs { english, spanish } do
  for meant, words in pairs(language.mistaken) do
    for word in words:gmatch "%S+" do
      local key = M.key(word)
      M.mistaken[key] = M.mistaken[key] or {}
      table.insert(M.mistaken[key], M.key(meant))
    end
  end
end

---Pairs of words that a key was perhaps meant to be: "what her" is "water".
M.mistaken_pairs = {}
for _, language in ipairs { english, spanish } do
  for meant, pairs_of in pairs(language.mistaken_pairs) do
    for pair in pairs_of:gmatch "[^,]+" do
      M.mistaken_pairs[pair:match "^%s*(.-)%s*$"] = M.key(meant)
    end
  end
end

-- ── words ───────────────────────────────────────────────────────────────────────────────────────
local contractions, numbers = merged "contractions", merged "numbers"
local fillers = set_of(english.fillers, spanish.fillers)
local filler_pairs = {}
for _, language in ipairs { english, spanish } do
  for _, pair in ipairs(language.filler_pairs) do
    filler_pairs[pair] = true
  end
end

local tails = { { "n't$", " not" }, { "'s$", " is" }, { "'re$", " are" }, { "'m$", " am" }, { "'ll$", " will" },
  { "'ve$", " have" }, { "'d$", " d" } }

-- "gaaaas" → "gas", but "free" stays.
local function squeezed(word)
  if not word:find "(%a)%1%1" then
    return word
  end
  while word:find "(%a)%1" do
    word = word:gsub("(%a)%1", "%1")
  end
  return word
end

local function written_out(word)
  local known = contractions[word]
  if known then
    return known
  end
  for _, tail in ipairs(tails) do
    local long, n = word:gsub(tail[1], tail[2])
    if n > 0 then
      return long
    end
  end
  return (word:gsub("'", ""))
end

---@class ringdown.triage.text
---@field n integer
---@field words string[] as spoken, normalised
---@field keys string[] what is compared
---@field clauses integer[] of each word
---@field sentences integer[] of each word
---@field asked table<integer, boolean> clauses that end in a question mark

local reader = {}
reader.__index = reader

local function same_stammer(text, word)
  return text.words[text.n] == word and text.clauses[text.n] == text.clause and not (word:find "%d" or numbers[word])
end

function reader:add(word)
  word = squeezed(word:sub(1, WORD_BYTES_MAX))
  if word == "" or fillers[word] or self.n >= WORDS_MAX or same_stammer(self, word) then
    return
  end
  if self.n > 0 and filler_pairs[self.words[self.n] .. " " .. word] then
    self.words[self.n], self.n = nil, self.n - 1
    return
  end
  self.n = self.n + 1
  self.words[self.n] = word
  self.clauses[self.n], self.sentences[self.n] = self.clause, self.sentence
end

function reader:stop(marks)
  if marks:find "%?" then
    self.asked[self.clause] = true
  end
  if marks:find "[.!?;]" then
    self.sentence = self.sentence + 1
  end
  self.clause = self.clause + 1
end

-- "twenty five" → 25, "nine one one" and "9-1-1" → 911.
local function join_numbers(words, clauses, sentences)
  local out, out_clauses, out_sentences, digits = {}, {}, {}, 0
  for i, word in ipairs(words) do
    local number = numbers[word]
    local value = number and tostring(number) or word
    local last = out[#out]
    if value:find "^%d$" and last and last:find "^%d0$" and numbers[words[i - 1]] then
      out[#out] = last:sub(1, 1) .. value
      digits = 0
    elseif value:find "^%d$" and digits > 0 and clauses[i] == clauses[i - 1] then
      out[#out], digits = last .. value, digits + 1
    else
      digits = value:find "^%d$" and 1 or 0
      out[#out + 1] = value
      out_clauses[#out], out_sentences[#out] = clauses[i], sentences[i]
    end
  end
  return out, out_clauses, out_sentences
end

---@param said string
---@return ringdown.triage.text
function M.read(said)
  local text = setmetatable({ n = 0, words = {}, clauses = {}, sentences = {}, asked = {}, clause = 1, sentence = 1 },
    reader)
  for word, between in letters_of(said):gmatch "([%w']+)([^%w']*)" do
    word = word:gsub("^'+", ""):gsub("'+$", "")
    for part in written_out(word):gmatch "%S+" do
      text:add(part)
    end
    local marks = between:gsub("[^.!?;:,]", "")
    if marks ~= "" and not (marks == "." and between == ".") then
      text:stop(marks)
    end
  end
  text.words, text.clauses, text.sentences = join_numbers(text.words, text.clauses, text.sentences)
  text.n, text.keys = #text.words, {}
  for i, word in ipairs(text.words) do
    text.keys[i] = M.key(word)
  end
  return setmetatable(text, nil)
end

-- ── sound ───────────────────────────────────────────────────────────────────────────────────────
local sound_steps = {
  { "ph", "f" }, { "gh", "" }, { "[csz]h", "j" }, { "ck", "k" }, { "c([eiy])", "s%1" }, { "[cqg]", "k" }, { "x", "ks" },
  { "z", "s" }, { "b", "p" }, { "d", "t" }, { "v", "f" }, { "^kn", "n" }, { "^wr", "r" },
}

---The consonants of a word, those that sound alike as one: "monoxide" and "monoxcide" are the same.
---@param key string
---@return string
function M.sound(key)
  local sound = key
  for _, step in ipairs(sound_steps) do
    sound = sound:gsub(step[1], step[2])
  end
  local first = sound:sub(1, 1):gsub("[aeiouhwy]", "a")
  sound = first .. sound:sub(2):gsub("[aeiouhwy']", "")
  return (sound:gsub("(%a)%1", "%1"))
end

return M
