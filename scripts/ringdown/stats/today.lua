-- SPDX-License-Identifier: Apache-2.0
-- stats.today: one day in one sentence that an owner understands, and the numbers in it:
--
--   84 answered, 2 missed (both texted), 11 bookings, 1 emergency (confirmed in 48 s), $31.20; on Vapi it would be
--   $58 ± 6
--
-- Each part of the sentence says what opens its calls. A day is one by the clock at each site; which day "today" is,
-- read.zone says. What is not known stays so: a cost that nobody has
-- told, and what Vapi would cost without calls that it had.
--
-- On Vapi: what its own calls of that day cost, and for the minutes of the others what a minute cost there lately. The
-- interval is at 95 %: how certain that price is, and how calls vary around it.
local db = require "ringdown.stats.db"
local draw = require "ringdown.stats.draw"
local json = require "ringdown.json"
local period = require "ringdown.stats.period"
local read = require "ringdown.stats.read"
local time = require "ringdown.time"

local M = {}

local Z, FEWEST = 1.96, 30
local EVIDENCE_DAYS, EVIDENCE_CALLS = 90, 1000
local MOST_SHOWN = 20

-- ── which day ───────────────────────────────────────────────────────────────────────────────────

local function agents_of(ask)
  return ask.agents and json.encode(json.array(ask.agents)) or false
end

local function day_of(ask, today)
  local day = (ask.day == nil or ask.day == "today") and today
    or ask.day == "yesterday" and time.date(time.days(today) - 1) or ask.day
  local n = time.days(day)
  if not n then
    error(("--day '%s' is no day; write it like 2026-11-02, or today or yesterday"):format(tostring(day):sub(1, 40)), 0)
  elseif n > time.days(today) then
    error(("--day %s is yet to come; today is %s"):format(day, today), 0)
  end
  return day
end

local function whole(day)
  local n = time.days(day)
  return { local_from = day, local_to = time.date(n + 1), first = day, last = day, days = 1, text = day }
end

-- ── what the hours do not say ───────────────────────────────────────────────────────────────────

-- The calls of a day, of whom is asked; `c`, and the clock at its site.
local day_sql = [[ from calls c left join agents a on a.agent = c.agent
    left join sites s on s.agent = c.agent and s.site = c.site
  where c.started_at >= $1::date - interval '1 day' and c.started_at < $1::date + interval '2 days'
    and not c.is_test and not c.imported and ($2::text is null or c.agent = $2)
    and ($3::jsonb is null or c.agent = any(array(select jsonb_array_elements_text($3::jsonb))))
    and ($4::text is null or coalesce(c.site, 'default') = $4) and %s
    and (c.started_at at time zone zone_or_utc(coalesce(s.time_zone, a.time_zone)::text))::date = $1::date]]

local texted_sql = "select jsonb_build_object('texted', count(*) filter (where t.sent), 'waiting', count(*) filter "
  .. "(where not t.sent and t.waits))::text from (select (select bool_or(x.status <> 'scheduled') from texts x where "
  .. "x.call = c.call and x.direction = 'out' and x.kind = 'missed' and x.status not in ('failed', 'undelivered', "
  .. "'canceled')) as sent, exists (select from texts x where x.call = c.call and x.direction = 'out' and x.kind = "
  .. "'missed' and x.status = 'scheduled') as waits"
  .. day_sql:format("(c.missed is not null or c.ended_at is null and c.status in "
    .. "('busy', 'failed', 'no-answer', 'canceled'))") .. ") t"

local emergencies_sql = [[select jsonb_build_object('call', m.call, 'rule', m.rule, 'severity', m.severity,
    'state', m.state, 'matched_at', m.matched_at, 'seconds', extract(epoch from m.handled_at - m.matched_at)::bigint)
    as e, m.matched_at, m.call, m.rule]]
  .. day_sql:format [[m.call = c.call and m.state <> 'recorded' and m.matched_at >= $1::date - interval '1 day'
    and m.matched_at < $1::date + interval '9 days']]
emergencies_sql = "select coalesce(jsonb_agg(e order by matched_at, call, rule), '[]')::text from ("
  .. emergencies_sql:gsub(" from calls c left", " from triage_matches m join calls c using (call) left", 1) .. ") x"

local function of_day(sql, day, ask)
  return db.must(sql, { day, ask.agent or false, agents_of(ask), ask.site or false })
end

-- ── Vapi ────────────────────────────────────────────────────────────────────────────────────────

