-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- The same statistics, sooner: each call as it was counted, whole weeks put together, and both systems compared from
-- that. What is asked is answered exactly as before.
--
--   statistics_hourly ──▶ calls_counted: the calls of its hours, written with them
--                   └───▶ statistics_coarse: hours, days, and weeks that are over (statistics_weeks)

-- --- the calls behind an hour ---------------------------------------------------------------------

-- A call as its hour has it: the calls behind an aggregate add up to it, to the micro-dollar, at any time.
create table calls_counted (
    call text primary key references calls on delete cascade,
    hour timestamptz not null,
    local_hour timestamp not null,
    started_at timestamptz not null,
    agent label not null,
    site label not null,
    system text not null,
    outcome text not null,
    reason label not null,
    kind text not null,
    failed_over boolean not null,
    emergencies bigint not null,
    bookings bigint not null,
    talk_ms bigint not null,
    length_ms bigint not null, -- the carrier's, else as long as they talked
    micro_usd bigint, -- null: not known
    known_part_micro_usd bigint not null, -- of its lines, as below
    model_micro_usd bigint not null,
    transcription_micro_usd bigint not null,
    provider_micro_usd bigint not null,
    carrier_micro_usd bigint not null,
    stream_micro_usd bigint not null,
    transfer_micro_usd bigint not null,
    texts_micro_usd bigint not null,
    hosting_micro_usd bigint not null,
    billed_micro_usd bigint not null,
    reported_micro_usd bigint not null,
    estimated_micro_usd bigint not null
);
create index on calls_counted (hour);
create index on calls_counted (agent, hour);
create index calls_counted_dearest on calls_counted (coalesce(micro_usd, -1) desc, started_at desc, call desc);

create function count_calls(of_hour timestamptz) returns void language plpgsql set jit = off as $$
declare
    ids constant text[] := array(select c.call from calls c
        where c.started_at >= of_hour and c.started_at < of_hour + interval '1 hour');
begin
    delete from calls_counted x where x.call = any(ids); -- that an hour had in which it did not begin after all
    insert into calls_counted
    select m.call, m.hour, m.local_hour, m.started_at, m.agent, m.site, m.system, m.outcome, m.reason, m.kind,
        m.failed_over = 1, m.emergencies, m.bookings, m.talk_ms, greatest(coalesce(c.duration_s * 1000::bigint, m.talk_ms), 0),
        case when not m.cost_unknown then m.micro_usd end, coalesce(l.known, 0), coalesce(l.model, 0),
        coalesce(l.transcription, 0), coalesce(l.provider, 0), coalesce(l.carrier, 0), coalesce(l.stream, 0),
        coalesce(l.transfer, 0), coalesce(l.texts, 0), coalesce(l.hosting, 0), coalesce(l.billed, 0),
        coalesce(l.reported, 0), coalesce(l.estimated, 0)
    from calls_measured m join calls c using (call)
    left join (
        select k.call, sum(u) as known,
            sum(u) filter (where item = 'model') as model, sum(u) filter (where item = 'transcription') as transcription,
            sum(u) filter (where item = 'provider') as provider, sum(u) filter (where item = 'carrier') as carrier,
            sum(u) filter (where item = 'stream') as stream, sum(u) filter (where item = 'transfer') as transfer,
            sum(u) filter (where item = 'texts') as texts, sum(u) filter (where item = 'hosting') as hosting,
            sum(u) filter (where basis = 'billed') as billed, sum(u) filter (where basis = 'reported') as reported,
            sum(u) filter (where basis in ('measured', 'estimated')) as estimated
        from call_cost_lines k cross join lateral line_micro_usd(k) u
        where k.call = any(ids) and k.numerator is not null group by k.call) l using (call)
    where m.call = any(ids);
end $$;

-- Whoever writes an hour writes its calls.
create function hours_go() returns trigger language plpgsql as $$
begin
    delete from calls_counted where hour in (select hour from gone);
    return null;
end $$;
create trigger hours_take_their_calls after delete on statistics_hourly referencing old table as gone
    for each statement execute function hours_go();

create function hours_come() returns trigger language plpgsql as $$
begin
    perform count_calls(h.hour) from (select distinct hour from made) h;
    return null;
end $$;
create trigger hours_bring_their_calls after insert on statistics_hourly referencing new table as made
    for each statement execute function hours_come();

-- --- weeks ----------------------------------------------------------------------------------------

