-- SPDX-License-Identifier: Apache-2.0
-- inbound: a text came. It is kept already, and STOP and HELP have been dealt with (gateway/texts.c).
--
-- Somebody in an emergency may wait for it (a person who confirms); else it goes to the agent's `on.sms`, once,
-- whichever nodes the carrier told. The hook may answer: call:reply("…"), once, and not more than a few times an hour
-- to one number, or two machines would talk for ever. What one of the agent's people texts is no matter for the hook.
local calls = require "ringdown.call"
local current = require "ringdown.current"
local elsewhere = require "ringdown.emergency.elsewhere"
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local post = require "ringdown.texts.post"

local M = {}

local ANSWER_MS = 4000 -- for the database

---@class ringdown.text_in
---@field id string the carrier's id of it
---@field from string
---@field to string
---@field body string
---@field media integer how many pictures came with it; they are not fetched
---@field opt "yes"|nil it may mean START

-- Once for all nodes; with the database away, once for this one.
local function take(text, def)
  local senders = json.array { text.to }
  for _, number in ipairs(def.numbers) do
    senders[#senders + 1] = number
  end
  local rows = host.query("select first_time, opted_out from take_text_in($1::jsonb)", { json.encode {
    id = text.id, agent = def.name, from = text.from, to = text.to, senders = senders,
    hash = host.number_hash(text.from),
  } }, ANSWER_MS)
  if not rows then
    return true, false
  end
  return rows[1][1] == "t", rows[1][2] == "t"
end

---@param text ringdown.text_in
---@param def table
---@param call ringdown.call
---@param words string
local function reply(text, def, call, words)
  if type(words) ~= "string" or words == "" then
    error("call:reply needs words", 3)
  end
  if call.replied then
    return nil, "one answer to a text"
  end
  call.replied = true
  local sent, why = post.send(def, { id = "reply-" .. text.id, from = text.to, to = text.from, body = words,
    kind = "reply" })
  if not sent then
    log.fact("info", "text.not_sent", "", { reason = log.known(why) })
  end
  return sent, sent and nil or post.sentences[why] or post.sentences.refused
end

-- What the agent texts to its people, their telephones may answer by themselves; so the agent does not.
local function is_of_people(def, number)
  for _, numbers in pairs(def.people) do
    for _, one in ipairs(numbers) do
      if one == number then
        return true
      end
    end
  end
  return false
end

---@param text ringdown.text_in
---@param def table
function M.run(text, def)
  if host.deliver_text(def.name, text.from, text.body) or elsewhere.confirm(def, text.from, text.body) then
    return
  end
  local first, opted_out = take(text, def)
  if not first or not def.on.sms or text.opt == "yes" and opted_out then
    return
  elseif is_of_people(def, text.from) then
    log.fact("info", "text.not_given", "", { reason = log.known "of one of the agent's people" })
    return
  end
  local call = calls.new(def, { From = text.from, To = text.to })
  call.answers = text.id
  call.reply = function(_, words)
    return reply(text, def, call, words)
  end
  current.enter { def = def, call = call } -- whose the store, the database and the hosts are
  def.on.sms(call, { id = text.id, body = text.body, media = text.media })
end

return M