-- Of each agent, its newest calls on a system whose cost is known: n, and sums of micro-dollars x and minutes m.
local evidence_sql = ([[select coalesce(jsonb_object_agg(w.agent, e.sums), '{}')::text
  from jsonb_array_elements_text($1::jsonb) w (agent) cross join lateral (
    select jsonb_build_object('n', count(*), 'x', coalesce(sum(x), 0), 'm', coalesce(sum(m), 0),
      'xx', coalesce(sum(x * x), 0), 'xm', coalesce(sum(x * m), 0), 'mm', coalesce(sum(m * m), 0)) as sums
    from (select k.micro_usd::float8 as x, greatest(coalesce(c.duration_ms, c.duration_s * 1000::bigint), 0)
        / 60000.0::float8 as m from calls c join call_costs k using (call)
      where c.agent = w.agent and c.system = $2 and c.started_at >= now() - interval '%d days'
        and c.failed_over_to is null and not c.is_test and not c.imported and k.micro_usd is not null
      order by c.started_at desc limit %d) newest) e]]):format(EVIDENCE_DAYS, EVIDENCE_CALLS)

---@class ringdown.stats.seen
---@field n integer
---@field x number micro-dollars
---@field m number minutes
---@field xx number
---@field xm number
---@field mm number

---What each agent's calls on a system cost lately.
---@param agents string[]
---@param system string
---@return table<string, ringdown.stats.seen>
function M.evidence(agents, system)
  return db.must(evidence_sql, { json.encode(json.array(agents)), system })
end

---What a minute cost: micro-dollars, the variance of that, and of a call around it; nil: too little is known, and why.
---@param seen ringdown.stats.seen?
---@return number? price
---@return number|string variance
---@return number? spread
function M.price(seen)
  local n = seen and seen.n or 0
  if n < FEWEST or seen.m <= 0 then
    return nil, n == 0 and ("it had no call of known cost in %d days"):format(EVIDENCE_DAYS)
      or ("it had %d calls of known cost in %d days, and %d would do"):format(n, EVIDENCE_DAYS, FEWEST)
  end
  local price = seen.x / seen.m
  local spread = math.max(seen.xx - 2 * price * seen.xm + price * price * seen.mm, 0) / (n - 1)
  return price, spread / n / (seen.m / n) ^ 2, spread
end

---What calls of so many minutes would cost on Vapi, by calls that it had: micro-dollars, and their variance. Pure.
---@param seen ringdown.stats.seen?
---@param calls integer
---@param minutes number
---@return number? micro_usd nil: there is too little to say so
---@return number|string variance or why not
function M.on_vapi(seen, calls, minutes)
  local price, variance, spread = M.price(seen)
  if not price then
    return nil, variance
  end
  return price * minutes, minutes * minutes * variance + calls * spread
end

