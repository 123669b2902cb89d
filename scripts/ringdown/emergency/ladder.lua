-- SPDX-License-Identifier: Apache-2.0
-- emergency.ladder: people are asked one after the other, each has a minute; then all of them at once. Who answers the
-- text has taken it, and the others are told. Emergencies and drills climb the same ladder.
--
--   climb ▶ person 1 ─ 60 s ▶ person 2 ─ 60 s … ▶ all ─ 60 s ▶ unanswered(1), (2) …: whoever climbs decides
--
-- Failure modes: a text that cannot be sent, or that the carrier could not deliver, is no reason to wait: the next
-- person at once. Whatever is wrong with one letter, the rest goes on.
--
-- Whoever climbs has: step(kind, target, state, detail), body(code), taken(by, number), unanswered(round), thanks(),
-- taken_by(by), how(code), and may have also_ask(person, sent), look(), busy().
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local people = require "ringdown.emergency.people"

local CONFIRM_MS = 60000 -- how long one person has
local POLL_MS = 5000
local QUERY_MS = 3000

local yes = { ["1"] = true, yes = true, y = true, ok = true, okay = true, si = true, ["sí"] = true, vale = true }
local heard = { text = "on_text", undelivered = "on_undelivered", accept = "on_accept", resume = "on_resume",
  broken = "on_broken", ended = "on_ended" }

---@class ringdown.emergency.ladder
---@field def table the agent
---@field ours string? our number, which people answer to
---@field kind "emergency"|"drill"
---@field id string what the ids of its texts begin with
---@field text ringdown.emergency.person[] who is asked, in order
---@field text_rung integer how far it is: person 1…n, n+1: all; beyond: rounds
---@field next_ms integer when it goes on
---@field codes table<string, integer?> by number: what confirms it
---@field waiting table<string, true?> numbers that this rung waits for
---@field sent table<string, string?> by the id of a text that asks: its number
---@field handled_by string?
---@field abandoned boolean?
---@field handed_on boolean? somebody else climbs
local Ladder = {}
Ladder.__index = Ladder
Ladder.CONFIRM_MS = CONFIRM_MS

---What a ladder begins with.
---@param o table
---@return table
function Ladder.start(o)
  o.text_rung, o.next_ms, o.n_texts = 0, 0, 0
  o.codes, o.asked, o.helped, o.waiting, o.sent = {}, {}, {}, {}, {}
  return o
end

function Ladder:name_of(number)
  for _, list in ipairs { self.transfer or {}, self.text } do
    for _, person in ipairs(list) do
      if person.number == number then
        return person.name
      end
    end
  end
  return number
end

-- ── texts ───────────────────────────────────────────────────────────────────────────────────────
function Ladder:send(person, body)
  self.n_texts = self.n_texts + 1
  local id = ("%s.%d"):format(self.id, self.n_texts):gsub("[^%w.-]", "-")
  local sent, why = people.text(self.def, { id = id, call = self.call, from = self.ours, to = person.number,
    body = body, kind = self.kind })
  return sent and id, why
end

function Ladder:also_ask() end

