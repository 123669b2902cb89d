-- SPDX-License-Identifier: Apache-2.0
-- rules: what `emergencies` of an agent may hold, checked when it is loaded. Every mistake is told with its line;
-- rules that are
-- well formed go on to lint.lua.
local nearest = require "ringdown.nearest"
local shape = require "ringdown.shape"
local sorted = require "ringdown.sorted"
local template = require "ringdown.template"
local spoken = require "ringdown.emergency.words"

local M = {}

local RULES_MAX, PHRASES_MAX, PHRASE_BYTES, SLOTS_MAX, WITHIN_MAX = 200, 400, 200, 5, 30

local function phrase(value, path, complain)
  local text = shape.text(value, path, complain)
  if #text > PHRASE_BYTES then
    complain(path, ("is longer than %d bytes; write the few words that matter"):format(PHRASE_BYTES))
  elseif text ~= "" and not text:find "[%w\128-\255]" then
    complain(path, "has no word in it")
  end
  return text
end

local phrase_list = shape.list_of(phrase)

local function phrases(value, path, complain)
  local list = phrase_list(type(value) == "string" and { value } or value, path, complain)
  if #list == 0 and type(value) == "table" then
    complain(path, "is empty; give phrases, or leave it out")
  elseif #list > PHRASES_MAX then
    complain(path, ("has more than %d phrases"):format(PHRASES_MAX))
  end
  return list
end

-- Items that must all be heard; each is a phrase or a list of alternatives.
local slot_list = shape.list_of(phrases)

