-- SPDX-License-Identifier: Apache-2.0
-- The doubles' books against PostgreSQL's, once everything has been shipped. Pure, but for the questions to PostgreSQL.
--
-- continued   calls that came to their good end; refused: those that never had a stream
-- talking     after each new stream of a call: how long until the agent was heard. A stream that broke and was not
--             followed by another, or not by a word, counts as never
-- gap         what a broken session of the model is heard as: the longest silence around it in which the caller waited
--             for the agent, less what callers wait when nothing breaks (their median)
-- turns       what a caller said from beginning to end while the stream stood, and for SETTLED_MS longer: must be in
--             PostgreSQL, once. What a node had not written down when it was killed, nobody can know.
-- effects     a visit and a text that the model was told of must be there; more than one is one too many
local pg = require "spec.support.postgres"
local talk = require "spec.chaos.talk"

local books = {}

local SETTLED_MS = 8000 -- a transcript may come with the answer after the next
local AROUND_MS = 1500 -- from a break to the silence that it is heard as

-- ── numbers ─────────────────────────────────────────────────────────────────────────────────────

function books.rank(list, share)
  if #list == 0 then
    return nil
  end
  table.sort(list)
  return list[math.max(1, math.ceil(share * #list))]
end

local function is_once(text)
  for _, each in ipairs(talk.once) do
    if each == text then
      return true
    end
  end
end

-- ── streams ─────────────────────────────────────────────────────────────────────────────────────

local function first_word_after(call, unix_ms)
  for _, heard in ipairs(call.heard) do
    if heard.from >= unix_ms then
      return heard.from
    end
  end
end

-- Both said goodbye; perhaps the carrier asked the fallback URL on the way there, and the agent answered all the same.
-- Callers of another kind say themselves whether theirs was a good one (spec/soak/churn.lua).
local function is_well(call)
  if call.is_well ~= nil then
    return call.is_well
  end
  local report, last = call.report, call.said[#call.said]
  return report ~= nil and last ~= nil and last.text == talk.goodbye and
    (report.ok or report.ended_by == "fallback" and #call.streams > 0
    and not (report.verbs:find("Say", 1, true) or report.verbs:find("Dial", 1, true)))
end

-- What became of it, in a line.
local function story(call)
  local report = call.report or { ended_by = "no report", verbs = "" }
  return ("%s: ended by %s; %s; %s"):format(call.sid, report.ended_by, report.verbs,
    table.concat(call.errors or {}, "; "))
end

-- Milliseconds from each stream after the first to the agent's first word on it; math.huge: never.
function books.talking(call)
  local list = {}
  for i = 2, #call.streams do
    local stream = call.streams[i]
    local word = first_word_after(call, stream.open)
    local next_stream = call.streams[i + 1]
    if word and not (next_stream and next_stream.open < word) then
      list[#list + 1] = word - stream.open
    elseif not next_stream then
      list[#list + 1] = math.huge
    end
  end
  if not is_well(call) and #list < #call.streams and #call.streams > 0 then
    list[#list + 1] = math.huge -- the last one was not followed by what it should have been
  end
  return list
end

-- ── silences ────────────────────────────────────────────────────────────────────────────────────

-- Stretches in which the caller heard nothing and said nothing, and that the agent ended: { from, to }.
function books.silences(call)
  local sounds, list = {}, {}
  for _, said in ipairs(call.said) do
    sounds[#sounds + 1] = { from = said.from, to = said.to or said.from }
  end
  for _, heard in ipairs(call.heard) do
    sounds[#sounds + 1] = { from = heard.from, to = heard.to or heard.from, agent = true }
  end
  table.sort(sounds, function(a, b) return a.from < b.from end)
  local quiet_since
  for _, sound in ipairs(sounds) do
    if sound.agent and quiet_since and sound.from > quiet_since then
      list[#list + 1] = { from = quiet_since, to = sound.from }
    end
    quiet_since = math.max(quiet_since or 0, sound.to)
  end
  return list
end

-- breaks: sid -> list of unix ms. The gaps heard, and the median of silences that nothing broke.
function books.gaps(calls, breaks)
  local broken, usual = {}, {}
  for sid, call in pairs(calls) do
    local silences, taken = books.silences(call), {}
    for _, at in ipairs(breaks[sid] or {}) do
      local longest = 0
      for i, s in ipairs(silences) do
        if s.to >= at and s.from <= at + AROUND_MS then
          longest, taken[i] = math.max(longest, s.to - s.from), true
        end
      end
      broken[#broken + 1] = longest
    end
    for i, s in ipairs(silences) do
      if not taken[i] then
        usual[#usual + 1] = s.to - s.from
      end
    end
  end
  local median = books.rank(usual, 0.5) or 0
  for i, ms in ipairs(broken) do
    broken[i] = math.max(0, ms - median)
  end
  return broken, median
end

-- ── what was said ───────────────────────────────────────────────────────────────────────────────

-- Must this be in the books? The stream stood while it was said, and long enough to be understood.
function books.is_owed(call, said)
  if not said.to then
    return false
  end
  for _, stream in ipairs(call.streams) do
    if stream.open <= said.from and (stream.closed == nil or stream.closed >= said.to + SETTLED_MS
      or (stream == call.streams[#call.streams] and is_well(call) and stream.closed >= said.to)) then
      return true
    end
  end
  return false
end

-- kept: sid -> "role words" -> how many turns.
function books.count_turns(calls, kept, out)
  for sid, call in pairs(calls) do
    for _, said in ipairs(call.said) do
      out.said = out.said + 1
      if is_once(said.text) then
        local n = kept[sid] and kept[sid]["caller " .. said.text] or 0
        if books.is_owed(call, said) then
          out.owed = out.owed + 1
          if n == 0 then
            out.lost_turns[#out.lost_turns + 1] = sid .. ": " .. said.text
          end
        end
        if n > 1 then
          out.double_turns[#out.double_turns + 1] = sid .. ": " .. said.text
        end
      end
    end
  end
end

-- ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────

local function kept_turns(url)
  local kept = {}
  for _, row in ipairs(pg.query(url, "select call, role, heard, count(*) as n from turns group by 1, 2, 3")) do
    kept[row.call] = kept[row.call] or {}
    kept[row.call][row.role .. " " .. row.heard] = row.n
  end
  return kept
end

local function breaks_of(url)
  local breaks, n, product = {}, 0, {}
  for _, row in ipairs(pg.query(url, [[select stream, (extract(epoch from at) * 1000)::bigint as at_ms,
      (body ->> 'gap_ms')::integer as gap_ms from call_events where type = 'resumed'
      and body ->> 'reason' = 'provider_lost']])) do
    breaks[row.stream] = breaks[row.stream] or {}
    table.insert(breaks[row.stream], row.at_ms - (row.gap_ms or 0))
    product[#product + 1] = row.gap_ms or 0
    n = n + 1
  end
  return breaks, n, product
end

-- Numbers are given out once each, so a number is a call.
function books.count_effects(world, calls, out)
  local visits, told = {}, {}
  for _, row in ipairs(pg.query(world.cluster.database, "select caller, count(*) as n from visits group by 1")) do
    visits[row.caller] = row.n
  end
  for _, row in ipairs(pg.query(world.cluster.database, "select call, name, output from tool_calls")) do
    told[row.call] = told[row.call] or {}
    told[row.call][row.name] = told[row.call][row.name] or row.output or ""
  end
  for sid, call in pairs(calls) do
    local of = told[sid] or {}
    for what, n in pairs { visit = visits[call.number] or 0, text = world.crowd.texts[call.number] or 0 } do
      local output = of[what == "visit" and "book_visit" or "send_sms"] or ""
      local good = output:find(what == "visit" and '"booked":true' or '"sent"', 1, true)
      out[what .. "s"] = out[what .. "s"] + n
      if n > 1 then
        table.insert(out.double_effects, ("%s: %d %ss"):format(sid, n, what))
      elseif n == 0 and good then
        table.insert(out.lost_effects, ("%s: no %s, and the model was told that there is"):format(sid, what))
      end
    end
  end
end

local HOLES = [[select stream, epoch, count(*) as n, max(seq) as last from call_events
  where stream like 'CA%' group by 1, 2 having count(*) <> max(seq)]]

local function count_calls(calls, out)
  for _, call in pairs(calls) do
    out.calls = out.calls + 1
    if #call.streams == 0 then
      table.insert(out.refused, story(call))
    elseif is_well(call) then
      out.well = out.well + 1
    else
      table.insert(out.cut, story(call))
    end
    for _, ms in ipairs(books.talking(call)) do
      table.insert(out.talking, ms)
    end
  end
end

-- Everything that can be told of a run. All lists named lost_…, double_… must be empty.
function books.compare(world)
  local url, calls = world.cluster.database, world.crowd.calls
  local out = { calls = 0, well = 0, refused = {}, cut = {}, talking = {}, said = 0, owed = 0, lost_turns = {},
    double_turns = {}, visits = 0, texts = 0, lost_effects = {}, double_effects = {}, holes = {} }
  count_calls(calls, out)
  books.count_turns(calls, kept_turns(url), out)
  books.count_effects(world, calls, out)
  local breaks, n, product = breaks_of(url)
  out.breaks, out.product_gaps = n, product
  out.gaps, out.usual_ms = books.gaps(calls, breaks)
  for _, row in ipairs(pg.query(url, HOLES)) do
    table.insert(out.holes, ("%s: %d of %d"):format(row.stream, row.n, row.last))
  end
  out.adopted = pg.query(url, "select count(*) as n from adoptions where cause <> 'stream_elsewhere'")[1].n
  out.elsewhere = pg.query(url, "select count(*) as n from adoptions where cause = 'stream_elsewhere'")[1].n
  out.journal_lost, out.journal_dead = world.cluster:lost()
  return out
end

return books
