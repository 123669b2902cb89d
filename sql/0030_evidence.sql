-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Evidence of rollouts: a count that never stops growing, callers as people whatever the split is made of, slow first
-- words as a share, and nothing of the calls that we make ourselves.

-- As in 0027, but: a call from one of the account's own numbers (`numbers verify --call`) is a test of ours and counts
-- for nothing; and who calls three times is one person, also where each call is sent by itself.
drop function rollout_arms(text, timestamptz, integer);
drop function rollout_calls(text, timestamptz, integer);

-- Calls that the bucket decided since then, which are no tests of ours.
create function rollout_split(of_agent text, from_at timestamptz, of_share integer) returns setof calls
language sql stable as $$
    select c.* from calls c
    where c.agent = of_agent and c.started_at >= from_at and c.route_reason = 'split' and c.percent_bp = of_share
        and not c.imported and not exists (select from numbers_seen s where s.number = c.from_number::text)
$$;

-- Withheld numbers are somebody else each time.
create function rollout_who(c calls) returns text language sql immutable as $$
    select case when c.from_number ~ '^\+' then c.from_number::text else c.call::text end
$$;

-- Of the newest of them, what is compared. A caller counts three times a day.
-- mark: 0 it went well, 1 it ended by a fault, c it never reached the model, r the provider refused it.
-- A call that went on with the other system (`lost`) is a fault of the first; how it ended there says nothing.
create function rollout_calls(of_agent text, from_at timestamptz, of_share integer)
returns table (arm text, who text, unit text, at timestamptz, over boolean, counts boolean, mark text, error_end boolean,
    no_audio boolean, short_hangup boolean, transfer boolean, tool_error boolean, latency boolean, late_ms numeric)
language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
    with latest as (
        select c, c.routed_first as arm, c.ended_at is not null as over, v.in_progress_at,
            c.routed_first = 'openai' or v.route is not distinct from 'bridge' as ours, -- runs over our line
            c.failed_over_to is not null as lost, ended_badly(c) as bad,
            v.ended_class in ('config', 'provider', 'vapi', 'other') as vapi_bad, v.ended_reason as vapi_reason,
            v.ended_at - v.started_at as vapi_took, rollout_who(c) as who
        from rollout_split(of_agent, from_at, of_share) c left join vapi_calls v on v.call = c.call
        order by c.started_at desc limit 10000
    ),
    told as (
        select *, case when lost then true when ours then bad or vapi_bad is true else vapi_bad end as failed
        from latest
    )
    select arm, who, case when (c).route_unit = 'call' then (c).call::text else who end, (c).started_at, over,
        over and row_number() over (partition by who, date_trunc('day', (c).started_at, 'UTC'), over
            order by (c).started_at) <= 3,
        case when failed is not true then '0' when not ours then '1' when refused_by_provider(c) then 'r'
            when (c).first_audio_ms is null then 'c' else '1' end,
        failed,
        case when not ours or lost or not over then null
            when (c).duration_ms > 5000 then coalesce((c).first_audio_ms > 5000, true) else false end,
        case when lost then null
            when ours then (c).ended_reason = 'caller_hangup' and (c).duration_ms < 15000
            else vapi_reason = 'customer-ended-call' and vapi_took < interval '15 seconds' end,
        case when lost then null when ours then (c).ended_reason = 'transferred'
            else vapi_reason = 'assistant-forwarded-call' end,
        case when ours and not lost then (c).tool_calls > 0 and a_tool_failed(c) end,
        case when ours and not lost and over then (c).first_audio_ms > 3000 end,
        case when lost then null when ours then (c).first_audio_ms
            else greatest(extract(epoch from in_progress_at - (c).started_at) * 1000, 0) end
    from told;
end $$;

-- How many calls counted since the stage began, however many those are: it grows, also when the newest 10,000 do not.
create function rollout_counted(of_agent text, from_at timestamptz, of_share integer) returns jsonb
language sql stable as $$
    select coalesce(jsonb_object_agg(arm, n), '{}') from (
        select arm, sum(least(calls, 3)) as n from (
            select c.routed_first as arm, count(*) as calls from rollout_split(of_agent, from_at, of_share) c
            where c.ended_at is not null
            group by c.routed_first, rollout_who(c), date_trunc('day', c.started_at, 'UTC')) a_day
        group by arm) arms
$$;

-- Both arms, as ringdown.rollout.guards wants them. In `recent`, a fault of somebody who met one before is written in
-- capitals (x, C, R): crowds are of people, and a line that is dead is dead for all.
create function rollout_arms(of_agent text, from_at timestamptz, of_share integer) returns jsonb
language sql stable as $$
    with c as materialized (select * from rollout_calls(of_agent, from_at, of_share)),
    per_caller as (
        select arm, name, who, count(*) as n, count(*) filter (where bad) as k
        from c cross join lateral (values ('error_end', error_end), ('no_audio', no_audio), ('short_hangup', short_hangup),
            ('transfer', transfer), ('tool_error', tool_error), ('latency', latency)) x (name, bad)
        where counts and bad is not null group by arm, name, who
    ),
    metrics as (
        select arm, jsonb_object_agg(name, said) as said
        from (select arm, name, jsonb_build_object('k', sum(k), 'n', sum(n), 'spread', jsonb_build_object(
                'nn', sum(n * n), 'kn', sum(k * n), 'kk', sum(k * k))) as said
            from per_caller group by arm, name) m
        group by arm
    ),
    newest as (
        select *, row_number() over (partition by arm order by at desc) as nth from c where counts
    ),
    recent as (
        select arm, string_agg(case when mark = '0' or again = 1 then mark else translate(mark, '1cr', 'xCR') end, ''
            order by at) as marks
        from (select arm, mark, at, row_number() over (partition by arm, who, mark <> '0' order by at) as again
            from newest where nth <= 400) r
        group by arm
    ),
    late as (
        select arm, jsonb_build_object('n', count(*), 'p95_ms', percentile_disc(0.95) within group (order by late_ms)) as said
        from (select arm, late_ms, row_number() over (partition by arm order by at desc) as nth from c
            where late_ms is not null) l
        where nth <= 200 group by arm
    )
    select coalesce(jsonb_object_agg(arm, jsonb_strip_nulls(jsonb_build_object('calls', calls, 'n', n, 'counted', t.counted -> arm,
        'callers', callers,
        'decided', decided, 'metrics', coalesce(m.said, '{}'), 'recent', marks, 'latency', l.said))), '{}')
    from (select arm, count(*) filter (where over) as calls, count(*) filter (where counts) as n,
            count(distinct who) filter (where counts) as callers, count(distinct unit) as decided from c group by arm) a
        cross join (select rollout_counted(of_agent, from_at, of_share) as counted) t
        left join metrics m using (arm) left join recent using (arm) left join late l using (arm)
$$;
