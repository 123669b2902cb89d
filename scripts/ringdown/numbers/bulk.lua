-- SPDX-License-Identifier: Apache-2.0
-- numbers.bulk: changes numbers one after the other, so that it can be cut off anywhere and gone on with.
--
--   planned ─ read, snapshot kept twice ─▶ snapshotted ─ Twilio changed it ─▶ written ─ read back ─▶ verified
--        \________________________________________________\____ back as it was, and why ____▶ failed
--
-- Each step is in the database before the next one begins. Whoever goes on later (bulk --resume) looks at Twilio
-- first: what is as wished is verified, what is as it was is done again, what somebody else changed is left alone.
-- Nobody knows about a number only while Twilio cannot be asked; it then stays where it is, and is told.
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local snapshots = require "ringdown.numbers.snapshot"
local twilio = require "ringdown.twilio.numbers"
local where = require "ringdown.numbers.where"

local M = {}

local LOOKS, LOOK_MS = 3, 1000 -- a change may take a moment to show
local FAILURES_MAX = 10
local STEPS_SHOWN = 100 -- of a long run
local SHOWN_MAX = 20 -- of a small run, each number is a line

local Run = {}
Run.__index = Run

-- A step is in the database, or this process is not the one any more. Nil: another run is changing that number.
function Run:step(item, state, about)
  local made, code = db.ask("select bulk_step($1::bigint, $2, $3, $4, $5::jsonb)::text",
    { self.run, self.held_by, item.number, state, json.encode(about or {}) }, state == "snapshotted")
  if code == db.TAKEN then
    return nil
  elseif not made then
    error(("another process goes on with run %d; this one ends here"):format(self.run), 0)
  end
  item.state, item.why = state, about and about.why
  return made
end

-- It is as it was; unless it is `theirs`, who changed it meanwhile: then there may be something to take back yet.
function Run:fail(item, why, theirs)
  self:step(item, "failed", { why = why, as_it_was = not theirs })
end

-- Nobody knows how the number is: it stays in the step it is in.
function Run:leave(item, why)
  self:step(item, item.state, { why = why })
end

function Run:verified(item, fields)
  local first = item.restores and snapshots.stored(item.number, true)
  if first and first.id == item.restores then
    snapshots.given_back(item.number, first.id)
  end
  local _, texts_to = where.of(fields, self.ours)
  self:step(item, "verified", { now = fields, texts_to = texts_to })
end

local function is_as(fields, wanted)
  return #twilio.differences(fields, wanted) == 0
end

-- Of `fields`, those that are about to be changed.
local function only(fields, wanted)
  local some = {}
  for name in pairs(wanted) do
    some[name] = fields[name]
  end
  return some
end

local function changes(fields, wanted)
  local some = {}
  for _, one in ipairs(twilio.differences(fields, wanted)) do
    some[one.name] = one.wanted
  end
  return some
end

---The number's fields once they are as wished, or as they stay.
---@param item { carrier_id: string, wanted: table<string, string> }
---@return table<string, string>? fields
---@return string? why not
local function read_back(item)
  for look = 1, LOOKS do
    local now, why = twilio.fetch(item.carrier_id)
    if not now then
      return nil, why
    end
    local fields = twilio.fields(now)
    if is_as(fields, item.wanted) or look == LOOKS then
      return fields
    end
    host.sleep(LOOK_MS)
  end
end
M.read_back = read_back

function Run:put_back(item, fields)
  local before = only(item.before, item.wanted)
  local now, why = twilio.update(item.carrier_id, changes(fields, before))
  if now and is_as(twilio.fields(now), before) then
    self:fail(item, "reading back showed something else than was written; it is put back as it was")
  else
    self:leave(item, "reading back showed something else than was written, and it could not be put back: "
      .. (why or "Twilio shows something else again"))
  end
end

function Run:settle(item)
  local fields, why = read_back(item)
  if not fields then
    self:leave(item, "it was written and cannot be read back: " .. why)
  elseif is_as(fields, item.wanted) then
    self:verified(item, fields)
  elseif is_as(fields, only(item.before, item.wanted)) then
    self:fail(item, "Twilio said yes and did not do it; it is as it was")
  else
    self:put_back(item, fields)
  end
end

function Run:write(item, fields)
  local now, why, code = twilio.update(item.carrier_id, changes(fields, item.wanted))
  if now then
    self:step(item, "written")
    self:settle(item)
  elseif code == "unknown" then
    self:leave(item, "nobody knows whether Twilio changed it: " .. why)
  else
    self:fail(item, why .. "; it is as it was")
  end
end

-- Both copies are there before anything is changed.
function Run:snapshot(item, fields)
  item.before = fields
  snapshots.adopt(item.number, fields, self.ours)
  local made = self:step(item, "snapshotted", { before = fields,
    anew = not item.restores and snapshots.is_given_back(item.number, fields, self.ours) })
  if not made then
    self:fail(item, "another run is changing it at this moment; it was not touched by this one")
    return false
  end
  local kept, why = snapshots.keep({ number = item.number, sid = item.carrier_id, snapshot = made.first,
    taken_at = made.taken_at, taken_by = made.taken_by, fields = made.fields }, self.ours)
  if not kept then
    self:fail(item, ("its snapshot cannot be kept on disk (%s), so nothing was changed"):format(why))
    return false
  end
  return true
