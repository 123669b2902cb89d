-- SPDX-License-Identifier: Apache-2.0
-- vapi.import: the operation `vapi_import`: calls of a time before, with what was said and what they cost, come from
-- Vapi into the database. They are marked as imported, and are evidence for nothing.
--
-- Pages go from the newest call to the oldest. After each the place is kept, so that it goes on there whatever ended
-- it; what is there already is a repetition, but for what nobody knew then: whose number it was, what it cost. A call
-- that came through here is left as it is.
--
-- Failure modes: Vapi or the database does not answer: said, and where it goes on. Vapi does not tell its numbers:
-- nothing is taken. A call that is not taken is told by its id, the others are done, and it is tried again next time.
local agents = require "ringdown.numbers.agents"
local host = require "ringdown.host"
local json = require "ringdown.json"
local pages = require "ringdown.vapi.pages"
local rest = require "ringdown.vapi.rest"
local rollout = require "ringdown.rollout"
local time = require "ringdown.time"
local told = require "ringdown.vapi.told"

local M = {}

local PLACE = "vapi/import.json"
local ASK_MS = 60000
local EVENTS_BYTES = 240000 -- of one call
local AGAIN_MAX = 1000 -- calls that are tried again
local KNOWN = "select c.call, v.vapi_id, (not c.imported)::text from calls c left join vapi_calls v using (call) "
  .. "where c.call = any($1::text[]) or v.vapi_id = any($2::text[])"

local function query(sql, params)
  local rows, why, code = host.query(sql, params, ASK_MS)
  if not rows then
    error("the database does not answer: " .. tostring(why), 0)
  end
  return rows, code
end

-- ── which calls, and whose ──────────────────────────────────────────────────────────────────────
local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- One without a carrier's id is known by Vapi's.
local function id_of(call)
  return told.sid_of(call) or "vapi" .. call.id:gsub("%W", "")
end

-- Vapi's numbers by their id there: a call may name no other. Without them calls would be kept as nobody's, for good.
local function numbers()
  local list, why = pages.phone_numbers()
  if not list then
    error("Vapi does not tell its phone numbers, so nothing was taken: " .. tostring(why), 0)
  end
  local by_id = {}
  for _, one in ipairs(list) do
    if type(one) == "table" and text(one.id) then
      by_id[one.id] = text(one.number)
    end
  end
  return by_id
end

local function numbers_of(call, by_id)
  local ours = type(call.phoneNumber) == "table" and text(call.phoneNumber.number) or by_id[call.phoneNumberId or ""]
  local theirs = type(call.customer) == "table" and text(call.customer.number) or nil
  if call.type == "outboundPhoneCall" then
    return ours, theirs, ours
  end
  return theirs, ours, ours
end

-- Whose number it was, else whose assistant.
local function agent_of(all, call, ours)
  local agent = ours and all:of(ours)
  if agent then
    return agent.name
  end
  for name, one in pairs(all.by_name) do
    if one.assistant and one.assistant == call.assistantId then
      return name
    end
  end
end

-- ── events ──────────────────────────────────────────────────────────────────────────────────────
-- Microseconds of a time as Vapi writes it, by the database.
local function begun_us(list)
  local at = {}
  for i, call in ipairs(list) do
    at[i] = '"' .. call.createdAt .. '"'
  end
  local rows = query("select (extract(epoch from told_time(t)) * 1000000)::bigint::text "
    .. "from unnest($1::text[]) with ordinality x (t, n) order by n", { "{" .. table.concat(at, ",") .. "}" })
  for i, row in ipairs(rows) do
    list[i].begun_us = math.tointeger(tonumber(row[1] or nil))
  end
end

-- As words are kept: without cards and the like.
local function clean(words)
  local list = json.array {}
  for i, turn in ipairs(words) do
    local text_of = host.redacted(json.encode { text = turn.text })
    list[i] = { role = turn.role, at_ms = turn.at_ms, text = text_of and json.decode(text_of).text or "" }
  end
  return list
end

