-- SPDX-License-Identifier: Apache-2.0
-- triage: emergencies are recognised by rules, beside the model and without it.
--
--   emergencies = {
--     { id = "gas-leak", severity = "life", any = { "smell gas", "gas leak" }, unless = { "gas bill" },
--       say = "Leave the building now, then call 911.", transfer = "on_call" },
--   }
--
-- What a rule hears for:
--   any     one of these phrases
--   near    words close together: { { "smell", "odor" }, "gas", within = 6 }, or a list of such groups
--   all     everything of this list, anywhere in the utterance; an item may be a list of alternatives
--   unless  phrases in which the words mean something else: "gas bill"
--   ask     phrases that are not enough to act, but enough for the agent to ask
--   ask_near  words close together that are enough to ask, written as in near
-- A rule matches when one of `any` or `near` is heard, and all of `all`. Words need not be written in all their
-- forms, and small words do not count: "smell gas" is found in "there's a smell of gas" too (match.lua says exactly
-- when).
--
-- Three verdicts:
--   match      act
--   ask        only an emergency of severity life: it was denied, asked about, imagined, is long over, or was perhaps
--              misheard. The agent asks one direct question, and it is recorded
--   near_miss  recorded only: an `unless`, and what would be an ask if it were about life
--
-- This file is what others call. The rest is loaded when it is needed, and a call's VM needs none of it. What a rule
-- does once it matched (say, transfer, text) is not decided here.
local shape = require "ringdown.shape"

---@class ringdown.emergency one rule of `emergencies`
---@field id string
---@field severity "life"|"urgent"|"normal"
---@field any string[]? one of these phrases
---@field near table? words close together: { { "smell", "odor" }, "gas", within = 6 }, or a list of such groups
---@field all (string|string[])[]? everything of this list
---@field unless string[]? phrases in which the words mean something else
---@field ask string[]? not enough to act, but enough to ask
---@field ask_near table? words close together that are enough to ask, as in near
---@field phrases string? a module that holds more of these, and say: "lib.emergencies.gas_leak"
---@field languages string[]? only for callers who speak one of these
---@field say ringdown.words? what the caller hears at once
---@field transfer string? who takes the call, a name of people
---@field text { to: string, body: string }? who is texted, and what: {{caller.number}}, {{match.words}}

local M = {}

---Rules as plain data: it survives JSON, and rules run where nothing of the agent runs.
---@param rules table[] `emergencies` of an agent, as agent { … } left it
---@param languages string[]
---@return table compiled
function M.compile(rules, languages)
  return require("ringdown.triage.compile").compile(rules, languages)
end

---The rules of an agent in the form the library uses.
---@param value any `emergencies` as the agent wrote it
---@param path string
---@param complain fun(path: string, text: string)
---@param def table the agent: its people, languages, vars and hours
---@return table[] rules
function M.shape(value, path, complain, def)
  if value == nil then
    return {}
  end
  return require("ringdown.triage.rules").shape(value, path, complain, def)
end

---What is allowed, and still should be said when an agent is loaded.
---@param def table
---@param warn fun(path: string, text: string)
function M.warn(def, warn)
  if #def.emergencies > 0 then
    require("ringdown.triage.lint").warn(def, warn)
  end
end

---A number of one of the agent's people, which is never that of an emergency service.
function M.person(value, path, complain)
  if type(value) == "string" and not value:find "^%+%d%d%d%d%d%d%d"
    and require("ringdown.triage.rules").is_emergency_number(value) then
    complain(path, ("%s must be dialled by the caller, never by the agent; give the number of a person"):format(value))
    return "" -- no further complaint about it
  end
  return shape.phone(value, path, complain)
end

---@class ringdown.triage.verdict
---@field rule string its id
---@field severity "life"|"urgent"|"normal"
---@field verdict "match"|"ask"|"near_miss"
---@field why "unless"|"negated"|"unclear"|nil nil for a match
---@field detail string? why, in words for a person: "denied", "asked about"
---@field heard string the words that were recognised: "smell gas"
---@field words string what was said, at most about 160 characters around the emergency

---The rules that an utterance concerns, in the order of the file; an empty list for almost all utterances. Never
---raises.
---@param compiled table
---@param words string the utterance as it was recognised
---@param language string? of the caller, when it is known: rules for other languages rest
---@return ringdown.triage.verdict[]
function M.match(compiled, words, language)
  return require("ringdown.triage.match").match(compiled, words, language)
end

return M
