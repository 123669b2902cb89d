-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Statistics: each hour of each agent, site, system, outcome and reason is one row, counted from the calls themselves.
--
--   whatever changes a call that is over ──▶ statistics_dirty (its hour) ── statistics_roll() ──▶ statistics_hourly
--                                                                                     └── folded ──▶ statistics_coarse
--
-- An hour is counted whole, again and again, as long as something in it changes: so late facts, corrected costs and
-- calls that turn out to have begun earlier are right after the next roll, whatever came first. Marks are only ever
-- added and taken, so that those who bring facts do not wait for each other. A call belongs to the hour in which it
-- began, however long it is. The rows outlive the calls: hours of which calls or tools are dropped stay as they are.
--
-- `hour` is the moment; `local_hour` is what the clock at that site said then (its own zone, else its agent's). Where
-- the clock is set back, two hours have one local hour; where it is set forward, one is missing.
--
-- With many sites and few calls an hour has as many rows as calls, so most questions are answered from the same rows
-- folded: over all sites, or over whole local days.

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
    outcome text not null,
    reason label not null,
    kind text not null check (kind in ('real', 'test', 'imported')),
    -- What adds up; every bigint here is summed wherever rows are put together (statistics_sums).
    calls bigint not null check (calls > 0),
    contained bigint not null,
    transferred bigint not null,
    not_taken bigint not null,
    emergency bigint not null,
    failed bigint not null,
    fallback bigint not null,
    missed bigint not null,
    failed_over bigint not null,
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
    -- Of calls whose cost is known; of the others only what is known of them, in `unknown_part`…
    micro_usd bigint not null,
    unknown_costs bigint not null,
    unknown_part_micro_usd bigint not null,
    -- … both of these again, by what they are for…
    model_micro_usd bigint not null,
    transcription_micro_usd bigint not null,
    provider_micro_usd bigint not null,
    carrier_micro_usd bigint not null,
    stream_micro_usd bigint not null,
    transfer_micro_usd bigint not null,
    texts_micro_usd bigint not null,
    hosting_micro_usd bigint not null,
    -- … and by how they are known: they told amounts; they told quantities; by our clock.
    billed_micro_usd bigint not null,
    reported_micro_usd bigint not null,
    estimated_micro_usd bigint not null,
    -- How many were in which bucket; null: none.
    first_audio_at smallint[], -- ms
    first_audio_n bigint[],
    tool_at smallint[], -- ms
    tool_n bigint[],
    handled_at smallint[], -- seconds until a person had it
    handled_n bigint[],
    primary key (hour, agent, site, system, outcome, reason, kind, local_hour),
    check (calls = contained + transferred + not_taken + emergency + failed + fallback + missed)
);
create index on statistics_hourly (agent, site, hour);

-- The same, put together. grain `hour`: over all sites, outcomes and reasons; `site_day`: a local day of a site, over all
-- outcomes and reasons; `reason_day`: a local day, over all sites. '*' stands for all; `hour` of a day is its date.
create table statistics_coarse (
    grain text not null check (grain in ('hour', 'site_day', 'reason_day')),
    like statistics_hourly including constraints,
    primary key (grain, hour, agent, site, system, outcome, reason, kind, local_hour)
);

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

-- "sum(calls)::bigint as calls, …" of all that adds up.
create function statistics_sums() returns text language sql stable
return (select string_agg(format('sum(%1$I)::bigint as %1$I', attname), ', ' order by attnum) from pg_attribute
    where attrelid = 'statistics_hourly'::regclass and atttypid = 'bigint'::regtype and attnum > 0 and not attisdropped);

-- One hour, from the calls.
create function statistics_count(of_hour timestamptz) returns void language plpgsql set jit = off as $$
#variable_conflict use_column
declare
    ids text[] := array(select call from calls where started_at >= of_hour and started_at < of_hour + interval '1 hour');
