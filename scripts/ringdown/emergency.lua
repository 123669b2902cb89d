-- SPDX-License-Identifier: Apache-2.0
-- emergency: what follows once a rule of `emergencies` matched: an errand beside the call. It ends in *handled* (a
-- person pressed 1 and has the caller, or answered the text), or *abandoned* (nobody did, after everything was tried).
--
--   life:   the line      say ▶ dial person 1 (press 1) ▶ person 2 … ▶ all at once ▶ alarm, back to the agent
--           beside it     text person 1 ─ 60 s ▶ person 2 ─ 60 s … ▶ all ─ 60 s ▶ alarm ─ 5 min ▶ all … ▶ abandoned
--   urgent: say, text everybody, transfer if the rule says so; not confirmed within 15 minutes: abandoned, a warning
--   normal: text
--
-- Failure modes: Twilio cannot be asked, or says no: the agent's own voice says the words; an alarm at once.
-- The caller hung up, or the model or the agent's script died: texts go on, and phones ring instead of the line. The
-- node ended: the next one begins with the texts again (`resumed`).
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local people = require "ringdown.emergency.people"
local rest = require "ringdown.twilio.rest"
local template = require "ringdown.template"
local tw = require "ringdown.emergency.twiml"
local words = require "ringdown.emergency.words"

local M = {}

local CONFIRM_MS = 60000 -- how long one person has
local AGAIN_MS = 300000 -- between the rounds after the alarm
local ROUNDS = 6
local URGENT_MS = 900000
local POLL_MS, QUERY_MS = 5000, 3000
local ALARM = "emergency.unanswered"
local WORDS_MAX = 160

-- After these the carrier still has the caller, and says the fallback.
local still_there = { provider_failed = true, script_failed = true, carrier_lost = true, shutdown = true }
local yes = { ["1"] = true, yes = true, y = true, ok = true, okay = true, si = true, ["sí"] = true, vale = true }

---@class ringdown.emergency.payload
---@field call string the carrier's id
---@field rule string
---@field severity "life"|"urgent"|"normal"
---@field source "rule"|"model"
---@field words string what the caller said
---@field from string? the caller
---@field to string? our number
---@field language string? of the caller, if the rule knows
---@field ended boolean? the call is over already
---@field resumed boolean? another process began it
---@field steps integer? which it had done

---@class ringdown.emergency
---@field line "dialling"|"agent"|"bridged"|"gone" where the caller is
---@field rung integer how far the dialling is: person 1…n, n+1: all at once
---@field text_rung integer the same of the texts; beyond n+1: rounds after the alarm
local emergency = {}
emergency.__index = emergency

-- ── facts ───────────────────────────────────────────────────────────────────────────────────────
local function fact(type, members)
  local kept, why = host.fact(type, json.encode(members))
  if not kept then
    log.fact("warn", "triage.not_kept", "", { why = log.known(why), fix = log.known(
      "what was done about an emergency is missing in its records; look at the journal's own errors") })
  end
end

function emergency:step(kind, target, state, detail)
  self.n_steps = self.n_steps + 1
  fact("triage_step", { rule = self.p.rule, step = self.first_step + self.n_steps, kind = kind,
    target = target, state = state, detail = detail })
end

function emergency:state(state, by)
  fact("triage", { rule = self.p.rule, severity = self.p.severity, source = self.p.source,
    state = state, by = by })
end

function emergency:alarm(text)
  self:step("alert", nil, "asked", text)
  host.alarm("critical", ALARM, self.p.call, ("%s: %s"):format(self.p.rule, text))
  self.alarmed = true
end

-- ── words ───────────────────────────────────────────────────────────────────────────────────────
function emergency:spoken(key)
  return words.spoken(self.def, self.rule.say, self.language, key)
end

-- In the agent's own voice, where the line cannot be had.
function emergency:speak(key)
  local text = words.text(self.def, self.rule.say, self.language, key)
  local heard = text ~= "" and host.say(text)
  self:step("say", nil, heard and "asked" or "failed")
  return heard
end

