-- SPDX-License-Identifier: Apache-2.0
-- stats.read: what the hours (statistics_hourly) say about some time, as plain data: what the terminal draws, what
-- the admin API answers, what the weekly mail tells. Every group names the filter that opens its calls.
--
-- Shares are of what they can be of: containment of answered calls, success of tools that answered. Where there is
-- nothing to divide by, there is no share.
local db = require "ringdown.stats.db"
local histogram = require "ringdown.stats.histogram"
local json = require "ringdown.json"
local period = require "ringdown.stats.period"
local time = require "ringdown.time"

local M = {}

M.by = { "hour", "weekday", "day", "site", "reason", "agent", "system", "outcome" }

---@class ringdown.stats.ask
---@field agent string?
---@field agents string[]? the ones that may be seen; nil: all
---@field site string?
---@field system string?
---@field since string? "7d", "24h", "2026-11-02"
---@field until string? "2026-11-08"
---@field by string? one of M.by
---@field tests boolean? calls that we made ourselves as well
---@field imported boolean? calls that Vapi had before we answered as well

local range_sql = "select stats_range($1::jsonb)::text"
local behind_sql = "select statistics_behind()::text"
local zones_sql = [[select coalesce(jsonb_agg(distinct time_zone), '[]')::text from agents
  where time_zone is not null and ($1::text is null or agent = $1)
    and ($2::jsonb is null or agent = any(array(select jsonb_array_elements_text($2::jsonb))))]]

local SUMS = { "calls", "contained", "transferred", "not_taken", "emergency", "failed", "fallback", "missed",
  "failed_over", "talk_ms", "turns", "barge_ins", "errors", "transfers_asked", "transfers_answered", "emergencies",
  "emergencies_life", "emergencies_handled", "near_misses", "bookings", "tools", "tools_failed", "tools_open",
  "micro_usd", "unknown_costs", "unknown_part_micro_usd" }
M.items = { "model", "transcription", "provider", "carrier", "stream", "transfer", "texts", "hosting" }
M.bases = { "billed", "reported", "estimated" }
local WAITS = { "first_audio_ms", "turn_ms", "tool_ms", "handled_s" }

-- ── sums ────────────────────────────────────────────────────────────────────────────────────────

local function each_sum(f)
  for _, name in ipairs(SUMS) do
    f(name)
  end
  for _, list in ipairs { M.items, M.bases } do
    for _, name in ipairs(list) do
      f(name .. "_micro_usd")
    end
  end
end

-- A row as the database has it, with waits by bucket.
local function empty()
  local row = { waits = {} }
  each_sum(function(name) row[name] = 0 end)
  for _, what in ipairs(WAITS) do
    row.waits[what] = {}
  end
  return row
end

local function add(into, row)
  each_sum(function(name) into[name] = into[name] + (row[name] or 0) end)
  for _, what in ipairs(WAITS) do
    histogram.add(into.waits[what], row.waits and row.waits[what])
  end
end

-- ── as it is told ───────────────────────────────────────────────────────────────────────────────

local function share(k, n)
  return n > 0 and k / n or nil
end

local function waits_of(counts, unit)
  local n = histogram.count(counts)
  if n == 0 then
    return { n = 0 }
  end
  return { n = n, ["p50_" .. unit] = histogram.quantile(counts, 0.50),
    ["p95_" .. unit] = histogram.quantile(counts, 0.95), ["p99_" .. unit] = histogram.quantile(counts, 0.99) }
end

local function money_of(row)
  local items, bases = {}, {}
  for _, name in ipairs(M.items) do
    items[name] = row[name .. "_micro_usd"]
  end
  for _, name in ipairs(M.bases) do
    bases[name] = row[name .. "_micro_usd"]
  end
  -- Whoever adds up the items gets both: what is known of calls, and parts of those that are not.
  return { micro_usd = row.micro_usd, known_calls = row.calls - row.unknown_costs, unknown_calls = row.unknown_costs,
    unknown_part_micro_usd = row.unknown_part_micro_usd, items = items, bases = bases }