begin
    delete from statistics_hourly where hour = of_hour;
    insert into statistics_hourly
    with m as materialized (
        select x.*, dense_rank() over (order by local_hour, agent, site, system, outcome, reason, kind) as g
        from calls_measured x where x.call = any(ids)
    ),
    waits as (
        select g, what, bucket_of(n) as bucket, count(*) as n
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
        where l.call = any(ids) and l.numerator is not null group by m.g
    ),
    sums as (
        select g, min(local_hour) as local_hour, min(agent::text) as agent, min(site::text) as site,
            min(system) as system, min(outcome) as outcome, min(reason::text) as reason, min(kind) as kind,
            count(*) as calls, sum(failed_over) as failed_over, sum(talk_ms) as talk_ms, sum(turns) as turns,
            sum(barge_ins) as barge_ins, sum(errors) as errors, sum(transfers_asked) as transfers_asked,
            sum(transfers_answered) as transfers_answered, sum(emergencies) as emergencies, sum(life) as life,
            sum(handled) as handled, sum(near_misses) as near_misses, sum(bookings) as bookings, sum(tools) as tools,
            sum(tools_failed) as tools_failed, sum(tools_open) as tools_open, coalesce(sum(micro_usd), 0) as micro_usd,
            count(*) filter (where cost_unknown) as unknown_costs
        from m group by g
    )
    select of_hour, local_hour, agent, site, system, outcome, reason, kind, calls,
        case outcome when 'contained' then calls else 0 end, case outcome when 'transferred' then calls else 0 end,
        case outcome when 'not_taken' then calls else 0 end, case outcome when 'emergency' then calls else 0 end,
        case outcome when 'failed' then calls else 0 end, case outcome when 'fallback' then calls else 0 end,
        case outcome when 'missed' then calls else 0 end, failed_over, talk_ms, turns, barge_ins, errors,
        transfers_asked, transfers_answered, emergencies, life, handled, near_misses, bookings, tools, tools_failed,
        tools_open, micro_usd, unknown_costs, coalesce(unknown_part, 0), coalesce(model, 0), coalesce(transcription, 0),
        coalesce(provider, 0), coalesce(carrier, 0), coalesce(stream, 0), coalesce(transfer, 0), coalesce(texts, 0),
        coalesce(hosting, 0), coalesce(billed, 0), coalesce(reported, 0), coalesce(estimated, 0), first_audio_at,
        first_audio_n, b.tool_at, b.tool_n, b.handled_at, b.handled_n
    from sums left join buckets b using (g) left join lines using (g);
end $$;

-- Puts rows together: one hour, or one local day.
create function statistics_fold(of_grain text, of_hour timestamptz, of_day date) returns void
language plpgsql set jit = off as $$
declare
    around constant timestamptz := of_day::timestamp at time zone 'UTC';
