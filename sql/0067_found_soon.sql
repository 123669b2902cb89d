-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What people look for among very many calls is found at once.

-- --- calls with emergencies -----------------------------------------------------------------------

alter table calls add column had_emergency boolean not null default false;
update calls set had_emergency = true where call in (select call from triage_matches);
create index calls_with_emergencies on calls (started_at desc, call desc) where had_emergency;

create function tell_emergency() returns trigger language plpgsql as $$
begin
    update calls set had_emergency = true where call = new.call and not had_emergency;
    return null;
end $$;
create trigger calls_have_emergencies after insert on triage_matches for each row execute function tell_emergency();

-- --- a number -------------------------------------------------------------------------------------

-- As in 0006, and each side of it by its own index.
create or replace function why_number(which text) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'found', p.number is not null or exists (select from calls where from_number = which)
            or exists (select from calls where to_number = which),
        'kind', 'number',
        'number', which,
        'assignment', case when p.number is not null then jsonb_build_object('agent', p.agent,
            'site', coalesce(p.site, 'default'), 'goes_to', p.goes_to, 'updated_at', p.updated_at,
            'updated_by', p.updated_by) end,
        'calls', (select coalesce(jsonb_agg(jsonb_build_object('call', call, 'started_at', started_at, 'agent', agent,
                'from', from_number, 'to', to_number, 'system', system, 'reason', reason, 'status', status,
                'ended_reason', ended_reason, 'errors', errors, 'micro_usd', micro_usd) order by started_at desc), '[]')
            from (select c.*, k.micro_usd from (
                    (select * from calls where from_number = which order by started_at desc limit 10)
                    union all
                    (select * from calls where to_number = which and from_number is distinct from which
                        order by started_at desc limit 10)) c
                left join call_costs k using (call) order by c.started_at desc limit 10) l))
    from (select 1) one left join phone_numbers p on p.number = which
$$;

-- --- both systems over the same calls, of long times ----------------------------------------------

-- The sums that a comparison weighs, of each local day.
create table costs_compared (
    day date not null,
    agent label not null,
    kind text not null,
    system text not null,
    quarter integer not null, -- of the day: the hour it begins with
    band integer not null, -- how long calls were, in six steps
    changed bigint not null, -- went from one system to the other, and are in nothing else here
    calls bigint not null,
    unknown bigint not null,
    known_ms bigint not null, -- of the carrier; of calls whose cost is known, like all that follows
    micro_usd bigint not null,
    bookings bigint not null,
    xx float8 not null, -- squares and products of micro-dollars, minutes and bookings
    mm float8 not null,
    bb float8 not null,
    xm float8 not null,
    xb float8 not null,
    contained bigint not null,
    transferred bigint not null,
    failed bigint not null,
    booked bigint not null,
    primary key (agent, day, kind, system, quarter, band)
);

create function compared_calls(of_agent text, first_hour timestamptz, last_hour timestamptz, first_day date, last_day date)
returns setof costs_compared language sql stable as $$
    select local_hour::date, agent, kind, system, extract(hour from local_hour)::integer / 6 * 6 as quarter,
        case when length_ms < 30000 then 1 when length_ms < 60000 then 2 when length_ms < 120000 then 3
            when length_ms < 240000 then 4 when length_ms < 480000 then 5 else 6 end as band,
        count(*) filter (where failed_over), count(*) filter (where not failed_over),
        count(*) filter (where not failed_over and micro_usd is null),
        coalesce(sum(length_ms) filter (where counts), 0)::bigint, coalesce(sum(micro_usd) filter (where counts), 0)::bigint,
        coalesce(sum(bookings) filter (where counts), 0)::bigint,
        coalesce(sum(micro_usd::float8 * micro_usd) filter (where counts), 0),
        coalesce(sum((length_ms / 60000.0::float8) ^ 2) filter (where counts), 0),
        coalesce(sum(bookings::float8 * bookings) filter (where counts), 0),
        coalesce(sum(micro_usd * (length_ms / 60000.0::float8)) filter (where counts), 0),
        coalesce(sum(micro_usd::float8 * bookings) filter (where counts), 0),
        count(*) filter (where counts and outcome = 'contained'),
        count(*) filter (where counts and outcome in ('transferred', 'not_taken')),
        count(*) filter (where counts and outcome = 'failed'), count(*) filter (where counts and bookings > 0)
    from (select *, not failed_over and micro_usd is not null as counts from calls_counted) c
    where (of_agent is null or agent = of_agent) and hour >= first_hour and hour < last_hour
        and local_hour >= first_day and local_hour < last_day
        and system in ('openai', 'vapi') and outcome <> 'missed'
    group by 1, 2, 3, 4, 5, 6
