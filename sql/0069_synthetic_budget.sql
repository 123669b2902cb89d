-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- As in 0061, and what the cluster spent on trying itself (calls.trial = 'synthetic') is nobody's day: it has a cap and a
-- line of its own.

create or replace function budget_spent(of_agent text, since timestamptz, as_of timestamptz, out micro_usd bigint,
    out unknown_calls bigint)
language sql stable set jit = off as $$
    with hours as materialized (
        select h, h >= since and h < date_trunc('hour', as_of, 'UTC')
            and not exists (select from statistics_dirty d where d.hour = h) as counted
        from generate_series(date_trunc('hour', since, 'UTC'), as_of + interval '1 hour', interval '1 hour') h
    ),
    one_by_one as (
        select c.call from hours join calls c on c.started_at >= greatest(h, since) and c.started_at < h + interval '1 hour'
            and c.started_at <= as_of + interval '1 hour' and (of_agent = '*' or c.agent = of_agent)
        where not counted and c.trial is distinct from 'synthetic'
        union all
        select c.call from hours join calls c on c.started_at >= h and c.started_at < h + interval '1 hour'
            and (of_agent = '*' or c.agent = of_agent) and c.state is distinct from 'ended' and not call_is_over(c)
        where counted and c.trial is distinct from 'synthetic'
    ),
    -- What the counted hours have of our own.
    ours as (
        select coalesce(x.micro_usd, x.known_part_micro_usd) as micro_usd, (x.micro_usd is null)::integer as is_unknown
        from calls c join calls_counted x using (call) join hours on h = x.hour
        where counted and c.trial = 'synthetic' and c.started_at >= since and (of_agent = '*' or x.agent = of_agent)
    ),
    reckoned as (
        select coalesce(k.micro_usd, (select x.micro_usd from calls c, call_spent(c) x where c.call = o.call)) as micro_usd,
            (k.micro_usd is null)::integer as unknown
        from one_by_one o left join call_costs k on k.call = o.call
        union all
        select s.micro_usd + s.unknown_part_micro_usd, s.unknown_costs from hours join statistics_coarse s on s.hour = h
        where counted and s.grain = 'hour' and (of_agent = '*' or s.agent = of_agent)
        union all
        select -o.micro_usd, -o.is_unknown from ours o
    )
    select coalesce(sum(r.micro_usd), 0)::bigint, coalesce(sum(r.unknown), 0)::bigint from reckoned r
$$;
