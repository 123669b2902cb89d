-- SPDX-License-Identifier: Apache-2.0
-- vapi.import: the operation `vapi_import`: calls of a time before, with what was said and what they cost, come from
-- Vapi into the database. They are marked as imported, and are evidence for nothing.
--
-- Pages go from the newest call to the oldest. After each the place is kept, so that it goes on there whatever ended
-- it; what is there already is a repetition. A call that came through here is left as it is.
--
-- Failure modes: Vapi or the database does not answer: said, and where it goes on. Vapi does not tell its numbers:
-- nothing is taken. A call that the database does not take is told by its id, and the others are done.
local agents = require "ringdown.numbers.agents"
local host = require "ringdown.host"
local json = require "ringdown.json"
local pages = require "ringdown.vapi.pages"
local rest = require "ringdown.vapi.rest"
local told = require "ringdown.vapi.told"

local M = {}

local PLACE = "vapi/import.json"
local ASK_MS = 60000
local EVENTS_BYTES = 240000 -- of one call
local KNOWN = "select call from calls where call = any($1::text[]) and not imported"

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
  local list, why = rest.phone_numbers()
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
local function events_of(call, agent, from, to)
  local list, sid = json.array {}, id_of(call)
  local function add(type, body)
    body.call, body.agent, body.from, body.to = sid, agent, from, to
    list[#list + 1] = { stream = sid, started_us = call.begun_us, epoch = call.begun_us, seq = #list + 1,
      at_us = call.begun_us, type = type, body = body }
  end
  add("vapi", told.fact_of(call, { imported = true }))
  told.parts(call, clean(told.words_of(call)), function(fact)
    add("vapi_words", fact)
  end)
  return list
end

---@return "kept"|"duplicate"|"conflict"|nil outcome of its first event
---@return string? why
local function ingest(call, agent, from, to)
  local events = json.encode(events_of(call, agent, from, to))
  if #events > EVENTS_BYTES then
    return nil, "longer than 240 KB"
  end
  local rows, why, code = host.query("select outcome from ingest($1::jsonb) order by ordinal", { events }, ASK_MS)
  if not rows and code == "down" then
    error("the database does not answer: " .. tostring(why), 0)
  end
  return rows and rows[1] and rows[1][1] or nil, why
end

-- ── a page ──────────────────────────────────────────────────────────────────────────────────────
local function ended_of(page)
  local list, ids = {}, {}
  for _, call in ipairs(page) do
    if type(call) == "table" and text(call.id) and text(call.createdAt) and call.status == "ended" then
      list[#list + 1], ids[#ids + 1] = call, id_of(call)
    end
  end
  return list, ids
end

local function take(run, page)
  local list, ids = ended_of(page)
  if #list == 0 then
    return
  end
  local ours = {}
  for _, row in ipairs(query(KNOWN, { "{" .. table.concat(ids, ",") .. "}" })) do
    ours[row[1]] = true
  end
  begun_us(list)
  for i, call in ipairs(list) do
    local from, to, number = numbers_of(call, run.numbers)
    local agent = agent_of(run.all, call, number)
    if ours[ids[i]] then
      run.ours = run.ours + 1
    elseif call.begun_us and (not run.agent or run.agent == agent) then
      local outcome, why = ingest(call, agent, from, to)
      run[outcome or "failed"] = (run[outcome or "failed"] or 0) + 1
      if not outcome then
        run.tell { note = ("%s: %s"):format(call.id, tostring(why)) }
      end
    end
  end
end

-- ── the operation ───────────────────────────────────────────────────────────────────────────────
-- Where an import of the same calls was ended.
local function place_of(p)
  local kept = json.decode(host.kept(PLACE) or "") or {}
  if kept.before and kept.since == p.since and kept.agent == p.agent and not p.again then
    return kept.before
  end
end

local function check(p)
  if p.since and not tostring(p.since):match "^%d%d%d%d%-%d%d%-%d%d$" then
    return ("--since: '%s' is no day like 2026-01-31"):format(tostring(p.since))
  elseif not host.vapi_ready() then
    return "there is no key for Vapi: set vapi.key (VAPI_API_KEY)"
  end
end

---@param p { since: string?, agent: string?, again: boolean? }
---@param tell fun(value: table)
function M.run(p, tell)
  local wrong = check(p)
  if wrong then
    tell { note = wrong }
    return { failed = true, usage = true }
  end
  local before = place_of(p)
  local run = { all = agents.load(), numbers = numbers(), agent = p.agent, tell = tell, kept = 0, duplicate = 0,
    conflict = 0, failed = 0, ours = 0 }
  if p.agent and not run.all.by_name[p.agent] then
    error(("there is no agent '%s'; `ringdown agents list` shows them"):format(p.agent), 0)
  elseif before then
    tell { text = "going on with calls before " .. before }
  end
  local done, why = pages.walk({ since = p.since and p.since .. "T00:00:00.000Z", before = before },
    function(page, oldest)
      take(run, page)
      host.keep(PLACE, json.encode { before = oldest or before, since = p.since, agent = p.agent })
      tell { progress = ("%d calls taken, %d were there, back to %s"):format(run.kept, run.duplicate + run.conflict,
        oldest or "the beginning") }
      return host.stopping()
    end)
  if done and not host.stopping() then
    host.keep(PLACE, nil)
  end
  local said = "%d calls taken over from Vapi; %d were there already, %d came through here, %d were not taken%s"
  tell { text = said:format(run.kept, run.duplicate + run.conflict, run.ours, run.failed,
    done == nil and "; then: " .. tostring(why) .. ". The same command goes on there" or "") }
  return { taken = run.kept, there = run.duplicate + run.conflict, ours = run.ours, not_taken = run.failed,
    failed = done == nil or run.failed > 0 }
end

return M
