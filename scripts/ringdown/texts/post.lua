-- SPDX-License-Identifier: Apache-2.0
-- post: sends a text, once at most, or says why not.
--
-- - what can be told without asking anybody is looked at first: the number, its country, how the caller's carrier
--   vouches for it, the length, the call's own cap
-- - the database answers the rest (opted out, landline, caps, repetition) and writes the text's row: may_text
-- - the text is a fact on this machine's disk, then Twilio is asked, then what came of it is a fact; so is a text that
--   is not sent, with the reason
--
-- Failure modes: with the database away callers get no text, because nobody knows whether they want one; the agent's
-- people get theirs, and that a call was missed is told once the database can be asked. A request without an answer is
-- not repeated, because Twilio has no idempotency keys: the list of what was sent tells, or the text stays "unknown". A
-- 429 was not processed and is repeated.
local calls = require "ringdown.call"
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local sorted = require "ringdown.sorted"
local rest = require "ringdown.twilio.rest"
local time = require "ringdown.time"

if host.loading then -- what a call may need later is loaded with the agent
  require "ringdown.numbers"
  require "ringdown.texts.dates"
  require "ringdown.texts.segments"
end

local M = {}

local REPLIES_HOUR = 5 -- to one number: enough for a conversation, not for two machines
local PEOPLE_CALL = 10 -- to the agent's people in one call; the next two are for all calls together
local PERSON_HOUR = 30 -- to one of them: more than anybody reads
local PEOPLE_DAY = 500 -- to all of them
local SWARM_CALLS = 10 -- in ten minutes, from one block of numbers
local SWARM_TEXTS = 20 -- in an hour, to different numbers of one block
local LIST_SLACK_S = 60 -- clocks differ
local ANSWER_MS = 4000 -- for the database; a caller waits
local AGAIN_S = 300 -- when the database went away while a text was due

---Why a text was not sent, for the model.
M.sentences = {
  withheld = "The caller's number is withheld, so there is nowhere to text; ask for nothing else, tell it instead.",
  invalid = "The number is none that can be texted; tell it instead.",
  service = "The number is a service number and is not texted.",
  country = "We do not text to that country; tell it instead.",
  stir = "The caller's number could not be verified, so it is not texted; tell it instead.",
  too_long = "The text became too long and was not sent; use shorter values.",
  link = "A text may not carry links, names of hosts or numbers that cost; leave that out.",
  call_cap = "This call has had all the texts it may have; send no more.",
  caller_cap = "This number has had all the texts it may have today; send no more.",
  agent_cap = "No more texts today; tell it instead.",
  people_call = "Our people have had all the texts that one call may bring them; send no more.",
  person_hour = "They have had all the texts of this hour; send no more, and offer that someone calls back.",
  people_day = "Our people have had all the texts of this day; send no more, and offer that someone calls back.",
  opted_out = "This number has opted out of our texts; if the caller wants them again, they text START to us.",
  unheard = "Texts cannot be sent from here, because answers would not reach us; tell it instead.",
  landline = "The number cannot receive texts, it is a landline; tell it instead.",
  repeated = "They have got this very text already; do not send it again.",
  asked = "They have got this very text already; do not send it again.",
  recent = "They had this text a short while ago.",
  loop = "We have answered that number often enough for now.",
  swarm = "Too many texts go to such numbers at the moment; tell it instead.",
  answered = "They got through meanwhile.",
  down = "Texts cannot be sent at the moment; tell it instead, or offer that someone calls back.",
  no_twilio = "Texts cannot be sent here; tell it instead.",
  refused = "The carrier refused the text; tell it instead.",
}

local vouched = { A = { A = true }, B = { A = true, B = true } }

---May the caller's number be believed, as far as the agent wants to know?
---@param def table the agent
---@param verstat string? Twilio's StirVerstat
function M.is_vouched(def, verstat)
  verstat = verstat or ""
  if verstat:find("Failed", 1, true) then
    return false
  end
  local wanted = def.sms and def.sms.stir
  return not wanted or vouched[wanted][verstat:match("Passed%-([ABC])") or ""] or false
end

