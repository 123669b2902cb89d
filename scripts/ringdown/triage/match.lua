-- SPDX-License-Identifier: Apache-2.0
-- match: which emergencies an utterance tells of.
--
-- 1. the utterance becomes words and keys (text.lua); only phrases whose rarest key was heard are looked at
--    (compile.lua)
-- 2. a phrase is found where its words stand close together: at most one foreign word between two of them; words
--    that say nothing do not count. A phrase of plain words may come in any order: "smell gas" is found in "a smell of
--    gas" too; one with "on", "not", "out" … keeps its order. Unknown words may be misheard ones (misheard.lua)
-- 3. found phrases become evidence for a rule: one of `any` or of `near`, with everything of `all`; `ask` and
--    `ask_near` are weak evidence
-- 4. each piece of evidence is weighed: its own words in another sense (`unless`), the words around it (context.lua),
--    words that were perhaps misheard. The best one speaks for the rule: a match, else a question, else a near miss.
--    Weak evidence asks at most, and beside business it is only recorded
--
-- The price of a long or hostile utterance is bounded: words (text.lua), places of a word, finds of a phrase,
-- evidence of a rule.
local compile = require "ringdown.triage.compile"
local context = require "ringdown.triage.context"
local misheard = require "ringdown.triage.misheard"
local text = require "ringdown.triage.text"

local M = {}

local GAP_MAX, REACH = 1, 7 -- foreign words between two words of a phrase; all words between them
local SLACK_MISHEARD = 1 -- words that may stand in a phrase which was perhaps misheard
local DOUBT_COST = 1000
local JOINED_MAX = 16 -- letters of one word that was written down as two
local SURE_LETTERS = 9 -- of two words that were both perhaps misheard
local PLACES_MAX, FINDS_MAX, EVIDENCE_MAX, SLOT_MAX = 40, 8, 24, 12
local EXCERPT_CHARS, WORDS_APART = 160, 10000

local cues = text.cues

---@class ringdown.triage.find where a phrase was found
---@field first integer
---@field last integer
---@field at integer[] its words
---@field doubtful integer how many of them were perhaps misheard

local search = {}
search.__index = search

-- ── hearing ─────────────────────────────────────────────────────────────────────────────────────
-- The words of the rules that a word of the utterance may have been.
function search:perhaps(word, key)
  local known = self.compiled.vocabulary
  for _, meant in ipairs(text.mistaken[key] or {}) do
    if known[meant] and meant ~= key then
      return text.mistaken[key]
    end
  end
  if known[key] or cues.light[word] or cues.loose[word] then
    return nil
  end
  return misheard.meant(self.compiled, word, key)
end

-- "car bun monoxide", "un conscious": one word, written down as two.
function search:perhaps_one(i, first, second)
  local known = self.compiled.vocabulary
  local keys, pair = self.read.keys, second and text.mistaken_pairs[first .. " " .. second]
  if not second or #first + #second > JOINED_MAX or not pair and known[keys[i]] and known[keys[i + 1]] then
    return nil
  end
  local key = pair or text.key(first .. second)
  if known[key] then
    return { key }
  end
  local plain = cues.light[first] and cues.light[second] or known[keys[i + 1]]
  local sound = not plain and compile.sound_of(key)
  return sound and #sound > 4 and self.compiled.sounds[sound] or nil
end

