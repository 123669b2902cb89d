-- SPDX-License-Identifier: Apache-2.0
-- emergency.drill: a rule is rehearsed with the people it would reach: the same ladder, with texts and ringing phones,
-- and every word of it says that it is a drill. Nobody's caller waits, so phones are rung by calls of our own.
--
--   asked ▶ somebody answers 1, or presses 1 ▶ confirmed         nobody, after all were asked ▶ unanswered
--
-- It is no emergency: its facts are `drill` and `audit`, never `triage`, and it raises no alarm. Failure modes: Twilio
-- cannot be asked: each step says so, and it is soon over; this module breaks: the drill ends as `failed`.
local host = require "ringdown.host"
local json = require "ringdown.json"
local ladder = require "ringdown.emergency.ladder"
local people = require "ringdown.emergency.people"
local sites = require "ringdown.site"
local tw = require "ringdown.emergency.twiml"

local M = {}

local TOGETHER_MS = 900000 -- what is not about life asks everybody at once, and waits so long
local QUERY_MS = 3000

local words = {
  en = {
    text = "DRILL, nothing has happened. %s at %s: reply %d to say that you got it.",
    spoken = "This is a drill. Nothing has happened. Drill for %s: %s. Press 1 to say that you got it.",
    thanks = "DRILL: thank you, that was all.",
    spoken_thanks = "This was a drill. Thank you.",
    over = "DRILL: over, %s has answered.",
    spoken_over = "This was a drill. It is over, %s has answered.",
    how = "DRILL: reply %d to say that you got it.",
  },
  es = {
    text = "SIMULACRO (DRILL), no ha pasado nada. %s en %s: responda %d para confirmar que lo ha recibido.",
    spoken = "Esto es un simulacro. No ha pasado nada. Simulacro de %s: %s. Pulse 1 para confirmar que lo ha recibido.",
    thanks = "SIMULACRO (DRILL): gracias, eso es todo.",
    spoken_thanks = "Esto era un simulacro. Gracias.",
    over = "SIMULACRO (DRILL): terminado, ha respondido %s.",
    spoken_over = "Esto era un simulacro. Ha terminado, ha respondido %s.",
    how = "SIMULACRO (DRILL): responda %d para confirmar que lo ha recibido.",
  },
}

---@class ringdown.drill.payload
---@field drill string its id
---@field rule string
---@field who string who wants it

-- What these people texted us since it began, whichever node the carrier told: each text is kept.
local ANSWERS = "select from_number, body from texts where direction = 'in' and agent = $1 "
  .. "and from_number = any($2::text[]) and created_at > now() - $3::bigint * interval '1 ms' order by created_at"

---@class ringdown.drill: ringdown.emergency.ladder
local Drill = setmetatable({}, { __index = ladder })
Drill.__index = Drill