---Is this a number that texts may go to at all?
---@return string? reason
function M.wrong_number(def, from, to)
  local numbers = require "ringdown.numbers"
  if not tostring(to):match("^%+[1-9]%d+$") then
    return "withheld"
  elseif numbers.takes_no_texts(to) then
    return "service"
  end
  local country = numbers.country(to)
  if not country then
    return "invalid"
  end
  local allowed = numbers.allowed(def.sms and def.sms.countries or def.countries,
    #def.numbers > 0 and def.numbers or { from })
  return allowed and not allowed[country] and "country" or nil
end

---@class ringdown.text
---@field id string ours; the same id is never sent twice
---@field call string? the carrier's id of the call it is about
---@field from string our number
---@field to string
---@field body string
---@field template string?
---@field kind string what it is for: "tool", "missed", "reply", "help", "emergency"…
---@field person boolean? to one of the agent's people: only their own caps count, and no database that is away
---@field due_at integer? unix: not before
---@field since_us integer? when the missed call began
---@field due boolean? it waited, and its time has come
---@field held_by string? a secret between this question to the database and its answer, should that get lost

local function sender_of(def, text)
  return def.sms and def.sms.service or text.from
end

-- As it is kept: what goes now is in hand, what goes later must be read again as it is.
local function kept_body(text)
  local kept = not text.due_at and not text.due and not text.held_by and host.redacted(json.encode { text.body })
  return kept and json.decode(kept)[1] or text.body
end

local function question(def, text, segments)
  local caps = def.sms and def.sms.caps or { day = 5, agent = 500 }
  local senders = json.array { sender_of(def, text), text.from }
  for _, number in ipairs(def.numbers) do
    senders[#senders + 1] = number
  end
  return {
    id = text.id, call = text.call, agent = def.name, from = text.from, to = text.to, senders = senders,
    hash = host.number_hash(text.to), template = text.template, kind = text.kind, body = kept_body(text),
    segments = segments, person = text.person, due = text.due, due_at = text.due_at, since_us = text.since_us,
    held_by = text.held_by,
    window_s = (def.sms and def.sms.window or 14400000) // 1000, caller_day = caps.day, agent_day = caps.agent,
    reply_hour = REPLIES_HOUR, swarm_calls = SWARM_CALLS, swarm_texts = SWARM_TEXTS,
    person_hour = PERSON_HOUR, people_day = PEOPLE_DAY,
  }
end

-- Why the database says no; "down": nobody knows; nil: it may be sent.
local function refusal(def, text, segments)
  local rows, why = host.query("select may_text($1::jsonb)", { json.encode(question(def, text, segments)) },
    ANSWER_MS)
  if rows then
    return rows[1] and rows[1][1] or nil
  end
  if text.person then
    return nil
  end
  log.fact("warn", "text.not_asked", text.call or "", { why = log.known(why or "?"),
    fix = log.known "callers are not texted while the database is away, missed calls later; see the alarm about it" })
  return "down"
end

local function keep(text, facts)
  facts.id = text.id
  facts.call = text.call
  host.fact("text", json.encode(facts))
end

-- When Twilio made a message: "Fri, 27 Nov 2026 02:00:00 +0000".
local months = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
  Dec = 12 }
local function unix_of(rfc2822)
  local day, month, year, clock, second = tostring(rfc2822):match("(%d+) (%a+) (%d+) (%d+:%d+):(%d+) %+0000")
  month = months[month or ""]
  local minute = month and time.unix_of("UTC", ("%s-%02d-%02d %s"):format(year, month, math.tointeger(day), clock))
  return minute and minute + math.tointeger(second)
end

-- Was it sent after all? Found: yes. Not found: the list may only be late, so nobody knows.
local function look_up(text, began)
  return function()
    local list, why = rest.read("Messages.json", { To = text.to, PageSize = 20 })
    if not list then
      return nil, why
    end
    for _, message in ipairs(type(list.messages) == "table" and list.messages or {}) do
      local made = unix_of(message.date_created)
      if message.body == text.body and message.to == text.to and made and made >= began - LIST_SLACK_S then
        return message
      end
    end
    return nil, "it is not among the texts sent, yet"
  end
end

local function callback_of(text)
  return host.resume_url():gsub("/twilio/resume$", "/twilio/status") .. "?text=" .. text.id
end

local function ask_twilio(def, text)
  local form = { To = text.to, Body = text.body, StatusCallback = callback_of(text) }
  local sender = sender_of(def, text)
  form[sender:match("^MG") and "MessagingServiceSid" or "From"] = sender
  return rest.write { path = "Messages.json", form = form, read_back = look_up(text, time.unix()) }
end

-- What Twilio said, kept; and what the script is told.
local function tell(def, text, message, why, code)
  if message then
    keep(text, { sid = message.sid, status = message.status or "queued",
      segments = math.tointeger(tonumber(message.num_segments)) })
    return { id = text.id, sid = message.sid, status = message.status or "queued" }
  elseif code == "unknown" then
    keep(text, { error_code = "unknown" })
    log.fact("warn", "text.unknown", text.call or "", { why = log.known(why),
      fix = log.known "nobody knows whether it was sent, and it is not repeated; Twilio's message log tells" })
    return nil, "unknown"
  end
  local opted_out = code == 21610
  keep(text, { direction = "out", from = sender_of(def, text), to = text.to, status = "failed",
    error_code = code and tostring(math.type(code) == "float" and math.tointeger(code) or code) or "refused",
    hash = opted_out and host.number_hash(text.to) or nil })
  if not opted_out then
    log.fact("warn", "text.refused", text.call or "", { why = log.known(why),
      fix = log.known "look the code up in Twilio's documentation: is the sender registered, may it text there?" })
  end
  return nil, opted_out and "opted_out" or code == 21614 and "landline" or "refused", why
end

local function keep_sending(text, segments, status)
  keep(text, { direction = "out", from = text.from, to = text.to, template = text.template, kind = text.kind,
    body = text.body, segments = segments, status = status, due_at = text.due_at })
end

-- Nobody could be asked: the journal brings it to the database, which has it asked about once it is there again.
local function put_off(text, segments)
  keep(text, { direction = "out", from = text.from, to = text.to, template = text.template, kind = text.kind,
    body = text.body, segments = segments, status = "scheduled", error_code = "down", held_by = text.held_by,
    due = text.due, due_at = text.due_at or time.unix() + (text.due and AGAIN_S or 0) })
  return { id = text.id, status = "scheduled" }
end

---A text that is not sent is a fact as well, without its words, and no cap counts it. One that was asked for twice is
---a line in the log.
---@param def table the agent
---@param text ringdown.text
---@param why string a key of `sentences`
function M.keep_refusal(def, text, why)
  if why == "asked" then -- a fact of that name would be about the one that was sent, or is being
    log.fact("info", "text.asked_twice", text.call or "", { text = log.known(text.id), kind = log.known(text.kind) })
    return
  end
  keep(text, { direction = "out", from = sender_of(def, text), to = text.to, template = text.template,
    kind = text.kind, status = "canceled", error_code = why })
end

local function not_sent(def, text, why)
  M.keep_refusal(def, text, why)
  return nil, why
end

---Sends a text that the checks of its kind have passed. The first thing that speaks against it is the reason.
---@param def table the agent
---@param text ringdown.text
---@return { id: string, sid: string?, status: string }? sent
---@return string? reason a key of `sentences`, or "unknown"
function M.send(def, text)
  local segments = require "ringdown.texts.segments"
  if not utf8.len(text.body) then
    error("a text must be UTF-8", 0)
  end
  text.body = segments.plain(text.body)
  local n = segments.count(text.body)
  local wrong = M.wrong_number(def, text.from, text.to)
  if wrong and not (text.person and wrong == "country") then
    return not_sent(def, text, wrong)
  elseif n > (def.sms and def.sms.segments or 4) then
    return not_sent(def, text, "too_long")
  elseif not rest.ready() then
    return not_sent(def, text, "no_twilio")
  end
  text.held_by = text.kind == "missed" and ("%016x"):format(math.random(0)) or nil
  local no = refusal(def, text, n)
  if no == "down" and text.kind == "missed" then
    return put_off(text, n)
  elseif no then
    return not_sent(def, text, no)
  end
  keep_sending(text, n, text.due_at and not text.due and "scheduled" or "queued")
  if text.due_at and not text.due then
    return { id = text.id, status = "scheduled" }
  end
  local kept, lost = host.durable()
  if not kept then
    error("the text was not sent, because it could not be recorded first: " .. lost, 0)
  end
  return tell(def, text, ask_twilio(def, text))
end

---Sends a text about an emergency: nothing speaks against it, a disk that takes nothing does not stop it, and nobody
---waits until a lost answer is found. The errand that runs hears when it was not delivered.
---@param def table the agent
---@param text ringdown.text
---@return boolean? sent or nobody knows
---@return string? why not
function M.send_urgently(def, text)
  local segments = require "ringdown.texts.segments"
  text.body = segments.plain(text.body)
  keep_sending(text, segments.count(text.body), "queued")
  host.durable()
  local form = { From = text.from, To = text.to, Body = text.body,
    StatusCallback = callback_of(text) .. "&errand=" .. host.address() }
  local sent, reason, why = tell(def, text, rest.write { path = "Messages.json", form = form })
  return sent and true or reason == "unknown" or nil, why
end

-- ── of a call ───────────────────────────────────────────────────────────────────────────────────
local function recipient(def, call, name)
  if not name then
    return call.caller.number, nil
  end
  local numbers = def.people[name]
  if not numbers or #numbers == 0 then
    local names = sorted.keys(def.people)
    error(("sms.send: nobody is called '%s'; %s"):format(tostring(name),
      #names > 0 and require("ringdown.nearest").hint(tostring(name), names) or "this agent has no people"), 0)
  end
  return numbers[1], true
end

-- A text counts while it is being sent, and for good when it was; what was refused counts for nothing.
local function counted(call, person)
  local field = person and "texts_to_people" or "texts_sent"
  call[field] = (call[field] or 0) + 1
  return setmetatable({ sent = false }, { __close = function(self)
    call[field] = call[field] - (self.sent and 0 or 1)
  end })
end

-- What speaks against a text before anybody is asked.
local function speaks_against(def, call, to, person, lured)
  if person then -- what they get was made harmless
    return (call.texts_to_people or 0) >= PEOPLE_CALL and "people_call" or nil
  elseif lured then
    return "link"
  elseif not to then
    return "withheld"
  elseif not M.is_vouched(def, call.verstat) then
    return "stir"
  elseif (call.texts_sent or 0) >= (def.sms and def.sms.caps.call or 3) then
    return "call_cap"
  end
end

local function send_counted(def, call, text)
  local one <close> = counted(call, text.person)
  local sent, no = M.send(def, text)
  one.sent = sent ~= nil or no == "unknown"
  return sent, no
end

-- Known by its call, or by the text that is being answered, and by how many there were before.
local function id_of(call)
  call.texts_tried = (call.texts_tried or 0) + 1
  local about = call.id ~= "" and call.id or call.answers or ("%016x"):format(math.random(0))
  return ("%s.%d.%d"):format(about, time.unix(), call.texts_tried)
end

---sms.send(): one of the agent's texts to the caller or to one of its people.
---@param call ringdown.call
---@param name string
---@param o { to: string?, args: table<string, any>? }
function M.template(call, name, o)
  local def = calls.def_of(call)
  local to, person = recipient(def, call, o.to)
  local body, lured = require("ringdown.sms").words(def, call, name, o.args)
  local no = speaks_against(def, call, to, person, lured)
  local text = {
    id = id_of(call), call = call.id ~= "" and call.id or nil, person = person,
    from = call.called or def.numbers[1] or "", to = to, body = body, template = name, kind = "tool",
  }
  local sent
  if no then
    M.keep_refusal(def, text, no)
  else
    sent, no = send_counted(def, call, text)
  end
  if sent then
    return sent
  elseif no == "unknown" then
    error("nobody knows whether the text was sent: Twilio did not answer", 0)
  end
  log.fact("info", "text.not_sent", call.id, { template = log.known(name), reason = log.known(no) })
  return nil, M.sentences[no] or M.sentences.refused
end

return M
