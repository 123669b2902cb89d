-- SPDX-License-Identifier: Apache-2.0
-- numbers.verify: reads numbers back and compares them with what we made of them; with `call`, calls one of them and
-- says which system answered.
--
-- The call is a real one, from another of the account's numbers: it rings as a caller's does. Whose it became is asked
-- of our own records and of Vapi. A number that must lead to us is good only when we have the call, whoever speaks in
-- it then: Vapi, as the safety net, answers as well as if all were right. Our record is written a moment after Vapi's,
-- so it is waited for. The call is no evidence about a rollout: those from the account's own numbers never are.
local agents = require "ringdown.numbers.agents"
local choose = require "ringdown.numbers.choose"
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local rest = require "ringdown.twilio.rest"
local sync = require "ringdown.numbers.sync"
local twilio = require "ringdown.twilio.numbers"

local M = {}

local LISTENS_S, LOOKS, LOOK_MS = 10, 40, 500
local LOOKS_MORE = 12 -- for ours, once Vapi has the call
local SAYS = '<Response><Pause length="%d"/><Hangup/></Response>'

-- What we made of each number.
local function targets()
  local by_number = {}
  for _, one in ipairs(db.ask([[select coalesce(jsonb_agg(jsonb_build_object('number', number, 'goes_to', goes_to,
      'fields', fields, 'set_at', set_at, 'set_by', set_by)), '[]')::text from number_targets]])) do
    by_number[one.number] = one
  end
  return by_number
end
M.targets = targets

---@param target table?
---@param fields table<string, string>
---@return { name: string, wanted: string, found: string }[]
function M.drift(target, fields)
  return target and twilio.differences(fields, target.fields) or json.array {}
end

local function tell_one(seen, target, tell)
  local drift = M.drift(target, seen.fields)
  local text = ("%-16s  goes to %s"):format(seen.number, seen.goes_to)
  if not target then
    text = text .. "; we never changed it"
  elseif #drift == 0 then
    text = ("%s, as %s made it on %s"):format(text, target.set_by, target.set_at:sub(1, 16):gsub("T", " "))
  end
  for _, one in ipairs(drift) do
    text = ("%s\n%-16s  %s is %s and must be %s"):format(text, "", one.name,
      one.found == "" and "nothing" or one.found, one.wanted == "" and "nothing" or one.wanted)
  end
  tell { text = text, number = seen.number, goes_to = seen.goes_to, drift = drift }
  return #drift == 0
end

-- ── a real call ─────────────────────────────────────────────────────────────────────────────────

-- Ours: the last call from there to here that came through us, since shortly before this began; clocks differ.
local function ours(from, to, since)
  return db.ask([[select jsonb_build_object('call', call, 'agent', agent, 'system', system, 'first',
      coalesce(routed_first, system), 'reason', reason, 'node', node)::text
    from calls where from_number = $1 and to_number = $2 and started_at >= $3::timestamptz
      and system is not null and decision_epoch > 0 order by started_at desc limit 1]], { from, to, since })
end

-- Vapi's: of this number, from that one; but not those it had before. Nil and why when it cannot be asked.
local function vapis(seen, from, since, before)
  if not seen.vapi_id or not host.vapi_ready() then
    return nil
  end
  local calls, why = require("ringdown.vapi.rest").calls { number = seen.vapi_id, since = since, limit = 20 }
  if not calls then
    return nil, why
  end
  for _, one in ipairs(calls) do
    if type(one.customer) == "table" and one.customer.number == from and not before[one.id] then
      return { id = one.id, assistant = one.assistantId }
    end
  end
end

-- What either had before we called, which is not what we look for.
local function known_before(seen, from, since, tell)
  local before = {}
  local here = ours(from, seen.number, since)
  if here then
    before[here.call] = true
  end
  local there, why = vapis(seen, from, since, before)
  while there do
    before[there.id] = true
    there = vapis(seen, from, since, before)
  end
  if why then
    tell { note = "Vapi cannot be asked which calls it has: " .. why }
  end
  return before
end

