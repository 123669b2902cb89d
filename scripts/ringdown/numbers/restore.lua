-- SPDX-License-Identifier: Apache-2.0
-- numbers.restore: gives numbers their twelve fields back, as a snapshot has them, and reads them again.
--
-- What a run was in the middle of is looked at first, and what it had not begun is not done any more: nobody has to
-- finish a change to take it back. A number of which nobody can know is told, and the others are restored.
--
-- A number: as before the last change, or with `first` as before we came. A run: what it changed. With the database
-- away: from the disk of this machine, as before we came. The database hears of that by restoring once more when it
-- is back; else the next switch finds a number that is not ours, and begins anew with it.
local bulk = require "ringdown.numbers.bulk"
local db = require "ringdown.numbers.db"
local snapshots = require "ringdown.numbers.snapshot"
local sorted = require "ringdown.sorted"
local twilio = require "ringdown.twilio.numbers"
local where = require "ringdown.numbers.where"

local M = {}

local function item_of(number, carrier_id, snapshot, ours)
  return { number = number, carrier_id = carrier_id, wanted = snapshot.fields, restores = snapshot.id,
    goes_to = (where.of(snapshot.fields, ours)) }
end

local function change_text(number, one)
  return ("%-16s  %-21s  %s -> %s"):format(number, one.name, one.found == "" and "(nothing)" or one.found,
    one.wanted == "" and "(nothing)" or one.wanted)
end

-- The number's id at Twilio: as it was seen last, else by asking. Nil and why: it has none, or nobody knows.
local function carrier_id(number)
  local seen = db.ask("select to_json(carrier_id)::text from numbers_seen where number = $1", { number })
  if seen then
    return seen
  end
  local one, why = twilio.find(number)
  if not one then
    return nil, why and "cannot be looked up at Twilio: " .. why or "is not among the account's numbers any more"
  end
  return one.sid
end

local function has_begun(state)
  return state == "snapshotted" or state == "written"
end

-- What was cut off and is not known, or is somebody else's: told. How many.
local function tell_left(found, tell)
  local n = 0
  for _, number in ipairs(sorted.keys(found)) do
    local one = found[number]
    if has_begun(one.state) then
      n = n + 1
      tell { text = ("%-16s  NOT KNOWN, not restored: %s"):format(number, one.why), number = number, why = one.why }
    end
  end
  return n
end