-- Asks for an answer: 1, or another digit for somebody who is asked about two things at once. True: there may be one.
function Ladder:ask(person)
  local number = person.number
  local code, unclear = host.expect_text(number)
  self.codes[number] = code
  if not code then
    self:step("text", number, "failed", "no answer can be told apart: " .. unclear)
  end
  self.asked[#self.asked + 1] = person
  local id, why = self:send(person, self:body(code))
  local which -- for who reads the answer on another node
  if self.kind == "emergency" and code and code > 1 then
    which = ("reply %d"):format(code)
  end
  self:step("text", number, id and "asked" or "failed", id and which or why)
  if id then
    self.sent[id] = number
  end
  return self:also_ask(person, id ~= nil) or id ~= nil
end

function Ladder:ask_all(list)
  self.waiting = {}
  for _, person in ipairs(list or self.text) do
    self.waiting[person.number] = self:ask(person) or nil
  end
end

function Ladder:tell_others(text, but)
  local told = { [but or ""] = true }
  for _, person in ipairs(self.asked) do
    if not told[person.number] then
      told[person.number] = true
      self:send(person, text)
    end
  end
end

function Ladder:handled(by, number)
  if self.handled_by then
    return
  end
  self.handled_by = by
  self:taken(by, number)
  self:tell_others(self:taken_by(by), number)
end

-- ── what comes in ───────────────────────────────────────────────────────────────────────────────
function Ladder:on_text(letter)
  local number = letter.from or ""
  local first = (letter.body or ""):lower():match "^%s*([%w\128-\255]+)" or ""
  local code = self.codes[number]
  if letter.code == code or (letter.code == 0 and not letter.several and yes[first] and first ~= "1") then
    self:step("text", number, "confirmed")
    self:send({ number = number }, self:thanks())
    self:handled(self:name_of(number), number)
  elseif first == "no" then
    self:step("text", number, "refused")
    self.next_ms = host.now_ms()
  elseif not self.helped[number] then
    self.helped[number] = true
    self:send({ number = number }, self:how(code or 1))
  end
end

-- The carrier could not deliver one of our texts.
function Ladder:on_undelivered(letter)
  local number = self.sent[letter.id or ""]
  if not number then
    return
  end
  self.sent[letter.id] = nil
  self:step("text", number, "failed", "not delivered" .. (letter.error_code and ": " .. letter.error_code or ""))
  self.waiting[number] = nil
  self:hurry()
end

-- Nobody can answer any more: no reason to wait. Not in the rounds after all were asked, which are there to last.
function Ladder:hurry()
  if self.text_rung > 0 and self.text_rung <= #self.text + 1 and #self.text > 0 and not next(self.waiting) then
    self.next_ms = host.now_ms()
  end
end

-- ── climbing ────────────────────────────────────────────────────────────────────────────────────
function Ladder:climb()
  local n = #self.text
  self.text_rung = self.text_rung + 1
  self.next_ms = host.now_ms() + CONFIRM_MS
  if self.text_rung <= n + 1 then
    self:ask_all(self.text_rung <= n and { self.text[self.text_rung] } or self.text)
    self:hurry()
  else
    self:unanswered(self.text_rung - n - 1)
  end
end

function Ladder:busy() end

function Ladder:is_over()
  return self.abandoned or self.handed_on or (self.handled_by and not self:busy())
end

-- The carrier tells whichever node it reaches that a text was not delivered: it is in the database then.
function Ladder:look()
  local ids = {}
  for id in pairs(self.sent) do
    ids[#ids + 1] = id
  end
  if self.handled_by or #ids == 0 or not host.query then
    return
  end
  local asked, rows = pcall(host.query, "select id, error_code from texts where id = any($1::text[]) "
    .. "and status in ('failed', 'undelivered')", { "{" .. table.concat(ids, ",") .. "}" }, QUERY_MS)
  for _, row in ipairs(asked and rows or {}) do
    self:on_undelivered { id = row[1], error_code = row[2] or nil }
  end
end

function Ladder:take(kind, letter, ticket)
  local taken, why = pcall(self[heard[kind]], self, letter, ticket)
  if not taken then
    log.fact("error", "errand.failed", self.call or "", { why = log.known(why), kind = log.known(kind),
      fix = log.known "report it with this line; the emergency itself is followed up" })
  end
end

---Letters, the clock, and now and then a look elsewhere, until it is over.
---@param at_next fun(self: table)
function Ladder:follow(at_next)
  while not self:is_over() do
    local patience = math.max(math.min(self.next_ms - host.now_ms(), POLL_MS), 0)
    local kind, text, ticket = host.wait(patience)
    if kind and self[heard[kind] or ""] then
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
end

return Ladder
