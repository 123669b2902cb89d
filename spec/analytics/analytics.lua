-- SPDX-License-Identifier: Apache-2.0
-- A year of made-up calls, and how long it takes to ask about them.
--
-- usage: lua5.4 spec/analytics/analytics.lua [CALLS]     (1000000)
--
-- Fails when 95 of 100 questions for statistics take longer than 200 ms, or 99 of 100 single reads longer than 20 ms,
-- with nothing else on the machine. The calls are made by SQL, past the journal: 3 agents, 60 sites, 13 months, each
-- with tools and the lines of its cost.
package.path = "./?.lua;scripts/?.lua;scripts/?/init.lua;" .. package.path
package.preload["ringdown.host"] = function()
  return require "ringdown.fake.host"
end

local pg = require "spec.support.postgres"

local N = math.tointeger(tonumber(arg[1] or "1000000"))
local STATISTICS_MS, READ_MS = 200, 20

local function clock()
  local pipe = assert(io.popen "date +%s.%N")
  local now = pipe:read "n"
  pipe:close()
  return now
end

local begun = clock()
local function say(text, ...)
  print(("%7.1f s  " .. text):format(clock() - begun, ...))
end

pg.start()
local url = pg.database()

local function make()
  pg.run(url, [[
    select ensure_partitions(now() - make_interval(months => n)) from generate_series(0, 13) n;
    insert into agents (agent, version, time_zone, first_seen_at, updated_at) values
      ('northside-plumbing', 'v1', 'America/Chicago', now(), now()), ('dental', 'v1', 'America/New_York', now(), now()),
      ('night-desk', 'v1', 'Europe/Berlin', now(), now());
    insert into sites (agent, site) select a.agent, 'site-' || i from agents a, generate_series(1, 20) i]])
  pg.run(url, "truncate statistics_dirty; set session_replication_role = replica;" .. ([[
    insert into calls (call, started_at, agent, site, from_number, to_number, system, reason, model, state, status,
        duration_s, ended_at, ended_reason, duration_ms, first_audio_ms, turns, barge_ins, tool_calls,
        transfers_asked, transfers_answered)
      select 'CA' || lpad(to_hex(n), 32, '0'), at, agent, 'site-' || (1 + n %% 20), '+1312' || (5550000 + n %% 90000),
        '+13125550100', case when n %% 10 < 4 then 'vapi' else 'openai' end, 'split', 'gpt-realtime-2.1',
        'ended',
        'completed', s, at + s * interval '1 second', (array['caller_hangup', 'agent_hangup', 'transferred',
          'caller_hangup', 'silence', 'caller_hangup', 'provider_failed'])[1 + n %% 7], s * 1000,
        300 + n::bigint * 7919 %% 1500, 4 + n %% 12, n %% 3, 2, (n %% 9 = 0)::integer, (n %% 18 = 0)::integer
      from (select n, (array['northside-plumbing', 'dental', 'night-desk'])[1 + n %% 3] as agent,
          (20 + n::bigint * 104729 %% 400)::integer as s,
          now() - interval '1 hour' - (n::float8 / %d) * interval '395 days' as at
        from generate_series(1, %d) n) g;
    insert into tool_calls (call, id, started_at, name, asked_at, answered_at, arguments, output, failed)
      select call, 't' || i, started_at, 'eta', started_at + i * interval '10 seconds',
        started_at + i * interval '10 seconds' + (abs(hashtext(call || i)) %% 4000) * interval '1 millisecond',
        '{}', '{}', abs(hashtext(call || i)) %% 25 = 0 from calls, generate_series(1, 2) i;
    insert into call_costs (call, micro_usd, micro_usd_exact, reason)
      select call, case when known then 60000 end, case when known then 60000 end,
        case when not known then 'unknown' end
      from (select call, abs(hashtext(call)) %% 200 > 0 as known from calls) c;
    insert into call_cost_lines (call, line, item, unit, quantity, basis, numerator)
      select call, i, (array['model', 'model', 'transcription', 'carrier', 'stream', 'provider'])[i], 'minute', 1,
        (array['reported', 'reported', 'reported', 'measured', 'measured', 'reported'])[i], 600000000000
      from calls, generate_series(1, 6) i]]):format(N, N))
  pg.run(url, [[insert into triage_matches (call, rule, severity, matched_at, state, handled_at)
      select call, 'gas', 'life', started_at, 'handled', started_at + interval '70 seconds'
      from calls where abs(hashtext(call)) % 400 = 1;
    insert into appointments (agent, site, resource, during, call)
      select agent, site, 'van', tstzrange(started_at, started_at + interval '1 microsecond'), call
      from calls where abs(hashtext(call)) % 5 = 1 on conflict do nothing;
    insert into statistics_dirty (hour) select distinct date_trunc('hour', started_at, 'UTC') from calls]])
  pg.try(url, "analyze")