begin
    delete from statistics_coarse where grain = of_grain and hour = coalesce(of_hour, around);
    execute format($sql$
        insert into statistics_coarse
        with h as materialized (
            select h.*, dense_rank() over (order by case when $1 = 'hour' then local_hour end, agent, to_site, system, to_outcome,
                to_reason, kind) as g
            from (select b.*, case $1 when 'site_day' then site::text else '*' end as to_site,
                    case $1 when 'reason_day' then outcome else '*' end as to_outcome,
                    case $1 when 'reason_day' then reason::text else '*' end as to_reason
                from statistics_hourly b where case when $2 is not null then hour = $2 else
                    hour >= $4 - interval '1 day' and hour < $4 + interval '2 days' and local_hour::date = $3 end) h
        ),
        waits as (
            select g, what, bucket, sum(n)::bigint as n from (
                select g, 'first' as what, bucket, n from h cross join lateral unnest(first_audio_at, first_audio_n) as u (bucket, n)
                union all
                select g, 'tool', bucket, n from h cross join lateral unnest(tool_at, tool_n) as u (bucket, n)
                union all
                select g, 'handled', bucket, n from h cross join lateral unnest(handled_at, handled_n) as u (bucket, n)) w
            group by g, what, bucket
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
        sums as (
            select g, min(local_hour) as clock, min(agent::text) as agent, min(to_site) as site, min(system) as system,
                min(to_outcome) as outcome, min(to_reason) as reason, min(kind) as kind, %s
            from h group by g
        )
        select $1, coalesce($2, $4), case when $2 is null then $3::timestamp else clock end, s.agent, s.site, s.system,
            s.outcome, s.reason, s.kind, %s, b.first_audio_at, b.first_audio_n, b.tool_at, b.tool_n, b.handled_at,
            b.handled_n
        from sums s left join buckets b using (g)
        $sql$, statistics_sums(), (select string_agg('s.' || quote_ident(attname), ', ' order by attnum) from pg_attribute
            where attrelid = 'statistics_hourly'::regclass and atttypid = 'bigint'::regtype and attnum > 0
                and not attisdropped))
        using of_grain, of_hour, of_day, around;
end $$;

-- Counts up to so many hours, the newest first. {"hours": counted, "left": marked still, "kept": too old}.
create function statistics_roll(at_most integer default 200, as_of timestamptz default now()) returns jsonb
language plpgsql as $$
#variable_conflict use_column
declare
    taken timestamptz[];
    counted timestamptz[];
    days date[];
    h timestamptz;
    d date;
begin
    perform pg_advisory_xact_lock(hashtext('ringdown.statistics'));
    select coalesce(array_agg(hour), '{}') into taken
        from (select distinct hour from statistics_dirty order by hour desc limit at_most) t;
    -- What was marked since is deleted too, and is seen below, for that looks later.
    delete from statistics_dirty where hour = any(taken);
    select coalesce(array_agg(t), '{}') into counted from unnest(taken) t
        where t >= as_of - (select min(keep) from retention where what in ('calls', 'tool_calls'));
    days := array(select distinct local_hour::date from statistics_hourly where hour = any(counted));
    foreach h in array counted loop
        perform statistics_count(h);
        perform statistics_fold('hour', h, null);
    end loop;
    days := days || array(select distinct local_hour::date from statistics_hourly where hour = any(counted));
    for d in select distinct x from unnest(days) x loop
        perform statistics_fold('site_day', null, d);
        perform statistics_fold('reason_day', null, d);
    end loop;
    return jsonb_build_object('hours', cardinality(counted), 'kept', cardinality(taken) - cardinality(counted),
        'left', (select count(distinct hour) from statistics_dirty));
end $$;

-- --- what was asked for ---------------------------------------------------------------------------

-- Which rows answer it: the fewest that are exact. Days are whole where they are meant by the clock.
create function statistics_grain(ask jsonb) returns text language sql immutable as $$
    select case
        when ask ? 'from' or ask ? 'to' then case when ask ? 'site' or by in ('site', 'outcome', 'reason') then 'all'
            else 'hour' end
        when by in ('hour', 'week_hour') then case when ask ? 'site' then 'all' else 'hour' end
        when ask ? 'site' then case when by in ('outcome', 'reason') then 'all' else 'site_day' end
        when by = 'site' then 'site_day'
        else 'reason_day' end
    from (select coalesce(ask ->> 'by', 'total')) a (by)
$$;

-- Sums by one thing. `ask`: by ("total", "hour", "weekday", "week_hour", "day", "agent", "site", "system", "outcome",
-- "reason"); agent, agents (a list), site, system, kinds (a list; real calls when left out); from and to (moments of whole
-- hours), or local_from and local_to (days on the sites' own clocks: "2026-11-02"), the latter excluded. A list of what
-- adds up, with `key` and, in `waits`, [bucket, how many] of each wait.
create function stats_range(ask jsonb) returns jsonb language plpgsql stable set jit = off as $$
declare
    of_grain constant text := statistics_grain(ask);
    found jsonb;
begin
    execute format($sql$
        with h as materialized (
            select h.*, case coalesce($1 ->> 'by', 'total') when 'hour' then extract(hour from local_hour)::text
                when 'weekday' then extract(isodow from local_hour)::text
                when 'week_hour' then extract(isodow from local_hour) || ' ' || extract(hour from local_hour)
                when 'day' then (local_hour::date)::text when 'agent' then agent::text when 'site' then site::text
                when 'system' then system when 'outcome' then outcome when 'reason' then outcome || ': ' || reason::text
                else '' end as key
            from %s h
            where hour >= $2 and hour < $3 and local_hour >= $4 and local_hour < $5
                and ($1 ->> 'agent' is null or agent = $1 ->> 'agent') and ($6 is null or agent = any($6))
                and ($1 ->> 'site' is null or site = $1 ->> 'site')
                and ($1 ->> 'system' is null or system = $1 ->> 'system') and kind = any($7)
        ),
        sums as (select key, %s from h group by key),
        waits as (
            select key, what, bucket, sum(n) as n from (
                select key, 'first_audio_ms' as what, bucket, n
                    from h cross join lateral unnest(first_audio_at, first_audio_n) as u (bucket, n)
                union all
                select key, 'tool_ms', bucket, n from h cross join lateral unnest(tool_at, tool_n) as u (bucket, n)
                union all
                select key, 'handled_s', bucket, n
                    from h cross join lateral unnest(handled_at, handled_n) as u (bucket, n)) w
            group by key, what, bucket
        ),
        told as (
            select key, jsonb_object_agg(what, said) as waits from (select key, what,
                jsonb_agg(jsonb_build_array(bucket, n) order by bucket) as said from waits group by key, what) w
            group by key
        )
        select coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('waits', coalesce(t.waits, '{}')) order by s.key), '[]')
        from sums s left join told t using (key)
        $sql$, case of_grain when 'all' then 'statistics_hourly'
            else format('(select * from statistics_coarse where grain = %L)', of_grain) end, statistics_sums())
        into found
        using ask,
            coalesce((ask ->> 'from')::timestamptz, (ask ->> 'local_from')::date - interval '1 day', '-infinity'),
            coalesce((ask ->> 'to')::timestamptz, (ask ->> 'local_to')::date + interval '1 day', 'infinity'),
            coalesce((ask ->> 'local_from')::date::timestamp, '-infinity'),
            coalesce((ask ->> 'local_to')::date::timestamp, 'infinity'),
            case when jsonb_typeof(ask -> 'agents') = 'array' then array(select jsonb_array_elements_text(ask -> 'agents')) end,
            case when jsonb_typeof(ask -> 'kinds') = 'array' then array(select jsonb_array_elements_text(ask -> 'kinds'))
                else array['real'] end;
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
