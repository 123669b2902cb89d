-- SPDX-License-Identifier: Apache-2.0
-- api.calls_search: calls by what is known of them and by what was said in them, the newest first.
--
-- One thing that is known of a call has an index, and a page of such a search is one question. Of two things together
-- (an outcome that a system never has), and of words, the database may expect many soon and go through every call
-- there is. Such a search goes back in time by steps, each of bounded work, until the page is full or no call is older:
--
--   known   a month of calls, then two, four, eight
--   words   walk ▶ the newest calls that fit otherwise, so many at most, are each asked for the words: those that
--                  many say are found so
--           leap ▶ eight months, then all, by the index of words: rare ones, and those that are common each,
--                  but never without the others (`kitchen -water`). Too many turns have them ▶ walk on
--
-- When it takes long, the answer is what was found until then: `searched_to` says how far back that is, and `next` goes
-- on from there.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local page = require "ringdown.api.page"
local read = require "ringdown.api.calls_read"
local sorted = require "ringdown.sorted"

local M = {}

M.limits = {
  month_days = 31,
  quick_ms = 40, -- a month that took no longer is followed by two
  first_walk = 100, -- calls
  walk = 2000, -- the same, where words are too common for the index:
  leap_turns = 20000, -- more of them than this
  budget_ms = 500, -- then a search tells how far it came
}
local limits = M.limits

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
  local_from = "x.started_at >= %s::date - interval '1 day' and x.local_hour >= %s::date",
  local_to = "x.started_at < %s::date + interval '1 day' and x.local_hour < %s::date",
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
  local of = counted and not number and "x" or "c"
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
    of = q.number and "c" or of
    list[#list + 1] = ("(%s.started_at, %s.call) < (%s::timestamptz, %s)"):format(of, of, param(key[1]), param(key[2]))
  end
  return { list = list, params = params, param = param, counted = counted, number = q.number and param(q.number) }
end

-- These rows `c` of calls, as the API tells them.
local function listed(rows)
  return "select coalesce(jsonb_agg(" .. read.columns .. " order by c.started_at desc, c.call desc), '[]') from ("
    .. rows .. ") c left join call_costs k on k.call = c.call"
end

-- ---- back in time ----

-- A step of so many days, as SQL: from `since` until `before`; `last` is where the next one begins, if a call is older.
local function window(s, q, at, days)
  local function moment(text, more)
    return s.param(text) .. "::timestamptz" .. (more or "")
  end
  local before = at and moment(at[1]) or q["until"] and moment(q["until"])
    or q.local_to and moment(q.local_to, " + interval '1 day'") or "now()"
  local oldest = q.since and moment(q.since) or q.local_from and moment(q.local_from, " - interval '1 day'")
  local since = ("%s - interval '%d days'"):format(before, days)
  local older = "select from calls c where c.started_at < "
  if oldest then
    since = ("greatest(%s, %s)"):format(since, oldest)
    older = ("select from calls c where c.started_at >= %s and c.started_at < "):format(oldest)
  end
  return { before = before, since = since,
    last = ("(select jsonb_build_array(%s, '') where exists (%s%s))"):format(since, older, since) }
end

local function ask(s, sql, ...)
  return db.ask(("select (%s)::text"):format(sql:format(...)), s.params)
end

local FOUND = "select jsonb_build_object('items', (%s), 'last', %s)"

local function since_then(s, w)
  return { (s.counted and not s.number and "x" or "c") .. ".started_at >= " .. w.since, table.unpack(s.list) }
end

local function known(s, w, limit)
  return ask(s, FOUND, listed(first_rows(since_then(s, w), s.number, limit, s.counted)), w.last)
end

-- A turn lies in the month in which its call began, or next to it where clocks differed.
local SAID = [[(select true from turns t where t.call = c.call
  and t.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day'
  and t.words @@ websearch_to_tsquery('simple', %s) limit 1)]]

-- `w` nil: as far back as it takes.
local function walk(s, w, words, n, limit)
  local walked = first_rows(w and since_then(s, w) or s.list, s.number, n, s.counted)
  local newest = " order by c.started_at desc, c.call desc limit "
  local last = "(select jsonb_build_array(c.started_at, c.call) from (" .. walked .. ") c" .. newest .. "1 offset "
    .. n - 1 .. ")"
  local fitting = ("select c.* from (%s) c where %s%s%d"):format(walked, SAID:format(words), newest, limit)
  return ask(s, FOUND, listed(fitting),
    w and "coalesce(" .. last .. ", " .. w.last .. ")" or last)
end

local LEAP = [[with said as materialized (select call from said_by_index(%s, %s, %s, %d)),
  counted as (select count(*) > %d or querytree(websearch_to_tsquery('simple', %s)) = 'T' as too_many from said)
  select jsonb_build_object('too_many', too_many, 'items', case when not too_many then (%s) end, 'last', %s)
  from counted]]

local function leap(s, w, words, limit)
  local all = { "c.call = s.call", table.unpack(since_then(s, w)) }
  if s.number then
    all[#all + 1] = ("(c.from_number = %s or c.to_number = %s)"):format(s.number, s.number)
  end
  local fitting = ([[select c.* from (select distinct call from said) s cross join lateral (select c.* from %s
    where %s offset 0) c order by c.started_at desc, c.call desc limit %d]]):format(
    s.counted and "calls_counted x join calls c on c.call = x.call" or "calls c", table.concat(all, " and "), limit)
  local most = limits.leap_turns
  return ask(s, LEAP, words, w.since, w.before, most + 1, most, words, listed(fitting), w.last)
end

-- An index has what is asked for, all of it.
local function is_easy(q, agents)
  local n = agents and 1 or 0
  for name in pairs(q) do
    n = n + (name ~= "limit" and name ~= "cursor" and name ~= "text" and 1 or 0)
  end
  return n < 2 and not (q.system or q.site or agents)
end

-- How many calls to walk for so many more, when so many of the first ones had the words; nil: the index is better.
local function walk_on(n_found, n_wanted)
  local n = n_found > 0 and limits.first_walk * n_wanted * 3 // (n_found * 2)
  return n and n <= limits.walk // 2 and n or nil
end

-- What was found, and where that ends when it does not go back to the oldest call.
local function step_by_step(q, agents, at)
  local begun, rows, easy = host.now_ms(), {}, is_easy(q, agents)
  local days, walks, first = limits.month_days, q.text and limits.first_walk, true
  repeat
    local s, asked = conditions_of(q, agents, at), host.now_ms()
    local limit, w = q.limit + 1 - #rows, nil
    if not (walks and easy) then -- a parameter that no statement has is refused
      w = window(s, q, at, days)
    end
    local step = not q.text and known(s, w, limit)
      or walks and walk(s, w, s.param(q.text), walks, limit) or leap(s, w, s.param(q.text), limit)
    if step.too_many then
      days, walks = limits.month_days, days == limits.month_days and limits.walk or nil
    else
      table.move(step.items, 1, #step.items, #rows + 1, rows)
      at = step.last
      if not walks then
        days = host.now_ms() - asked < limits.quick_ms and 2 * days or days
      elseif walks ~= limits.walk then -- else it goes on so
        walks = first and walk_on(#rows, q.limit + 1 - #rows) or nil
        days = q.text:find('"', 1, true) and days or 8 * limits.month_days -- a phrase is looked for in each turn
      end
    end
    first = false
  until #rows > q.limit or not at or host.now_ms() - begun > limits.budget_ms
  return rows, #rows <= q.limit and at or nil
end

---@param r table
function M.run(r)
  local q = r.query
  local key = page.read(q.cursor, { "time", "text" })
  local rows, searched_to
  if q.text or not is_easy(q, r.agents) then
    rows, searched_to = step_by_step(q, r.agents, key)
  else
    local s = conditions_of(q, r.agents, key)
    rows = ask(s, "%s", listed(first_rows(s.list, s.number, q.limit + 1, s.counted)))
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
