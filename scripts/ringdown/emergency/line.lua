-- SPDX-License-Identifier: Apache-2.0
-- emergency.line: the caller's own line in an emergency of life. It is taken from the agent and rings people, one after
-- the other, until one of them presses 1; else it comes back to the agent, who knows what happened.
--
--   agent ─ begin_line() ─▶ dialling ─ pressed 1 ─▶ bridged         the caller hung up, the call broke off ─▶ gone
--     ▲──────── nobody ───────┘ ▲─ the next person ─┘
--
-- Failure modes: Twilio cannot be asked, or says no: the agent's own voice says the words, and an alarm at once. The
-- model or the agent's script died: whoever presses 1 has the caller; when this process goes, whoever picks up.
local host = require "ringdown.host"
local json = require "ringdown.json"
local ladder = require "ringdown.emergency.ladder"
local rest = require "ringdown.twilio.rest"
local tw = require "ringdown.emergency.twiml"
local words = require "ringdown.emergency.words"

---@class ringdown.emergency.line: ringdown.emergency.ladder
---@field line "dialling"|"agent"|"bridged"|"gone" where the caller is
---@field rung integer how far the dialling is: person 1…n, n+1: all at once
---@field transfer ringdown.emergency.person[] whom it rings
---@field everybody string[] their numbers
---@field form table what the carrier told last
---@field plain boolean? the caller goes back to the call's own script
---@field doubtful boolean? nobody knows whether Twilio dials: whoever picks up shows that it does
local Line = setmetatable({}, { __index = ladder })
Line.__index = Line

-- After these the carrier still has the caller, and says the fallback.
local still_there = { provider_failed = true, script_failed = true, carrier_lost = true, shutdown = true,
  node_drained = true }

-- After these nobody of ours is left to be asked.
local leaves = { shutdown = true, node_drained = true }

-- Whom the line rings at a rung: one person, or all of them.
function Line:ringing()
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

function Line:note_ringing()
  for _, number in ipairs(self:ringing()) do
    self:step("transfer", number, "asked")
  end
end

-- Asks Twilio to dial. What may have happened is looked at, and asked again when it has not: trouble of a second must
-- not leave the caller without anybody.
---@param twiml string
---@param numbers string[] whom it dials
---@return table? call
---@return string? why
---@return any code
function Line:dial(twiml, numbers)
  local done, why, code = rest.update_call(self.p.call, { Twiml = twiml }, rest.dial_read_back(self.p.call, numbers))
  self.doubtful = code == "unknown"
  return done, why, code
end

-- The caller is still with the agent: its own voice says what to do.
function Line:stay_with_agent(why)
  self.line = "agent"
  self:speak "safe"
  if why then
    self:alarm("the caller could not be transferred: " .. why)
  end
end

---The caller hears this, then it rings there.
function Line:dials(spoken, numbers)
  return tw.dial(spoken, numbers)
end

function Line:begin_line()
  if self.p.ended then
    self.line = "gone"
  elseif self.p.resumed then
    self.line = "agent" -- of this node, which has taken the call over and goes on with it
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

function Line:dial_first()
  self.line, self.rung = "dialling", 1
  self:step("say", nil, "asked")
  self:note_ringing()
  host.transfer_begun(self.transfer[1].name)
  local done, why, code = self:dial(self:dials(self:spoken "stay", self:ringing()), self:ringing())
  if done and done.over then
    self.line = "gone"
  elseif not done then
    self:step("transfer", self.transfer[1].number, "failed", why)
    host.transfer_refused(why, code == "unknown")
    self:stay_with_agent(why)
  end
end

-- The caller's dial is over and nobody pressed 1: the next one, at once.
function Line:dial_next(ticket)
  local n = #self.transfer
  self.rung = self.rung + 1
  if self.rung <= n then
    self:note_ringing()
    host.answer(ticket, "twiml", self:dials(self:spoken "next_one", self:ringing()))
  elseif self.rung == n + 1 and n > 1 then
    self:note_ringing()
    host.answer(ticket, "twiml", self:dials(self:spoken "everybody", self:ringing()))
  else
    self:back_to_agent(ticket)
    self:alarm "nobody took the caller"
  end
end

-- What the agent must know when the caller is back.
function Line:note()
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

function Line:back_to_agent(ticket)
  self.line = "agent"
  self.form.RingdownNote = self:note()
  self.form.RingdownOpening = words.text(self.def, nil, self.language, self.handled_by and "taken" or "nobody")
  host.answer(ticket, "agent", json.encode(self.form))
end