-- The same call makes the same events each time it is seen.
local function events_of(call, whose)
  local list, sid = json.array {}, whose.call
  local function add(type, body)
    body.call, body.agent, body.from, body.to = sid, whose.agent, whose.from, whose.to
    list[#list + 1] = { stream = sid, started_us = call.begun_us, epoch = call.begun_us, seq = #list + 1,
      at_us = call.begun_us, type = type, body = body }
  end
  add("vapi", told.fact_of(call, { imported = true }))
  told.parts(call, clean(told.words_of(call)), function(fact)
    add("vapi_words", fact)
  end)
  return list
end

---@return string? outcome "kept", "duplicate", "conflict"; nil: it is not taken
---@return string? why
local function ingest(events)
  local encoded = json.encode(events)
  if #encoded > EVENTS_BYTES then
    return nil, "longer than 240 KB"
  end
  local rows, why, code = host.query("select outcome from ingest($1::jsonb) order by ordinal", { encoded }, ASK_MS)
  if not rows and (code == "down" or code == "busy") then
    error("the database does not answer: " .. tostring(why), 0)
  end
  local outcome
  for _, row in ipairs(rows or {}) do
    outcome = (not outcome or row[1] == "conflict") and row[1] or outcome
  end
  return outcome, why
end

-- A call that is there, and of which this says something else: what was empty is filled. It is an event of its own,
-- and the same one each time.
local function fill(events)
  local words = {}
  for i, event in ipairs(events) do
    words[i] = json.encode(event.body)
  end
  local epoch = events[1].epoch + 1 + rollout.fnv1a32(table.concat(words))
  for _, event in ipairs(events) do
    event.epoch = epoch
  end
  local outcome, why = ingest(events)
  return outcome == "kept" and "filled" or outcome, why
end

