-- SPDX-License-Identifier: Apache-2.0
-- A year of made-up calls, by SQL and past the journal: 3 agents, 60 sites, 13 months, busy by day and quiet at night.
-- Each call has tools and the lines of its cost; four in ten were
-- on Vapi. Calls of the last tenth of that time have what
-- was said in them and every fact besides. The same number of calls is always the same calls, but for their time.
--
--   seed.make(url, 1000000)      into an empty database; statistics are marked, not counted
local pg = require "spec.support.postgres"

local M = {}

-- Rows come without triggers and without looking up what they refer to; statements of their own, so that none is long.
local function quick(url, sql, ...)
  pg.run(url, "set session_replication_role = replica; set synchronous_commit = off; set work_mem = '256MB';"
    .. sql:gsub("%%(%u+)", (...)))
end

local ground = [[
  select ensure_partitions(now() - make_interval(months => n)) from generate_series(0, 13) n;
  insert into agents (agent, version, time_zone, first_seen_at, updated_at) values
    ('northside-plumbing', 'v1', 'America/Chicago', now(), now()), ('dental', 'v1', 'America/New_York', now(), now()),
    ('night-desk', 'v1', 'Europe/Berlin', now(), now());
  insert into sites (agent, site) select a.agent, 'site-' || i from agents a, generate_series(1, 20) i;
  insert into customers (agent, number, name, created_at, updated_at)
    select (array['northside-plumbing', 'dental', 'night-desk'])[1 + n % 3], '+1312' || (5550000 + n),
      (array['Maria', 'John', 'Aisha', 'Chen', 'Olga', 'Luis', 'Emma', 'Noah'])[1 + n % 8] || ' Name' || n % 5000,
      now(), now() from generate_series(0, %CALLERS - 1) n]]

-- Two thirds of the calls come within eight hours of the day.
local calls = [[
  insert into calls (call, started_at, agent, version, site, from_number, to_number, direction, node, system, reason,
      model, state, state_epoch, status, duration_s, ended_at, ended_reason, duration_ms, first_audio_ms, turns,
        barge_ins,
      tool_calls, errors, transfers_asked, transfers_answered, missed)
    select 'CA' || lpad(to_hex(n), 32, '0'), at, agent, 'v1', 'site-' || (1 + n % 20),
      '+1312' || (5550000 + h1 % %CALLERS),
      '+1312' || (6660000 + n % 60), 'inbound', 'n1', case when n % 10 < 4 then 'vapi' else 'openai' end, 'split',
      'gpt-realtime-2.1', 'ended', 1, 'completed', s, at + s * interval '1 second',
      case when h1 % 50 = 1 then null else (array['caller_hangup', 'agent_hangup', 'transferred', 'caller_hangup',
        'silence', 'caller_hangup', 'agent_hangup', 'caller_hangup', 'caller_hangup',
          'provider_failed'])[1 + n % 10] end,
      s * 1000, 300 + h2 % 1500, 4 + n % 12, n % 3, 2, (h2 % 60 = 0)::integer, (n % 9 = 0)::integer,
        (n % 18 = 0)::integer,
      case when h1 % 50 = 1 then 'gave_up' end
    from (select n, (array['northside-plumbing', 'dental', 'night-desk'])[1 + n % 3] as agent, h1, h2,
        20 + h2 % 400 as s, case when n % 3 > 0 then date_trunc('day', at) + interval '13 hours'
          + (h1 % 28800) * interval '1 second' - case
            when at > now() - interval '26 hours' then interval '1 day' else '0' end
          else at end as at
      from (select n, abs(hashtext('a' || n) % 1000000000) as h1, abs(hashtext('b' || n) % 1000000000) as h2,
          now() - interval '1 hour' - (n::float8 / %CALLS) * interval '%DAYS days' as at
        from generate_series(%FROM, %TO) n) g) c;
]]