-- Besides those of 0043: `day`, a local day over all sites, outcomes and reasons; and of weeks, which begin on Mondays,
-- `site_week` and `reason_week` are what their days say, `hour_week` has the 24 hours, each over all seven days.
alter table statistics_coarse drop constraint statistics_coarse_grain_check;
alter table statistics_coarse add constraint statistics_coarse_grain_check check (grain in ('hour', 'day', 'site_day',
    'reason_day', 'site_week', 'reason_week', 'hour_week'));
create index on statistics_coarse (grain, agent, hour);

-- Weeks of which something was counted. A question takes days where a week is not ready: it goes on, or a day of it
-- was counted again since.
create table statistics_weeks (
    week date primary key,
    ready boolean not null default false
);

-- What is in buckets: `first_audio` for first_audio_at and first_audio_n.
create function statistics_waits() returns setof text language sql stable as $$
    select left(attname, -3) from pg_attribute where attrelid = 'statistics_hourly'::regclass
        and atttypid = 'smallint[]'::regtype and attnum > 0 and not attisdropped order by attnum
$$;

-- "select <columns>, 'first_audio' as what, bucket, n from h …" of each of them.
create function statistics_unnested(columns text) returns text language sql stable
return (select string_agg(format('select %s, %L as what, bucket, n from h cross join lateral unnest(%I, %I) as u (bucket, n)',
    columns, w, w || '_at', w || '_n'), ' union all ') from statistics_waits() w);

-- Puts rows together: those of an hour, of a local day, or of the week that begins with it.
create or replace function statistics_fold(of_grain text, of_hour timestamptz, of_day date) returns void
language plpgsql set jit = off as $$
declare
    source constant text := case of_grain when 'day' then 'reason_day' when 'site_week' then 'site_day'
        when 'reason_week' then 'reason_day' when 'hour_week' then 'hour' end;
    at constant timestamptz := coalesce(of_hour, of_day::timestamp at time zone 'UTC');
    till constant date := of_day + case when of_grain like '%week' then 7 else 1 end;
    names constant text := (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = 'statistics_hourly'::regclass and atttypid = 'bigint'::regtype and attnum > 0
            and not attisdropped);
    buckets constant text := (select string_agg(format('%I, %I', w || '_at', w || '_n'), ', ') from statistics_waits() w);
begin
    delete from statistics_coarse where grain = of_grain and hour = at;
    execute format($sql$
        insert into statistics_coarse (grain, hour, local_hour, agent, site, system, outcome, reason, kind, %s, %s)
        with h as materialized (
            select b.*, dense_rank() over (order by clock, agent, to_site, system, to_outcome, to_reason, kind) as g
            from (select x.*, case $1 when 'hour' then local_hour when 'hour_week' then $3 + local_hour::time
                    else $3::timestamp end as clock,
                    case when $1 like 'site%%' then site::text else '*' end as to_site,
                    case when $1 like 'reason%%' then outcome else '*' end as to_outcome,
                    case when $1 like 'reason%%' then reason::text else '*' end as to_reason
                from %s x where %s) b
        ),
        waits as (select g, what, bucket, sum(n)::bigint as n from (%s) w group by g, what, bucket),
        buckets as (select g, %s from waits group by g),
        sums as (
            select g, min(clock) as clock, min(agent::text) as agent, min(to_site) as site, min(system) as system,
                min(to_outcome) as outcome, min(to_reason) as reason, min(kind) as kind, %s
            from h group by g
        )
        select $1, $5, clock, agent, site, system, outcome, reason, kind, %s, %s from sums left join buckets using (g)
        $sql$,
        names, buckets,
        case when source is null then 'statistics_hourly' else format('(select * from statistics_coarse where grain = %L)',
            source) end,
        case when of_hour is not null then 'hour = $2' else 'hour >= $5 - interval ''1 day'' and '
            'hour < $4::timestamp at time zone ''UTC'' + interval ''1 day'' and local_hour >= $3 and local_hour < $4' end,
        statistics_unnested('g'),
        (select string_agg(format('array_agg(bucket order by bucket) filter (where what = %1$L) as %2$I, '
            'array_agg(n order by bucket) filter (where what = %1$L) as %3$I', w, w || '_at', w || '_n'), ', ')
            from statistics_waits() w),
        statistics_sums(), names, buckets)
        using of_grain, of_hour, of_day, till, at;
end $$;

-- Weeks that are over everywhere, the newest first.
create function statistics_fold_weeks(at_most integer, as_of timestamptz default now()) returns integer
language plpgsql as $$
declare
    w date;
    n integer := 0;
begin
    for w in select week from statistics_weeks where not ready and week < (as_of at time zone 'UTC')::date - 8
            order by week desc limit at_most loop
        perform statistics_fold(g, null, w) from unnest(array['site_week', 'reason_week', 'hour_week']) g;
        update statistics_weeks set ready = true where week = w;
        n := n + 1;
    end loop;
    return n;
