-- SPDX-License-Identifier: Apache-2.0
-- emergency: what follows once a rule of `emergencies` matched: an errand beside the call. It ends in *handled* (a
-- person pressed 1 and has the caller, or answered the text), or *abandoned* (nobody did, after everything was tried).
-- What is not about life and reaches nobody is *recorded*.
--
--   life:   the line      say ▶ dial person 1 (press 1) ▶ person 2 … ▶ all at once ▶ alarm, back to the agent
--           beside it     text person 1 ─ 60 s ▶ person 2 ─ 60 s … ▶ all ─ 60 s ▶ alarm ─ 5 min ▶ all … ▶ abandoned
--   urgent: say, text everybody, transfer if the rule says so; not confirmed within 15 minutes: abandoned, a warning
--   normal: text; handled by who was texted, for nobody has to answer
--
-- Failure modes: Twilio cannot be asked, or says no: the agent's own voice says the words; an alarm at once.
-- The caller hung up, or the model or the agent's script died: texts go on, and phones ring instead of the line. The
-- node ended: the next one begins with the texts again (`resumed`).
local host = require "ringdown.host"
local json = require "ringdown.json"
local ladder = require "ringdown.emergency.ladder"
local line = require "ringdown.emergency.line"
local log = require "ringdown.log"
local people = require "ringdown.emergency.people"
local rest = require "ringdown.twilio.rest"
local template = require "ringdown.template"
local words = require "ringdown.emergency.words"

local M = {}

local _ = host.loading and require "ringdown.vapi.rescue" -- calls find only what was loaded with the agent

local AGAIN_MS = 300000 -- between the rounds after the alarm
local ROUNDS = 6
local URGENT_MS = 900000
local QUERY_MS = 3000
local ALARM = "emergency.unanswered"
local WORDS_MAX = 160

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
---@field vapi { id: string, control: string? }? Vapi has the caller

---@class ringdown.emergency: ringdown.emergency.line
local emergency = setmetatable({}, { __index = line })
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

function emergency:thanks()
  return ("You took it: %s, caller %s."):format(self.p.rule, self.p.from or "unknown")
end

function emergency:taken_by(by)
  return ("%s: taken by %s."):format(self.p.rule, by)
end

function emergency:how(code)
  return ("Reply %d to take %s."):format(code, self.p.rule)
end

-- ── the ladder ──────────────────────────────────────────────────────────────────────────────────
-- A text wakes nobody. Where the caller's own call does not ring phones, or no more, this does.
function emergency:also_ask(person, sent)
  if not sent or self.line ~= "gone" and not self.p.resumed then
    return false
  end
  local rings, why = people.ring(self.ours, person.number,
    ("Emergency at %s. You have a text about it; answer the text."):format(self.site), "en")
  self:step("transfer", person.number, rings and "asked" or "failed", why or "a call that tells of the text")
  return rings
end

-- Whoever has the call now follows it up: one of us is enough.
function emergency:hand_on()
  self.handed_on = true
  host.alarm_over(ALARM, self.p.call)
end

function emergency:busy()
  return self.line == "dialling"
end

function emergency:taken(by)
  self:state("handled", by)
  host.keep_open(false)
  host.alarm_over(ALARM, self.p.call)
end

-- The agent tells the caller who took it.
function emergency:tell_agent()
  if self.line == "agent" then
    host.instruct(self:note())
  end
end

function emergency:on_text(letter)
  local before = self.handled_by
  ladder.on_text(self, letter)
  if self.handled_by and not before then
    self:tell_agent()
  end
end

-- All were asked: an alarm, then all of them again and again.
function emergency:unanswered(round)
  if round > ROUNDS then
    self.abandoned = true
    return
  end
  if round == 1 or not self.alarmed then
    self:alarm "nobody confirmed it"
  end
  if round > 1 then
    self:ask_all()
  end
  self.next_ms = host.now_ms() + AGAIN_MS
end

-- Another node may have had the answer.
function emergency:look()
  ladder.look(self)
  if not host.query or self.handled_by then
    return
  end
  local asked, rows = pcall(host.query, "select state, handled_by from triage_matches where call = $1 and rule = $2",
    { self.p.call, self.p.rule }, QUERY_MS)
  local row = asked and rows and rows[1]
  if row and row[1] == "handled" then
    self.handled_by = row[2] or "somebody"
    host.alarm_over(ALARM, self.p.call)
    self:tell_others(self:taken_by(self.handled_by))
    self:tell_agent()
  end
end

function emergency:see_through(at_next)
  self:follow(at_next)
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
  self:see_through(self.climb)
end

function by_severity.urgent(self)
  self.rung = #self.transfer + 1
  if #self.transfer > 0 and rest.ready() and not self.p.ended and not self.p.resumed and host.take_line() then
    self:transfer_plainly()
  elseif not self.p.ended and not self.p.resumed then
    self:speak()
  end
  if #self.text == 0 and #self.transfer == 0 then
    self:state "recorded"
    return
  end
  self:ask_all()
  self.next_ms = host.now_ms() + ((#self.text > 0 or self.line == "dialling") and URGENT_MS or 0)
  self:see_through(function()
    host.alarm("warning", ALARM, self.p.call, ("%s: nobody confirmed it"):format(self.p.rule))
    self.abandoned = true
  end)
end

-- Somebody shall know; nobody has to answer.
function by_severity.normal(self)
  local told
  for _, person in ipairs(self.text) do
    local sent, why = self:send(person, self:body())
    self:step("text", person.number, sent and "asked" or "failed", why)
    told = sent and person.name or told
  end
  if told then
    self:state("handled", told)
  else
    self:state "recorded"
  end
end

-- No rule is about it, but the model thinks that a life is at stake.
function by_severity.report(self)
  local told, why = false, "the agent has no people"
  for i, person in ipairs(people.anybody(self.def)) do
    local sent, wrong = people.text(self.def, { id = ("%s.reported.%d"):format(self.p.call, i), call = self.p.call,
      from = self.p.to, to = person.number, body = ("REPORTED BY THE AGENT, no rule: caller %s: %s"):format(
        self.p.from or "unknown", people.cut(self.p.words or "", WORDS_MAX)) })
    told, why = told or sent, wrong or why
  end
  if not told then
    host.alarm("critical", ALARM, self.p.call, ("reported by the agent, no rule, and nobody was told: %s"):format(why))
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

---@param p ringdown.emergency.payload
---@param def table the agent
---@return ringdown.emergency
function M.new(p, def)
  local rule = rule_of(def, p.rule, p.severity)
  local first = p.steps or 0 -- those of the process before stay as they are
  local self = setmetatable(ladder.start {
    p = p, def = def, rule = rule, line = "agent", rung = 0, n_steps = 0, first_step = first, form = {},
    kind = "emergency", call = p.call, ours = p.to, id = ("%s.%s.%d"):format(p.call, p.rule, first),
    site = def.site and def.site.name or people.title(def.name),
    language = p.language or words.language_of(p.words or "", def.languages),
  }, emergency)
  self.transfer, self.text = people.of_rule(def, { severity = p.severity, transfer = rule.transfer, text = rule.text })
  self.everybody = {}
  for i, person in ipairs(self.transfer) do
    self.everybody[i] = person.number
  end
  self.values = { caller = { number = p.from }, call = { id = p.call }, agent = { name = def.name },
    site = def.site or { id = "default", name = self.site },
    match = { rule = p.rule, words = people.cut(p.words or "", WORDS_MAX) } }
  if p.vapi then
    require("ringdown.vapi.rescue").onto(self)
  end
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
  function self.see_through() end
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
