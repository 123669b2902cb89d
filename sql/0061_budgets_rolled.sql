-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What was spent today is added up from whole hours that are counted already (statistics_coarse); call by call are only
-- hours in which something changed since, the first and the last one of the day, and calls that go on.

-- `of_agent` '*': of all. Of calls whose cost is not known, what is known of it; how many these are.
create function budget_spent(of_agent text, since timestamptz, as_of timestamptz, out micro_usd bigint, out unknown_calls bigint)
language sql stable set jit = off as $$
    with hours as materialized (
        select h, h >= since and h < date_trunc('hour', as_of, 'UTC')
            and not exists (select from statistics_dirty d where d.hour = h) as counted
        from generate_series(date_trunc('hour', since, 'UTC'), as_of + interval '1 hour', interval '1 hour') h
    ),
    one_by_one as (
        select c.call from hours join calls c on c.started_at >= greatest(h, since) and c.started_at < h + interval '1 hour'
            and c.started_at <= as_of + interval '1 hour' and (of_agent = '*' or c.agent = of_agent)
        where not counted
        union all
        select c.call from hours join calls c on c.started_at >= h and c.started_at < h + interval '1 hour'
            and (of_agent = '*' or c.agent = of_agent) and c.state is distinct from 'ended' and not call_is_over(c)
        where counted
    ),
    reckoned as (
        select coalesce(k.micro_usd, (select x.micro_usd from calls c, call_spent(c) x where c.call = o.call)) as micro_usd,
            k.micro_usd is null as is_unknown
        from one_by_one o left join call_costs k on k.call = o.call
        union all
        select s.micro_usd + s.unknown_part_micro_usd, false from hours join statistics_coarse s on s.hour = h
        where counted and s.grain = 'hour' and (of_agent = '*' or s.agent = of_agent)
    )
    select coalesce(sum(r.micro_usd), 0)::bigint, count(*) filter (where is_unknown) + coalesce((
        select sum(s.unknown_costs) from hours join statistics_coarse s on s.hour = h
            where counted and s.grain = 'hour' and (of_agent = '*' or s.agent = of_agent)), 0)::bigint
    from reckoned r
$$;

-- As before, by budget_spent().
create or replace function budget_look(files jsonb, as_of timestamptz default now()) returns jsonb language plpgsql set jit = off as $$
#variable_conflict use_column
declare
    before text;
begin
    if files = '{}' and not exists (select from budgets) and not exists (select from budget_states)
            and not exists (select from budget_calls) then
        return '[]';
    end if;
    perform pg_advisory_xact_lock(hashtext('ringdown.budgets'));
    before := budget_digest();
    delete from budget_states s where not exists (select from budget_caps(files) k
        where k.agent = s.agent and k.day is not null);
    insert into budget_states (agent, cap_micro_usd, spent_micro_usd, unknown_calls, until, state)
        select k.agent, k.day, s.micro_usd, s.unknown_calls, d.until,
            case when s.micro_usd >= k.day then 'over' when s.micro_usd >= k.day * 0.8 then 'near' else 'ok' end
        from budget_caps(files) k
        left join agents a on a.agent = k.agent
        cross join lateral (select zone_or_utc(a.time_zone) as zone) z
        cross join lateral (select date_trunc('day', as_of, z.zone) as since,
            (date_trunc('day', as_of at time zone z.zone) + interval '1 day') at time zone z.zone as until) d
        cross join lateral budget_spent(k.agent, d.since, as_of) s
        where k.day is not null
    on conflict (agent) do update set cap_micro_usd = excluded.cap_micro_usd,
        spent_micro_usd = excluded.spent_micro_usd, unknown_calls = excluded.unknown_calls, until = excluded.until,
        state = excluded.state, at = now();
    delete from budget_calls;
    insert into budget_calls (call, spent_micro_usd)
        select c.call, s.micro_usd from budget_caps(files) k
        join calls c on c.agent = k.agent and c.started_at > as_of - interval '6 hours' and not call_is_over(c)
            and c.state is distinct from 'ended' and c.state in ('live', 'connecting')
        cross join lateral call_spent(c) s
        where k.each_call is not null and s.micro_usd >= k.each_call
            and not exists (select from triage_matches m where m.call = c.call and m.state = 'open');
    if budget_digest() <> before then
        update budget_version set version = version + 1;
    end if;
    return (select coalesce(jsonb_agg(to_jsonb(s) order by agent), '[]') from budget_states s);
end $$;