end $$;

-- As in 0043, and days and weeks as above.
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
    end loop;
    insert into statistics_weeks (week) select distinct date_trunc('week', x)::date from unnest(days) x
        on conflict (week) do update set ready = false;
    perform statistics_fold_weeks(8, as_of);
    return jsonb_build_object('hours', cardinality(counted), 'kept', cardinality(taken) - cardinality(counted),
        'left', (select count(distinct hour) from statistics_dirty));
end $$;

-- --- what was asked for ---------------------------------------------------------------------------

-- As in 0043, and days over everything.
create or replace function statistics_grain(ask jsonb) returns text language sql immutable as $$
    select case
        when ask ? 'from' or ask ? 'to' then case when ask ? 'site' or by in ('site', 'outcome', 'reason') then 'all'
            else 'hour' end
        when by in ('hour', 'week_hour') then case when ask ? 'site' then 'all' else 'hour' end
        when ask ? 'site' then case when by in ('outcome', 'reason') then 'all' else 'site_day' end
        when by = 'site' then 'site_day'
        when by in ('outcome', 'reason') then 'reason_day'
        else 'day' end
    from (select coalesce(ask ->> 'by', 'total')) a (by)
$$;

-- Weeks that may stand for rows of this grain; null: none, because days are asked for, or moments.
create function statistics_week_grain(of_grain text, ask jsonb) returns text language sql immutable
return case when not ask ? 'local_from' or not ask ? 'local_to' or ask ->> 'by' in ('day', 'weekday', 'week_hour') then null
    else case of_grain when 'hour' then 'hour_week' when 'site_day' then 'site_week' when 'reason_day' then 'reason_week' end
    end;

-- As in 0043: sums by one thing. Whole weeks are taken as such, days around them as days.
create or replace function stats_range(ask jsonb) returns jsonb language plpgsql stable set jit = off as $$
declare
    of_grain constant text := statistics_grain(ask);
    week_grain constant text := statistics_week_grain(of_grain, ask);
    whole daterange;
    weeks date[];
    days datemultirange;
    rows_from text;
    found jsonb;
begin
    if of_grain = 'all' then
        rows_from := 'statistics_hourly x where hour >= $2 and hour < $3 and local_hour >= $4 and local_hour < $5';
    elsif week_grain is null then
        rows_from := format('statistics_coarse x where grain = %L and hour >= $2 and hour < $3 and local_hour >= $4'
            ' and local_hour < $5', of_grain);
    else
        whole := daterange((ask ->> 'local_from')::date, (ask ->> 'local_to')::date);
        weeks := array(select week from statistics_weeks where ready and whole @> daterange(week, week + 7));
        days := datemultirange(whole) - coalesce((select range_agg(daterange(w, w + 7)) from unnest(weeks) w), '{}');
        rows_from := format('(select c.* from unnest($9) d cross join lateral (select * from statistics_coarse'
            ' where grain = %L and hour >= lower(d)::timestamp at time zone ''UTC'' - interval ''1 day'''
            ' and hour < upper(d)::timestamp at time zone ''UTC'' + interval ''1 day'''
            ' and local_hour >= lower(d) and local_hour < upper(d)) c'
            ' union all select c.* from unnest($8) w join statistics_coarse c on c.grain = %L'
            ' and c.hour = w::timestamp at time zone ''UTC'') x where true', of_grain, week_grain);
    end if;
    execute format($sql$
        with h as materialized (
            select x.*, case coalesce($1 ->> 'by', 'total') when 'hour' then extract(hour from local_hour)::text
                when 'weekday' then extract(isodow from local_hour)::text
                when 'week_hour' then extract(isodow from local_hour) || ' ' || extract(hour from local_hour)
                when 'day' then (local_hour::date)::text when 'agent' then agent::text when 'site' then site::text
                when 'system' then system when 'outcome' then outcome when 'reason' then outcome || ': ' || reason::text
                else '' end as key
            from %s
                and ($1 ->> 'agent' is null or agent = $1 ->> 'agent') and ($6 is null or agent = any($6))
                and ($1 ->> 'site' is null or site = $1 ->> 'site')
                and ($1 ->> 'system' is null or system = $1 ->> 'system') and kind = any($7)
        ),
        sums as (select key, %s from h group by key),
        waits as (select key, what, bucket, sum(n) as n from (%s) w group by key, what, bucket),
        told as (
            select key, jsonb_object_agg(what || case what when 'handled' then '_s' else '_ms' end, said) as waits
            from (select key, what, jsonb_agg(jsonb_build_array(bucket, n) order by bucket) as said from waits
                group by key, what) w
            group by key
        )
        select coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('waits', coalesce(t.waits, '{}')) order by s.key), '[]')
        from sums s left join told t using (key)
        $sql$, rows_from, statistics_sums(), statistics_unnested('key'))
        into found
        using ask,
            coalesce((ask ->> 'from')::timestamptz, (ask ->> 'local_from')::date - interval '1 day', '-infinity'),
            coalesce((ask ->> 'to')::timestamptz, (ask ->> 'local_to')::date + interval '1 day', 'infinity'),
            coalesce((ask ->> 'local_from')::date::timestamp, '-infinity'),
            coalesce((ask ->> 'local_to')::date::timestamp, 'infinity'),
            case when jsonb_typeof(ask -> 'agents') = 'array' then array(select jsonb_array_elements_text(ask -> 'agents')) end,
            case when jsonb_typeof(ask -> 'kinds') = 'array' then array(select jsonb_array_elements_text(ask -> 'kinds'))
                else array['real'] end,
            weeks, days;
    return found;
