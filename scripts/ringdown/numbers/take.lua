-- SPDX-License-Identifier: Apache-2.0
-- numbers.take: `numbers snapshot`: how numbers were before we came, on this machine's disk and, when asked for, as a
-- script. Numbers that we never changed are taken as they are now.
local agents = require "ringdown.numbers.agents"
local choose = require "ringdown.numbers.choose"
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local script = require "ringdown.numbers.script"
local snapshots = require "ringdown.numbers.snapshot"
local sync = require "ringdown.numbers.sync"

local M = {}

local function take(seen, now, ours)
  snapshots.adopt(seen.number, seen.fields, ours)
  local first = not snapshots.is_given_back(seen.number, seen.fields, ours) and snapshots.stored(seen.number, true)
  if not first and seen.goes_to == "ringdown" then
    return nil, "leads here already, and nothing is known of how it was before"
  end
  local one = { number = seen.number, sid = seen.carrier_id, snapshot = first and first.id,
    taken_at = first and first.taken_at or now, taken_by = first and first.taken_by or host.who(),
    fields = first and first.fields or seen.fields }
  local kept, why = snapshots.keep(one, ours)
  return kept and one, why and "cannot be kept on disk: " .. why
end

-- As it is now; what lies on the disk stays as it is.
local function as_it_is(seen, now)
  return { number = seen.number, sid = seen.carrier_id, taken_at = now, taken_by = host.who(), fields = seen.fields }
end

local function taken_now(payload, tell)
  local _, by_number = sync.keep(payload.ours)
  local now = db.ask("select to_json(now())::text")
  local chosen, unknown = choose.of(payload, by_number, agents.load(), function()
    return true
  end)
  local list, n_missing = {}, #unknown
  for _, one in ipairs(unknown) do
    tell { note = ("%-16s  %s"):format(one.number, one.why), number = one.number }
  end
  for _, seen in ipairs(chosen) do
    local one, why
    if payload.now then
      one = as_it_is(seen, now)
    else
      one, why = take(seen, now, payload.ours)
    end
    list[#list + 1] = one
    if not one then
      n_missing = n_missing + 1
      tell { note = ("%-16s  %s"):format(seen.number, why), number = seen.number }
    end
  end
  return list, n_missing, now
end

---With `script`, its text is told, and nothing else. With `now`, it is of how they are, and the disk has no part in it.
---@param payload { ours: ringdown.numbers.ours, script: boolean?, now: boolean? } | ringdown.numbers.choice
function M.run(payload, tell)
  local list, now, n_missing
  local there, why = db.is_there()
  if there then
    list, n_missing, now = taken_now(payload, tell)
  elseif payload.now then
    error(("the database is away (%s); without it, only what lies on this machine's disk can be had"):format(why), 0)
  else
    tell { note = ("the database is away (%s): what lies on this machine's disk is taken"):format(why) }
    local damaged
    list, damaged = snapshots.all_kept()
    n_missing = #damaged
    for _, one in ipairs(damaged) do
      tell { note = ("%-16s  %s"):format(one.number, one.why), number = one.number }
    end
    now = list[1] and list[1].taken_at or ""
  end
  tell { note = ("%d numbers are %s%s."):format(#list, payload.now and "taken as they are" or "on this machine's disk",
    n_missing > 0
    and (", %d could not be taken"):format(n_missing) or "") }
  if payload.script and #list > 0 then
    tell { text = script.text(list, now:sub(1, 19), payload.now and "on that day") }
  end
  return { numbers = #list, missing = n_missing, failed = n_missing > 0 or #list == 0 }
end

return M