function search:hear(i, key)
  local places = self.places[key] or {}
  if #places < PLACES_MAX then
    places[#places + 1] = i
  end
  self.places[key] = places
end

function search:doubt(i, meant)
  local known = self.compiled.vocabulary
  for _, key in ipairs(meant) do
    if known[key] and key ~= self.read.keys[i] then
      self.doubts[i] = self.doubts[i] or {}
      self.doubts[i][key] = true
      self:hear(i, key)
    end
  end
end

function search:listen()
  local read = self.read
  local free = 0
  self.foreign = {} -- words that count as foreign, up to each
  for i, word in ipairs(read.words) do
    if not (cues.light[word] or cues.loose[word] or cues.negators[word]) then
      free = free + 1
    end
    self.foreign[i] = free
    self:hear(i, read.keys[i])
    local meant = self:perhaps(word, read.keys[i])
    if meant then
      self:doubt(i, meant)
    end
    meant = self:perhaps_one(i, word, read.words[i + 1])
    if meant then
      self:doubt(i, meant)
    end
  end
end

-- ── finding phrases ─────────────────────────────────────────────────────────────────────────────
function search:is_at(i, key)
  return self.read.keys[i] == key or self.doubts[i] and self.doubts[i][key] or false
end

function search:close(i, k)
  return k - i <= self.reach and self.foreign[k - 1] - self.foreign[i] <= self.gap
end

function search:next_to(i, key, step, used)
  for k = i + step, i + step * REACH, step do
    if k < 1 or k > self.read.n then
      return nil
    elseif self:is_at(k, key) and not (used and used[k]) then
      return k
    end
  end
end

-- From the first word on, each one after the other.
function search:in_order(keys, first)
  local at = { first }
  for n = 2, #keys do
    local k = self:next_to(at[n - 1], keys[n], 1)
    if not k or not self:close(at[n - 1], k) then
      return nil
    end
    at[n] = k
  end
  return at
end

-- Around the rarest word, the nearest of each other one.
function search:in_any_order(keys, anchor, place)
  local at, used = { place }, { [place] = true }
  for n, key in ipairs(keys) do
    if n ~= anchor then
      local before, after = self:next_to(place, key, -1, used), self:next_to(place, key, 1, used)
      local k = not before and after or not after and before or before
        and (place - before <= after - place and before or after)
      if not k then
        return nil
      end
      used[k] = true
      at[#at + 1] = k
    end
  end
  table.sort(at)
  for n = 2, #at do
    if not self:close(at[n - 1], at[n]) then
      return nil
    end
  end
  return at
end

function search:find_of(at, keys_in_order)
  local doubtful = 0
  for n, i in ipairs(at) do
    local exact = false
    for _, key in ipairs(keys_in_order and { keys_in_order[n] } or self.phrase_keys) do
      exact = exact or self.read.keys[i] == key
    end
    doubtful = doubtful + (exact and 0 or 1)
  end
  local first, last = at[1], at[#at]
  if doubtful > 0 and last - first + 1 > #at + SLACK_MISHEARD then
    return nil
  end
  return { first = first, last = last, at = at, doubtful = doubtful, meant = self.phrase_meant }
end

function search:finds(phrase)
  local keys, finds = phrase.keys, {}
  self.phrase_keys, self.reach = keys, phrase.exact and 1 or REACH
  self.phrase_meant = keys[2] and table.concat(keys) or keys[1]
  self.gap = phrase.strict and 0 or GAP_MAX
  for _, place in ipairs(self.places[phrase.ordered and keys[1] or keys[phrase.anchor]] or {}) do
    local at
    if phrase.ordered then
      at = self:in_order(keys, place)
    else
      at = self:in_any_order(keys, phrase.anchor, place)
    end
    finds[#finds + 1] = at and self:find_of(at, phrase.ordered and keys)
    if #finds >= FINDS_MAX then
      break
    end
  end
  return finds
end

local function append(list, items)
  for _, item in ipairs(items) do
    list[#list + 1] = item
  end
end

function search:found_of(rule)
  local found = self.found[rule]
  if not found then
    found = { any = {}, ask = {}, unless = {}, all = {}, near = {}, ask_near = {} }
    self.found[rule], self.order[#self.order + 1] = found, rule
  end
  return found
end

local function sub(list, n)
  if n == 0 then
    return list
  end
  list[n] = list[n] or {}
  return list[n]
end

function search:keep(phrase, finds)
  for _, use in ipairs(phrase.uses) do
    local list = sub(sub(self:found_of(use[1])[use[2]], use[3]), use[4])
    if #list < SLOT_MAX then
      append(list, finds)
    end
  end
end

function search:find_all()
  local tried, compiled = {}, self.compiled
  for key in pairs(self.places) do
    for _, number in ipairs(compiled.index[key] or {}) do
      if not tried[number] then
        tried[number] = true
        local finds = self:finds(compiled.phrases[number])
        if finds[1] then
          self:keep(compiled.phrases[number], finds)
        end
      end
    end
  end
  table.sort(self.order)
end

-- ── evidence ────────────────────────────────────────────────────────────────────────────────────
local function distance(a, b)
  return math.max(a.last, b.last) - math.min(a.first, b.first)
end

-- The find that is surest and closest; one that explains more words may be further away: "can't get out" before
-- "get out".
local function nearest(finds, to)
  local best, best_cost
  for _, find in ipairs(finds) do
    local cost = find.doubtful * DOUBT_COST + distance(find, to) - 2 * #find.at
    if find ~= to and (not best or cost < best_cost) then
      best, best_cost = find, cost
    end
  end
  return best
end

-- One find of each slot, around each find of the first; `list` gets them.
local function combined(list, slots, n, within)
  for s = 2, slots and n or 0 do
    if not slots[s] then
      return list
    end
  end
  for _, find in ipairs(slots and slots[1] or {}) do
    local pieces, first, last = { find }, find.first, find.last
    for s = 2, n do
      local other = nearest(slots[s] or {}, find)
      if not other then
        return list
      end
      pieces[s] = other
      first, last = math.min(first, other.first), math.max(last, other.last)
    end
    if not within or last - first <= within then
      list[#list + 1] = pieces
      if #list >= EVIDENCE_MAX then
        return list
      end
    end
  end
  return list
end

-- Each piece of evidence is a list of finds: a phrase alone, or one of each slot of a group.
local function gathered(phrases, groups, slots)
  local list = {}
  for _, find in ipairs(phrases) do
    list[#list + 1] = { find }
  end
  for g, group in ipairs(groups) do
    combined(list, slots[g], group.slots, group.within)
  end
  return list
end

local function evidence_of(rule, found)
  local list = gathered(found.any, rule.near, found.near)
  if rule.all > 0 then
    local all = combined({}, found.all, rule.all)
    if not rule.needs_more then
      return all
    elseif not all[1] then
      return {}
    end
    for _, pieces in ipairs(list) do
      append(pieces, all[1])
    end
  end
  return list
end

local function words_of(pieces)
  local own, n, doubtful = {}, 0, 0
  for _, find in ipairs(pieces) do
    doubtful = doubtful + find.doubtful
    n = n + #find.at
    for _, i in ipairs(find.at) do
      own[i] = true
    end
  end
  return own, n, doubtful
end

local function overlaps(find, own)
  for i = find.first, find.last do
    if own[i] then
      return true
    end
  end
  return false
end

-- Nothing of it was heard for sure: only long words are believed to have been meant.
local function is_noise(pieces, n, doubtful)
  if doubtful < n then
    return false
  elseif n == 1 then
    return #text.sound(pieces[1].meant) < 5
  end
  local size = 0
  for _, find in ipairs(pieces) do
    size = size + #find.meant
  end
  return size < SURE_LETTERS
end

-- "Gas bill" beside "I smell gas": the same word in another sense, somewhere else, takes nothing away.
function search:shares(find, own)
  local keys = self.read.keys
  for i in pairs(own) do
    for _, k in ipairs(find.at) do
      if keys[k] == keys[i] and not cues.light[keys[i]] then
        return true
      end
    end
  end
  return false
end

-- What one piece of evidence is worth.
function search:weigh(rule, found, pieces)
  local own, n, doubtful = words_of(pieces)
  local life = rule.severity == "life"
  local elsewhere = false
  for _, find in ipairs(found.unless) do
    if find.doubtful == 0 then
      if overlaps(find, own) then
        return "near_miss", "unless", "meant otherwise"
      end
      elsewhere = elsewhere or not self:shares(find, own)
    end
  end
  if is_noise(pieces, n, doubtful) then
    return nil
  end
  for _, find in ipairs(pieces) do
    local why, detail = context.against(self.context, find.first, find.last, own)
    if why then
      return life and "ask" or "near_miss", why, detail
    end
  end
  if elsewhere then
    return life and "ask" or "near_miss", "unless", "other business beside it"
  elseif doubtful > 0 then
    return life and "ask" or "near_miss", "unclear", "perhaps misheard"
  end
  return "match"
end

-- Details of context.lua that make weak evidence none.
local business_details = { ["other business"] = true, ["told of something"] = true, ["asked for an offer"] = true }

local rank = { match = 3, ask = 2, near_miss = 1 }

local function better(best, verdict)
  return verdict and (not best or rank[verdict] > rank[best.verdict])
end

function search:judge(rule, found)
  local best
  for i, pieces in ipairs(evidence_of(rule, found)) do
    local verdict, why, detail = self:weigh(rule, found, pieces)
    if better(best, verdict) then
      best = { verdict = verdict, why = why, detail = detail, pieces = pieces }
    end
    if i >= EVIDENCE_MAX or best and best.verdict == "match" then
      break
    end
  end
  return best and best.verdict == "match" and best or self:judge_weak(rule, found, best)
end

-- Weak evidence that was misheard too must not rest on a word like "left".
function search:is_everyday(pieces)
  for _, find in ipairs(pieces) do
    for _, i in ipairs(find.doubtful > 0 and find.at or {}) do
      if self.doubts[i] and cues.common[self.read.words[i]] then
        return true
      end
    end
  end
  return false
end

-- Weak evidence asks at most; beside business it is only recorded.
function search:judge_weak(rule, found, best)
  for i, pieces in ipairs(gathered(found.ask, rule.ask_near, found.ask_near)) do
    local verdict, why, detail = self:weigh(rule, found, pieces)
    if verdict == "match" then
      verdict, why, detail = "ask", "unclear", "not enough to be sure"
    elseif verdict and (business_details[detail] or #pieces == 1 and why == "unless") then
      verdict = "near_miss"
    end
    if better(best, verdict) and not self:is_everyday(pieces) then
      best = { verdict = verdict, why = why, detail = detail, pieces = pieces }
    end
    if i >= EVIDENCE_MAX or best and best.verdict == "ask" then
      break
    end
  end
  return best
end

-- ── telling ─────────────────────────────────────────────────────────────────────────────────────
local function trimmed(said)
  return (said:gsub("%c", " "):gsub("^%s+", ""):gsub("%s+$", ""))
end

-- The words that were recognised, for who wonders why.
function search:heard(pieces)
  local places, words = {}, {}
  for i in pairs((words_of(pieces))) do
    places[#places + 1] = i
  end
  table.sort(places)
  for n, i in ipairs(places) do
    words[n] = self.read.words[i]
  end
  return table.concat(words, " ")
end

-- The utterance; of a long one, the words around the evidence.
function search:excerpt(pieces)
  if #self.said <= EXCERPT_CHARS and utf8.len(self.said) then
    self.whole = self.whole or trimmed(self.said)
    return self.whole
  end
  local from, to = math.huge, 0
  for _, find in ipairs(pieces) do
    from, to = math.min(from, find.first), math.max(to, find.last)
  end
  to = math.min(to, from + 20)
  local id = from * WORDS_APART + to
  self.excerpts[id] = self.excerpts[id] or self:around(from, to)
  return self.excerpts[id]
end

function search:around(from, to)
  local words = self.read.words
  local size = #table.concat(words, " ", from, to)
  while size < EXCERPT_CHARS and (from > 1 or to < #words) do
    if from > 1 then
      from = from - 1
      size = size + #words[from] + 1
    end
    if to < #words then
      to = to + 1
      size = size + #words[to] + 1
    end
  end
  return (from > 1 and "…" or "") .. table.concat(words, " ", from, to) .. (to < #words and "…" or "")
end

local function speaks(rule, language)
  if not language or not rule.languages then
    return true
  end
  for _, known in ipairs(rule.languages) do
    if known == language then
      return true
    end
  end
  return false
end

---@param compiled table
---@param said string
---@param language string?
---@return table[]
function M.match(compiled, said, language)
  local read = text.read(said)
  local self = setmetatable({ compiled = compiled, said = said, read = read, places = {}, doubts = {}, found = {},
    order = {}, excerpts = {} }, search)
  self:listen()
  self:find_all()
  local results = {}
  for _, number in ipairs(self.order) do
    local rule = compiled.rules[number]
    self.context = self.context or context.of(read)
    local best = speaks(rule, language) and self:judge(rule, self.found[number])
    if best then
      results[#results + 1] = { rule = rule.id, severity = rule.severity, verdict = best.verdict, why = best.why,
        detail = best.detail, heard = self:heard(best.pieces), words = self:excerpt(best.pieces) }
    end
  end
  return results
end

return M
