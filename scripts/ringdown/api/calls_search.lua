-- SPDX-License-Identifier: Apache-2.0
-- api.calls_search: calls by what is known of them and by what was said in them, the newest first.
--
-- What is known of a call has indexes, and a page of such a search is one question. Words have an index as well, by
-- month, and no single plan is right for all words: those of every second call are found at once in the newest calls,
-- rare ones by the index alone; and of words that are common each, but never without the others (`kitchen -water`),
-- the database expects many soon and goes through every call there is. So a search for words goes back in time by
-- steps of two kinds, each of bounded work:
--
--   walk ▶ the newest calls that fit otherwise, so many at most, are each asked for the words
--   leap ▶ a month, by the index; then two, four, eight. Too many turns have the words ▶ walk, from there
--
-- until the page is full, or there are no older calls. When it takes long, the answer is what was found until then:
-- `searched_to` says how far back that is, and `next` goes on from there.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local page = require "ringdown.api.page"
local read = require "ringdown.api.calls_read"
local sorted = require "ringdown.sorted"

local M = {}

-- So many calls are walked in one step: at first, and where words are too common for the index.
local FIRST_WALK, WALK = 500, 2000
local LEAP_DAYS = 31
local LEAP_TURNS = 20000 -- more of them than this: too many
local QUICK_MS = 40 -- a leap that took no longer is followed by one twice as far
M.BUDGET_MS = 500 -- then a search tells how far it came

-- What a search asks for, each as a condition of its own: those that are not asked for would keep the planner from
-- an index.
local conditions = {
  agent = "c.agent = %s",
  system = "c.system = %s",
  outcome = "c.ended_reason = %s",
  since = "c.started_at >= %s::timestamptz",
  ["until"] = "c.started_at < %s::timestamptz",
}
local choices = {
  state = { live = "c.state is distinct from 'ended'", ended = "c.state = 'ended'" },
  emergency = { [true] = "c.had_emergency", [false] = "not c.had_emergency" },
  failed = { [true] = "c.errors > 0", [false] = "c.errors = 0" },
}

-- Asked of calls as statistics counted them: such a list has the calls of a group, and none that is not counted yet.
local counted_conditions = {
  agent = "x.agent = %s",
  site = "x.site = %s",
  local_from = "x.hour >= %s::date - interval '1 day' and x.local_hour >= %s::date",
  local_to = "x.hour < %s::date + interval '1 day' and x.local_hour < %s::date",
  since = "x.started_at >= %s::timestamptz",
  ["until"] = "x.started_at < %s::timestamptz",
}
local counted_choices = {
  booked = { [true] = "x.bookings > 0", [false] = "x.bookings = 0" },
  kind = { real = "x.kind = 'real'", test = "x.kind = 'test'", imported = "x.kind = 'imported'" },
  result = { answered = "x.outcome not in ('missed', 'fallback')", missed = "x.outcome = 'missed'",
    contained = "x.outcome = 'contained'", transferred = "x.outcome = 'transferred'",
    not_taken = "x.outcome = 'not_taken'", emergency = "x.outcome = 'emergency'", failed = "x.outcome = 'failed'",
    fallback = "x.outcome = 'fallback'" },
}

local function is_counted(q)
  return q.site ~= nil or q.local_from ~= nil or q.local_to ~= nil or q.booked ~= nil or q.kind ~= nil
    or q.result ~= nil
end

