-- SPDX-License-Identifier: Apache-2.0
-- The doubles' books against PostgreSQL's after a soak: what spec/chaos/books.lua compares of our calls (turns,
-- visits, texts, holes in the journal), and of every call, also those at Vapi:
--
-- calls         each that the telephones had answered has one row, which has ended; there are no others
-- durations     as long as the telephones say, to the second
-- texts         each that Twilio took is one row, with the sid that Twilio gave it
-- usage         no answer of the model is paid twice, and none is missing but those whose session or caller was
--               just gone when it came
-- legs          each <Dial> that the telephones ended is a leg in the costs of its call
-- emergencies   each that was said to the end on an open stream is one match; where nobody took it, that was an alarm
-- costs         each call that ended has its price, or a reason why not
local chaos = require "spec.chaos.books"
local json = require "cjson"
local pg = require "spec.support.postgres"

local books = {}

local OFF_BY_S = 1 -- two clocks, two roundings

-- Of what two lists of counts differ: missing[key], more[key].
local function difference(ours, theirs)
  local missing, more = {}, {}
  for key, n in pairs(theirs) do
    missing[key] = n > (ours[key] or 0) and n - (ours[key] or 0) or nil
  end
  for key, n in pairs(ours) do
    more[key] = n > (theirs[key] or 0) and n - (theirs[key] or 0) or nil
  end
  return missing, more
end

local function sum(list)
  local n = 0
  for _, value in pairs(list) do
    n = n + value
  end
  return n
end

-- ── calls ───────────────────────────────────────────────────────────────────────────────────────

local function rows_of(url)
  local rows = {}
  for _, row in ipairs(pg.query(url, [[select c.call, c.state, c.system, c.duration_s, c.ended_at is not null as over,
      v.call is not null as at_vapi, k.call is not null as priced from calls c left join vapi_calls v using (call)
      left join call_costs k using (call)]])) do
    rows[row.call] = row
  end
  return rows
end

local function look_at_call(sid, call, row, out)
  if not row then
    if #call.streams > 0 then
      table.insert(out.wrong_calls, sid .. " (" .. call.kind .. "): has no row")
    end
    return
  end
  if not row.over then
    table.insert(out.wrong_calls, ("%s (%s): has not ended, and is %s"):format(sid, call.kind, tostring(row.state)))
  elseif not row.priced then
    table.insert(out.wrong_calls, ("%s (%s): has no price"):format(sid, call.kind))
  end
  local seconds = call.report and call.report.ms / 1000
  if seconds and row.duration_s and math.abs(row.duration_s - seconds) > OFF_BY_S + 0.5 then
    table.insert(out.wrong_durations, ("%s (%s): %d s in the books, %.1f s by the telephones"):format(sid, call.kind,
      row.duration_s, seconds))
  end
end

local function look_at_calls(calls, rows, out)
  for sid, call in pairs(calls) do
    look_at_call(sid, call, rows[sid], out)
  end
  for sid in pairs(rows) do
    if not calls[sid] then
      table.insert(out.wrong_calls, sid .. ": the telephones know of no such call")
    end
  end
end

-- ── texts, legs, emergencies ────────────────────────────────────────────────────────────────────

local function look_at_texts(url, sids, out)
  local ours, theirs, from = {}, {}, {}
  for _, row in ipairs(pg.query(url, "select id, carrier_id from texts where direction = 'out'")) do
    local sid = row.carrier_id or row.id:match "^SM%x+$"
    if sid then
      ours[sid] = (ours[sid] or 0) + 1
      from[sid] = row.id
    end
  end
  for sid in pairs(sids) do
    theirs[sid] = 1
    out.n_texts = out.n_texts + 1
  end
  local missing, more = difference(ours, theirs)
  for sid in pairs(missing) do
    table.insert(out.wrong_texts, sid .. ": is in no row")
  end
  for sid in pairs(more) do
    table.insert(out.wrong_texts, ("%s (%s): there twice, or Twilio never took it"):format(sid, from[sid]))
  end
end

local function look_at_legs(url, calls, out)
  local ours = {}
  for _, row in ipairs(pg.query(url, "select leg from call_legs")) do
    ours[row.leg] = true
  end
  for sid, call in pairs(calls) do
    for leg, status in pairs(call.legs or {}) do
      out.n_legs = out.n_legs + 1
      if status == "completed" and not ours[leg] then
        table.insert(out.wrong_legs, ("%s: leg %s is not in its costs"):format(sid, leg))
      end
    end
  end
end