end

-- So many questions in one session, each timed by the server.
local function timed(statements)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("\\timing on\n", table.concat(statements, ";\n"), ";\n")
  file:close()
  local pipe = assert(io.popen(("psql -X -q -A -t -o /dev/null -d '%s' -f %s 2>&1"):format(url, path)))
  local times = {}
  for line in pipe:lines() do
    local ms = line:match "^Time: ([%d.]+) ms"
    if ms then
      times[#times + 1] = tonumber(ms)
    elseif line:match "ERROR" then
      error(line)
    end
  end
  pipe:close()
  os.remove(path)
  table.sort(times)
  return times
end

local failed = false
local function judge(name, times, share, limit_ms)
  local ms = times[math.ceil(share * #times)]
  local bad = limit_ms and ms > limit_ms
  failed = failed or bad
  say("%-46s n=%-4d p50 %6.1f ms  p%d %6.1f ms  worst %6.1f ms%s", name, #times, times[math.ceil(#times / 2)],
    math.floor(share * 100), ms, times[#times], bad and ("  MORE THAN %d ms"):format(limit_ms) or "")
end

local function asks(n, make_one)
  local list = {}
  for i = 1, n do
    list[i] = make_one(i)
  end
  return list
end

local function range(days, by, more)
  return ([[select stats_range(jsonb_build_object('local_from', (now() - interval '%d days')::date,
    'local_to', (now() + interval '2 days')::date, 'by', '%s') || '%s')]]):format(days, by, more or "{}")
end

make()
say("%d calls are there", N)
local rolled = clock()
repeat
  local left = pg.query(url, "select statistics_roll(500) as said")[1].said.left
until left == 0
local hours = pg.query(url, "select count(*) as n from statistics_hourly")[1].n
say("counted for the first time in %.1f s: %d rows", clock() - rolled, hours)
pg.try(url, "analyze")

local one = pg.query(url, "select max(hour)::text as h from statistics_hourly")[1].h
judge("one hour is counted again", timed(asks(40, function()
  return ("select mark_hour('%s'); select statistics_roll()"):format(one)
end)), 0.95)

local groups = { "total", "hour", "weekday", "day", "site", "reason" }
local agents = { "{}", '{"agent": "dental"}', '{"agent": "northside-plumbing", "site": "site-3"}' }
for _, days in ipairs { 1, 7, 30, 90, 395 } do
  judge(("statistics of %d days"):format(days), timed(asks(36, function(i)
    return range(days, groups[i % #groups + 1], agents[i // #groups % #agents + 1])
  end)), 0.95, days <= 90 and STATISTICS_MS or nil)
end

local function sid(i)
  return ("CA%032x"):format(i * 7919 % N + 1)
end
for name, sql in pairs { ["one call, whole"] = "select why('%s')", ["its cost"] = "select why_cost('%s')" } do
  judge(name, timed(asks(300, function(i) return sql:format(sid(i)) end)), 0.99, READ_MS)
end
judge("the newest 50 calls of an agent", timed(asks(200, function()
  return "select call, started_at from calls where agent = 'dental' order by started_at desc limit 50"
end)), 0.99, READ_MS)
pg.stop()
os.exit(not failed)
