-- SPDX-License-Identifier: Apache-2.0
-- transfer: somebody else takes the caller.
--
--   want (the agent's own) ──▶ ask: the carrier dials ──▶ resume: answered ──▶ hang up, the caller had a person
--   an operator            ──────▲                           │ busy, no answer… ──▶ the next number, in turn
--                                                            └────────────────────▶ back to the agent
--
-- Many numbers of one name ring at once, or in turn when that is asked for. The carrier may ask the same
-- question twice: the last answer is kept for that. Who is dialled may be asked whether they take the call (`screen`):
-- they press 1, which a voicemail cannot; without that whoever picks up has the caller.
local calls = require "ringdown.call"
local host = require "ringdown.host"
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"
local rest = require "ringdown.twilio.rest"
local twiml = require "ringdown.twilio.twiml"

local M = {}

local TRANSFERS_MAX = 3
local WANTED_MS = 60000 -- a wish that nobody heard of again is none

local rings = { all = true, in_turn = true }

local screening = {
  en = "A caller of %s wants to speak with you. Press 1 to take the call.",
  es = "Alguien que llama a %s quiere hablar con usted. Pulse 1 para atender la llamada.",
}

local function nobody(people, to)
  local names = sorted.keys(people)
  return ("nobody is called '%s'; %s"):format(to,
    #names > 0 and nearest.hint(to, names) or "this agent has no people: give a number")
end

---The agent wants it. A name that nobody has is a mistake; what cannot be now is a reason.
---@param call ringdown.call
---@param name string
---@param options { ring: "all"|"in_turn"|nil, screen: boolean? }?
---@return boolean? wanted
---@return string? why not
function M.want(call, name, options)
  local ring, people = options and options.ring or "all", calls.def_of(call).people
  if type(name) ~= "string" or not people[name] then
    error("call:transfer: " .. nobody(people, tostring(name)), 3)
  elseif not rings[ring] then
    error(("call:transfer: ring cannot be '%s'; allowed: \"all\", \"in_turn\""):format(tostring(ring)), 3)
  elseif call.wanted and host.now_ms() < call.wanted.until_ms then
    return nil, "a transfer is under way already; say nothing until it is done"
  elseif call.transfers >= TRANSFERS_MAX then
    return nil, ("this caller was transferred %d times already; take a message instead"):format(TRANSFERS_MAX)
  end
  call.transfers = call.transfers + 1
  call.wanted = { name = name, in_turn = ring == "in_turn", screen = options and options.screen or nil,
    until_ms = host.now_ms() + WANTED_MS }
  return true
end

-- The numbers behind a name of the agent's people, or the number itself.
local function named_numbers(def, to)
  if to:match("^%+") then
    if to:match("^%+[1-9]%d+$") and #to >= 8 and #to <= 16 then
      return { to }
    end
    return nil, ("'%s' is no number; write it with + and the country code, like +13125550142"):format(to)
  end
  local numbers = def.people[to]
  if numbers and #numbers > 0 then
    return numbers
  end
  return nil, nobody(def.people, to)
end

---Whoever wants it, and wherever the number stood: an agent's file, a site, an operator's command.
---@param def table
---@param to string
---@return string[]? numbers
---@return string? why
local function numbers_of(def, to)
  local checks = require "ringdown.numbers"
  local list, wrong = named_numbers(def, to)
  local countries = not to:match("^%+") and checks.allowed(def.countries, def.numbers) or nil
  for _, number in ipairs(list or {}) do
    local why = checks.refusal(number, countries)
    if why then
      return nil, ("%s %s"):format(number, why)
    end
  end
  return list, wrong
end

M.numbers_of = numbers_of

-- The next document: all numbers, or the one whose turn it is. Which attempt it is stands in the address
-- that the carrier asks afterwards.
local function document(session, away)
  session.attempts = (session.attempts or 0) + 1
  away.attempt = tostring(session.attempts)
  return twiml.transfer(away.in_turn and { away.numbers[away.place] } or away.numbers,
    host.resume_url() .. "?attempt=" .. away.attempt,
    { screen = away.screen and host.resume_url():gsub("/resume$", "/accept") or nil })
end

-- Who was dialled: hears who wants them, and presses 1 or not.
local function ask_whom(session, form)
  if not (session.away and session.away.screen) then
    return "hang_up", ""
  elseif form.Digits == "1" then
    return "twiml", twiml.accepted()
  elseif (form.Digits or "") ~= "" then
    return "hang_up", ""
  end
  local language = session.def.languages[1]
  local words = screening[language] or screening.en
  return "twiml", twiml.screening(words:format(session.call.site.name),
    (host.resume_url():gsub("/resume$", "/accept")), screening[language] and language or "en")
end

local function tell(whom)
  return ("The transfer to %s did not work. Tell the caller so in one sentence, and offer to take a message.")
    :format(whom)
end

---Asks the carrier, which ends the stream by itself then.
---@param session ringdown.session
---@param to string a number, or one of the agent's people
---@return boolean asked
---@return string? why not
---@return boolean? unknown there was no answer: perhaps it happens all the same
---@return string? told what the model is told then, if it was the agent's wish
function M.ask(session, to)
  local wanted = session.call.wanted
  local own = wanted ~= nil and wanted.name == to
  session.call.wanted = nil
  local numbers, wrong = numbers_of(session.def, to)
  if not numbers then
    return false, wrong, nil, own and tell(to) or nil
  elseif not rest.ready() then
    return false, "Twilio cannot be asked: set twilio.sid and twilio.token", nil, own and tell(to) or nil
  end
  session.away = { whom = to, numbers = numbers, place = 1, in_turn = own and wanted.in_turn,
    screen = own and wanted.screen }
  local done, why, code = rest.update_call(session.call.id, { Twiml = document(session, session.away) },
    rest.dial_read_back(session.call.id, numbers))
  if done then
    return not done.over, done.over and "for Twilio the call is over already" or nil
  end
  why = math.type(code) and ("%s (%d)"):format(why, code) or why
  return false, why, code == "unknown", own and tell(to) or nil
end

-- "completed" says that somebody answered, a voicemail too; who was asked whether they take the call and
-- did not was never connected.
local function was_answered(form)
  local status = form.DialCallStatus
  return (status == "completed" or status == "answered") and form.DialBridged ~= "false"
end

local known = { busy = "busy", ["no-answer"] = "no answer", failed = "the number could not be reached",
  canceled = "canceled", completed = "declined", answered = "declined" }

local function back_to_agent(session, away, why, noticed)
  local happened = ("You had the caller transferred to %s, nobody took the call (%s), and they are back with you.")
    :format(away.whom, why)
  session.away, session.failed = nil, { whom = away.whom, why = why }
  return require("ringdown.comeback").brief(session, happened, noticed)
end

local function decide(session, form, noticed)
  local away = session.away
  if form.RingdownNote then -- an emergency had the caller, and says what the model must know
    session.away, session.failed = nil, nil -- and no hook about transfers runs
    return "stream", "", require("ringdown.comeback").brief(session, form.RingdownNote, noticed, form.RingdownOpening),
      "emergency", "no answer"
  elseif not form.DialCallStatus then
    session.away, session.failed = nil, nil
    return "stream", "", require("ringdown.comeback").after_a_break(session, noticed), "", ""
  elseif was_answered(form) then
    return "hang_up", "", nil, away and away.whom or "", ""
  elseif not away then
    away = { whom = "somebody else" }
  end
  local why = known[form.DialCallStatus] or "no answer"
  if away.in_turn and away.numbers[away.place + 1] then
    away.place = away.place + 1
    return "twiml", document(session, away), nil, away.whom, why
  end
  return "stream", "", back_to_agent(session, away, why, noticed), away.whom, why
end

---How the call goes on. See ringdown.session.
---@param session ringdown.session
---@param kind "resume"|"accept"
---@param form table<string, string>
---@param noticed boolean
---@return string how
---@return string document
---@return table? brief
---@return string whom
---@return string why
function M.resume(session, kind, form, noticed)
  if kind == "accept" then
    local how, screened = ask_whom(session, form)
    return how, screened, nil, "", ""
  end
  if not form.DialCallStatus then
    return decide(session, form, noticed) -- each broken stream is one of its own
  end
  local question = table.concat({ form.attempt or "", form.DialCallSid or "", form.DialCallStatus or "" }, " ")
  if not session.answered or session.answered.question ~= question then
    session.answered = { question = question, decide(session, form, noticed) }
  end
  return table.unpack(session.answered, 1, 5)
end

return M