end

local function apart(fields, wanted)
  for _, name in ipairs { "voice_application_sid", "trunk_sid" } do
    if wanted[name] == "" and fields[name] ~= "" then
      return ("has %s %s, which goes before any voice URL; take it off at Twilio"):format(name, fields[name])
    end
  end
end

function Run:from_the_beginning(item, fields)
  local why = not item.restores and apart(fields, item.wanted)
  if is_as(fields, item.wanted) then
    self:verified(item, fields)
  elseif why then
    self:fail(item, why)
  elseif self:snapshot(item, fields) then
    self:write(item, fields)
  end
end

function Run:from_the_middle(item, fields)
  if is_as(fields, item.wanted) then
    self:verified(item, fields)
  elseif not is_as(fields, only(item.before, item.wanted)) then
    self:fail(item, "somebody else changed it meanwhile; it is left as it is now", true)
  else
    local kept, why = snapshots.keep_first(item.number, item.carrier_id, self.ours)
    if kept then
      self:write(item, fields)
    else
      self:fail(item, ("its snapshot cannot be kept on disk (%s); it is as it was"):format(why))
    end
  end
end

function Run:change(item)
  local now, why = twilio.fetch(item.carrier_id)
  local begun = item.state == "snapshotted" or item.state == "written"
  if not now and begun then
    self:leave(item, "Twilio cannot be asked how it is: " .. why)
  elseif not now then
    self:fail(item, why .. "; it was not touched")
  elseif begun then
    self:from_the_middle(item, twilio.fields(now))
  else
    self:from_the_beginning(item, twilio.fields(now))
  end
end

-- ── the whole run ───────────────────────────────────────────────────────────────────────────────