end $$;

-- --- both systems over the same calls -------------------------------------------------------------

-- As in 0044, from the calls as they were counted. Sums that are told are exact, their squares near enough.
create or replace function cost_compare(of_agent text, ask jsonb) returns jsonb language sql stable set jit = off as $$
    with bands as materialized (
        select system, outcome, failed_over, bookings, micro_usd, length_ms, extract(isodow from local_hour) > 5 as weekend,
            extract(hour from local_hour)::integer / 6 * 6 as quarter, case when length_ms < 30000 then 1
                when length_ms < 60000 then 2 when length_ms < 120000 then 3 when length_ms < 240000 then 4
                when length_ms < 480000 then 5 else 6 end as band
        from calls_counted
        where agent = of_agent
            and hour >= coalesce((ask ->> 'from')::timestamptz, (ask ->> 'local_from')::date - interval '1 day', '-infinity')
            and hour < coalesce((ask ->> 'to')::timestamptz, (ask ->> 'local_to')::date + interval '1 day', 'infinity')
            and local_hour >= coalesce((ask ->> 'local_from')::date::timestamp, '-infinity')
            and local_hour < coalesce((ask ->> 'local_to')::date::timestamp, 'infinity')
            and system in ('openai', 'vapi') and outcome <> 'missed'
            and kind = any(case when jsonb_typeof(ask -> 'kinds') = 'array'
                then array(select jsonb_array_elements_text(ask -> 'kinds')) else array['real'] end)
    ),
    strata as (
        select weekend, quarter, band, system, count(*) as calls, count(*) filter (where micro_usd is null) as unknown,
            count(micro_usd) as n, sum(micro_usd) as x,
            sum(length_ms) filter (where micro_usd is not null) / 60000.0 as m,
            sum(bookings) filter (where micro_usd is not null) as b, sum(micro_usd::float8 * micro_usd) as xx,
            sum((length_ms / 60000.0::float8) ^ 2) filter (where micro_usd is not null) as mm,
            sum(bookings * bookings) filter (where micro_usd is not null) as bb,
            sum(micro_usd * (length_ms / 60000.0::float8)) as xm, sum(micro_usd * bookings) as xb,
            count(micro_usd) filter (where outcome = 'contained') as contained,
            count(micro_usd) filter (where outcome in ('transferred', 'not_taken')) as transferred,
            count(micro_usd) filter (where outcome = 'failed') as failed,
            count(micro_usd) filter (where bookings > 0) as booked
        from bands where not failed_over group by weekend, quarter, band, system
    )
    select jsonb_build_object('changed', (select count(*) from bands where failed_over),
        'strata', coalesce(jsonb_agg(to_jsonb(s) - array['weekend', 'quarter', 'band'] || jsonb_build_object(
            'week_band', case when weekend then 'weekend ' else 'weekday ' end || quarter,
            'length_band', (array['0 to 30 s', '30 s to 1 min', '1 to 2 min', '2 to 4 min', '4 to 8 min',
                '8 min and more'])[band]) order by weekend, quarter, band, system), '[]'))
    from strata s
$$;

-- --- what there is already ------------------------------------------------------------------------

-- Days and weeks now; the calls of each hour when it is counted next, which 0062 wants of all of them.
select statistics_fold('day', null, d) from (select distinct local_hour::date as d from statistics_coarse
    where grain = 'reason_day') x;
insert into statistics_weeks (week) select distinct date_trunc('week', local_hour)::date from statistics_coarse
    where grain = 'reason_day';
select statistics_fold_weeks(10000);
