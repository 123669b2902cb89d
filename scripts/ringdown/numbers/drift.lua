-- SPDX-License-Identifier: Apache-2.0
-- numbers.drift: is each number still as we made it? Somebody's "save" in a dashboard, or a second import, writes over
-- our address without a word, and the next call goes there. The leader looks every few minutes; so does a person.
--
-- Nothing is put right here: who changed it may have meant it. Numbers that are being changed are left out.
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local snapshots = require "ringdown.numbers.snapshot"
local twilio = require "ringdown.twilio.numbers"
local verify = require "ringdown.numbers.verify"

local M = {}

local KIND, ALARMS_MAX = "numbers.drift", 20

local function in_words(drift)
  local parts = {}
  for i, one in ipairs(drift) do
    parts[i] = ("%s is %s instead of %s"):format(one.name, one.found == "" and "nothing" or one.found,
      one.wanted == "" and "nothing" or one.wanted)
  end
  return table.concat(parts, "; ")
end

-- Of those that drifted: which are as they were before we came. Somebody gave them back without the database.
local function find_given_back(drifted, by_number)
  local n = 0
  for _, one in ipairs(drifted) do
    local now, first = by_number[one.number], snapshots.stored(one.number, true)
    if now and first and #twilio.differences(twilio.fields(now), first.fields) == 0 then
      one.given_back, n = true, n + 1
    end
  end
  return n
end

local function text_of(one)
  return one.given_back and ("is as it was before we came: somebody gave it back without the database; ringdown "
    .. "numbers restore %s --first writes that down, and ends this alarm"):format(one.number) or in_words(one.drift)
end

-- Where the calls go is worse than anything else.
local function severity_of(drift)
  for _, one in ipairs(drift) do
    if one.name == "voice_url" or one.name == "voice_application_sid" or one.name == "trunk_sid" then
      return "critical"
    end
  end
  return "warning"
end

-- What we made, without what is being changed now.
local function looked_after()
  return db.ask([[select coalesce(jsonb_agg(jsonb_build_object('number', number, 'fields', fields) order by number),
      '[]')::text from number_targets t
    where not exists (select from bulk_items i join bulk_runs r using (run) where i.number = t.number
      and i.state in ('snapshotted', 'written') and r.state = 'running')]])
end

local function by_number_of(list)
  local by_number = {}
  for _, one in ipairs(list) do
    by_number[one.phone_number] = one
  end
  return by_number
end

-- One alarm each; when everything drifted at once, one for all.
local function alarm(compared, found)
  for _, one in ipairs(compared) do
    if not one.drift then
      host.alarm_over(KIND, one.number)
    end
  end
  if #found > ALARMS_MAX then
    host.alarm("critical", KIND, "", ("%d numbers are not as they were made, %s among them: %s"):format(#found,
      found[1].number, text_of(found[1])))
    return
  end
  host.alarm_over(KIND, "")
  for _, one in ipairs(found) do
    host.alarm(one.given_back and "warning" or severity_of(one.drift), KIND, one.number,
      ("%s: %s"):format(one.number, text_of(one)))
  end
end

---@return { number: string, drift: table? }[] compared all of them
---@return { number: string, drift: table }[] drifted
local function compare(list, by_number)
  local compared, drifted = json.array {}, {}
  for _, one in ipairs(list) do
    local now = by_number[one.number]
    local drift = now and verify.drift(one, twilio.fields(now))
      or json.array { { name = "number", wanted = "in the account", found = "gone" } }
    compared[#compared + 1] = { number = one.number, drift = #drift > 0 and drift or nil }
    if #drift > 0 then
      drifted[#drifted + 1] = compared[#compared]
    end
  end
  return compared, drifted
end

---@param payload { action: string? } without one: the leader asks
function M.run(payload, tell)
  local list = looked_after()
  if #list == 0 or not host.twilio_ready() then
    tell { text = "There is no number that we switched, so nothing can have drifted." }
    return { numbers = 0, drifted = 0 }
  end
  local all, why = twilio.list()
  if not all then
    error("Twilio's numbers cannot be listed: " .. why, 0)
  end
  local by_number = by_number_of(all)
  local compared, drifted = compare(list, by_number)
  for part in db.parts(compared) do
    db.ask("select to_json(1)::text from numbers_compared($1::jsonb)", { json.encode(part) })
  end
  local n_back = find_given_back(drifted, by_number)
  if not payload.action then -- nobody looks at the screen
    alarm(compared, drifted)
  end
  for _, one in ipairs(drifted) do
    tell { text = ("%-16s  %s"):format(one.number, text_of(one)), number = one.number, drift = one.drift,
      given_back = one.given_back }
  end
  tell { text = #drifted == 0 and ("%d numbers are as they were made."):format(#list)
    or ("%d of %d numbers are not as they were made%s%s"):format(#drifted, #list, n_back > 0
      and ("; %d were given back: ringdown numbers restore NUMBER --first"):format(n_back) or "", n_back < #drifted
      and "; ringdown numbers switch makes them so again" or "") }
  return { numbers = #list, drifted = #drifted, failed = payload.action ~= nil and #drifted > 0 }
end

return M