local beside = [[
  create temp table here on commit drop as select c.call, c.started_at, c.agent, c.site, c.system, c.duration_s,
      abs(hashtext(c.call) % 1000000000) as h
    from generate_series(%FROM, %TO) n join calls c on c.call = 'CA' || lpad(to_hex(n), 32, '0');
  insert into tool_calls (call, id, started_at, name, asked_at, answered_at, arguments, output, failed)
    select call, 't' || i, started_at, 'eta', started_at + i * interval '10 seconds',
      started_at + i * interval '10 seconds' + (h * i % 4000) * interval '1 millisecond', '{}', '{}', h * i % 25 = 0
    from here, generate_series(1, 2) i;
  insert into call_costs (call, micro_usd, micro_usd_exact, reason)
    select call, case when known then k * 1000 end, case when known then k * 1000 end,
      case when not known then 'carrier: no rate' end
    from (select call, h % 200 > 0 as known, 20 + h % 280 as k from here) c;
  insert into call_cost_lines (call, line, item, model, unit, quantity, basis, numerator, micro_usd,
    micro_usd_per_million,
      reason)
    select call, i, (array['carrier', 'stream', 'model', 'model', 'transcription', 'provider'])[i],
      case when i in (3, 4) then 'gpt-realtime-2.1' end, 'minute', 1,
      (array['reported', 'measured', 'reported', 'reported', 'reported', 'billed'])[i],
      case when known or i > 1 then m * 60000000 end, case when known or i > 1 then m end, 1000,
      case when not known and i = 1 then 'no rate' end
    from (select call, i, h % 200 > 0 as known, case
      when i = 6 then (20 + h % 280) * 1000 - 5 * 4000 else 4000 end::bigint
      as m from here, generate_series(1, 6) i) c;
  insert into vapi_calls (call, vapi_id, route, type, status, ended_reason, ended_class, created_at, started_at,
      in_progress_at, ended_at, cost_usd, seen_by, told_at)
    select call, 'v' || call, 'redirect', 'inboundPhoneCall', 'ended', 'customer-ended-call', 'ok', started_at,
      started_at,
      started_at + (300 + h % 1500) * interval '1 millisecond', started_at + duration_s * interval '1 second',
      (h % 100) * 0.003, 'webhook', started_at from here where system = 'vapi';
  insert into triage_matches (call, rule, severity, words, matched_at, state, handled_at, handled_by)
    select call, 'gas', case when h % 3 = 0 then 'life' else 'urgent' end, 'I smell gas', started_at, 'handled',
      started_at + (20 + h % 300) * interval '1 second', 'office' from here where h % 400 = 1;
  insert into triage_steps (call, rule, step, kind, target, state, at)
    select call, 'gas', i, (array['say', 'text', 'transfer'])[i], '+13125550142', 'answered', started_at
    from here, generate_series(1, 3) i where h % 400 = 1;
  insert into near_misses (call, rule, why, words, at)
    select call, 'gas', 'unless', 'my gas bill', started_at from here where h % 90 = 2;
  insert into appointments (agent, site, resource, during, customer, call, service)
    select agent, site, 'van-' || h, tstzrange(started_at + interval '1 day', started_at + interval '25 hours'),
      1 + h % %CALLERS,
      call, 'visit' from here where h % 5 = 1;
  insert into texts (id, call, agent, direction, from_number, to_number, body, segments, status, kind, carrier_id,
      created_at, updated_at)
    select 'SM' || call || i, call, agent, (array['out', 'in'])[i],
      (array['+13126660001', '+1312' || (5550000 + h % %CALLERS)])[i], (array['+1312' || (5550000 + h % %CALLERS),
        '+13126660001'])[i],
      'see you tomorrow', 1, (array['delivered', 'received'])[i], (array['tool', 'reply'])[i], 'C' || call || i,
      started_at + i * interval '1 minute', started_at
    from here, generate_series(1, 2) i where h % 6 = 3]]

