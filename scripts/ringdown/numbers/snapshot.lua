-- SPDX-License-Identifier: Apache-2.0
-- numbers.snapshot: how a number was before we changed it. In the database each change has one; the first of them, how
-- the number was before we came, lies on this machine's disk as well, so that it can be put back without anything else.
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---@class ringdown.numbers.snapshot
---@field number string
---@field sid string
---@field snapshot integer? its id in the database
---@field taken_at string
---@field taken_by string
---@field fields table<string, string> the twelve

local function name_of(number)
  return "snapshots/" .. number .. ".json"
end

---The one on disk.
---@param number string
---@return ringdown.numbers.snapshot?
function M.kept(number)
  local text = host.kept(name_of(number))
  local value = text and json.decode(text)
  return type(value) == "table" and type(value.fields) == "table" and value or nil
end

---All that are on disk.
---@return ringdown.numbers.snapshot[]
function M.all_kept()
  local list = {}
  for _, name in ipairs(host.kept_names("snapshots/")) do
    local number = name:match("^snapshots/(%+%d+)%.json$")
    list[#list + 1] = number and M.kept(number)
  end
  return list
end

---Writes it, unless it is there already.
---@param one ringdown.numbers.snapshot
---@return true? kept
---@return string? why not
function M.keep(one)
  local there = M.kept(one.number)
  if there and there.snapshot == one.snapshot and one.snapshot then
    return true
  end
  return host.keep(name_of(one.number), json.encode(one) .. "\n")
end

---How the number was before we came, by the database.
---@param number string
---@param first boolean false: before the last change
---@return table? snapshot {id, fields, taken_at, taken_by}
function M.stored(number, first)
  return db.ask([[select to_jsonb(s)::text from number_snapshot($1, $2::boolean) s where s.id is not null]],
    { number, first and "true" or "false" })
end

---What the database says is the first, onto the disk.
---@return true? kept
---@return string? why not
function M.keep_first(number, sid)
  local first = M.stored(number, true)
  return first and M.keep { number = number, sid = sid, snapshot = first.id, taken_at = first.taken_at,
    taken_by = first.taken_by, fields = first.fields } or nil, "the database has no snapshot of it"
end

return M