function emergency:body(code)
  local body = self.rule.text and self.rule.text.body
  if type(body) == "table" then
    body = template.render(body, self.values)
  end
  body = body or ("EMERGENCY %s, caller %s: %s"):format(self.p.rule, self.p.from or "unknown",
    people.cut(self.p.words or "", WORDS_MAX))
  return code and ("%s\nReply %d to take it."):format(body, code) or body
end

local function name_of(self, number)
  for _, list in ipairs { self.transfer, self.text } do
    for _, person in ipairs(list) do
      if person.number == number then
        return person.name
      end
    end
  end
  return number
end

-- ── texts ───────────────────────────────────────────────────────────────────────────────────────
function emergency:send(person, body, quietly)
  local id = ("%s.%s.%d"):format(self.p.call, self.p.rule, self.first_step + self.n_steps + 1)
  local sent, why = people.text(self.p.to, person.number, body, id)
  if not quietly then
    self:step("text", person.number, sent and "asked" or "failed", why)
  end
  return sent
end

-- Asks for an answer: 1, or another digit for somebody who is asked about two things at once.
function emergency:ask(person)
  local code, why = host.expect_text(person.number)
  self.codes[person.number] = code
  if not code then
    self:step("text", person.number, "failed", "no answer can be told apart: " .. why)
  end
  self.asked[#self.asked + 1] = person
  local sent = self:send(person, self:body(code))
  if self.line == "gone" and sent then
    self:ring(person)
  end
  return sent
end

-- A text wakes nobody. Once the caller's own call does not ring phones any more, this does.
function emergency:ring(person)
  local rings, why = people.ring(self.p.to, person.number,
    ("Emergency at %s. You have a text about it; answer the text."):format(self.site), "en")
  self:step("transfer", person.number, rings and "asked" or "failed", why or "a call that tells of the text")
end

function emergency:tell_others(text, but)
  local told = { [but or ""] = true }
  for _, person in ipairs(self.asked) do
    if not told[person.number] then
      told[person.number] = true
      self:send(person, text, true)
    end
  end
end

-- ── the line ────────────────────────────────────────────────────────────────────────────────────
-- Whom the line rings at a rung: one person, or all of them.
function emergency:ringing()
  local person = self.transfer[self.rung]
  if person then
    return { person.number }
  end
  local numbers = {}
  for i, each in ipairs(self.transfer) do
    numbers[i] = each.number
  end
  return numbers
end

function emergency:note_ringing()
  for _, number in ipairs(self:ringing()) do
    self:step("transfer", number, "asked")
  end
end

-- The caller is still with the agent: its own voice says what to do.
function emergency:stay_with_agent(why)
  self.line = "agent"
  self:speak "safe"
  if why then
    self:alarm("the caller could not be transferred: " .. why)
  end
end

function emergency:begin_line()
  if self.p.ended or self.p.resumed then
    self.line = "gone"
  elseif #self.transfer == 0 then
    self:stay_with_agent "the agent has no people"
  elseif not rest.ready() then
    self:stay_with_agent "Twilio cannot be asked: set twilio.sid and twilio.token"
  elseif not host.take_line() then
    self:stay_with_agent() -- another emergency of this call has the caller
  else
    self:dial_first()
  end
end

function emergency:dial_first()
  self.line, self.rung = "dialling", 1
  self:step("say", nil, "asked")
  self:note_ringing()
  host.transfer_begun(self.transfer[1].name)
  local done, why, code = rest.update_call(self.p.call, { Twiml = tw.dial(self:spoken "stay", self:ringing()) })
  if done and done.over then
    self.line = "gone"
  elseif not done then
    self:step("transfer", self.transfer[1].number, "failed", why)
    host.transfer_refused(why, code == "unknown")
    self:stay_with_agent(why)
  end
end

-- The caller's dial is over and nobody pressed 1: the next one, at once.
function emergency:dial_next(ticket)
  local n = #self.transfer
  self.rung = self.rung + 1
  if self.rung <= n then
    self:note_ringing()
    host.answer(ticket, "twiml", tw.dial(self:spoken "next_one", self:ringing()))
  elseif self.rung == n + 1 and n > 1 then
    self:note_ringing()
    host.answer(ticket, "twiml", tw.dial(self:spoken "everybody", self:ringing()))
  else
    self:back_to_agent(ticket)
    self:alarm "nobody took the caller"
  end
end

-- What the agent must know when the caller is back.
function emergency:note()
  local says = words.text(self.def, self.rule.say, self.language)
  local what = ("The caller has an emergency (%s)."):format(self.p.rule)
  if self.handled_by then
    what = ("%s %s has taken it and knows the caller's number; say so."):format(what, self.handled_by)
  else
    what = what .. " Nobody of our people picked up yet; they were texted and we keep trying. Do not say that help is"
      .. " on its way or that anybody was called."
  end
  return ("%s Stay with the caller, keep them safe, and do not end the call. Repeat if needed: %s"):format(what, says)
end

function emergency:back_to_agent(ticket)
  self.line = "agent"
  self.form.RingdownNote = self:note()
  self.form.RingdownOpening = words.text(self.def, nil, self.language, self.handled_by and "taken" or "nobody")
  host.answer(ticket, "agent", json.encode(self.form))
end

-- ── what comes in ───────────────────────────────────────────────────────────────────────────────
function emergency:handled(by, number)
  if self.handled_by then
    return
  end
  self.handled_by = by
  self:state("handled", by)
  host.keep_open(false)
  host.alarm_over(ALARM, self.p.call)
  self:tell_others(("%s: taken by %s."):format(self.p.rule, by), number)
end

local on = {}

-- Who was dialled picked up: he presses 1, or it was his voicemail.
function on.accept(self, form, ticket)
  local number, by = form.To or "", name_of(self, form.To)
  if self.handled_by and self.handled_by ~= by then -- who took it by text and picks up after all has the caller
    host.answer(ticket, "twiml", tw.hang_up(("It is taken already, by %s. Thank you."):format(self.handled_by), "en"))
  elseif form.Digits == nil or form.Digits == "" then
    self:step("transfer", number, "answered")
    host.answer(ticket, "twiml", tw.screening(("Emergency call for %s: %s. Press 1 to take it.")
      :format(self.site, self.p.rule:gsub("[-_]", " ")), "en"))
  elseif form.Digits == "1" then
    host.answer(ticket, "twiml", tw.bridge())
    self.line = "bridged"
    self:step("transfer", number, "confirmed")
    self:handled(by, number)
  else
    self:step("transfer", number, "refused", "pressed another key than 1")
    host.answer(ticket, "twiml", tw.hang_up())
  end
end

function on.resume(self, form, ticket)
  self.form = form
  if self.line == "bridged" then
    host.answer(ticket, "hang_up")
    return
  end
  self.line = "dialling"
  local status = form.DialCallStatus or "unknown"
  for _, number in ipairs(self:ringing()) do
    self:step("transfer", number, status == "busy" and "refused" or status == "failed" and "failed" or "no_answer",
      "the dial ended as " .. status)
  end
  if self.handled_by then
    self:back_to_agent(ticket)
  else
    self:dial_next(ticket)
  end
end

function on.text(self, letter)
  local number = letter.from or ""
  local first = (letter.body or ""):lower():match "^%s*([%w\128-\255]+)" or ""
  local code = self.codes[number]
  if letter.code == code or (letter.code == 0 and not letter.several and yes[first] and first ~= "1") then
    self:step("text", number, "confirmed")
    self:send({ number = number }, ("You took it: %s, caller %s."):format(self.p.rule, self.p.from or "unknown"), true)
    self:handled(name_of(self, number), number)
    if self.line == "agent" then
      host.instruct(self:note())
    end
  elseif first == "no" then
    self:step("text", number, "refused")
    self.next_ms = host.now_ms()
  elseif not self.helped[number] then
    self.helped[number] = true
    self:send({ number = number }, ("Reply %d to take %s."):format(code or 1, self.p.rule), true)
  end
end

-- The agent's own script broke: these people rather than the general fallback.
function on.broken(self)
  if self.line ~= "agent" or #self.transfer == 0 or not rest.ready() then
    if self.line == "agent" then
      host.fall_back "script_failed"
    end
    return
  end
  self.line, self.rung = "dialling", #self.transfer + 1
  self:note_ringing()
  host.transfer_begun(self.transfer[1].name)
  local done, why = rest.update_call(self.p.call, { Twiml = tw.dial(self:spoken "stay", self:ringing()) })
  if not done then
    self:step("transfer", self.transfer[1].number, "failed", why)
    self.line = "agent"
    host.fall_back "script_failed"
  end
end

-- The call is over for us. Its caller may still be at the carrier, with our fallback.
function on.ended(self, letter)
  local was = self.line
  self.line = "gone"
  if was == "bridged" or self.handled_by or not still_there[letter.reason] or not rest.ready() then
    return
  end
  local done, why = rest.update_call(self.p.call, { Twiml = tw.dial_plainly(self:spoken "stay",
    self.everybody, words.spoken(self.def, nil, self.language, "nobody")) })
  self:step("transfer", self.everybody[1], done and not done.over and "asked" or "failed",
    why or "the agent broke off: whoever picks up has the caller")
end

-- Another node may have had the answer.
function emergency:look()
  if not host.query or self.handled_by then
    return
  end
  local asked, rows = pcall(host.query, "select state, handled_by from triage_matches where call = $1 and rule = $2",
    { self.p.call, self.p.rule }, QUERY_MS)
  local row = asked and rows and rows[1]
  if row and row[1] == "handled" then
    self.handled_by = row[2] or "somebody"
    host.alarm_over(ALARM, self.p.call)
    self:tell_others(("%s: taken by %s."):format(self.p.rule, self.handled_by))
  end
end

-- ── the ladder of texts ─────────────────────────────────────────────────────────────────────────
function emergency:ask_all()
  for _, person in ipairs(self.text) do
    self:ask(person)
  end
end

function emergency:climb()
  local n = #self.text
  self.text_rung = self.text_rung + 1
  self.next_ms = host.now_ms() + CONFIRM_MS
  if self.text_rung <= n then
    self:ask(self.text[self.text_rung])
  elseif self.text_rung == n + 1 then
    self:ask_all()
  elseif self.text_rung - n - 2 >= ROUNDS then
    self.abandoned = true
  else
    if not self.alarmed or self.text_rung == n + 2 then
      self:alarm "nobody confirmed it"
    end
    if self.text_rung > n + 2 then
      self:ask_all()
    end
    self.next_ms = host.now_ms() + AGAIN_MS
  end
end

function emergency:is_over()
  return self.abandoned or (self.handled_by and self.line ~= "dialling")
end

-- Whatever is wrong with a letter, the rest goes on.
function emergency:take(kind, letter, ticket)
  local taken, why = pcall(on[kind], self, letter, ticket)
  if not taken then
    log.fact("error", "errand.failed", self.p.call, { why = log.known(why), kind = log.known(kind),
      fix = log.known "report it with this line; the emergency itself is followed up" })
  end
end

-- Letters, the clock, and now and then the database.
function emergency:follow(at_next)
  while not self:is_over() do
    local patience = math.max(math.min(self.next_ms - host.now_ms(), POLL_MS), 0)
    local kind, text, ticket = host.wait(patience)
    if kind and on[kind] then
      self:take(kind, json.decode(text) or {}, ticket)
    elseif kind and ticket then
      host.answer(ticket, "agent")
    elseif not kind then
      self:look()
    end
    if not self.handled_by and host.now_ms() >= self.next_ms then
      at_next(self)
    end
  end
  if self.abandoned and not self.handled_by then
    self:state "abandoned"
  end
end

-- ── severities ──────────────────────────────────────────────────────────────────────────────────
local by_severity = {}

-- Who is asked first; the rest is to follow().
local function begin_life(self)
  if self.p.resumed then
    self:alarm "it was still open when this process began"
  end
  host.keep_open(true)
  self:begin_line()
  if #self.text == 0 and not self.alarmed then
    self:alarm "the agent has no people"
  end
  self:climb()
end

function by_severity.life(self)
  begin_life(self)
  self:follow(self.climb)
end

local function transfer_plainly(self)
  local numbers = self:ringing()
  host.transfer_begun(self.transfer[1].name)
  local done, why, code = rest.update_call(self.p.call,
    { Twiml = tw.dial_back(self:spoken "stay", numbers) })
  self:step("transfer", numbers[1], done and "asked" or "failed", why)
  if not done then
    host.transfer_refused(why, code == "unknown")
    self:speak()
  end
end

function by_severity.urgent(self)
  self.rung = #self.transfer + 1
  if #self.transfer > 0 and rest.ready() and not self.p.ended then
    transfer_plainly(self)
  elseif not self.p.ended then
    self:speak()
  end
  self.line = "agent" -- the ordinary way of a transfer: the call's own script hears what came of it
  if #self.text == 0 then
    self:state("handled", #self.transfer > 0 and self.transfer[1].name or "agent")
    return
  end
  self:ask_all()
  self.next_ms = host.now_ms() + URGENT_MS
  self:follow(function()
    host.alarm("warning", ALARM, self.p.call, ("%s: nobody confirmed it"):format(self.p.rule))
    self.abandoned = true
  end)
end

-- Somebody shall know; nobody has to answer.
function by_severity.normal(self)
  local told
  for _, person in ipairs(self.text) do
    told = self:send(person, self:body()) and person.name or told
  end
  self:state("handled", told or "recorded")
end

-- No rule is about it, but the model thinks that a life is at stake.
function by_severity.report(self)
  local group = self.def.people.on_call and "on_call" or "office"
  for i, person in ipairs(people.of(self.def, group)) do
    people.text(self.p.to, person.number, ("REPORTED BY THE AGENT, no rule: caller %s: %s"):format(
      self.p.from or "unknown", people.cut(self.p.words or "", WORDS_MAX)), ("%s.reported.%d"):format(self.p.call, i))
  end
end

-- ── the errand ──────────────────────────────────────────────────────────────────────────────────
local function rule_of(def, id, severity)
  for _, rule in ipairs(def.emergencies or {}) do
    if rule.id == id then
      return rule
    end
  end
  return { id = id, severity = severity } -- of a model's report, or of a version that had it
end

local function title(id)
  return (id:gsub("[-_]", " "):gsub("%f[%w]%l", string.upper))
end

---@param p ringdown.emergency.payload
---@param def table the agent
---@return ringdown.emergency
function M.new(p, def)
  local rule = rule_of(def, p.rule, p.severity)
  local self = setmetatable({
    p = p, def = def, rule = rule, line = "agent", rung = 0, text_rung = 0, n_steps = 0,
    first_step = p.steps or 0, -- those of the process before stay as they are
    codes = {}, asked = {}, helped = {}, form = {}, site = title(def.name),
    language = p.language or words.language_of(p.words or "", def.languages),
  }, emergency)
  self.transfer, self.text = people.of_rule(def, { severity = p.severity, transfer = rule.transfer, text = rule.text })
  self.everybody = {}
  for i, person in ipairs(self.transfer) do
    self.everybody[i] = person.number
  end
  self.values = { caller = { number = p.from }, call = { id = p.call }, agent = { name = def.name },
    site = { id = "default", name = self.site },
    match = { rule = p.rule, words = people.cut(p.words or "", WORDS_MAX) } }
  return self
end

---How it begins, for specs: what is said, whom it is handed to and who is told at once.
---@param p ringdown.emergency.payload
---@param def table the agent
function M.begin(p, def)
  local self = M.new(p, def)
  if p.severity == "life" then
    begin_life(self)
    return
  end
  function self.follow() end
  by_severity[p.severity](self)
end

---@param p ringdown.emergency.payload
---@param def table the agent
function M.run(p, def)
  local kept, why = host.durable() -- that it is open, before anything happens
  if not kept then
    log.fact("warn", "triage.not_kept", p.call, { why = log.known(why), fix = log.known(
      "the journal takes nothing: this emergency is followed up, but its records may be missing") })
  end
  local severity = by_severity[p.severity] or by_severity.life
  severity(M.new(p, def))
end

return M