-- ── a page ──────────────────────────────────────────────────────────────────────────────────────
local function not_taken(run, id, why)
  run.failed = run.failed + 1
  run.tell { note = ("%s: %s"):format(id, tostring(why)) }
  if #id <= 64 and id:match "^%w[%w%-]*$" and #run.again < AGAIN_MAX then
    run.again[#run.again + 1] = id
  end
end

-- Those that are over. One that was tried in this run is not tried twice.
local function ended_of(run, page)
  local list, ids = {}, {}
  for _, call in ipairs(page) do
    local id = type(call) == "table" and call.status == "ended" and text(call.id)
    if id and not run.tried[id] then
      if pages.is_time(call.createdAt) then
        list[#list + 1], ids[#ids + 1] = call, id_of(call)
      else
        not_taken(run, id, "Vapi does not say when it began")
      end
    end
  end
  return list, ids
end

local function take_one(run, call, whose)
  local events = events_of(call, whose)
  local outcome, why = ingest(events)
  if outcome == "conflict" then
    outcome, why = fill(events)
  end
  if outcome then
    run[outcome] = run[outcome] + 1
  else
    not_taken(run, call.id, why)
  end
end

-- One that is there may go by another name: Vapi did not know the carrier's then.
---@return table<string, boolean> ours by name, those that came through here
---@return table<string, string> names by Vapi's id
local function known_of(list, ids)
  local theirs, ours, names = {}, {}, {}
  for i, call in ipairs(list) do
    theirs[i] = '"' .. call.id:gsub('[\\"]', "\\%0") .. '"'
  end
  local rows = query(KNOWN, { "{" .. table.concat(ids, ",") .. "}", "{" .. table.concat(theirs, ",") .. "}" })
  for _, row in ipairs(rows) do
    ours[row[1]] = row[3] == "true"
    if row[2] then
      names[row[2]] = row[1]
    end
  end
  return ours, names
end

local function take(run, page)
  local list, ids = ended_of(run, page)
  if #list == 0 then
    return
  end
  local ours, names = known_of(list, ids)
  begun_us(list)
  for i, call in ipairs(list) do
    local from, to, number = numbers_of(call, run.numbers)
    local agent = agent_of(run.all, call, number)
    local name = names[call.id] or ids[i]
    if ours[name] or ours[ids[i]] then
      run.ours = run.ours + 1
    elseif run.agent and run.agent ~= agent then
      run.others = run.others + 1
    elseif not call.begun_us then
      not_taken(run, call.id, "it began at no time that there is: " .. call.createdAt)
    else
      take_one(run, call, { call = name, agent = agent, from = from, to = to })
    end
  end
end

-- ── the operation ───────────────────────────────────────────────────────────────────────────────
local function kept()
  local known = json.decode(host.kept(PLACE) or "")
  return type(known) == "table" and known or {}
end

-- Where an import of the same calls was ended.
local function place_of(known, p)
  if pages.is_time(known.before) and known.since == p.since and known.agent == p.agent and not p.again then
    return known.before
  end
end

local function keep(run, p, before)
  local again = #run.again > 0 and run.again or nil
  host.keep(PLACE, (before or again) and json.encode { before = before, since = before and p.since,
    agent = before and p.agent, again = again } or nil)
end

-- Calls that another run did not take, whichever those were to be.
local function try_again(run, ids)
  local agent = run.agent
  run.agent = nil
  for i, id in ipairs(ids) do
    local call, why, code = rest.call(id)
    if call then
      take(run, { call })
    elseif code ~= "absent" then
      not_taken(run, id, why)
    end
    run.tried[id] = true
    if host.stopping() then
      table.move(ids, i + 1, #ids, #run.again + 1, run.again)
      break
    end
  end
  run.agent = agent
end

local function wrong_day(day)
  local date = tostring(day):match "^%d%d%d%d%-%d%d%-%d%d$"
  local days = date and time.days(date)
  if not days or time.date(days) ~= date then
    return ("--since: '%s' is no day like 2026-01-31"):format(tostring(day))
  elseif days > time.unix() // 86400 then
    return ("--since: %s is in the future: no call began there"):format(date)
  end
end

local function check(p)
  local wrong = p.since and wrong_day(p.since)
  if wrong then
    return wrong
  elseif not host.vapi_ready() then
    return "there is no key for Vapi: set vapi.key (VAPI_API_KEY)"
  end
end

local function said_of(run, why)
  local there = run.duplicate + run.conflict + run.filled
  local more = run.filled > 0 and (" (of %d there is more now)"):format(run.filled) or ""
  return ("%d calls taken over from Vapi; %d were there already%s, %d came through here, %d were not taken%s"):format(
    run.kept, there, more, run.ours, run.failed,
    why and "; then: " .. why .. ". The same command goes on there"
      or run.failed > 0 and ": the same command tries them again" or "")
end

---@param p { since: string?, agent: string?, again: boolean? }
---@param tell fun(value: table)
function M.run(p, tell)
  local wrong = check(p)
  if wrong then
    tell { note = wrong }
    return { failed = true, usage = true }
  end
  local known = kept()
  local before = place_of(known, p)
  local run = { all = agents.load(), numbers = numbers(), agent = p.agent, tell = tell, kept = 0, duplicate = 0,
    conflict = 0, filled = 0, failed = 0, ours = 0, others = 0, again = {}, tried = {} }
  if p.agent and not run.all.by_name[p.agent] then
    error(("there is no agent '%s'; `ringdown agents list` shows them"):format(p.agent), 0)
  elseif before then
    tell { text = "going on with calls before " .. before }
  end
  try_again(run, type(known.again) == "table" and known.again or {})
  local done, why = pages.walk({ since = p.since and p.since .. "T00:00:00.000Z", before = before },
    function(page, oldest)
      take(run, page)
      before = oldest or before
      keep(run, p, before)
      tell { progress = ("%d calls taken, %d were there, back to %s"):format(run.kept, run.duplicate + run.conflict
        + run.filled, oldest or "the beginning") }
      return host.stopping()
    end)
  local over = done and not host.stopping()
  keep(run, p, not over and before or nil)
  local stopped = done == false and "there are more than can be read at once" or done == nil and tostring(why) or nil
  tell { text = said_of(run, stopped) }
  return { taken = run.kept, there = run.duplicate + run.conflict + run.filled, filled = run.filled, ours = run.ours,
    not_taken = run.failed, failed = not done or run.failed > 0 }
end

return M
