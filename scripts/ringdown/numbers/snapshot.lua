-- SPDX-License-Identifier: Apache-2.0
-- numbers.snapshot: how a number was before we changed it. In the database each change has one; the first of them, how
-- the number was before we came, lies on this machine's disk as well, so that it can be put back without anything else.
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local twilio = require "ringdown.twilio.numbers"
local where = require "ringdown.numbers.where"

local M = {}

---@class ringdown.numbers.snapshot
---@field number string
---@field sid string
---@field snapshot integer? its id in the database
---@field taken_at string
---@field taken_by string
---@field fields table<string, string> the twelve
---@field state "changed"|"given_back"? given_back: it is as it was, and `all` leaves it alone

local function name_of(number)
  return "snapshots/" .. number .. ".json"
end

-- Whole: what it says can be written back.
local function is_whole(value, number)
  if type(value) ~= "table" or type(value.fields) ~= "table" or value.number ~= number
    or type(value.sid) ~= "string" or not value.sid:match("^PN%x+$") then
    return false
  end
  for _, name in ipairs(twilio.names) do
    if type(value.fields[name]) ~= "string" then
      return false
    end
  end
  value.taken_at = type(value.taken_at) == "string" and value.taken_at or "a day that is not known"
  return true
end

---The one on disk.
---@param number string
---@return ringdown.numbers.snapshot?
---@return string? why
function M.kept(number)
  local text = host.kept(name_of(number))
  local good, value = pcall(json.decode, text or "")
  if not text then
    return nil, "has no snapshot on this disk"
  elseif not good or not is_whole(value, number) then
    return nil, "its snapshot on this disk is damaged"
  end
  return value
end

---All that are on disk.
---@return ringdown.numbers.snapshot[]
---@return { number: string, why: string }[] damaged
function M.all_kept()
  local list, damaged = {}, {}
  for _, name in ipairs(host.kept_names("snapshots/")) do
    local number = name:match("^snapshots/(%+%d+)%.json$")
    if number then
      local one, why = M.kept(number)
      list[#list + 1] = one
      damaged[#damaged + 1] = not one and { number = number, why = why } or nil
    end
  end
  return list, damaged
end

---Did we change it, and is it not given back? One without an id was only looked at.
---@param one ringdown.numbers.snapshot
function M.is_ours(one)
  return type(one.snapshot) == "number" and one.state ~= "given_back"
end

local function write(one)
  return host.keep(name_of(one.number), json.encode(one) .. "\n")
end

-- Its id alone does not tell it: another database counts from 1 as well.
local function is_same(there, one)
  return one.snapshot and there.snapshot == one.snapshot and there.taken_at == one.taken_at
end

---Writes it, unless it is there already. What lies there and leads elsewhere is never lost to one that leads to us:
---that is how the number was before a later change, told by a database that does not know of the first.
---@param one ringdown.numbers.snapshot
---@param ours ringdown.numbers.ours
---@return true? kept
---@return string? why not
function M.keep(one, ours)
  local there = M.kept(one.number)
  one.state = one.state or "changed"
  if there and is_same(there, one) and (there.state or "changed") == one.state then
    return true
  elseif there and where.any_to_us(one.fields, ours) and not where.any_to_us(there.fields, ours) then
    there.state, there.snapshot = one.state, there.snapshot or one.snapshot
    one = there
  end
  return write(one)
end

---The number is as it was before we came: nobody has to give it back any more. What cannot be written stays, and is
---given back once more by whoever asks for all: that changes nothing.
---@param number string
---@param id integer of the snapshot that it was given back from
function M.given_back(number, id)
  local one = M.kept(number)
  if one and one.snapshot == id then
    one.state = "given_back"
    write(one)
  end
end

---How the number was before we came, by the database.
---@param number string
---@param first boolean false: before the last change
---@return table? snapshot {id, fields, taken_at, taken_by}
function M.stored(number, first)
  return db.ask([[select to_jsonb(s)::text from number_snapshot($1, $2::boolean) s where s.id is not null]],
    { number, first and "true" or "false" })
end

---After the loss of a database: a number that leads to us, of which it knows no way back, may have one on this disk.
---@param number string
---@param fields table<string, string>? as they are now; nil: Twilio is asked, if it matters
---@param ours ringdown.numbers.ours
---@return boolean adopted the database knows it now
function M.adopt(number, fields, ours)
  local there = M.kept(number)
  if not there or where.any_to_us(there.fields, ours) or M.stored(number, true) then
    return false
  end
  if not fields then
    local now = twilio.fetch(there.sid)
    fields = now and twilio.fields(now)
  end
  if not fields or not where.any_to_us(fields, ours) then
    return false
  end
  db.ask("select to_json(snapshot_adopted($1, $2, $3, $4::jsonb))::text", { number, there.taken_at, host.who(),
    json.encode(there.fields) })
  return true
end

---Did somebody give it back behind our back? Nothing of it leads to us, and it was not we who sent it away.
---@param number string
---@param fields table<string, string> as they are now
---@param ours ringdown.numbers.ours
---@return boolean
function M.is_given_back(number, fields, ours)
  return not where.any_to_us(fields, ours) and not db.ask([[select to_json(true)::text from number_targets t
    where t.number = $1 and $2::jsonb @> t.fields]], { number, json.encode(fields) })
end

---What the database says is the first, onto the disk.
---@return true? kept
---@return string? why not
function M.keep_first(number, sid, ours)
  local first = M.stored(number, true)
  return first and M.keep({ number = number, sid = sid, snapshot = first.id, taken_at = first.taken_at,
    taken_by = first.taken_by, fields = first.fields }, ours) or nil, "the database has no snapshot of it"
end

return M