end

---@return table group
local function told(row)
  local answered = row.contained + row.transferred + row.not_taken + row.emergency + row.failed
  local tools_done = row.tools - row.tools_open
  return {
    calls = row.calls, answered = answered, missed = row.missed, fallback = row.fallback, failed = row.failed,
    contained = row.contained, transferred = row.transferred, not_taken = row.not_taken, emergency = row.emergency,
    failed_over = row.failed_over, answered_share = share(answered, row.calls),
    containment = share(row.contained, answered), talk_ms = row.talk_ms,
    talk_average_s = answered > 0 and row.talk_ms / answered / 1000 or nil, turns = row.turns,
    barge_ins = row.barge_ins, errors = row.errors, bookings = row.bookings,
    transfers = { asked = row.transfers_asked, answered = row.transfers_answered },
    emergencies = { all = row.emergencies, life = row.emergencies_life, handled = row.emergencies_handled,
      not_handled = row.emergencies - row.emergencies_handled, near_misses = row.near_misses,
      waited = waits_of(row.waits.handled_s, "s") },
    tools = { calls = row.tools, failed = row.tools_failed, open = row.tools_open,
      success = share(tools_done - row.tools_failed, tools_done), took = waits_of(row.waits.tool_ms, "ms") },
    first_audio = waits_of(row.waits.first_audio_ms, "ms"),
    turn_latency = waits_of(row.waits.turn_ms, "ms"),
    cost = money_of(row),
  }
end

-- ── keys ────────────────────────────────────────────────────────────────────────────────────────

local WEEKDAYS = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" }

