-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Statistics: each hour of each agent, site, system, outcome and reason is one row, counted from the calls themselves.
--
--   whatever changes a call that is over ──▶ statistics_dirty (its hour) ── statistics_roll() ──▶ statistics_hourly
--
-- An hour is counted whole, again and again, as long as something in it changes: so late facts, corrected costs and
-- calls that turn out to have begun earlier are right after the next roll, whatever came first. Marks are only ever
-- added and taken, so that those who bring facts do not wait for each other. A call belongs to the hour in which it
-- began, however long it is. The rows outlive the calls: hours of which calls or tools are dropped stay as they are.
--
-- `hour` is the moment; `local_hour` is what the clock at that site said then (its own zone, else its agent's). Where
-- the clock is set back, two hours have one local hour; where it is set forward, one is missing.

-- --- what is kept of a call beside what there is --------------------------------------------------

alter table agents add column time_zone label; -- as its file says; told by whoever has it loaded

alter table calls
    add column site label, -- of the number when the call came; null: its agent's own
    add column is_test boolean not null default false, -- we made it ourselves
    add column transfers_asked integer not null default 0 check (transfers_asked >= 0),
    add column transfers_answered integer not null default 0 check (transfers_answered >= 0);

alter table tool_calls add column failed boolean; -- it outlives the output; null: no answer yet

create function tool_output_failed(output text) returns boolean language sql immutable parallel safe
return output like '{"failed":true%' or output like '{"error":%';

create function judge_tool() returns trigger language plpgsql as $$
begin
    new.failed := tool_output_failed(new.output);
    return new;
end $$;
create trigger tools_are_judged before insert or update of output on tool_calls
    for each row when (new.output is not null) execute function judge_tool();

-- What was assigned when the call came counts, not what is now. A call from one of our own numbers is a test.
create function place_call() returns trigger language plpgsql as $$
begin
    if new.site is null and new.to_number is not null then
        select p.site into new.site from phone_numbers p where p.number = new.to_number::text;
    end if;
    if not new.is_test and new.from_number ~ '^\+' then
        new.is_test := exists (select from numbers_seen s where s.number = new.from_number::text);
    end if;
    return new;
end $$;
create trigger calls_are_placed before insert on calls for each row execute function place_call();
create trigger calls_are_placed_late before update of to_number, from_number on calls for each row
    when (old.to_number is null and new.to_number is not null or old.from_number is null and new.from_number is not null)
    execute function place_call();

create function keep_opened(e journal_event) returns void language plpgsql as $$
begin
    update calls set site = coalesce(cut(e.body -> 'site' ->> 'id', 128), 'default') where call = e.stream;
end $$;

create function keep_transfer(e journal_event) returns void language plpgsql as $$
begin
    update calls set transfers_asked = transfers_asked + (e.body ->> 'state' = 'asked')::integer,
        transfers_answered = transfers_answered + (e.body ->> 'state' = 'answered')::integer
    where call = e.stream and e.body ->> 'state' in ('asked', 'answered');
end $$;

-- As before, and what statistics need besides.
alter function keep_of_call(journal_event) rename to keep_of_call_itself;
create function keep_of_call(e journal_event) returns void language plpgsql as $$
begin
    perform keep_of_call_itself(e);
    case e.type
        when 'opened' then perform keep_opened(e);
        when 'transfer' then perform keep_transfer(e);
        else null;
    end case;
end $$;

-- --- buckets --------------------------------------------------------------------------------------

-- Eight between a number and its double: what is in the middle of one is at most 1/16 away from all that is in it.
create function bucket_of(n bigint) returns smallint language sql immutable parallel safe
return case when n < 8 then greatest(n, 0)
    else (select 8 * (e - 2) + (m >> (e - 3)) - 8
        from (select m, floor(ln(m) / ln(2::float8) + 1e-9)::integer as e from (select least(n, 134217727) as m) x) y)
    end::smallint;

-- --- a call as statistics see it ------------------------------------------------------------------

create function call_is_over(c calls) returns boolean language sql immutable parallel safe
return c.ended_at is not null or coalesce(status_rank(c.status), 0) > 4;

-- A zone that nobody knows is UTC.
create function zone_or_utc(zone text) returns text language plpgsql stable as $$
begin
    perform now() at time zone zone;
    return coalesce(zone, 'UTC');
exception when invalid_parameter_value then
    return 'UTC';
end $$;

-- How it came out. `missed`: nobody got through. `fallback`: they heard why not, or were put through to a person without
-- us. `failed`: it broke off. `emergency`: somebody had to be told. `transferred`: a person took it. `not_taken`: they
-- wanted one, and none did. `contained`: no person was needed.
create function call_outcome(c calls, vapi_class text, vapi_reason text, emergencies bigint) returns text
language sql stable as $$
    select case
        when c.missed is not null or c.ended_at is null and c.status in ('busy', 'failed', 'no-answer', 'canceled')
            then 'missed'
        when c.system = 'fallback' then 'fallback'
        when ended_badly(c) or vapi_class in ('config', 'provider', 'vapi', 'other') then 'failed'
        when emergencies > 0 then 'emergency'
        when c.transfers_answered > 0 or c.ended_reason = 'transferred' or vapi_reason = 'assistant-forwarded-call'
            then 'transferred'
        when c.transfers_asked > 0 then 'not_taken'
        else 'contained' end
$$;

-- Every call that is over, with all that is counted of it. `kind`: real, test (we called ourselves), or imported (Vapi
-- had it before we answered). `reason`: why it ended, was missed, or went to the fallback.
create view calls_measured as
select c.call, c.started_at, date_trunc('hour', c.started_at, 'UTC') as hour,
    date_trunc('hour', c.started_at at time zone zone_or_utc(coalesce(s.time_zone, a.time_zone)::text)) as local_hour,
    coalesce(c.agent, '?') as agent, coalesce(c.site, 'default') as site, coalesce(c.system, 'none') as system,
    call_outcome(c, v.ended_class, v.ended_reason, m.emergencies) as outcome,
    coalesce(c.missed, case when c.system = 'fallback' then cut(c.reason, 128) end, c.ended_reason, c.status, '')::label
        as reason,
    case when c.is_test then 'test' when c.imported then 'imported' else 'real' end as kind,
    (c.failed_over_to is not null)::integer as failed_over,
    greatest(coalesce(c.duration_ms, c.duration_s * 1000::bigint, 0), 0) as talk_ms,
    c.turns, c.barge_ins, c.errors, c.transfers_asked, c.transfers_answered,
    m.emergencies, m.life, m.handled, m.handled_s, n.near_misses, b.bookings, t.tools, t.tools_failed, t.tools_open,
    t.tool_ms, case when v.call is null or v.route is not distinct from 'bridge' then c.first_audio_ms::bigint
        else greatest(extract(epoch from v.in_progress_at - c.started_at) * 1000, 0)::bigint end as first_audio_ms,
    k.micro_usd, k.call is null or k.micro_usd is null as cost_unknown, k.reason as cost_reason
from calls c
left join agents a on a.agent = c.agent
left join sites s on s.agent = c.agent and s.site = c.site
left join vapi_calls v on v.call = c.call
left join call_costs k on k.call = c.call
cross join lateral (select count(*) filter (where state <> 'recorded') as emergencies,
        count(*) filter (where severity = 'life') as life, count(*) filter (where state = 'handled') as handled,
        array_agg(extract(epoch from handled_at - matched_at)::bigint) filter (where state = 'handled') as handled_s
    from triage_matches where call = c.call) m
cross join lateral (select count(*) as near_misses from near_misses where call = c.call) n
cross join lateral (select count(*) as bookings from appointments where call = c.call) b
cross join lateral (select count(*) as tools, count(*) filter (where failed) as tools_failed,
        count(*) filter (where failed is null) as tools_open,
        array_agg(greatest(extract(epoch from answered_at - asked_at) * 1000, 0)::bigint)
            filter (where answered_at is not null and asked_at is not null) as tool_ms
    from tool_calls x where x.call = c.call
        and x.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day') t
where call_is_over(c);

-- --- the hours ------------------------------------------------------------------------------------

create table statistics_hourly (
    hour timestamptz not null,
    local_hour timestamp not null,
    agent label not null,
    site label not null,
    system text not null check (system in ('openai', 'vapi', 'fallback', 'none')),
    outcome text not null check (outcome in ('contained', 'transferred', 'not_taken', 'emergency', 'failed', 'fallback',
        'missed')),
    reason label not null,
    kind text not null check (kind in ('real', 'test', 'imported')),
    calls integer not null check (calls > 0),
    failed_over integer not null,
    talk_ms bigint not null,
    turns bigint not null,
    barge_ins bigint not null,
    errors bigint not null,
    transfers_asked bigint not null,
    transfers_answered bigint not null,
    emergencies bigint not null,
    emergencies_life bigint not null,
    emergencies_handled bigint not null,
    near_misses bigint not null,
    bookings bigint not null,
    tools bigint not null,
    tools_failed bigint not null,
    tools_open bigint not null, -- nobody knows what came of them
    -- how many were in which bucket; null: none
    first_audio_at smallint[],
    first_audio_n integer[],
    tool_at smallint[], -- ms
    tool_n integer[],
    handled_at smallint[], -- seconds until a person had it
    handled_n integer[],
    -- of calls whose cost is known; of the others only what is known of them, in `unknown_part`
    micro_usd bigint not null,
    unknown_costs integer not null,
    unknown_part_micro_usd bigint not null,
    -- both of these again, by what they are for
    model_micro_usd bigint not null,
    transcription_micro_usd bigint not null,
    provider_micro_usd bigint not null,
    carrier_micro_usd bigint not null,
    stream_micro_usd bigint not null,
    transfer_micro_usd bigint not null,
    texts_micro_usd bigint not null,
    hosting_micro_usd bigint not null,
    -- and by how they are known: they told amounts; they told quantities; by our clock
    billed_micro_usd bigint not null,
    reported_micro_usd bigint not null,
    estimated_micro_usd bigint not null,
    primary key (hour, agent, site, system, outcome, reason, kind, local_hour)
);
create index on statistics_hourly (agent, hour);

create table statistics_dirty (
    id bigint generated always as identity primary key,
    hour timestamptz not null,
    at timestamptz not null default now()
);
create index on statistics_dirty (hour);

create function mark_hour(at timestamptz) returns void language sql as $$
    insert into statistics_dirty (hour) select date_trunc('hour', at, 'UTC') where at is not null
$$;

-- Costs are reckoned anew whenever something is told of a call that is over.
create function mark_costed() returns trigger language plpgsql as $$
begin
    insert into statistics_dirty (hour) select distinct date_trunc('hour', c.started_at, 'UTC')
        from told join calls c using (call);
    return null;
end $$;
create trigger costs_are_counted after insert on call_costs referencing new table as told
    for each statement execute function mark_costed();

create function mark_call() returns trigger language plpgsql as $$
begin
    perform mark_hour(new.started_at);
    if tg_op = 'UPDATE' and old.started_at <> new.started_at then
        perform mark_hour(old.started_at);
    end if;
    return null;
end $$;
create trigger calls_are_counted after update on calls for each row
    when (old.started_at <> new.started_at or old.ended_at is distinct from new.ended_at
        or new.ended_at is not null and (old.missed is distinct from new.missed or old.agent is distinct from new.agent
            or old.site is distinct from new.site or old.is_test <> new.is_test or old.imported <> new.imported
            or old.system is distinct from new.system or old.ended_reason is distinct from new.ended_reason))
    execute function mark_call();

create function mark_of_call() returns trigger language plpgsql as $$
begin
    perform mark_hour((select started_at from calls where call = new.call));
    return null;
end $$;
create trigger emergencies_are_counted after insert or update on triage_matches
    for each row execute function mark_of_call();
create trigger near_misses_are_counted after insert on near_misses for each row execute function mark_of_call();
create trigger visits_are_counted after insert on appointments
    for each row when (new.call is not null) execute function mark_of_call();

-- Another zone is another hour of the day, also of what was.
create function mark_zone() returns trigger language plpgsql as $$
begin
    insert into statistics_dirty (hour) select distinct h.hour from statistics_hourly h where h.agent = new.agent
        and (tg_table_name = 'agents' or h.site = (to_jsonb(new) ->> 'site'));
    return null;
end $$;
create trigger agents_move after update of time_zone on agents for each row
    when (old.time_zone is distinct from new.time_zone) execute function mark_zone();
create trigger sites_move after insert or update of time_zone on sites for each row execute function mark_zone();

-- What agents' files say of their zones, {"sales": "America/Chicago"}.
create function agents_zones(zones jsonb) returns integer language plpgsql as $$
declare
    changed integer;
begin
    update agents a set time_zone = z.value from jsonb_each_text(zones) z
        where a.agent = z.key and a.time_zone is distinct from z.value::label;
    get diagnostics changed = row_count;
    return changed;
end $$;

-- A line of a call that was reckoned before lines had whole micro-dollars is rounded by itself.
create function line_micro_usd(l call_cost_lines) returns bigint language sql immutable parallel safe
return floor(l.micro_usd_exact + 0.5)::bigint;

-- Counts up to so many hours, the newest first. {"hours": counted, "left": marked still, "kept": too old}.
create function statistics_roll(at_most integer default 500, as_of timestamptz default now()) returns jsonb
language plpgsql as $$
#variable_conflict use_column
declare
    taken timestamptz[];
    counted timestamptz[];
begin
    perform pg_advisory_xact_lock(hashtext('ringdown.statistics'));
    select coalesce(array_agg(hour), '{}') into taken
        from (select distinct hour from statistics_dirty order by hour desc limit at_most) d;
    -- What was marked since is deleted too, and is seen below, for that looks later.
    delete from statistics_dirty where hour = any(taken);
    select coalesce(array_agg(h), '{}') into counted from unnest(taken) h
        where h >= as_of - (select min(keep) from retention where what in ('calls', 'tool_calls'));
    delete from statistics_hourly where hour = any(counted);

    insert into statistics_hourly
    with m as materialized (
        select x.*, dense_rank() over (order by x.hour, x.local_hour, x.agent, x.site, x.system, x.outcome, x.reason,
            x.kind) as g
        from unnest(counted) h cross join lateral (select * from calls_measured c
            where c.started_at >= h and c.started_at < h + interval '1 hour') x
    ),
    waits as (
        select g, what, bucket_of(n) as bucket, count(*)::integer as n
        from m cross join lateral (
            select 'first' as what, first_audio_ms as n where first_audio_ms is not null
            union all select 'tool', unnest(tool_ms)
            union all select 'handled', unnest(handled_s)) w
        group by g, what, bucket_of(n)
    ),
    buckets as (
        select g,
            array_agg(bucket order by bucket) filter (where what = 'first') as first_audio_at,
            array_agg(n order by bucket) filter (where what = 'first') as first_audio_n,
            array_agg(bucket order by bucket) filter (where what = 'tool') as tool_at,
            array_agg(n order by bucket) filter (where what = 'tool') as tool_n,
            array_agg(bucket order by bucket) filter (where what = 'handled') as handled_at,
            array_agg(n order by bucket) filter (where what = 'handled') as handled_n
        from waits group by g
    ),
    lines as (
        select m.g, coalesce(sum(u) filter (where m.cost_unknown), 0) as unknown_part,
            coalesce(sum(u) filter (where item = 'model'), 0) as model,
            coalesce(sum(u) filter (where item = 'transcription'), 0) as transcription,
            coalesce(sum(u) filter (where item = 'provider'), 0) as provider,
            coalesce(sum(u) filter (where item = 'carrier'), 0) as carrier,
            coalesce(sum(u) filter (where item = 'stream'), 0) as stream,
            coalesce(sum(u) filter (where item = 'transfer'), 0) as transfer,
            coalesce(sum(u) filter (where item = 'texts'), 0) as texts,
            coalesce(sum(u) filter (where item = 'hosting'), 0) as hosting,
            coalesce(sum(u) filter (where basis = 'billed'), 0) as billed,
            coalesce(sum(u) filter (where basis = 'reported'), 0) as reported,
            coalesce(sum(u) filter (where basis in ('measured', 'estimated')), 0) as estimated
        from m join call_cost_lines l using (call) cross join lateral line_micro_usd(l) u
        where l.numerator is not null group by m.g
    )
    select min(hour), min(local_hour), min(agent::text), min(site::text), min(system), min(outcome), min(m.reason::text),
        min(kind), count(*), sum(failed_over), sum(talk_ms), sum(turns), sum(barge_ins), sum(errors),
        sum(transfers_asked), sum(transfers_answered), sum(emergencies), sum(life), sum(handled), sum(near_misses),
        sum(bookings), sum(tools), sum(tools_failed), sum(tools_open),
        min(first_audio_at), min(first_audio_n), min(b.tool_at), min(b.tool_n), min(b.handled_at), min(b.handled_n),
        coalesce(sum(m.micro_usd), 0), count(*) filter (where cost_unknown), coalesce(min(unknown_part), 0),
        coalesce(min(l.model), 0), coalesce(min(l.transcription), 0), coalesce(min(l.provider), 0),
        coalesce(min(l.carrier), 0), coalesce(min(l.stream), 0), coalesce(min(l.transfer), 0),
        coalesce(min(l.texts), 0), coalesce(min(l.hosting), 0), coalesce(min(l.billed), 0),
        coalesce(min(l.reported), 0), coalesce(min(l.estimated), 0)
    from m left join buckets b using (g) left join lines l using (g)
    group by g;
    return jsonb_build_object('hours', cardinality(counted), 'kept', cardinality(taken) - cardinality(counted),
        'left', (select count(distinct hour) from statistics_dirty));
end $$;

-- --- what was asked for ---------------------------------------------------------------------------

-- Sums of some hours by one thing. `ask`: by ("total", "hour", "weekday", "week_hour", "day", "agent", "site", "system",
-- "outcome", "reason"); agent, agents (a list), site, system, kinds (a list; real calls when left out); from and to
-- (moments), or local_from and local_to (on the sites' own clocks: "2026-11-02 00:00"), the latter excluded.
create function stats_range(ask jsonb) returns jsonb language plpgsql stable as $$
#variable_conflict use_column
declare
    since constant timestamptz := coalesce((ask ->> 'from')::timestamptz,
        (ask ->> 'local_from')::timestamp at time zone 'UTC' - interval '1 day', '-infinity');
    until constant timestamptz := coalesce((ask ->> 'to')::timestamptz,
        (ask ->> 'local_to')::timestamp at time zone 'UTC' + interval '1 day', 'infinity');
    clock_from constant timestamp := coalesce((ask ->> 'local_from')::timestamp, '-infinity');
    clock_to constant timestamp := coalesce((ask ->> 'local_to')::timestamp, 'infinity');
    grouped constant text := coalesce(ask ->> 'by', 'total');
    one_agent constant text := ask ->> 'agent';
    one_site constant text := ask ->> 'site';
    one_system constant text := ask ->> 'system';
    scope constant text[] := case when jsonb_typeof(ask -> 'agents') = 'array'
        then array(select jsonb_array_elements_text(ask -> 'agents')) end;
    kinds constant text[] := case when jsonb_typeof(ask -> 'kinds') = 'array'
        then array(select jsonb_array_elements_text(ask -> 'kinds')) else array['real'] end;
    found jsonb;
begin
    with h as materialized (
        select h.*, case grouped when 'hour' then extract(hour from local_hour)::text
            when 'weekday' then extract(isodow from local_hour)::text
            when 'week_hour' then extract(isodow from local_hour) || ' ' || extract(hour from local_hour)
            when 'day' then (local_hour::date)::text
            when 'agent' then agent::text when 'site' then site::text when 'system' then system
            when 'outcome' then outcome when 'reason' then outcome || ': ' || reason::text else '' end as key
        from statistics_hourly h
        where hour >= since and hour < until and local_hour >= clock_from and local_hour < clock_to
            and (one_agent is null or agent = one_agent) and (scope is null or agent = any(scope))
            and (one_site is null or site = one_site) and (one_system is null or system = one_system)
            and kind = any(kinds)
    ),
    sums as (
        select key, sum(calls) as calls, sum(calls) filter (where outcome = 'contained') as contained,
            sum(calls) filter (where outcome = 'transferred') as transferred,
            sum(calls) filter (where outcome = 'not_taken') as not_taken,
            sum(calls) filter (where outcome = 'emergency') as emergency,
            sum(calls) filter (where outcome = 'failed') as failed,
            sum(calls) filter (where outcome = 'fallback') as fallback,
            sum(calls) filter (where outcome = 'missed') as missed, sum(failed_over) as failed_over,
            sum(talk_ms) as talk_ms, sum(turns) as turns, sum(barge_ins) as barge_ins, sum(errors) as errors,
            sum(transfers_asked) as transfers_asked, sum(transfers_answered) as transfers_answered,
            sum(emergencies) as emergencies, sum(emergencies_life) as emergencies_life,
            sum(emergencies_handled) as emergencies_handled, sum(near_misses) as near_misses, sum(bookings) as bookings,
            sum(tools) as tools, sum(tools_failed) as tools_failed, sum(tools_open) as tools_open,
            sum(micro_usd) as micro_usd, sum(unknown_costs) as unknown_costs,
            sum(unknown_part_micro_usd) as unknown_part_micro_usd, sum(model_micro_usd) as model_micro_usd,
            sum(transcription_micro_usd) as transcription_micro_usd, sum(provider_micro_usd) as provider_micro_usd,
            sum(carrier_micro_usd) as carrier_micro_usd, sum(stream_micro_usd) as stream_micro_usd,
            sum(transfer_micro_usd) as transfer_micro_usd, sum(texts_micro_usd) as texts_micro_usd,
            sum(hosting_micro_usd) as hosting_micro_usd, sum(billed_micro_usd) as billed_micro_usd,
            sum(reported_micro_usd) as reported_micro_usd, sum(estimated_micro_usd) as estimated_micro_usd
        from h group by key
    ),
    waits as (
        select key, what, bucket, sum(n) as n from (
            select key, 'first_audio_ms' as what, bucket, n from h cross join lateral unnest(first_audio_at, first_audio_n)
                as u (bucket, n) where first_audio_at is not null
            union all
            select key, 'tool_ms', bucket, n from h cross join lateral unnest(tool_at, tool_n) as u (bucket, n)
                where tool_at is not null
            union all
            select key, 'handled_s', bucket, n from h cross join lateral unnest(handled_at, handled_n) as u (bucket, n)
                where handled_at is not null) w
        group by key, what, bucket
    ),
    told as (
        select key, jsonb_object_agg(what, said) as waits from (
            select key, what, jsonb_agg(jsonb_build_array(bucket, n) order by bucket) as said from waits group by key, what) w
        group by key
    )
    select coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('waits', coalesce(t.waits, '{}')) order by s.key), '[]')
        into found
    from sums s left join told t using (key);
    return found;
end $$;

-- How far the hours are behind: how many are marked, and since when the oldest mark waits.
create function statistics_behind() returns jsonb language sql stable as $$
    select jsonb_build_object('hours', count(distinct hour), 'oldest_s',
        coalesce(extract(epoch from now() - min(at))::bigint, 0)) from statistics_dirty
$$;

-- --- instead of the days that were counted before -------------------------------------------------

create or replace function maintain_calls(as_of timestamptz default now())
returns table (node text, path text) language plpgsql as $$
#variable_conflict use_column
begin
    perform ensure_partitions(month_of(as_of) + make_interval(days => 32 * n)) from generate_series(0, 2) n;
    perform drop_old_partitions(as_of);
    perform expire_texts(as_of);
    perform blank_words(coalesce(array_agg(call), '{}')) from calls c join agents a using (agent)
        where c.words_gone_at is null and c.started_at < as_of - a.keep_transcripts;
    update recordings r set due_at = as_of from calls c join agents a using (agent)
        where r.call = c.call and r.due_at is null and r.at < as_of - a.keep_recordings;
    return query select * from recordings_due();
end $$;
drop function count_days(timestamptz);
drop table statistics;

-- What there is already is counted with the first rolls.
insert into statistics_dirty (hour) select distinct date_trunc('hour', started_at, 'UTC') from calls;
