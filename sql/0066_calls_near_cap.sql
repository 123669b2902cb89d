-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Calls that go on and have cost four fifths of what a call may, the dearest first: people are told before it ends.

create function budget_calls_near(files jsonb, as_of timestamptz default now()) returns jsonb
language sql stable set jit = off as $$
    select coalesce(jsonb_agg(jsonb_build_object('call', call, 'agent', agent, 'spent_micro_usd', spent, 'cap_micro_usd', cap)
        order by spent desc), '[]')
    from (select c.call, c.agent, s.micro_usd as spent, k.each_call as cap
        from budget_caps(files) k
        join calls c on c.agent = k.agent and c.started_at > as_of - interval '6 hours' and not call_is_over(c)
            and c.state is distinct from 'ended' and c.state in ('live', 'connecting')
        cross join lateral call_spent(c) s
        where k.each_call is not null and s.micro_usd >= k.each_call * 0.8
        order by spent desc limit 20) dear
$$;