$$;

create function costs_compare_day(of_day date) returns void language sql as $$
    delete from costs_compared where day = of_day;
    insert into costs_compared select * from compared_calls(null, of_day - interval '1 day', of_day + interval '2 days',
        of_day, of_day + 1);
$$;
create index on costs_compared (day);

-- As in 0063, and the sums of a day.
create or replace function statistics_roll(at_most integer default 200, as_of timestamptz default now()) returns jsonb
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
        perform statistics_fold('day', null, d);
        perform costs_compare_day(d);
    end loop;
    insert into statistics_weeks (week) select distinct date_trunc('week', x)::date from unnest(days) x
        on conflict (week) do update set ready = false;
    perform statistics_fold_weeks(8, as_of);
    return jsonb_build_object('hours', cardinality(counted), 'kept', cardinality(taken) - cardinality(counted),
        'left', (select count(distinct hour) from statistics_dirty));
end $$;

-- As in 0063, of days from their sums, of moments from the calls. Sums that are told are exact, squares near enough.
create or replace function cost_compare(of_agent text, ask jsonb) returns jsonb language sql stable set jit = off as $$
    with summed as (
        select * from costs_compared where not (ask ? 'from' or ask ? 'to') and agent = of_agent
            and day >= coalesce((ask ->> 'local_from')::date, '-infinity')
            and day < coalesce((ask ->> 'local_to')::date, 'infinity')
        union all
        select * from compared_calls(of_agent, coalesce((ask ->> 'from')::timestamptz, '-infinity'),
            coalesce((ask ->> 'to')::timestamptz, 'infinity'), '-infinity', 'infinity')
            where ask ? 'from' or ask ? 'to'
    ),
    bands as materialized (
        select *, extract(isodow from day) > 5 as weekend from summed
        where kind = any(case when jsonb_typeof(ask -> 'kinds') = 'array'
            then array(select jsonb_array_elements_text(ask -> 'kinds')) else array['real'] end)
    ),
    strata as (
        select case when weekend then 'weekend ' else 'weekday ' end || quarter as week_band,
            (array['0 to 30 s', '30 s to 1 min', '1 to 2 min', '2 to 4 min', '4 to 8 min', '8 min and more'])[band]
                as length_band, system, sum(calls) as calls, sum(unknown) as unknown, sum(calls - unknown) as n,
            sum(micro_usd) as x, sum(known_ms) / 60000.0 as m, sum(bookings) as b, sum(xx) as xx, sum(mm) as mm,
            sum(bb) as bb, sum(xm) as xm, sum(xb) as xb, sum(contained) as contained, sum(transferred) as transferred,
            sum(failed) as failed, sum(booked) as booked
        from bands group by 1, 2, 3 having sum(calls) > 0
    )
    select jsonb_build_object('changed', (select coalesce(sum(changed), 0) from bands),
        'strata', coalesce((select jsonb_agg(to_jsonb(s) order by week_band, length_band, system) from strata s), '[]'))
$$;

select costs_compare_day(d) from (select distinct local_hour::date as d from calls_counted) x;

-- --- calls by how they came out -------------------------------------------------------------------

create index on calls_counted (started_at desc, call desc);
create index on calls_counted (agent, started_at desc, call desc);
create index on calls_counted (outcome, started_at desc, call desc);
create index on calls_counted (started_at desc, call desc) where bookings > 0;
create index on calls_counted (started_at desc, call desc) where kind <> 'real';
