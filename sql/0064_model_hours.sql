-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What the model was given and gave, by the hour: tokens of each kind, and how many of them came from its cache.
--
--   statistics_hourly ── written anew ──▶ calls_counted ──▶ usage_hourly, from the usage of these calls

create table usage_hourly (
    hour timestamptz not null,
    local_hour timestamp not null,
    agent label not null,
    site label not null,
    kind text not null, -- real, test, imported
    what text not null check (what in ('response', 'transcription')),
    model label not null,
    answers bigint not null check (answers > 0),
    incomplete bigint not null, -- answers of which the provider did not tell all
    text_in bigint not null, -- with those that were cached
    text_cached bigint not null,
    audio_in bigint not null,
    audio_cached bigint not null,
    image_in bigint not null,
    image_cached bigint not null,
    text_out bigint not null,
    audio_out bigint not null,
    ms bigint not null, -- of sound that was written down
    primary key (hour, agent, site, kind, what, model, local_hour)
);
create index on usage_hourly (agent, hour);

create function count_usage(of_hour timestamptz) returns void language sql set jit = off as $$
    insert into usage_hourly
    select of_hour, x.local_hour, x.agent, x.site, x.kind, u.kind, coalesce(u.model, '?'), count(*),
        count(*) filter (where not u.complete), sum(u.text_in), sum(u.text_cached), sum(u.audio_in), sum(u.audio_cached),
        sum(u.image_in), sum(u.image_cached), sum(u.text_out), sum(u.audio_out), floor(sum(u.seconds) * 1000)
    from calls_counted x join usage u on u.call = x.call and u.started_at >= of_hour - interval '1 day'
        and u.started_at < of_hour + interval '7 days'
    where x.hour = of_hour
    group by x.local_hour, x.agent, x.site, x.kind, u.kind, coalesce(u.model, '?')
$$;

create function hours_take_usage() returns trigger language plpgsql as $$
begin
    delete from usage_hourly where hour in (select hour from gone);
    return null;
end $$;
create trigger hours_take_their_usage after delete on statistics_hourly referencing old table as gone
    for each statement execute function hours_take_usage();

create function hours_bring_usage() returns trigger language plpgsql as $$
begin
    delete from usage_hourly where hour in (select hour from made);
    perform count_usage(h.hour) from (select distinct hour from made) h;
    return null;
end $$;
-- By its name behind hours_bring_their_calls, whose rows it reads.
create trigger hours_bring_their_usage after insert on statistics_hourly referencing new table as made
    for each statement execute function hours_bring_usage();

-- Sums by one thing: by ("total", "hour", "weekday", "day", "agent", "site"), otherwise as stats_range. A list with `key`.
create function usage_range(ask jsonb) returns jsonb language sql stable set jit = off as $$
    with h as (
        select h.*, case ask ->> 'by' when 'hour' then extract(hour from local_hour)::text
            when 'weekday' then extract(isodow from local_hour)::text when 'day' then (local_hour::date)::text
            when 'agent' then agent::text when 'site' then site::text else '' end as key
        from usage_hourly h
        where hour >= coalesce((ask ->> 'from')::timestamptz, (ask ->> 'local_from')::date - interval '1 day', '-infinity')
            and hour < coalesce((ask ->> 'to')::timestamptz, (ask ->> 'local_to')::date + interval '1 day', 'infinity')
            and local_hour >= coalesce((ask ->> 'local_from')::date::timestamp, '-infinity')
            and local_hour < coalesce((ask ->> 'local_to')::date::timestamp, 'infinity')
            and (ask ->> 'agent' is null or agent = ask ->> 'agent')
            and (jsonb_typeof(ask -> 'agents') is distinct from 'array'
                or agent = any(array(select jsonb_array_elements_text(ask -> 'agents'))))
            and (ask ->> 'site' is null or site = ask ->> 'site')
            and kind = any(case when jsonb_typeof(ask -> 'kinds') = 'array'
                then array(select jsonb_array_elements_text(ask -> 'kinds')) else array['real'] end)
    )
    select coalesce(jsonb_agg(to_jsonb(s) order by key), '[]') from (
        select key, coalesce(sum(answers) filter (where what = 'response'), 0) as answers,
            sum(incomplete) as incomplete, sum(text_in) as text_in, sum(text_cached) as text_cached,
            sum(audio_in) as audio_in, sum(audio_cached) as audio_cached, sum(image_in) as image_in,
            sum(image_cached) as image_cached, sum(text_out) as text_out, sum(audio_out) as audio_out,
            coalesce(sum(ms) filter (where what = 'transcription'), 0) as transcribed_ms,
            to_jsonb(array_agg(distinct model) filter (where what = 'response')) as models
        from h group by key) s
$$;

-- Codes of errors of the newest calls that had any, each with a call that shows it.
create function errors_of(ask jsonb, at_most integer default 2000) returns jsonb language sql stable as $$
    with c as (
        select c.call, c.started_at from calls c
        where c.errors > 0
            and c.started_at >= coalesce((ask ->> 'from')::timestamptz, (ask ->> 'local_from')::date - interval '1 day')
            and c.started_at < coalesce((ask ->> 'to')::timestamptz, (ask ->> 'local_to')::date + interval '1 day')
            and (ask ->> 'agent' is null or c.agent = ask ->> 'agent')
            and (jsonb_typeof(ask -> 'agents') is distinct from 'array'
                or c.agent = any(array(select jsonb_array_elements_text(ask -> 'agents'))))
            and (ask ->> 'site' is null or coalesce(c.site, 'default') = ask ->> 'site')
            and (ask ->> 'system' is null or c.system = ask ->> 'system') and not c.is_test
        order by c.started_at desc limit at_most)
    select coalesce(jsonb_agg(to_jsonb(e) order by e.n desc, e.code), '[]') from (
        select coalesce(cut(v.body ->> 'code', 128), 'unknown') as code, count(*) as n,
            (array_agg(c.call order by c.started_at desc))[1] as call
        from c join call_events v on v.stream = c.call and v.type = 'error'
            and v.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day'
        group by 1 order by 2 desc limit 20) e
$$;

-- What there is already is counted with the next rolls.
insert into statistics_dirty (hour) select distinct hour from statistics_hourly;