-- What callers say: common words, words that one in five thousand says, and who they are.
local said = [[
  create temp table here on commit drop as select c.call, c.started_at, c.agent, c.system, c.from_number,
      abs(hashtext(c.call) % 1000000000) as h
    from generate_series(%FROM, %TO) n join calls c on c.call = 'CA' || lpad(to_hex(n), 32, '0');
  insert into turns (call, epoch, seq, started_at, at, turn, role, heard)
    select call, 1, 10 + i, started_at, started_at + i * interval '7 seconds', i, (array['caller', 'agent'])[1 + i % 2],
      (array['Hello, I have some water coming through the ceiling of the kitchen',
        'Thank you, I can help with that right away',
        'Could somebody come tomorrow in the morning please',
          'The first slot that is free is at nine, shall I book it for you',
        'Yes that would be fine, my name is Name' || h % 5000, 'You are booked, is there anything else that I can do',
        'No thank you that was all, goodbye', 'What does it cost to replace a boiler',
          'The toilet upstairs is blocked again',
        'I would like to speak to a person', 'One moment please, I am putting you through',
          'Good morning, this is the front desk'])
        [1 + (h + i * 5) % 12] || ' ref' || (h::bigint * i) % 20000
    from here, generate_series(1, 6) i;
  insert into usage (call, epoch, seq, started_at, at, kind, model, text_in, text_cached, audio_in, audio_cached,
    image_in,
      image_cached, text_out, audio_out, seconds, complete)
    select call, 1, 100 + i, started_at, started_at + i * interval '14 seconds', 'response', 'gpt-realtime-2.1',
      1200, 900, 400 * i, 300 * i, 0, 0, 60, 180, 0, true
    from here, generate_series(1, 3) i where system = 'openai';
  insert into call_events (stream, epoch, seq, started_at, at, type, body)
    select call, 1, i, started_at, started_at + i * interval '3 seconds', t.type,
      t.body || jsonb_build_object('call', call,
      'agent', agent)
    from here cross join lateral (values (1, 'webhook', '{"kind": "voice", "status": "ringing", "node": "n1"}'::jsonb),
      (2, 'decision', '{"system": "openai", "reason": "split", "model": "gpt-realtime-2.1"}'), (3, 'opened', '{}'),
      (4, 'state', '{"state": "connecting"}'), (5, 'state', '{"state": "live"}'),
      (6, 'tool', '{"id": "t1", "name": "eta", "done": false, "arguments": "{}"}'),
      (7, 'tool', '{"id": "t1", "name": "eta", "done": true, "output": "{}"}'), (8, 'notice', '{"heard": true}'),
      (9, 'said', '{"role": "caller", "heard": "Hello, I have some water coming through the ceiling"}'),
      (10, 'said', '{"role": "agent", "heard": "Thank you, I can help with that right away"}'),
      (11, 'said', '{"role": "caller", "heard": "Could somebody come tomorrow in the morning please"}'),
      (12, 'said', '{"role": "agent", "heard": "The first slot that is free is at nine"}'),
      (13, 'state', '{"state": "closing"}'), (14, 'ended', '{"reason": "caller_hangup", "turns": 6}'),
      (15, 'webhook', '{"kind": "status", "status": "completed", "duration_s": 62}')) t (i, type, body)]]

-- What is not of calls, and what goes on.
local last = [[
  update calls set ended_at = null, ended_reason = null, state = 'live', status = 'in-progress', duration_s = null
    where call in (select call from calls order by started_at desc limit 40);
  insert into audit (who, what, subject, after, at)
    select 'token' || n % 5, (array['rate.set', 'number.put', 'tokens.create', 'force.set',
      'rollout.advance'])[1 + n % 5],
      'subject ' || n % 700, '{"to": 1}', now() - n * interval '10 minutes' from generate_series(50000, 1, -1) n;
  insert into alert_states (rule, fingerprint, severity, state, began_at, fired_at, resolved_at, seen_at)
    select 'calls.failed', lpad(to_hex(n), 64, '0'), 'ticket', 'resolved', now() - n * interval '1 hour', now() - n
      * interval '1 hour', now() - n * interval '50 minutes', now() - n * interval '50 minutes'
        from generate_series(5000, 1, -1) n;
  insert into statistics_dirty (hour) select distinct date_trunc('hour', started_at, 'UTC') from calls]]

local PIECE = 100000

---@param url string of an empty database with all migrations
---@param n integer calls
---@param tell fun(text: string)?
---@param days integer? how long ago the first of them was; 13 months unless said
function M.make(url, n, tell, days)
  local values = { CALLS = n, CALLERS = math.max(n // 11, 10), DAYS = days or 395 }
  quick(url, ground, values)
  for from = 1, n, PIECE do
    values.FROM, values.TO = from, math.min(from + PIECE - 1, n)
    quick(url, calls, values)
    quick(url, beside, values)
    if tell then
      tell(("%d calls"):format(values.TO))
    end
  end
  for from = 1, n // 10, PIECE // 4 do
    values.FROM, values.TO = from, math.min(from + PIECE // 4 - 1, n // 10)
    quick(url, said, values)
  end
  quick(url, last, values)
  os.execute(("vacuumdb -q --analyze -d '%s'"):format(url))
end

---The n-th call, of those that have everything if `n` is at most a tenth.
function M.call(n)
  return ("CA%032x"):format(n)
end

return M
