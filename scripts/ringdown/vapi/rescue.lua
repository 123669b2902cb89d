-- SPDX-License-Identifier: Apache-2.0
-- vapi.rescue: an emergency of a caller whom Vapi has. Twilio's call is ours to update all the same: its stream to Vapi
-- ends, and people are dialled as in a call of our own, with the 1 that a voicemail cannot press. Vapi's own transfer
-- asks nobody, so it would take a voicemail for help.
--
-- There is no way back: Vapi takes only calls that ring. When nobody takes it, all are rung again, three times; then
-- the caller hears so. Without Twilio's credentials the assistant says the words, and texts go on.
local control = require "ringdown.vapi.control"
local host = require "ringdown.host"
local tw = require "ringdown.emergency.twiml"
local words = require "ringdown.emergency.words"

local M = {}

local ROUNDS = 3

local function dials(_, spoken, numbers)
  return tw.dial(spoken, numbers, host.address())
end

local function goodbye(self, ticket, key)
  self.line = "gone"
  host.answer(ticket, "twiml", tw.goodbye(words.spoken(self.def, self.rule.say, self.language, key)))
end

local function back(self, ticket)
  self.rounds = (self.rounds or 0) + 1
  if self.handled_by then
    goodbye(self, ticket, "taken")
  elseif self.rounds > ROUNDS then
    goodbye(self, ticket, "nobody")
  else
    self.line, self.rung = "dialling", #self.transfer + 1
    self:note_ringing()
    host.answer(ticket, "twiml", self:dials(self:spoken "everybody", self.everybody))
  end
end

local function plain_dial_over(self, form, ticket)
  if form.DialBridged == "true" then
    self.line = "bridged"
    host.answer(ticket, "hang_up")
    return
  end
  self:nobody_took(form.DialCallStatus)
  if #self.text == 0 then
    self.next_ms = host.now_ms() -- there is nobody else to wait for
  end
  goodbye(self, ticket, "nobody")
end

---@param self ringdown.emergency
function M.onto(self)
  control.take { call = self.p.call, vapi_id = self.p.vapi.id or "", control = self.p.vapi.control }
  self.dials, self.back_to_agent, self.plain_dial_over = dials, back, plain_dial_over
end

return M