local function look_at_emergencies(url, calls, out)
  local matches = {}
  for _, row in ipairs(pg.query(url, [[select call, count(*) as n, bool_or(state <> 'handled' and not exists (select
      from alerts a where a.kind = 'emergency.unanswered' and a.subject = m.call)) as silent, count(*) filter (where
      state <> 'handled') as untaken
      from triage_matches m group by 1]])) do
    matches[row.call] = row
    out.n_emergencies, out.n_open = out.n_emergencies + row.n, out.n_open + row.untaken
    if row.n > 1 or row.silent then
      table.insert(out.wrong_emergencies, ("%s: %d matches%s"):format(row.call, row.n, row.silent and
        ", taken by nobody, and nobody was told" or ""))
    end
  end
  for sid, call in pairs(calls) do
    for _, said in ipairs(call.said) do
      if said.text:find("smell gas", 1, true) and chaos.is_owed(call, said) and not matches[sid] then
        table.insert(out.wrong_emergencies, sid .. ": was said, and found by nobody")
      end
    end
  end
end

-- ── what the model charges ──────────────────────────────────────────────────────────────────────

local function usage_key(text_in, audio_in, text_out, audio_out)
  return ("%d %d %d %d"):format(text_in, audio_in, text_out, audio_out)
end

local function look_at_usage(world, ours_calls, out)
  local ours, theirs, gone = {}, {}, 0
  for _, row in ipairs(pg.query(world.cluster.database, "select text_in, audio_in, text_out, audio_out, count(*) as n "
    .. "from usage where kind = 'response' and complete group by 1, 2, 3, 4")) do
    ours[usage_key(row.text_in, row.audio_in, row.text_out, row.audio_out)] = row.n
  end
  for line in io.lines(world.cluster.sim.log_file) do
    if line:find('"response_done"', 1, true) then
      local usage = json.decode(line).usage
      local i, o = usage.input_token_details, usage.output_token_details
      local key = usage_key(i.text_tokens, i.audio_tokens, o.text_tokens, o.audio_tokens)
      theirs[key] = (theirs[key] or 0) + 1
    end
  end
  local missing, more = difference(ours, theirs)
  for _, call in pairs(ours_calls) do
    gone = gone + 1 + math.max(0, #call.streams - 1)
  end
  out.n_usage, out.usage_missing, out.usage_may_miss = sum(theirs), sum(missing), gone + out.breaks
  for key, n in pairs(more) do
    table.insert(out.wrong_usage, ("%d answers of %s tokens that the model never gave"):format(n, key))
  end
  if out.usage_missing > out.usage_may_miss then
    table.insert(out.wrong_usage, ("%d of %d answers are not in the books"):format(out.usage_missing, out.n_usage))
  end
end

-- ── all of it ───────────────────────────────────────────────────────────────────────────────────

local function split(calls, rows)
  local ours, others = {}, {}
  for sid, call in pairs(calls) do
    local row = rows[sid]
    local at_vapi = row and (row.at_vapi or row.system == "vapi") or call.report and call.report.verbs:find "^Redirect"
    ;(at_vapi and others or ours)[sid] = call
  end
  return ours, others
end

local LISTS = { "wrong_calls", "wrong_durations", "wrong_texts", "wrong_legs", "wrong_emergencies", "wrong_usage" }

function books.compare(world)
  local url, calls = world.cluster.database, world.crowd.calls
  local rows = rows_of(url)
  local ours, others = split(calls, rows)
  local out = chaos.compare { cluster = world.cluster, crowd = { calls = ours, texts = world.crowd.texts } }
  chaos.count_effects(world, others, out)
  out.n_vapi, out.n_texts, out.n_legs, out.n_emergencies, out.n_open, out.left = 0, 0, 0, 0, 0, {}
  for _, name in ipairs(LISTS) do
    out[name] = {}
  end
  for sid, call in pairs(others) do
    out.n_vapi = out.n_vapi + 1
    if not call.is_well then
      table.insert(out.left, ("%s (%s, at Vapi): ended by %s"):format(sid, call.kind, call.report and
        call.report.ended_by or "nobody"))
    end
  end
  for sid, call in pairs(ours) do
    if call.gave_up then
      table.insert(out.left, ("%s (%s): the caller gave up; %s"):format(sid, call.kind, call.report and
        call.report.verbs or ""))
    end
  end
  look_at_calls(calls, rows, out)
  look_at_texts(url, world.crowd.text_sids, out)
  look_at_legs(url, calls, out)
  look_at_emergencies(url, ours, out)
  look_at_usage(world, ours, out)
  return out
end

-- What must be empty, in words.
function books.wrong(out)
  local list = {}
  for _, name in ipairs(LISTS) do
    for _, text in ipairs(out[name]) do
      list[#list + 1] = name:gsub("_", " ") .. ": " .. text
    end
  end
  for _, text in ipairs(out.left) do
    list[#list + 1] = "caller left on the line: " .. text
  end
  return list
end

return books
