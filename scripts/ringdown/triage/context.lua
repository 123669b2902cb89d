-- SPDX-License-Identifier: Apache-2.0
-- context: what the words around an emergency make of it: denied, asked about, imagined, long ago, over.
--
-- A cue counts inside its scope: the clause, cut at "but", "because" and at "and" with a new subject, so that "I do
-- not know
-- what to do but I smell gas" is no denial. Everything a cue can do is turn a match into a question: when in doubt,
-- it does.
local text = require "ringdown.triage.text"

local M = {}

local cues = text.cues
local DENIAL_REACH, IF_REACH, OVER_REACH, BUSINESS_BEFORE, BUSINESS_AFTER = 7, 12, 8, 4, 3

-- How many words of one of the sequences stand at word i; nil when none does.
local function sequence_at(words, i, by_first)
  for _, sequence in ipairs(by_first[words[i]] or {}) do
    local k = 2
    while sequence[k] and words[i + k - 1] == sequence[k] do
      k = k + 1
    end
    if not sequence[k] then
      return k - 1
    end
  end
end

local function mark_all(words, n, by_first)
  local marks
  for i = 1, n do
    local length = by_first[words[i]] and sequence_at(words, i, by_first)
    if length then
      marks = marks or {}
      marks[i] = length
    end
  end
  return marks
end

local function negators_of(words, n)
  local marks
  for i = 1, n do
    if cues.negators[words[i]] and not sequence_at(words, i, cues.not_denials) then
      local interjection = words[i] == "no" and (i == n or cues.after_interjection[words[i + 1]])
      if not interjection then
        marks = marks or {}
        marks[i] = true
      end
    end
  end
  return marks
end

-- "Is this", "are there": only where a thought begins.
local function questions_of(read)
  local words, clauses = read.words, read.clauses
  local marks = mark_all(words, read.n, cues.questions)
  for i in pairs(marks or {}) do
    local begins = i == 1 or clauses[i - 1] ~= clauses[i] or cues.question_leads[words[i - 1]]
    if (words[i] == "is" or words[i] == "are") and not begins then
      marks[i] = nil
    end
  end
  return marks
end

local function breaks(words, i)
  return cues.breakers[words[i]] or cues.joiners[words[i]] and cues.subjects[words[i + 1]]
end

-- The first and last word of the thought that each word belongs to.
local function scopes_of(read)
  local words, clauses, from, to = read.words, read.clauses, {}, {}
  for i = 1, read.n do
    local begins = i == 1 or clauses[i] ~= clauses[i - 1] or breaks(words, i - 1)
    from[i] = begins and i or from[i - 1]
  end
  for i = read.n, 1, -1 do
    local ends = i == read.n or clauses[i] ~= clauses[i + 1] or breaks(words, i + 1)
    to[i] = ends and i or to[i + 1]
  end
  return from, to
end

---@class ringdown.triage.context
---@field text ringdown.triage.text

---All cues of an utterance, found once.
---@param read ringdown.triage.text
---@return ringdown.triage.context
function M.of(read)
  local words, n = read.words, read.n
  local excused = mark_all(words, n, cues.not_hypothetical)
  local imagined = mark_all(words, n, cues.hypothetical)
  for i in pairs(imagined or {}) do
    if excused and (excused[i] or excused[i - 1] or excused[i - 2]) then
      imagined[i] = nil
    end
  end
  local from, to = scopes_of(read)
  return { text = read, from = from, to = to, denied = negators_of(words, n), imagined = imagined,
    questions = questions_of(read), asserts = mark_all(words, n, cues.asserts),
    past = mark_all(words, n, cues.past), fiction = mark_all(words, n, cues.fiction),
    over = mark_all(words, n, cues.over), offers = mark_all(words, n, cues.offers) }
end

local function marked(marks, from, to, own)
  for i = marks and math.max(from, 1) or 1, marks and to or 0 do
    if marks[i] and not own[i] then
      return i
    end
  end
end

-- "Do you fix gas leaks", but not "do you hear me there is a gas leak".
-- Nil, or what sort of question it is.
local function question_of(c, from, first, last, own)
  local asked = c.text.asked[c.text.clauses[last]]
  local opener = marked(c.questions, from, first - 1, own)
  if not opener and not asked then
    return nil
  end
  for i = (opener and opener + c.questions[opener] or from), last do
    if c.asserts and c.asserts[i] then
      return nil
    end
  end
  return marked(c.offers, from, first - 1, own) and "asked for an offer" or "asked about"
end

local function is_over(c, last, own)
  local sentence = c.text.sentences[last]
  for i = last + 1, math.min(last + OVER_REACH, c.text.n) do
    if c.text.sentences[i] ~= sentence then
      return false
    elseif c.over and c.over[i] and not own[i] then
      local before = c.denied and (c.denied[i - 1] or c.denied[i - 2] or c.denied[i - 3])
      return not before
    end
  end
  return false
end

local function is_business(c, from, to, first, last, own)
  for i = math.max(from, first - BUSINESS_BEFORE), math.min(to, last + BUSINESS_AFTER) do
    if cues.business[c.text.words[i]] and not own[i] then
      return true
    end
  end
  return false
end

---What speaks against words `first` to `last`; nothing when they are meant as they are said.
---@param c ringdown.triage.context
---@param first integer
---@param last integer
---@param own table<integer, boolean> words that belong to the emergency itself, "can not breathe"
---@return "negated"|"unclear"|nil why
---@return string? detail
function M.against(c, first, last, own)
  local from, to = c.from[first], c.to[last]
  local question
  if marked(c.denied, math.max(from, first - DENIAL_REACH), last, own) then
    return "negated", "denied"
  elseif is_over(c, last, own) then
    return "negated", "over"
  elseif marked(c.imagined, math.max(from, first - IF_REACH), first - 1, own) then
    return "unclear", "imagined"
  end
  question = question_of(c, from, first, last, own)
  if question then
    return "unclear", question
  elseif marked(c.past, from, to, own) then
    return "unclear", "long ago"
  elseif marked(c.fiction, from, to, own) then
    return "unclear", "told of something"
  elseif is_business(c, from, to, first, last, own) then
    return "unclear", "other business"
  end
end

return M