local function group(value, path, complain)
  local words, within = {}, value.within
  for key, item in pairs(value) do
    if math.type(key) == "integer" then
      words[key] = item
    elseif key ~= "within" then
      complain(path .. "." .. tostring(key), "unknown key; allowed: words, and within = how many words apart")
    end
  end
  words = slot_list(words, path, complain)
  if #words < 2 or #words > SLOTS_MAX then
    complain(path, ("must name 2 to %d words, each a text or a list of alternatives"):format(SLOTS_MAX))
  end
  within = shape.integer(1, WITHIN_MAX)(within, path .. ".within", complain)
  if within < #words - 1 then
    complain(path .. ".within", ("can never match: %d words are at least %d apart"):format(#words, #words - 1))
  end
  return { words = words, within = within }
end

local function near(value, path, complain)
  if type(value) ~= "table" then
    complain(path, 'must be words in { }, like { "smell", "gas", within = 6 }')
    return nil
  elseif value.within ~= nil then
    return { group(value, path, complain) }
  end
  local groups = {}
  for i, item in ipairs(value) do
    if type(item) ~= "table" or item.within == nil then
      complain(path, 'must say how close: { "smell", "gas", within = 6 }, or be a list of such groups')
      return nil
    end
    groups[i] = group(item, path .. "." .. i, complain)
  end
  if #groups == 0 then
    complain(path, "is empty; give words, or leave it out")
  end
  return groups
end

local function all(value, path, complain)
  local slots = slot_list(type(value) == "string" and { value } or value, path, complain)
  if type(value) == "table" and #slots == 0 then
    complain(path, "is empty; give phrases, or leave it out")
  end
  return slots
end

local function person_of(def)
  local names = sorted.keys(def.people)
  return function(value, path, complain)
    if type(value) == "string" and def.people[value] then
      return value
    elseif M.is_emergency_number(value) then
      complain(path, ("%s must be dialled by the caller, never by the agent; "
        .. "tell it in say, and name one of people here"):format(value))
    elseif #names == 0 then
      complain(path, "names nobody: this agent has no people; add people = { on_call = \"+1…\" }")
    else
      complain(path, ("'%s' is none of people; %s"):format(tostring(value), nearest.hint(value, names)))
    end
    return nil
  end
end

-- What a text to people may tell besides what a prompt may.
local text_paths = { ["match.words"] = true, ["match.rule"] = false, ["match.severity"] = false }

local function body_of(def)
  return function(value, path, complain)
    return template.compile(shape.text(value, path, complain), def.vars or {}, def.hours ~= nil, function(_, what)
      complain(path, what)
    end, text_paths)
  end
end

-- Denials and questions are understood, and callers told what happens, in some languages only; half a rule is worse
-- than none, for somebody relies on it.
local function known_language(language, path, complain)
  if not spoken.caller[language] then
    local names = {}
    for i, code in ipairs(sorted.keys(spoken.caller)) do
      names[i] = ("%s (%s)"):format(code, spoken.language_name(code))
    end
    complain(path, ("emergencies are not understood in '%s', only in %s; give no rules, and no words, for others")
      :format(language, table.concat(names, " and ")))
  end
end

local function rule_language(def)
  return function(value, path, complain)
    local language = shape.one_of(def.languages)(value, path, complain)
    known_language(language, path, complain)
    return language
  end
end

local function spoken_at_once(def)
  local texts = shape.spoken(def.languages)
  return function(value, path, complain)
    local said = texts(value, path, complain)
    for _, language in ipairs(sorted.keys(said)) do
      known_language(language, path .. "." .. language, complain)
    end
    return said
  end
end

local function why_not_loaded(name, why)
  why = tostring(why):match "^[^\n]*"
  if why:find(("module '%s' not found"):format(name), 1, true) then
    return ("there is no module '%s'; write agents/%s.lua"):format(name, (name:gsub("%.", "/")))
  end
  return ("'%s' cannot be loaded: %s"):format(name, why)
end

-- Its phrases are not there, which was told; so nothing is said about what they would have held.
local function stand_in(rule)
  local copy = { any = { "phrases" }, say = "Phrases." }
  for key, value in pairs(rule) do
    copy[key] = value
  end
  return copy
end

-- Phrases, and what the caller is told, may stand in a module of their own, so that calls need not carry them.
local function join_phrases(rule, path, complain)
  local name = rule.phrases
  if name == nil then
    return rule
  elseif type(name) ~= "string" or not name:find "^[%l_][%w_.]*$" or name:find "^ringdown" then
    complain(path .. ".phrases", 'must name a module below agents/, like "lib.emergencies.gas_leak"')
    return rule
  end
  local found, listed = pcall(require, name)
  if not found then
    complain(path .. ".phrases", why_not_loaded(name, listed))
    return stand_in(rule)
  elseif type(listed) ~= "table" then
    complain(path .. ".phrases",
      ("'%s' must return a table with any, near, all, ask, ask_near, unless, say"):format(name))
    return rule
  end
  local joined = {}
  for key, value in pairs(rule) do
    joined[key] = value
  end
  for key, value in pairs(listed) do
    if joined[key] == nil then
      joined[key] = value
    elseif key ~= "say" then -- words to the caller are replaced, those to listen for are added
      joined[key] = M.joined(key, value, joined[key])
    end
  end
  return joined
end

---Two values of `any`, `near`, … as one.
function M.joined(key, first, second)
  local list = {}
  for _, value in ipairs { first, second } do
    if type(value) ~= "table" or key:find "near$" and value.within ~= nil then
      value = { value }
    end
    for _, item in ipairs(value) do
      list[#list + 1] = item
    end
  end
  return list
end

local function rule_shape(def)
  local person = person_of(def)
  return shape.fields({
    id = shape.matching("^%l[%l%d-]*$", "a name; use lower case letters, digits and -"),
    severity = shape.one_of { "life", "urgent", "normal" },
    phrases = shape.text,
    any = phrases, ask = phrases, unless = phrases, near = near, ask_near = near, all = all,
    languages = shape.list_of(rule_language(def)),
    say = spoken_at_once(def),
    transfer = person,
    text = shape.fields({ to = person, body = body_of(def) }, { "to", "body" }),
  }, { "id", "severity" })
end

local function check_whole(rule, path, complain)
  if not (rule.any or rule.near or rule.all or rule.ask or rule.ask_near) then
    complain(path, "can never match: give it any, near, all, ask or ask_near")
  end
  if rule.severity == "life" then
    if not rule.say then
      complain(path, "'say' is missing: what the caller must hear at once")
    end
    if not (rule.transfer or rule.text) then
      complain(path, "nobody would be told; give it transfer = \"…\" or text = { to = \"…\", body = \"…\" }")
    end
  end
end

local numbers_nobody_may_dial = {}
for number in ([[
  911 112 999 000 110 111 119 118 117 115 113 108 102 101 100 15 17 18 060 066 061 062 091 122 123 132 190 192 193
  198 933
]]):gmatch "%d+" do
  numbers_nobody_may_dial[number] = true
end

---"911", "+1 911", "112": numbers of emergency services, with or without a country's code.
---@param number any
---@return boolean
function M.is_emergency_number(number)
  local digits = type(number) == "string" and number:gsub("[%s()+.-]", "")
  if not digits or not digits:find "^%d+$" or #digits > 6 then
    return false
  end
  for skip = 0, math.min(3, #digits - 2) do
    if numbers_nobody_may_dial[digits:sub(skip + 1)] and (skip == 0 or number:find "^%s*%+") then
      return true
    end
  end
  return false
end

---@param value any `emergencies` as the agent wrote it
---@param path string
---@param complain fun(path: string, text: string)
---@param def table the agent, whose people, languages, vars and hours are checked already
---@return table[] rules
function M.shape(value, path, complain, def)
  local seen, n_wrong = {}, 0
  local function counted(at, text)
    n_wrong = n_wrong + 1
    complain(at, text)
  end
  local one = rule_shape(def)
  local rules = shape.list_of(function(rule, at)
    if type(rule) == "table" then
      rule = join_phrases(rule, at, counted)
    end
    return one(rule, at, counted)
  end)(value, path, counted)
  if #rules > RULES_MAX then
    counted(path, ("has more than %d rules"):format(RULES_MAX))
  end
  for i, rule in ipairs(rules) do
    local at = path .. "." .. i
    check_whole(rule, at, counted)
    if not rule.say then
      known_language(def.languages[1], at, counted)
    end
    if rule.id ~= "" and seen[rule.id or ""] then
      counted(at .. ".id", ("rule %d is called '%s' already"):format(seen[rule.id], rule.id))
    end
    seen[rule.id or ""] = i
  end
  if n_wrong == 0 then
    require("ringdown.triage.lint").check(rules, path, complain)
  end
  return rules
end

return M