-- The ordinary way: they ring at once and once, and how the call goes on then is for its own script to say.
function Line:transfer_plainly()
  local numbers = self:ringing()
  self.line, self.plain = "dialling", true
  host.transfer_begun(self.transfer[1].name)
  local done, why, code = self:dial(self:dials(self:spoken "stay", numbers), numbers)
  for _, number in ipairs(numbers) do
    self:step("transfer", number, done and "asked" or "failed", why)
  end
  if not done then
    self.line = "agent"
    host.transfer_refused(why, code == "unknown")
    self:speak()
  end
end

function Line:plain_dial_over(form, ticket)
  local bridged = form.DialBridged == "true" -- whichever node heard the 1
  if self.line == "dialling" and not bridged then
    self:nobody_took(form.DialCallStatus)
    if #self.text == 0 then
      self.next_ms = host.now_ms() -- there is nobody else to wait for
    end
  end
  self.line, self.doubtful = bridged and "bridged" or "agent", false
  host.answer(ticket, "agent")
end

-- ── what comes in ───────────────────────────────────────────────────────────────────────────────
-- Is it the agent's own transfer of later who picks up? Where nobody knows whether ours rings, its people may be it.
function Line:is_of_agent(number)
  if not self.plain or self.line ~= "agent" then
    return false
  end
  for _, ours in ipairs(self.doubtful and self:ringing() or {}) do
    if ours == number then
      return false
    end
  end
  return true
end

-- Who was dialled picked up: he presses 1, or it was his voicemail.
function Line:on_accept(form, ticket)
  local number = form.To or ""
  local by = self:name_of(number)
  if self:is_of_agent(number) then
    host.answer(ticket, "agent")
  elseif self.handled_by and self.handled_by ~= by and not self.plain then -- who took it by text and picks up has them
    host.answer(ticket, "twiml", tw.hang_up(("It is taken already, by %s. Thank you."):format(self.handled_by), "en"))
  elseif form.Digits == nil or form.Digits == "" then
    local own = self.line == "gone" or self.p.vapi -- no call of ours is asked
    self:step("transfer", number, "answered")
    host.answer(ticket, "twiml", tw.screening(("Emergency call for %s: %s. Press 1 to take it.")
      :format(self.site, self.p.rule:gsub("[-_]", " ")), "en", own and host.address() or nil))
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

-- A dial is over.
function Line:nobody_took(status)
  status = status or "unknown"
  for _, number in ipairs(self:ringing()) do
    self:step("transfer", number, status == "busy" and "refused" or status == "failed" and "failed" or "no_answer",
      "the dial ended as " .. status)
  end
end

function Line:on_resume(form, ticket)
  self.form = form
  if self.plain then
    self:plain_dial_over(form, ticket)
    return
  elseif self.line == "bridged" or form.DialBridged == "true" then -- whichever node heard the 1
    self.line = "bridged"
    host.answer(ticket, "hang_up")
    return
  elseif self.line == "agent" and not form.DialCallStatus then -- the stream broke: nobody was dialled
    self:back_to_agent(ticket)
    return
  end
  self.line = "dialling"
  self:nobody_took(form.DialCallStatus)
  if self.handled_by then
    self:back_to_agent(ticket)
  else
    self:dial_next(ticket)
  end
end

-- The agent's own script broke: these people rather than the general fallback.
function Line:on_broken()
  if self.line ~= "agent" or #self.transfer == 0 or not rest.ready() then
    if self.line == "agent" then
      host.fall_back "script_failed"
    end
    return
  end
  self.line, self.rung = "dialling", #self.transfer + 1
  self:note_ringing()
  host.transfer_begun(self.transfer[1].name)
  local done, why = self:dial(self:dials(self:spoken "stay", self:ringing()), self:ringing())
  if not done then
    self:step("transfer", self.transfer[1].number, "failed", why)
    self.line = "agent"
    host.fall_back "script_failed"
  end
end

-- The call is over for us. Its caller may still be at the carrier, with our fallback; or another node has taken the
-- call, and what is open of life with it.
function Line:on_ended(letter)
  local was = self.line
  self.line = "gone"
  if letter.reason == "claimed" and self.p.severity == "life" then
    self:hand_on()
    return
  end
  if was == "bridged" or self.handled_by or not still_there[letter.reason] or not rest.ready() then
    return
  end
  local address = not leaves[letter.reason] and host.address() or nil
  local done, why = self:dial(tw.dial_plainly(self:spoken "stay", self.everybody,
    words.spoken(self.def, nil, self.language, "nobody"), address), self.everybody)
  self:step("transfer", self.everybody[1], done and not done.over and "asked" or "failed",
    why or ("the agent broke off: whoever %s has the caller"):format(address and "presses 1" or "picks up"))
end

return Line