-- The first rows that meet all of these, the newest first; with a number, of either side by its own index.
local function first_rows(list, number, limit, counted)
  local of = counted and "x" or "c"
  local order = (" order by %s.started_at desc, %s.call desc limit %d"):format(of, of, limit)
  local from = counted and "calls_counted x join calls c on c.call = x.call" or "calls c"
  local function rows(more)
    local all = table.move(list, 1, #list, 1, {})
    all[#all + 1] = more
    return "select c.* from " .. from .. (all[1] and " where " .. table.concat(all, " and ") or "") .. order
  end
  if not number then
    return rows()
  end
  return ("select c.* from ((%s) union all (%s)) c order by c.started_at desc, c.call desc limit %d"):format(
    rows("c.from_number = " .. number), rows(("c.to_number = %s and c.from_number is distinct from %s"):format(number,
    number)), limit)
end

-- All that a search asks for but words: conditions, and the parameters in them; `number` is one of these.
local function conditions_of(q, agents, key)
  local list, params, counted = {}, {}, is_counted(q)
  local of = counted and "x" or "c"
  local function param(value)
    params[#params + 1] = value
    return "$" .. #params
  end
  if agents then
    list[1] = of .. ".agent = any(" .. param(db.array(agents)) .. "::text[])"
  end
  for _, name in ipairs(sorted.keys(q)) do
    local condition = counted and counted_conditions[name] or conditions[name]
    local choice = counted_choices[name] or choices[name]
    if condition then
      list[#list + 1] = condition:gsub("%%s", param(q[name]))
    elseif choice then
      list[#list + 1] = choice[q[name]]
    end
  end
  if key then
    list[#list + 1] = ("(%s.started_at, %s.call) < (%s::timestamptz, %s)"):format(of, of, param(key[1]), param(key[2]))
  end
  return { list = list, params = params, counted = counted, number = q.number and param(q.number), param = param }
end

-- These rows `c` of calls, as the API tells them.
local function listed(rows)
  return "select coalesce(jsonb_agg(" .. read.columns .. " order by c.started_at desc, c.call desc), '[]') from ("
    .. rows .. ") c left join call_costs k on k.call = c.call"
end

-- ---- words ----

-- A turn lies in the month in which its call began, or next to it where clocks differed.
local SAID = [[(select true from turns t where t.call = c.call
  and t.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day'
  and t.words @@ websearch_to_tsquery('simple', %s) limit 1)]]

local function walk(s, words, n, limit)
  local walked = first_rows(s.list, s.number, n, s.counted)
  local order = " order by c.started_at desc, c.call desc "
  return db.ask(("select jsonb_build_object('items', (%s), 'last', (%s))::text"):format(
    listed("select c.* from (" .. walked .. ") c where " .. SAID:format(words) .. order .. "limit " .. limit),
    "select jsonb_build_array(c.started_at, c.call) from (" .. walked .. ") c" .. order .. "limit 1 offset " .. n - 1),
    s.params)
end

local LEAP = [[with reach as (select greatest(%s::timestamptz - interval '%d days', %s) as since),
  said as materialized (select w.call from reach, said_by_index(%s, reach.since, %s, %d) w),
  counted as (select count(*) > %d or querytree(websearch_to_tsquery('simple', %s)) = 'T' as too_many from said)
  select jsonb_build_object('too_many', too_many, 'items', case when not too_many then (%s) end,
    'last', (select jsonb_build_array(since, '') from reach
      where exists (select from calls c where c.started_at < since and c.started_at >= %s)))::text from counted]]

local function leap(s, q, words, before, days, limit)
  local all = { "c.call = s.call", "c.started_at >= (select since from reach)", table.unpack(s.list) }
  if s.number then
    all[#all + 1] = ("(c.from_number = %s or c.to_number = %s)"):format(s.number, s.number)
  end
  local since = "timestamptz '-infinity'"
  if q.since or q.local_from then
    since = ("%s::timestamptz - interval '1 day'"):format(s.param(q.since or q.local_from))
  end
  before = s.param(before)
  return db.ask(LEAP:format(before, days, since, words, before, LEAP_TURNS + 1, LEAP_TURNS, words,
    listed("select c.* from (select distinct call from said) s cross join lateral (select c.* from "
      .. (s.counted and "calls_counted x join calls c on c.call = x.call" or "calls c") .. " where "
      .. table.concat(all, " and ") .. " offset 0) c order by c.started_at desc, c.call desc limit " .. limit), since),
    s.params)
end

-- What was found, and where that ends when it does not go back to the oldest call.
local function by_words(q, agents, key)
  local begun, rows, at = host.now_ms(), {}, key
  local days, n = 0, FIRST_WALK -- 0: walk
  repeat
    local s, asked = conditions_of(q, agents, at), host.now_ms()
    local words, limit = s.param(q.text), q.limit + 1 - #rows
    local step = days > 0 and leap(s, q, words, at[1], days, limit) or walk(s, words, n, limit)
    if step.too_many then
      days, n = days > LEAP_DAYS and LEAP_DAYS or 0, WALK
    else
      table.move(step.items, 1, #step.items, #rows + 1, rows)
      at = step.last
      if n == FIRST_WALK then
        days = days == 0 and LEAP_DAYS or host.now_ms() - asked < QUICK_MS and 2 * days or days
      end
    end
  until #rows > q.limit or not at or host.now_ms() - begun > M.BUDGET_MS
  return rows, #rows <= q.limit and at or nil
end

---@param r table
function M.run(r)
  local q = r.query
  local key = page.read(q.cursor, { "time", "text" })
  local rows, searched_to
  if q.text then
    rows, searched_to = by_words(q, r.agents, key)
  else
    local s = conditions_of(q, r.agents, key)
    rows = db.ask(("select (%s)::text"):format(listed(first_rows(s.list, s.number, q.limit + 1, s.counted))), s.params)
  end
  local answer = page.answer(rows, q.limit, function(row)
    return { row.started_at, row.call }
  end)
  if searched_to then
    answer.next, answer.searched_to = page.cursor(searched_to), searched_to[1]
  end
  return 200, answer
end

return M