-- Raises nothing: a reason instead.
local function vapi_of(ask, when, total)
  local function of(system, by)
    local copy = { agent = ask.agent, agents = ask.agents, site = ask.site, system = system }
    return read.groups(copy, when, by)
  end
  local theirs = of "vapi"
  local _, agents = of("openai", "agent")
  local names = json.array {}
  for _, group in ipairs(agents) do
    names[#names + 1] = group.key
  end
  local out = { calls = 0, minutes = 0 }
  for _, group in ipairs(agents) do
    out.calls, out.minutes = out.calls + group.calls, out.minutes + group.talk_ms / 60000
  end
  if out.calls == 0 then
    out.reason = total.calls == 0 and "there were no calls" or "none of these calls was on OpenAI"
    return out
  elseif theirs.cost.unknown_calls > 0 then
    out.reason = ("Vapi has not told yet what %d of its own calls cost"):format(theirs.cost.unknown_calls)
    return out
  end
  local seen, sum, variance, n = M.evidence(names, "vapi"), 0, 0, 0
  for _, group in ipairs(agents) do
    local value, spread = M.on_vapi(seen[group.key], group.calls, group.talk_ms / 60000)
    if not value then
      out.reason = ("of %s, %s"):format(group.key, spread)
      return out
    end
    sum, variance, n = sum + value, variance + spread, n + seen[group.key].n
  end
  local half = Z * math.sqrt(variance)
  out.micro_usd = math.floor(theirs.cost.micro_usd + sum + 0.5)
  out.low_micro_usd = math.floor(math.max(theirs.cost.micro_usd, theirs.cost.micro_usd + sum - half) + 0.5)
  out.high_micro_usd = math.floor(theirs.cost.micro_usd + sum + half + 0.5)
  out.half_micro_usd, out.n = math.floor(half + 0.5), n
  if total.cost.unknown_calls == 0 then
    out.saved_micro_usd = out.micro_usd - total.cost.micro_usd
  end
  return out
end

-- ── words ───────────────────────────────────────────────────────────────────────────────────────

local function times(n, one, many)
  return ("%s %s"):format(draw.count(n), n == 1 and one or many)
end

local function missed_words(t)
  local words = times(t.missed, "missed", "missed")
  if t.missed == 0 then
    return words
  end
  local texted, all = t.missed_texted, { "texted", "both texted" }
  local told = texted == t.missed and (all[texted] or "all texted")
    or texted == 0 and t.missed_waiting == 0 and (t.missed == 1 and "not texted" or "none texted")
    or ("%s of them texted"):format(draw.count(texted))
  if t.missed_waiting > 0 then
    told = (texted > 0 and told .. ", " or "") .. draw.count(t.missed_waiting) .. " when texts may go out again"
  end
  return ("%s (%s)"):format(words, told)
end

local function emergency_words(e)
  if e.all == 0 then
    return "no emergency"
  end
  local words = times(e.all, "emergency", "emergencies")
  local within = e.slowest_s and draw.seconds(e.slowest_s)
  if e.confirmed == e.all then
    return ("%s (%s)"):format(words, e.all == 1 and "confirmed in " .. within
      or ("%s confirmed, the slowest in %s"):format(e.all == 2 and "both" or "all", within))
  elseif e.all == 1 then
    return ("%s (%s)"):format(words, e.open == 1 and "NOBODY HAS CONFIRMED IT YET" or "NOBODY TOOK IT")
  end
  return ("%s (%s NOT CONFIRMED)"):format(words, draw.count(e.all - e.confirmed))
end

local function cost_words(cost)
  if cost.unknown_calls == 0 then
    return draw.usd(cost.micro_usd)
  elseif cost.known_calls == 0 then
    return "what it cost is not known yet"
  end
  return ("%s, and %s not known yet"):format(draw.usd(cost.micro_usd),
    times(cost.unknown_calls, "call whose cost is", "calls whose cost is"))
end

-- Whole dollars where cents are noise.
local function about(micro_usd, half)
  if half >= 1000000 then
    return ("$%s ± %s"):format(draw.count(math.floor(micro_usd / 1000000 + 0.5)),
      draw.count(math.floor(half / 1000000 + 0.5)))
  end
  return ("%s ± %.2f"):format(draw.usd(micro_usd), half / 1000000)
end

local function vapi_words(v)
  if v.micro_usd then
    return "on Vapi it would be " .. about(v.micro_usd, v.half_micro_usd)
  elseif v.calls > 0 then
    return ("on Vapi it would be: not known (%s)"):format(v.reason)
  end
end

-- What opens the calls of a part: a list of the admin API and its query.
local function opens(t, list, more)
  local query = { local_from = t.day, local_to = time.date(time.days(t.day) + 1), agent = t.agent, site = t.site }
  for name, value in pairs(more) do
    query[name] = value
  end
  return { list = list, query = query }
end

---The sentence, and its parts in their order. Pure.
---@param t table what M.read answers
---@return string sentence
---@return { name: string, text: string, opens: table? }[] parts
function M.words(t)
  local parts = json.array {}
  local function put(name, text, how)
    if text then
      parts[#parts + 1] = { name = name, text = text, opens = how }
    end
  end
  local function calls(more)
    more.kind = "real"
    return opens(t, "/calls", more)
  end
  if t.calls == 0 and t.emergencies.all == 0 then -- a call that goes on may have one, and is not counted yet
    put("answered", t.so_far and "nobody has called yet" or "nobody called", calls {})
    return "Nobody" .. parts[1].text:sub(7) .. ".", parts
  end
  put("answered", draw.count(t.answered) .. " answered", calls { result = "answered" })
  put("missed", missed_words(t), calls { result = "missed" })
  put("fallback", t.fallback > 0 and times(t.fallback, "heard the fallback", "heard the fallback") or nil,
    calls { result = "fallback" })
  put("bookings", times(t.bookings, "booking", "bookings"), calls { booked = true })
  put("emergencies", emergency_words(t.emergencies), t.emergencies.open == 0 and calls { emergency = true }
    or { list = "/emergencies", query = { state = "open", agent = t.agent } }) -- its call may go on: no list has it yet
  put("cost", cost_words(t.cost), opens(t, "/costs/calls", {}))
  -- by the minutes of these
  put("vapi", vapi_words(t.on_vapi), opens(t, "/costs/calls", { system = "openai" }))
  local texts = {}
  for i, part in ipairs(parts) do
    texts[i] = (i == 1 and "" or part.name == "vapi" and "; " or ", ") .. part.text
  end
  return table.concat(texts), parts
end

-- ── asking ──────────────────────────────────────────────────────────────────────────────────────

local function brief(total)
  return { calls = total.calls, answered = total.answered, missed = total.missed, bookings = total.bookings,
    emergencies = total.emergencies.all, micro_usd = total.cost.known_calls > 0 and total.cost.micro_usd or nil,
    unknown_calls = total.cost.unknown_calls }
end

-- The same weekday a week before; of today, also what it was by this hour.
local function before_of(ask, t)
  local day = time.date(time.days(t.day) - 7)
  local out = brief((read.groups(ask, whole(day))))
  out.day = day
  local from = t.so_far and time.unix_of(t.zone, day .. " 00:00")
  if from then
    local hours = (time.unix() - 7 * 86400 - from + 1800) // 3600
    local by = { calls = 0, answered = 0, missed = 0, bookings = 0, emergencies = 0, micro_usd = 0, unknown_calls = 0 }
    if hours > 0 then
      by = brief((read.groups(ask, { from = period.moment(from // 3600 * 3600),
        to = period.moment((from + hours * 3600) // 3600 * 3600), days = 1 })))
    end
    by["until"] = period.moment(from + math.max(hours, 0) * 3600)
    out.by_now = by
  end
  return out
end

local function emergencies_of(list)
  local e = { all = #list, confirmed = 0, open = 0, abandoned = 0, items = json.array {} }
  for i, one in ipairs(list) do
    local state = one.state == "handled" and "confirmed" or one.state
    e[state] = (e[state] or 0) + 1
    if one.state == "handled" and one.seconds then
      e.slowest_s = math.max(e.slowest_s or 0, one.seconds)
    end
    if i <= MOST_SHOWN then
      e.items[i] = one
    end
  end
  if e.confirmed > 0 and not e.slowest_s then
    e.slowest_s = 0
  end
  return e
end

---@class ringdown.stats.today
---@field day string?  "2026-11-27", "today" (also when left out), "yesterday"
---@field agent string?
---@field agents string[]? the ones that may be seen; nil: all
---@field site string?

---One day.
---@param ask ringdown.stats.today
---@return table answer
function M.read(ask)
  local zone, note = read.zone(ask)
  local today = time.at(zone).date
  local day = day_of(ask, today)
  local when = whole(day)
  local asked = { agent = ask.agent, agents = ask.agents, site = ask.site }
  local total = read.groups(asked, when)
  local t = { day = day, name = time.day_text(day), zone = zone, zone_note = note, so_far = day == today,
    agent = ask.agent, site = ask.site, calls = total.calls, answered = total.answered, missed = total.missed,
    fallback = total.fallback, failed = total.failed, bookings = total.bookings,
    cost = { micro_usd = (total.cost.known_calls > 0 or total.calls == 0) and total.cost.micro_usd or nil,
      known_calls = total.cost.known_calls, unknown_calls = total.cost.unknown_calls } }
  local texted = total.missed > 0 and of_day(texted_sql, day, ask) or { texted = 0, waiting = 0 }
  t.missed_texted, t.missed_waiting = texted.texted, texted.waiting
  t.emergencies = emergencies_of(of_day(emergencies_sql, day, ask))
  t.on_vapi = vapi_of(asked, when, total)
  t.before = before_of(asked, t)
  t.behind = db.must("select statistics_behind()::text", {})
  t.sentence, t.parts = M.words(t)
  return t
end

local function signed(now, before, what)
  local d = now - before
  return d == 0 and ("as many %s as"):format(what)
    or ("%s %s %s than"):format(draw.count(math.abs(d)), d > 0 and "more" or "fewer", what)
end

---`ringdown stats today`
function M.print(payload, tell)
  require("ringdown.stats.roll").run { rounds = 20 }
  local t = M.read { day = payload.day, agent = payload.agent, site = payload.site }
  tell { text = ("%s, %s (%s)"):format(t.agent or "all agents", t.name, t.zone) }
  tell { text = "  " .. t.sentence }
  local before = t.before.by_now or t.before
  tell { text = ("  %s a week before%s"):format(signed(t.calls, before.calls, "calls"),
    t.before.by_now and ", by this hour" or "") }
  if t.zone_note then
    tell { note = t.zone_note }
  end
  return t
end

return M
