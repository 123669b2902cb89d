-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- How long callers waited for the agent's answers, by the hour: how many turns were in which bucket (0043), written with
-- the hour's calls as in 0064.

create table turn_waits_hourly (
    hour timestamptz not null,
    local_hour timestamp not null,
    agent label not null,
    kind text not null, -- real, test, imported
    first_audio_at smallint[] not null, -- ms from the end of the caller's words to the first sound
    first_audio_n bigint[] not null,
    primary key (hour, agent, kind, local_hour)
);
create index on turn_waits_hourly (agent, hour);

create function count_turn_waits(of_hour timestamptz) returns void language sql set jit = off as $$
    insert into turn_waits_hourly
    select of_hour, local_hour, agent, kind, array_agg(bucket order by bucket), array_agg(n order by bucket)
    from (select x.local_hour, x.agent, x.kind, bucket_of(t.first_audio_ms) as bucket, count(*) as n
        from calls_counted x join turns t on t.call = x.call and t.started_at >= of_hour - interval '1 day'
            and t.started_at < of_hour + interval '7 days' and t.first_audio_ms is not null
        where x.hour = of_hour group by x.local_hour, x.agent, x.kind, bucket_of(t.first_audio_ms)) b
    group by local_hour, agent, kind
$$;

create function hours_take_turn_waits() returns trigger language plpgsql as $$
begin
    delete from turn_waits_hourly where hour in (select hour from gone);
    return null;
end $$;
create trigger hours_take_their_waits after delete on statistics_hourly referencing old table as gone
    for each statement execute function hours_take_turn_waits();

create function hours_bring_turn_waits() returns trigger language plpgsql as $$
begin
    delete from turn_waits_hourly where hour in (select hour from made);
    perform count_turn_waits(h.hour) from (select distinct hour from made) h;
    return null;
end $$;
-- By its name behind hours_bring_their_calls, whose rows it reads.
create trigger hours_bring_their_waits after insert on statistics_hourly referencing new table as made
    for each statement execute function hours_bring_turn_waits();

-- By one thing, as usage_range: {key: [[bucket, how many], …]}.
create function turn_waits_range(ask jsonb) returns jsonb language sql stable set jit = off as $$
    with h as (
        select h.*, case ask ->> 'by' when 'hour' then extract(hour from local_hour)::text
            when 'weekday' then extract(isodow from local_hour)::text when 'day' then (local_hour::date)::text
            when 'agent' then agent::text else '' end as key
        from turn_waits_hourly h
        where hour >= coalesce((ask ->> 'from')::timestamptz, (ask ->> 'local_from')::date - interval '1 day', '-infinity')
            and hour < coalesce((ask ->> 'to')::timestamptz, (ask ->> 'local_to')::date + interval '1 day', 'infinity')
            and local_hour >= coalesce((ask ->> 'local_from')::date::timestamp, '-infinity')
            and local_hour < coalesce((ask ->> 'local_to')::date::timestamp, 'infinity')
            and (ask ->> 'agent' is null or agent = ask ->> 'agent')
            and (jsonb_typeof(ask -> 'agents') is distinct from 'array'
                or agent = any(array(select jsonb_array_elements_text(ask -> 'agents'))))
            and kind = any(case when jsonb_typeof(ask -> 'kinds') = 'array'
                then array(select jsonb_array_elements_text(ask -> 'kinds')) else array['real'] end)
    )
    select coalesce(jsonb_object_agg(key, buckets), '{}') from (
        select key, jsonb_agg(jsonb_build_array(bucket, n) order by bucket) as buckets
        from (select key, bucket, sum(n) as n from h cross join lateral unnest(first_audio_at, first_audio_n) as u (bucket, n)
            group by key, bucket) b
        group by key) k
$$;

-- What there is already is counted with the next rolls.
insert into statistics_dirty (hour) select distinct hour from statistics_hourly;
