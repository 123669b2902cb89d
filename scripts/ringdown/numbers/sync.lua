-- SPDX-License-Identifier: Apache-2.0
-- numbers.sync: looks at the account's numbers at Twilio, and at those that Vapi imported, and keeps what it saw.
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local twilio = require "ringdown.twilio.numbers"
local where = require "ringdown.numbers.where"

local M = {}

---@class ringdown.numbers.seen
---@field number string
---@field carrier_id string
---@field name string
---@field fields table<string, string> the twelve
---@field goes_to string
---@field texts_to string
---@field vapi_id string? at Vapi
---@field vapi_assistant string?

-- What Vapi imported, by number; nil and why when it cannot be asked.
local function imported()
  if not (host.vapi_ready and host.vapi_ready()) then
    return nil, "there is no key for Vapi (vapi.key, VAPI_API_KEY)"
  end
  local list, why = require("ringdown.vapi.pages").phone_numbers()
  if not list then
    return nil, why
  end
  local by_number = {}
  for _, one in ipairs(list) do
    if type(one.number) == "string" then
      by_number[one.number] = one
    end
  end
  return by_number
end

---@param one table Twilio's
---@param at_vapi table? Vapi's
---@return ringdown.numbers.seen
function M.seen(one, ours, at_vapi)
  local fields = twilio.fields(one)
  local goes_to, texts_to = where.of(fields, ours)
  return { number = one.phone_number, carrier_id = one.sid, name = one.friendly_name, fields = fields,
    goes_to = goes_to, texts_to = texts_to, vapi_id = at_vapi and at_vapi.id,
    vapi_assistant = at_vapi and at_vapi.assistantId }
end

---Raises when Twilio cannot be asked.
---@param ours ringdown.numbers.ours
---@return ringdown.numbers.seen[] all
---@return table<string, ringdown.numbers.seen> by_number
---@return string? why Vapi could not be asked; else nil
function M.look(ours)
  if not host.twilio_ready() then
    error("there are no credentials for Twilio: set twilio.sid and twilio.token (TWILIO_ACCOUNT_SID, "
      .. "TWILIO_AUTH_TOKEN)", 0)
  end
  local list, why = twilio.list()
  if not list then
    error(("Twilio's numbers cannot be listed: %s"):format(why), 0)
  end
  local at_vapi, trouble = imported()
  local all, by_number = {}, {}
  for _, one in ipairs(list) do
    if type(one.phone_number) == "string" and one.phone_number:match("^%+[1-9]%d+$") then
      all[#all + 1] = M.seen(one, ours, at_vapi and at_vapi[one.phone_number])
      by_number[one.phone_number] = all[#all]
    end
  end
  table.sort(all, function(a, b)
    return a.number < b.number
  end)
  return all, by_number, trouble
end

-- Which numbers Vapi answers, too: nodes keep a copy.
local function vapis()
  return db.ask("select to_json(md5(coalesce(string_agg(number, ' ' order by number), '')))::text from numbers_at_vapi")
end

---Looks, and keeps it.
---@return ringdown.numbers.seen[] all
---@return table<string, ringdown.numbers.seen> by_number
---@return string? why Vapi could not be asked
---@return table counts
function M.keep(ours)
  local all, by_number, trouble = M.look(ours)
  local now, counts = db.ask("select to_json(clock_timestamp())::text"), { new = 0, changed = 0 }
  local vapis_before = vapis()
  for part in db.parts(all) do
    local some = db.ask("select numbers_saw($1::jsonb, $2::boolean, $3::timestamptz)::text",
      { json.encode(part), trouble == nil and "true" or "false", now })
    counts.new, counts.changed = counts.new + some.new, counts.changed + some.changed
  end
  counts.gone = db.ask([[with gone as (update numbers_seen set gone_at = $1::timestamptz where gone_at is null
      and seen_at < $1::timestamptz returning 1) select to_json(count(*))::text from gone]], { now })
  if vapis() ~= vapis_before then
    db.ask([[with v as (update numbers_version set version = version + 1 returning version)
      select to_json(version)::text from v]])
  end
  return all, by_number, trouble, counts
end

local function line_of(one)
  return ("%-16s  calls: %-9s  texts: %-9s  %s"):format(one.number, one.goes_to, one.texts_to,
    one.vapi_id and ("at Vapi with assistant %s"):format(one.vapi_assistant or "none") or "")
end

---@param payload { ours: ringdown.numbers.ours }
function M.run(payload, tell)
  local all, _, trouble, counts = M.keep(payload.ours)
  for _, one in ipairs(all) do
    tell { text = (line_of(one):gsub("%s+$", "")), number = one.number, goes_to = one.goes_to, texts_to = one.texts_to,
      vapi_id = one.vapi_id, vapi_assistant = one.vapi_assistant }
  end
  if trouble then
    tell { note = "Vapi was not asked which numbers it has: " .. trouble }
  end
  tell { text = ("%d numbers: %d new, %d changed since the last look, %d no longer there."):format(#all, counts.new,
    counts.changed, counts.gone) }
  return { numbers = #all, new = counts.new, changed = counts.changed, gone = counts.gone }
end

return M