-- What there must be a row of, also where nothing happened: axes without holes.
local expected = {
  hour = function()
    local keys = {}
    for hour = 0, 23 do
      keys[#keys + 1] = { tostring(hour), ("%02d:00"):format(hour) }
    end
    return keys
  end,
  weekday = function()
    local keys = {}
    for i, name in ipairs(WEEKDAYS) do
      keys[#keys + 1] = { tostring(i), name }
    end
    return keys
  end,
  day = function(when)
    local keys = {}
    for day = time.days(when.first or "") or 1, time.days(when.last or "") or 0 do
      keys[#keys + 1] = { time.date(day), time.date(day) }
    end
    return keys
  end,
}

local function by_calls(a, b)
  return a[3] > b[3] or a[3] == b[3] and a[1] < b[1]
end

-- In the order in which they are shown: by the clock, else the most first.
local function keys_of(by, rows, when)
  local keys = expected[by] and expected[by](when) or {}
  if #keys > 0 then
    return keys
  end
  for key, row in pairs(rows) do
    keys[#keys + 1] = { key, key, by == "day" and 0 or row.calls }
  end
  table.sort(keys, by_calls)
  return keys
end

-- ── asking ──────────────────────────────────────────────────────────────────────────────────────

---Which kinds of calls are meant.
---@param ask { tests: boolean?, imported: boolean? }
---@return string[]
function M.kinds(ask)
  local kinds = json.array { "real" }
  if ask.tests then
    kinds[#kinds + 1] = "test"
  end
  if ask.imported then
    kinds[#kinds + 1] = "imported"
  end
  return kinds
end

local function question(ask, when, by)
  return json.encode { agent = ask.agent, agents = ask.agents and json.array(ask.agents) or nil, site = ask.site,
    system = ask.system, kinds = M.kinds(ask), from = when.from, to = when.to, local_from = when.local_from,
    local_to = when.local_to, by = by }
end

local function rows_of(ask, when, by)
  local rows = {}
  for _, row in ipairs(db.must(range_sql, { question(ask, when, by) })) do
    rows[row.key] = row
  end
  return rows
end

-- What stats.behind is asked for the calls behind a group.
local function filter_of(ask, when, by, key)
  local filter = { agent = ask.agent, site = ask.site, system = ask.system, local_from = when.local_from,
    local_to = when.local_to, from = when.from, to = when.to, tests = ask.tests, imported = ask.imported }
  if by then
    filter[by] = key
  end
  return filter
end

---The zone that says which day today is: the agents' own. Where they differ it is the one in the west, so that the day
---has begun for all of them; UTC where no agent has a zone.
---@param ask { agent: string?, agents: string[]? }
---@return string zone
---@return string? note for people, where they differ
function M.zone(ask)
  local zone, at
  local zones = db.must(zones_sql, { ask.agent or false, ask.agents and json.encode(json.array(ask.agents)) or false })
  for _, name in ipairs(zones) do
    local now = time.zone(name) and time.at(name)
    if now and (not at or now.date .. now.time < at) then
      zone, at = name, now.date .. now.time
    end
  end
  return zone or "UTC", #zones > 1 and ("agents have different clocks: a call counts to the day that its own says, "
    .. "and which day is today, %s says"):format(zone or "UTC") or nil
end

---One list of groups, and all of them together.
---@param ask ringdown.stats.ask
---@param when ringdown.stats.period
---@param by string? nil: the sum alone
---@return table total
---@return table groups a list
function M.groups(ask, when, by)
  local rows, total, groups = rows_of(ask, when, by), empty(), json.array {}
  for _, row in pairs(rows) do
    add(total, row)
  end
  for _, key in ipairs(by and keys_of(by, rows, when) or {}) do
    local row = empty()
    add(row, rows[key[1]] or {})
    local group = told(row)
    group.key, group.name, group.filter = key[1], key[2], filter_of(ask, when, by, key[1])
    groups[#groups + 1] = group
  end
  local sum = told(total)
  sum.filter = filter_of(ask, when)
  return sum, groups
end

local MODEL_BY = { hour = true, weekday = true, day = true, agent = true }
local ERRORS_OF = 500 -- of the newest calls that had any

-- Tokens as people ask for them; the share that came from the cache is of those that went in.
local function model_of(row)
  local went_in = row and row.text_in + row.audio_in + row.image_in or 0
  if not row then
    return nil
  end
  return { answers = row.answers, incomplete = row.incomplete, cut_off = row.cut_off,
    models = row.models and json.array(row.models) or nil,
    tokens_in = went_in, tokens_out = row.text_out + row.audio_out,
    tokens_cached = row.text_cached + row.audio_cached + row.image_cached,
    cache_share = share(row.text_cached + row.audio_cached + row.image_cached, went_in), text_in = row.text_in,
    text_cached = row.text_cached, audio_in = row.audio_in, audio_cached = row.audio_cached, text_out = row.text_out,
    audio_out = row.audio_out, transcribed_s = row.transcribed_ms / 1000 }
end

-- What the model was given and gave, beside the groups; nothing of calls that Vapi had.
local function put_model(ask, when, by, total, groups)
  if ask.system and ask.system ~= "openai" or ask.site then -- tokens are not kept by site
    return
  end
  total.model = model_of(db.must("select usage_range($1::jsonb)::text", { question(ask, when) })[1])
  if MODEL_BY[by or ""] then
    local rows = {}
    for _, row in ipairs(db.must("select usage_range($1::jsonb)::text", { question(ask, when, by) })) do
      rows[row.key] = row
    end
    for _, group in ipairs(groups) do
      group.model = model_of(rows[group.key])
    end
  end
end

---Everything about some time.
---@param ask ringdown.stats.ask
---@return table answer
function M.range(ask)
  local by = ask.by and period.one_of("by", ask.by, M.by)
  local zone = M.zone(ask)
  local when = period.of(ask.since, ask["until"], zone)
  local total, groups = M.groups(ask, when, by)
  put_model(ask, when, by, total, groups)
  return { period = when, zone = zone, agent = ask.agent, site = ask.site, system = ask.system, by = by, total = total,
    groups = groups, errors = not by and json.array(db.must("select errors_of($1::jsonb, $2::integer)::text",
      { question(ask, when), ERRORS_OF })) or nil, percentile_error = 1 / 16, behind = db.must(behind_sql, {}) }
end

return M