function Run:tell_item(item, tell)
  local good = item.state == "verified"
  local line = { number = item.number, state = item.state, why = item.why }
  if self.n_done % (1 + #self.items // STEPS_SHOWN) == 0 then
    line.progress = ("%d of %d%s"):format(self.n_done, #self.items, self.n_failed > 0
      and (", %d not changed"):format(self.n_failed) or "")
  end
  if not good or #self.items <= SHOWN_MAX then
    line.text = ("%-16s  %s"):format(item.number, good and "goes to " .. item.goes_to .. ", verified"
      or ("%s: %s"):format(item.state == "failed" and "not changed" or "NOT KNOWN", item.why))
  end
  tell(line)
end

---Why no more numbers are changed; nil: go on.
---@param n_failed integer
---@param max integer?
---@return string?
function M.reason_to_stop(n_failed, max)
  max = max or FAILURES_MAX
  if n_failed >= max then
    return ("%d numbers could not be changed, and %d are enough (--max-failures)"):format(n_failed, max)
  elseif host.stopping and host.stopping() then
    return "it was told to end"
  end
end

function Run:reason_to_stop(options, n_in_wave)
  local why = M.reason_to_stop(self.n_failed, options.max_failures)
  if why then
    return why
  elseif options.wave and n_in_wave == options.wave and options.pause_s and options.pause_s > 0 then
    host.sleep(options.pause_s * 1000)
  end
end

function Run:all(tell)
  local options, n_in_wave = self.options, 0
  for _, item in ipairs(self.items) do
    if item.state ~= "verified" then
      self:change(item)
      self.n_failed = self.n_failed + (item.state ~= "verified" and 1 or 0)
      n_in_wave = n_in_wave + 1
    end
    self.n_done = self.n_done + 1
    self:tell_item(item, tell)
    if self.n_done < #self.items then
      local why = self:reason_to_stop(options, n_in_wave)
      if why then
        return why
      end
    end
    if options.wave and n_in_wave == options.wave then
      tell { text = ("wave done: %d of %d"):format(self.n_done, #self.items) }
      n_in_wave = 0
    end
  end
end

local function how_many(counts, state)
  return counts[state] or 0
end

---Goes on with a run, whoever began it.
---@param run integer
---@param ours ringdown.numbers.ours
---@return { run: integer, counts: table<string, integer>, failed: boolean }
function M.go_on(run, ours, tell)
  local taken = db.ask("select bulk_take($1::bigint)::text", { run })
  if not taken then
    error(("there is no run %d; ringdown numbers runs shows them"):format(run), 0)
  end
  if #taken.items ~= taken.options.numbers then
    error(("run %d was cut off while it was written down, so nothing was changed: begin anew"):format(run), 0)
  end
  local self = setmetatable(taken, Run)
  self.ours, self.n_done, self.n_failed = ours, 0, 0
  local stopped = self:all(tell)
  local counts = db.ask("select bulk_end($1::bigint, $2)::text", { self.run, self.held_by })
  if not counts then
    error(("another process goes on with run %d; this one ends here"):format(self.run), 0)
  end
  local left = #self.items - how_many(counts, "verified")
  local open = how_many(counts, "snapshotted") + how_many(counts, "written")
  tell { text = ("run %d: %d of %d verified%s%s"):format(run, how_many(counts, "verified"), #self.items,
    left > 0 and (", %d as they were"):format(left - open) or "",
    open > 0 and (", %d of which nobody knows"):format(open) or ""), run = run, counts = counts }
  if left > 0 then
    tell { note = ("%sringdown numbers %s --resume %d goes on; ringdown numbers restore %d takes back what was changed")
      :format(stopped and "stopped: " .. stopped .. "; " or "", self.action, run, run) }
  end
  return { run = run, counts = counts, failed = left > 0 }
end

-- ── ending a run that was cut off ───────────────────────────────────────────────────────────────

local IN_FLIGHT_MS = 30000 -- so long what another process sent may still be on its way

-- How a number is that a run was in the middle of. Nothing is written to it.
function Run:look_at(item, tell)
  local fields, why = read_back(item)
  if fields and item.state == "snapshotted" and not is_as(fields, item.wanted) then
    local age_ms = db.ask([[select to_json(extract(epoch from now() - updated_at) * 1000)::text from bulk_items
      where run = $1::bigint and number = $2]], { self.run, item.number })
    if age_ms < IN_FLIGHT_MS then
      tell { progress = item.number .. ": waiting whether a change of it is still on its way" }
      host.sleep(math.ceil(IN_FLIGHT_MS - age_ms))
      fields, why = read_back(item)
    end
  end
  if not fields then
    self:leave(item, "Twilio cannot be asked how it is: " .. why)
  elseif is_as(fields, item.wanted) then
    self:verified(item, fields)
  elseif is_as(fields, only(item.before, item.wanted)) then
    self:fail(item, "it was cut off before anything was changed")
  else
    self:fail(item, "somebody else changed it meanwhile; it is left as it is now", true)
  end
end

-- Of one run: what it had not begun is not done any more, what it was in the middle of is looked at.
local function settle_run(run, is_meant, found, ours, tell)
  local self = setmetatable(db.ask("select bulk_take($1::bigint)::text", { run }), Run)
  local n_cancelled = 0
  self.ours = ours
  for _, item in ipairs(self.items) do
    if item.state == "planned" and is_meant(item.number) then
      self:fail(item, "it was taken back before its turn; it was not touched")
      n_cancelled = n_cancelled + 1
    end
  end
  for _, item in ipairs(self.items) do
    if (item.state == "snapshotted" or item.state == "written") and is_meant(item.number) then
      self:look_at(item, tell)
      found[item.number] = { state = item.state, why = item.why, run = run, restores = item.restores ~= nil }
    end
  end
  db.ask("select bulk_end($1::bigint, $2)::text", { self.run, self.held_by })
  if n_cancelled > 0 then
    tell { note = ("run %d does not go on with %d numbers that it had not touched"):format(run, n_cancelled) }
  end
end

---Ends what runs have in hand of these numbers, so that nothing goes on behind the back of whoever restores them. A
---process that is still at it ends at its next step.
---@param which { run: integer?, numbers: string[]? } of one run; of these numbers; else of all
---@return table<string, { state: string, why: string?, run: integer, restores: boolean }> found those in the middle
function M.settle(which, ours, tell)
  local named, found = {}, {}
  for _, number in ipairs(which.numbers or {}) do
    named[number] = true
  end
  local runs = db.ask("select bulks_unfinished($1::bigint, $2::jsonb)::text",
    { which.run or false, which.numbers and json.encode(json.array(which.numbers)) or false })
  for _, run in ipairs(runs) do
    settle_run(run, function(number)
      return not which.numbers or named[number] or false
    end, found, ours, tell)
  end
  return found
end

-- Whoever is in the middle of a change stays with it.
local function refuse_held(items)
  local numbers = json.array {}
  for i, item in ipairs(items) do
    numbers[i] = item.number
  end
  local held = db.ask("select numbers_held($1::jsonb)::text", { json.encode(numbers) })
  if held then
    error(("run %d was cut off in the middle of %s%s: finish it first, by --resume %d, or take it back, by "
      .. "ringdown numbers restore %d"):format(held[1].run, held[1].number,
        #held > 1 and (" and %d others"):format(#held - 1) or "", held[1].run, held[1].run), 0)
  end
end

---Writes down what is going to be done.
---@param about { action: "switch"|"restore", goes_to: string?, options: table, reason: string? }
---@param items { number: string, carrier_id: string, wanted: table, goes_to: string, restores: integer? }[]
---@return integer run
function M.begin(about, items)
  if about.action ~= "restore" then -- which has settled them
    refuse_held(items)
  end
  about.who, about.options.numbers = host.who(), #items
  local run = db.ask("select to_json(bulk_begin($1::jsonb))::text", { json.encode(about) })
  for part in db.parts(items) do
    db.ask("select to_json(bulk_add($1::bigint, $2::jsonb))::text", { run, json.encode(part) })
  end
  return run
end

return M
