-- SPDX-License-Identifier: Apache-2.0
-- twiml: the documents of the carrier: those that are rendered when an agent is loaded and served without a
-- script, and those by which somebody else takes a caller.
local on_duty = require "ringdown.on_duty"
local words = require "ringdown.words"

local M = {}

local HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
local VAPI_INBOUND = "https://api.vapi.ai/twilio/inbound_call"
local DIAL_SECONDS = 25
local AFTER_FALLBACK = "/twilio/resume?after=fallback" -- on the node that served the document
local DIAL_MAX = 10 -- Twilio rings at most so many at once

local locales = { en = "en-US", es = "es-MX", de = "de-DE", fr = "fr-FR", it = "it-IT", pt = "pt-BR", nl = "nl-NL",
  pl = "pl-PL", zh = "zh-CN", ja = "ja-JP", ko = "ko-KR", ru = "ru-RU", sv = "sv-SE", da = "da-DK", fi = "fi-FI",
  no = "nb-NO" }

local entities = { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ['"'] = "&quot;", ["'"] = "&apos;" }

local function escape(text)
  return (text:gsub("[<>&\"']", entities):gsub("[%z\1-\8\11\12\14-\31]", ""))
end

local function attribute(name, value)
  return value and (' %s="%s"'):format(name, escape(tostring(value))) or ""
end

local function spoken(text, language)
  return text and ("<Say%s>%s</Say>"):format(attribute("language", locales[language or ""]), escape(text)) or ""
end

M.HEAD, M.escape, M.spoken = HEAD, escape, spoken -- for the documents of emergencies

local function say(def, key)
  return spoken(words.of(def, key), def.languages[1])
end

local function dial(numbers, action, more)
  local parts = {}
  local screen = attribute("url", more.screen) .. (more.screen and ' method="POST"' or "")
  for i, number in ipairs(numbers) do
    if i <= DIAL_MAX then
      parts[i] = ("<Number%s>%s</Number>"):format(screen, escape(number))
    end
  end
  return ('<Dial timeout="%d"%s%s%s>%s</Dial>'):format(more.timeout_s or DIAL_SECONDS, attribute("action", action),
    action and ' method="POST"' or "", attribute("callerId", more.caller_id), table.concat(parts))
end

---What a caller gets when the agent cannot answer: a person, else an apology. How the <Dial> went is asked for:
---who had a person is hung up on, who had none gets M.nobody().
---@param def table the agent
---@return string
function M.fallback(def)
  local groups, numbers = on_duty.groups(def, "office", "on_call"), {}
  for _, group in ipairs(groups) do
    local of_group = def.people[group]
    for _, number in ipairs(type(of_group) == "table" and of_group or { of_group }) do
      numbers[#numbers + 1] = number
    end
  end
  if #numbers > 0 then
    return HEAD .. "<Response>" .. say(def, "connecting") .. dial(numbers, AFTER_FALLBACK, {}) .. "</Response>\n"
  end
  return HEAD .. "<Response>" .. say(def, "apology") .. say(def, "nobody") .. "<Hangup/></Response>\n"
end

---What a caller hears whom nobody took in the fallback.
---@param def table the agent
---@return string
function M.nobody(def)
  return HEAD .. "<Response>" .. say(def, "nobody") .. "<Hangup/></Response>\n"
end

---@class ringdown.twiml.transfer
---@field say string? the caller hears it first
---@field language string? of `say`, "en"
---@field timeout_s integer? it rings so long; 25
---@field caller_id string? shown to who is dialled; the caller's own number if left out
---@field screen string? URL that is asked what who answers hears before they are connected; see M.screening

---Dials somebody else for the caller. How that went is asked for at `action`, which decides what then.
---@param numbers string[] they ring at once, at most 10
---@param action string URL
---@param more ringdown.twiml.transfer?
---@return string
function M.transfer(numbers, action, more)
  more = more or {}
  return HEAD .. "<Response>" .. spoken(more.say, more.language) .. dial(numbers, action, more) .. "</Response>\n"
end

---Who answered hears what it is about, and takes the call with a key; `action` is then asked what follows.
---Without a key, with a voicemail: hung up, and the <Dial> goes on without them.
---@param text string
---@param action string URL; its form has `Digits`
---@param language string? of the text
---@return string
function M.screening(text, action, language)
  return HEAD .. ('<Response><Gather numDigits="1" timeout="10"%s method="POST">%s</Gather><Hangup/></Response>\n')
    :format(attribute("action", action), spoken(text, language))
end

---They take it: connected to the caller.
---@return string
function M.accepted()
  return HEAD .. "<Response></Response>\n"
end

---They do not, or somebody else has: goodbye, with a sentence if there is one.
---@param text string?
---@param language string?
---@return string
function M.hang_up(text, language)
  return HEAD .. "<Response>" .. spoken(text, language) .. "<Hangup/></Response>\n"
end

---Answers a text.
---@param text string
---@return string
function M.message(text)
  return HEAD .. "<Response><Message>" .. escape(text) .. "</Message></Response>\n"
end

---Hands the call to Vapi. It must be the only verb.
---@return string
function M.vapi_redirect()
  return HEAD .. '<Response><Redirect method="POST">' .. VAPI_INBOUND .. "</Redirect></Response>\n"
end

return M