-- Ours, Vapi's, or both: a call that we sent on is known to both.
local function who_answered(seen, from, since, before)
  local there
  local left = LOOKS
  for look = 1, LOOKS do
    local here = ours(from, seen.number, since)
    if here and not before[here.call] then
      return here, there
    elseif not there and look % 4 == 0 then
      there = vapis(seen, from, since, before)
      left = there and LOOKS_MORE or left
    end
    left = left - 1
    if left < 0 then
      break
    end
    host.sleep(LOOK_MS)
  end
  return nil, there
end

local function from_number(payload, seen, by_number)
  local from = payload.from
  for number in pairs(from and {} or by_number) do
    if number ~= seen.number and (not from or number < from) then
      from = number
    end
  end
  if not from then
    error("a call needs a number to come from: --from +1… names one of the account's", 0)
  elseif not by_number[from] then
    error(("--from %s is not among the account's numbers, and Twilio calls from no others"):format(from), 0)
  end
  return from
end

-- Where its calls must go: what we made of it; of others, where they go.
local function in_words(from, must, here, there, status)
  if here then
    return ("answered here by agent %s, on %s (%s): ringdown why %s%s"):format(here.agent or "?", here.system,
      here.reason or "no reason", here.call, must == "vapi" and "; it must be answered by Vapi, without us" or "")
  elseif there then
    return ("answered by Vapi without us, assistant %s, call %s%s"):format(there.assistant or "?", there.id,
      must == "ringdown" and "; it must come through us, so Twilio did not get to this installation: is "
        .. "public.url right, and does a node answer there?" or "")
  end
  return ("nobody that we know answered a call from %s: Twilio says it is %s"):format(from, status)
end

local function tell_answer(seen, from, must, here, there, status, tell)
  local good = here ~= nil or there ~= nil
  if must == "ringdown" then
    good = here ~= nil
  elseif must == "vapi" then
    good = there ~= nil and not here
  end
  tell { number = seen.number, from = from, ours = here, vapi = there, status = status, good = good,
    answered_by = here and (here.system or "ringdown") or there and "vapi" or "nobody",
    text = ("%-16s  %s%s"):format(seen.number, good and "" or "FAILED: ",
      in_words(from, must, here, there, status)) }
  return good
end

---Calls a number, and says who answered.
---@param must string where its calls must go
---@return boolean good
local function call(payload, seen, must, by_number, tell)
  local from = from_number(payload, seen, by_number)
  local since = db.ask([[select to_json(to_char((now() - interval '5 seconds') at time zone 'UTC',
      'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text]]) -- as Vapi writes it
  local before = known_before(seen, from, since, tell)
  local made, why = rest.write { path = "Calls.json", form = { To = seen.number, From = from,
    Twiml = SAYS:format(LISTENS_S), Timeout = 20, TimeLimit = 30 } }
  if not made then
    tell { text = ("%-16s  cannot be called from %s: %s"):format(seen.number, from, why), number = seen.number }
    return false
  end
  tell { progress = ("calling %s from %s"):format(seen.number, from) }
  local here, there = who_answered(seen, from, since, before)
  local now = rest.fetch_call(made.sid) or made
  rest.update_call(made.sid, { Status = "completed" })
  return tell_answer(seen, from, must, here, there, now.status, tell)
end

---@class ringdown.numbers.verify : ringdown.numbers.choice
---@field call boolean?
---@field from string?
---@field ours ringdown.numbers.ours

---@param payload ringdown.numbers.verify
function M.run(payload, tell)
  local _, by_number = sync.keep(payload.ours)
  local made, n_wrong = targets(), 0
  local chosen, unknown = choose.of(payload, by_number, agents.load(), function(seen)
    return made[seen.number] ~= nil
  end)
  for _, one in ipairs(unknown) do
    tell { text = ("%-16s  %s"):format(one.number, one.why), number = one.number }
  end
  for _, seen in ipairs(chosen) do
    local target = made[seen.number]
    local must = target and target.goes_to or seen.goes_to
    local good = tell_one(seen, target, tell)
    good = (not payload.call or call(payload, seen, must, by_number, tell)) and good
    n_wrong = n_wrong + (good and 0 or 1)
  end
  tell { text = ("%d numbers looked at, %d not as they should be."):format(#chosen, n_wrong + #unknown) }
  return { numbers = #chosen, wrong = n_wrong + #unknown, failed = n_wrong + #unknown > 0 }
end

return M
