-- SPDX-License-Identifier: Apache-2.0
-- emergency.words: what a caller, the people of an agent and the model are told around an emergency. Nothing here says
-- that help is on its way: nobody knows that.
local words = require "ringdown.words"

local M = {}

M.caller = {
  en = {
    stay = "Please stay on the line. I am connecting you to a person.",
    next_one = "Nobody is picking up. Please stay on the line, I am trying the next person.",
    everybody = "Still nobody. Please stay on the line, I am trying everybody at once.",
    nobody = "I cannot reach anybody right now. If you are in danger, call the emergency services.",
    taken = "One of our people has taken this and has your number.",
    safe = "If you are in danger, leave and call the emergency services.",
  },
  es = {
    stay = "No cuelgue, por favor. Le pongo con una persona.",
    next_one = "No contestan. No cuelgue, por favor, pruebo con la siguiente persona.",
    everybody = "Sigue sin contestar nadie. No cuelgue, por favor, pruebo con todos a la vez.",
    nobody = "Ahora no localizo a nadie. Si está en peligro, llame a los servicios de emergencia.",
    taken = "Una persona de nuestro equipo se ocupa de esto y tiene su número.",
    safe = "Si está en peligro, salga y llame a los servicios de emergencia.",
  },
}

-- Words that only one of the languages has; enough to tell which one a sentence is in.
local telling = {
  en = { "the", "is", "my", "there", "i", "we", "and", "smell", "help", "it", "a", "of", "please", "water" },
  es = { "el", "la", "hay", "mi", "huele", "una", "un", "de", "y", "por", "favor", "ayuda", "casa", "agua", "que" },
}

---In which of the agent's languages was this said?
---@param text string
---@param languages string[]
---@return string? language nil: nobody can tell
function M.language_of(text, languages)
  if #languages == 1 then
    return languages[1]
  end
  local padded, best, most, tie = " " .. text:lower():gsub("[%p%s]+", " ") .. " ", nil, 0, false
  for _, language in ipairs(languages) do
    local n = 0
    for _, word in ipairs(telling[language] or {}) do
      n = n + (padded:find(" " .. word .. " ", 1, true) and 1 or 0)
    end
    tie = n == most and n > 0 or (tie and n <= most)
    if n > most then
      best, most = language, n
    end
  end
  return not tie and best or nil
end

---@class ringdown.emergency.spoken
---@field language string
---@field text string

---The rule's own words, then the library's `key`: in the caller's language, or, when nobody can tell it, in each that
---the rule has.
---@param def table the agent
---@param say table<string, string>? of the rule
---@param language string?
---@param key string?
---@return ringdown.emergency.spoken[]
function M.spoken(def, say, language, key)
  local list = {}
  for _, one in ipairs(language and { language } or def.languages) do
    local own = M.caller[one] or M.caller.en
    local parts = { say and say[one] or nil }
    if say and not say[one] and language then
      parts[1] = say[def.languages[1]]
    end
    parts[#parts + 1] = key and own[key]
    if #parts > 0 then
      list[#list + 1] = { language = one, text = table.concat(parts, " ") }
    end
  end
  return list
end

---The same as one text, for the agent's own voice.
---@return string
function M.text(def, say, language, key)
  local parts = {}
  for i, one in ipairs(M.spoken(def, say, language, key)) do
    parts[i] = one.text
  end
  return table.concat(parts, " ")
end

---@param code string
---@return string "Spanish"
function M.language_name(code)
  return words.languages[code] or code
end

return M
