-- SPDX-License-Identifier: Apache-2.0
-- emergency.twiml: the documents of an emergency. Who is dialled is asked to press 1 before the caller is put through:
-- a voicemail cannot.
local host = require "ringdown.host"
local twiml = require "ringdown.twilio.twiml"

local M = {}

local RING_SECONDS = 20
local DIAL_MAX = 10 -- Twilio rings at most so many at once

local function said(spoken)
  local parts = {}
  for i, one in ipairs(spoken) do
    parts[i] = twiml.spoken(one.text, one.language)
  end
  return table.concat(parts)
end

local function document(body)
  return twiml.HEAD .. "<Response>" .. body .. "</Response>\n"
end

---Where the carrier asks whether who was dialled takes the call.
local function accept_url()
  return (host.resume_url():gsub("/resume$", "/accept"))
end

local function numbers_of(numbers, more)
  local parts = {}
  for i, number in ipairs(numbers) do
    if i <= DIAL_MAX then
      parts[i] = ("<Number%s>%s</Number>"):format(more, twiml.escape(number))
    end
  end
  return table.concat(parts)
end

-- What is asked before somebody who was dialled has the caller.
local function whisper(errand)
  return (' url="%s" method="POST"'):format(twiml.escape(accept_url() .. (errand and "?errand=" .. errand or "")))
end

---The caller hears `spoken`, then rings these until one of them presses 1. How that went is asked for.
---@param spoken ringdown.emergency.spoken[]
---@param numbers string[]
---@param errand string? its address, which is asked rather than the call's own
---@return string
function M.dial(spoken, numbers, errand)
  local action = host.resume_url() .. (errand and "?errand=" .. errand or "")
  return document(said(spoken) .. ('<Dial timeout="%d" action="%s" method="POST">%s</Dial>')
    :format(RING_SECONDS, twiml.escape(action), numbers_of(numbers, whisper(errand))))
end

---The caller hears `spoken`, and that was it.
---@param spoken ringdown.emergency.spoken[]
---@return string
function M.goodbye(spoken)
  return document(said(spoken) .. "<Hangup/>")
end

---The same where nobody can be asked any more how it goes on.
---@param spoken ringdown.emergency.spoken[]
---@param numbers string[]
---@param nobody ringdown.emergency.spoken[]
---@param errand string? its address, which asks for the 1; without it whoever picks up has the caller
---@return string
function M.dial_plainly(spoken, numbers, nobody, errand)
  local asked = errand and whisper(errand) or ""
  return document(said(spoken) .. ('<Dial timeout="%d">%s</Dial>'):format(RING_SECONDS, numbers_of(numbers, asked))
    .. said(nobody) .. "<Hangup/>")
end

---Who was dialled hears what it is about and presses 1, or is cut off.
---@param text string
---@param language string
---@param errand string? its address, which is asked rather than the call's own
---@return string
function M.screening(text, language, errand)
  return twiml.screening(text, accept_url() .. (errand and "?errand=" .. errand or ""), language)
end

M.bridge, M.hang_up = twiml.accepted, twiml.hang_up

---Somebody's phone rings and says this twice.
---@param text string
---@param language string
---@return string
function M.announcement(text, language)
  local once = twiml.spoken(text, language)
  return document(once .. '<Pause length="1"/>' .. once)
end

return M