-- ── whom ────────────────────────────────────────────────────────────────────────────────────────
-- Whom the rule texts, then whom it only hands the caller to.
local function everybody(def, rule)
  local transfer, text = people.of_rule(def, rule)
  local list, known = {}, {}
  for _, group in ipairs { text, transfer } do
    for _, person in ipairs(group) do
      if not known[person.number] then
        known[person.number] = true
        list[#list + 1] = person
      end
    end
  end
  return list
end

local function shown(persons)
  local list = json.array {}
  for i, person in ipairs(persons) do
    list[i] = { name = person.name, number = people.masked(person.number) }
  end
  return list
end

---Whom a drill of this rule asks, and after how many seconds. Numbers are masked.
---@param def table the agent
---@param rule table
---@return { over_s: integer, rungs: { after_s: integer, people: { name: string, number: string }[] }[] }
function M.plan(def, rule)
  local list, rungs = everybody(def, rule), json.array {}
  if rule.severity ~= "life" then
    return { over_s = TOGETHER_MS // 1000, rungs = json.array { { after_s = 0, people = shown(list) } } }
  end
  local step_s = ladder.CONFIRM_MS // 1000
  for i, person in ipairs(list) do
    rungs[i] = { after_s = (i - 1) * step_s, people = shown { person } }
  end
  rungs[#rungs + 1] = { after_s = #list * step_s, people = shown(list) }
  return { over_s = (#list + 1) * step_s, rungs = rungs }
end

-- ── telling ─────────────────────────────────────────────────────────────────────────────────────
function Drill:tell(members)
  members.drill, members.rule = self.p.drill, self.rule.id
  members.after_ms = math.tointeger(host.now_ms() - self.began_ms)
  host.fact("drill", json.encode(members))
end

function Drill:step(kind, target, state, detail)
  self:tell { kind = kind, name = self:name_of(target), number = people.masked(target), state = state, detail = detail }
end

function Drill:over(state, by, detail)
  self:tell { state = state, name = by, detail = detail }
  host.fact("audit", json.encode { who = self.p.who, what = "drill_over",
    subject = self.def.name .. " " .. self.rule.id, after = { drill = self.p.drill, state = state, by = by,
      seconds = math.tointeger((host.now_ms() - self.began_ms) // 1000) } })
end

-- ── what the ladder asks for ────────────────────────────────────────────────────────────────────
function Drill:say(key, ...)
  return (words[self.language] or words.en)[key]:format(...)
end

function Drill:body(code)
  return self:say("text", self.title, self.site, code or 1)
end

function Drill:thanks() return self:say "thanks" end
function Drill:taken_by(by) return self:say("over", by) end
function Drill:how(code) return self:say("how", code) end

function Drill:also_ask(person)
  local rings, why = people.ring_and_ask(self.ours, person.number, self:say("spoken", self.site, self.title),
    self.language)
  self:step("phone", person.number, rings and "asked" or "failed", why)
  return rings
end

function Drill:taken(by)
  self:over("confirmed", by)
end

function Drill:unanswered()
  self.abandoned = true
end

-- A key was pressed at one of the phones.
function Drill:on_accept(form, ticket)
  local number, by = form.To or "", self:name_of(form.To or "")
  if self.handled_by then
    host.answer(ticket, "twiml", tw.hang_up(self:say("spoken_over", self.handled_by), self.language))
  elseif form.Digits == "1" then
    host.answer(ticket, "twiml", tw.hang_up(self:say "spoken_thanks", self.language))
    self:step("phone", number, "confirmed")
    self:handled(by, number)
  else
    host.answer(ticket, "twiml", tw.hang_up())
    self:step("phone", number, "refused")
  end
end

-- An answer that went to another node.
function Drill:look()
  ladder.look(self)
  local numbers = {}
  for number in pairs(self.codes) do
    numbers[#numbers + 1] = number
  end
  if self.handled_by or #numbers == 0 or not host.query then
    return
  end
  local since_ms = ("%d"):format((host.now_ms() - self.began_ms) // 1)
  local asked, rows = pcall(host.query, ANSWERS, { self.def.name, "{" .. table.concat(numbers, ",") .. "}", since_ms },
    QUERY_MS)
  for _, row in ipairs(asked and rows or {}) do
    local number, digit = row[1], math.tointeger(tonumber((row[2] or ""):match "^%s*(%d)%s*$"))
    if not self.handled_by and digit and digit == self.codes[number] then
      self:on_text { from = number, body = row[2], code = digit }
    end
  end
end

-- ── the errand ──────────────────────────────────────────────────────────────────────────────────
-- Our number: the agent's own, or one that was assigned to it.
local function number_of(def)
  if def.numbers and def.numbers[1] then
    return def.numbers[1]
  end
  local rows = host.query("select number from phone_numbers where agent = $1 order by number limit 1", { def.name },
    QUERY_MS)
  return rows and rows[1] and rows[1][1] or nil
end

local function rehearse(self)
  if #self.text == 0 then
    self:over("failed", nil, "the rule reaches nobody: give it people in the agent's file")
    return
  elseif self.rule.severity == "life" then
    self:climb()
    self:follow(self.climb)
  else
    self:ask_all()
    self.next_ms = host.now_ms() + TOGETHER_MS
    self:follow(self.unanswered)
  end
  if not self.handled_by then
    self:over "unanswered"
  end
end

local function rule_of(def, id)
  for _, rule in ipairs(def.emergencies or {}) do
    if rule.id == id then
      return rule
    end
  end
  error(("the agent has no rule '%s' any more"):format(tostring(id)), 0)
end

---@param p ringdown.drill.payload
---@param def table the agent
function M.run(p, def)
  local rule, ours = rule_of(def, p.rule), number_of(def)
  def = sites.of_number(def, ours)
  local self = setmetatable(ladder.start {
    p = p, def = def, rule = rule, kind = "drill", id = "drill-" .. p.drill, began_ms = host.now_ms(), ours = ours,
    language = def.languages[1], site = def.site and def.site.name or people.title(def.name),
    title = people.title(rule.id):lower(),
    text = everybody(def, rule),
  }, Drill)
  host.durable() -- who wanted it, before anybody is asked
  local done, why = pcall(rehearse, self)
  if not done then
    self:over("failed", nil, "it broke off; the log says why")
    error(why, 0)
  end
end

return M
