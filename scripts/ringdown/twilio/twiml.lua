-- SPDX-License-Identifier: Apache-2.0
-- twiml: the documents that are rendered when an agent is loaded and served without a script.
local words = require "ringdown.words"

local M = {}

local HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
local VAPI_INBOUND = "https://api.vapi.ai/twilio/inbound_call"
local DIAL_SECONDS = 25
local DIAL_MAX = 10 -- Twilio rings at most so many at once

local locales = { en = "en-US", es = "es-MX", de = "de-DE", fr = "fr-FR", it = "it-IT", pt = "pt-BR", nl = "nl-NL",
  pl = "pl-PL", zh = "zh-CN", ja = "ja-JP", ko = "ko-KR", ru = "ru-RU", sv = "sv-SE", da = "da-DK", fi = "fi-FI",
  no = "nb-NO" }

local entities = { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ['"'] = "&quot;", ["'"] = "&apos;" }

local function escape(text)
  return (text:gsub("[<>&\"']", entities):gsub("[%z\1-\8\11\12\14-\31]", ""))
end

local function say(def, key)
  local locale = locales[def.languages[1]]
  return ("<Say%s>%s</Say>"):format(locale and (' language="%s"'):format(locale) or "", escape(words.of(def, key)))
end

local function dial(numbers, action)
  local parts = {}
  for i, number in ipairs(numbers) do
    if i <= DIAL_MAX then
      parts[i] = ("<Number>%s</Number>"):format(escape(number))
    end
  end
  local back = action and (' action="%s" method="POST"'):format(escape(action)) or ""
  return ('<Dial timeout="%d"%s>%s</Dial>'):format(DIAL_SECONDS, back, table.concat(parts))
end

---What a caller gets when the agent cannot answer: a person, else an apology.
---@param def table the agent
---@return string
function M.fallback(def)
  local people = def.people.office or def.people.on_call
  if people and #people > 0 then
    return HEAD .. "<Response>" .. say(def, "connecting") .. dial(people) .. say(def, "nobody")
      .. "<Hangup/></Response>\n"
  end
  return HEAD .. "<Response>" .. say(def, "apology") .. say(def, "nobody") .. "<Hangup/></Response>\n"
end

---Dials somebody else for the caller. How that went is asked for at `action`, which decides what then.
---@param numbers string[]
---@param action string URL
---@return string
function M.transfer(numbers, action)
  return HEAD .. "<Response>" .. dial(numbers, action) .. "</Response>\n"
end

---Hands the call to Vapi. It must be the only verb.
---@return string
function M.vapi_redirect()
  return HEAD .. '<Response><Redirect method="POST">' .. VAPI_INBOUND .. "</Redirect></Response>\n"
end

return M