-- `found`: what it was in the middle of, settled; nil: nothing is to be changed.
local function of_run(run, found, ours, tell)
  local shown = db.ask("select bulk_shown($1::bigint)::text", { run })
  local items, n_left = {}, 0
  if not shown then
    error(("there is no run %d; ringdown numbers runs shows them"):format(run), 0)
  end
  for _, one in ipairs(shown.items) do
    local was = found and found[one.number]
    if one.snapshot and (one.state == "verified" or not found and has_begun(one.state)) then
      items[#items + 1] = item_of(one.number, one.carrier_id, { id = one.snapshot, fields = one.before }, ours)
    elseif was and one.state == "failed" then
      local now = twilio.fetch(one.carrier_id)
      local is_back = now and #twilio.differences(twilio.fields(now), one.before) == 0
      n_left = n_left + (is_back and 0 or 1)
      tell { text = ("%-16s  %s"):format(one.number, is_back and "is as it was: " .. one.why
        or ("not restored: %s; ringdown numbers restore %s gives it back all the same"):format(one.why, one.number)),
        number = one.number }
    end
  end
  return items, n_left
end

local function of_numbers(numbers, found, first, ours, tell)
  local items, n_missing = {}, 0
  for _, number in ipairs(numbers) do
    local was = found[number] or {}
    snapshots.adopt(number, nil, ours)
    local snapshot = snapshots.stored(number, first)
    local sid, why = nil, "has no snapshot to go back to: we changed nothing, or it is undone already"
    if snapshot then
      sid, why = carrier_id(number)
    end
    if was.restores and was.state == "verified" and not snapshot then
      tell { text = ("%-16s  was restored by run %d"):format(number, was.run), number = number }
    elseif was.state == "failed" and not snapshot then
      tell { text = ("%-16s  is as it was: %s"):format(number, was.why), number = number }
    elseif sid and not has_begun(was.state) then
      items[#items + 1] = item_of(number, sid, snapshot, ours)
    elseif not has_begun(was.state) then
      n_missing = n_missing + 1
      tell { text = ("%-16s  %s"):format(number, why), number = number }
    end
  end
  return items, n_missing
end

-- Straight from the disk. Each number is read back; nothing is written down, because there is nobody to do so.
local Disk = {}
Disk.__index = Disk

function Disk:say(number, good, text)
  self.n_done, self.n_failed = self.n_done + (good and 1 or 0), self.n_failed + (good and 0 or 1)
  self.tell { text = ("%-16s  %s"):format(number, text), number = number }
end

-- What would change; nothing is.
function Disk:compare(one)
  local now, why = twilio.fetch(one.sid)
  local changes = now and twilio.differences(twilio.fields(now), one.fields) or {}
  for _, change in ipairs(changes) do
    self.tell { text = change_text(one.number, change), number = one.number, change = change }
  end
  if not now then
    self:say(one.number, false, "cannot be compared: " .. why)
  elseif #changes == 0 then
    self:say(one.number, true, "is as it was")
  else
    self.n_done = self.n_done + 1
  end
end

function Disk:put_back(one)
  local now, refused, code = twilio.update(one.sid, one.fields)
  local fields, why
  if now or code == "unknown" then
    fields, why = bulk.read_back { carrier_id = one.sid, wanted = one.fields }
  end
  local good = fields and #twilio.differences(fields, one.fields) == 0
  self:say(one.number, good, good and "as it was on " .. one.taken_at
    or "NOT restored: " .. (refused or why and "it was written and cannot be read back: " .. why
    or "Twilio shows something else than was written"))
end

-- Of `all`, those that we changed and that nobody gave back.
local function from_disk(payload, wanted)
  local chosen, list, damaged = {}, snapshots.all_kept()
  local n_left = 0
  for _, one in ipairs(list) do
    if wanted[one.number] or payload.all and snapshots.is_ours(one) then
      chosen[#chosen + 1], wanted[one.number] = one, nil
    elseif payload.all then
      n_left = n_left + 1
    end
  end
  return chosen, damaged, n_left
end

local function without_database(payload, why, tell)
  tell { note = ("the database is away (%s): %s the snapshots on this machine's disk"):format(why,
    payload.dry_run and "comparing with" or "restoring from") }
  local self, wanted = setmetatable({ tell = tell, n_done = 0, n_failed = 0 }, Disk), {}
  for _, number in ipairs(payload.numbers or {}) do
    wanted[number] = true
  end
  local chosen, damaged, n_left = from_disk(payload, wanted)
  for _, one in ipairs(damaged) do
    if payload.all or wanted[one.number] then
      wanted[one.number] = nil
      self:say(one.number, false, "NOT restored: " .. one.why .. "; scripts/rollback-numbers --from, with a way back "
        .. "that was kept elsewhere, may have it")
    end
  end
  for number in pairs(wanted) do
    self:say(number, false, "has no snapshot on this disk")
  end
  local stopped
  local n_before = self.n_failed
  for i, one in ipairs(chosen) do
    stopped = bulk.reason_to_stop(self.n_failed - n_before, payload.max_failures)
    if stopped then
      tell { note = ("stopped: %s; %d were not tried"):format(stopped, #chosen - i + 1) }
      break
    end
    self[payload.dry_run and "compare" or "put_back"](self, one)
  end
  if n_left > 0 then
    tell { note = ("%d more were never changed by us, or are given back already: they are left alone"):format(n_left) }
  end
  tell { text = payload.dry_run and ("Nothing was changed. %d numbers would be restored, %d cannot be."):format(
    self.n_done, self.n_failed) or ("%d numbers restored, %d not."):format(self.n_done, self.n_failed) }
  return { restored = not payload.dry_run and self.n_done or nil, numbers = self.n_done,
    failed = self.n_failed > 0 or stopped ~= nil }
end

---@class ringdown.numbers.restore
---@field numbers string[]?
---@field run integer?
---@field all boolean? every number that has a snapshot
---@field first boolean? as before we came
---@field resume integer?
---@field dry_run boolean?
---@field ours ringdown.numbers.ours

local function everything(ours)
  for _, one in ipairs((snapshots.all_kept())) do
    snapshots.adopt(one.number, nil, ours)
  end
  return db.ask([[select coalesce(jsonb_agg(distinct number), '[]')::text from number_snapshots
    where undone_at is null]])
end

local function dry_run(items, tell)
  for _, item in ipairs(items) do
    local now, why = twilio.fetch(item.carrier_id)
    for _, one in ipairs(now and twilio.differences(twilio.fields(now), item.wanted) or {}) do
      tell { text = change_text(item.number, one), number = item.number, change = one }
    end
    if not now then
      tell { text = ("%-16s  %s"):format(item.number, why), number = item.number }
    end
  end
  tell { text = ("Nothing was changed. %d numbers would be restored."):format(#items) }
  return { numbers = #items }
end

-- What to restore, and of how many numbers it cannot be said. Unless it is a dry run, runs are ended for it.
local function chosen(payload, tell)
  local numbers, found = payload.numbers, nil
  if not payload.dry_run then
    found = bulk.settle({ run = payload.run, numbers = not payload.run and not payload.all and numbers or nil },
      payload.ours, tell)
  end
  local items, n_missing
  if payload.run then
    items, n_missing = of_run(payload.run, found, payload.ours, tell)
  else
    items, n_missing = of_numbers(payload.all and everything(payload.ours) or numbers or {}, found or {},
      payload.first or payload.all, payload.ours, tell)
  end
  return items, n_missing + tell_left(found or {}, tell)
end

---@param payload ringdown.numbers.restore
function M.run(payload, tell)
  local there, why = db.is_there()
  if not there and (payload.run or payload.resume) then
    error(("the database is away (%s), and only it knows what a run changed; ringdown numbers restore NUMBER... or "
      .. "--all goes by the snapshots on this machine's disk"):format(why), 0)
  elseif not there then
    return without_database(payload, why, tell)
  elseif payload.resume then
    return bulk.go_on(payload.resume, payload.ours, tell)
  end
  local items, n_missing = chosen(payload, tell)
  if payload.dry_run then
    return dry_run(items, tell)
  elseif #items == 0 then
    tell { text = "There is nothing to restore." }
    return { numbers = 0, failed = n_missing > 0 }
  end
  local run = bulk.begin({ action = "restore", reason = payload.reason, options = {
    max_failures = payload.max_failures, wave = payload.wave, pause_s = payload.pause_s } }, items)
  local result = bulk.go_on(run, payload.ours, tell)
  result.failed = result.failed or n_missing > 0
  return result
end

return M
