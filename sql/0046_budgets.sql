-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Budgets: what calls may cost, each one, each day of an agent, each day of all together.
--
--   the leader, every few seconds ── budget_look() ──▶ budget_states, budget_calls ──▶ every node's copy ──▶ new calls
--
-- What is known counts: of calls that are over their cost, of which only a part is known that part, of calls that go on
-- the model's answers so far. What Vapi charges is known only when it tells it.

create table budgets (
    agent label primary key, -- '*': all together; its price of a call is for each agent that has none of its own
    day_micro_usd bigint check (day_micro_usd > 0),
    call_micro_usd bigint check (call_micro_usd > 0),
    who label not null,
    at timestamptz not null default now(),
    check (day_micro_usd is not null or call_micro_usd is not null)
);

create table budget_states (
    agent label primary key,
    cap_micro_usd bigint not null,
    spent_micro_usd bigint not null,
    unknown_calls bigint not null, -- of today, of which not all is known
    until timestamptz not null, -- the day is over; in the agent's zone, of all together in UTC
    state text not null check (state in ('ok', 'near', 'over')),
    at timestamptz not null default now()
);

create table budget_calls ( -- that go on, and have cost what they may
    call text primary key,
    spent_micro_usd bigint not null,
    at timestamptz not null default now()
);

-- Grows whenever a node must know something else.
create table budget_version (
    one boolean primary key default true check (one),
    version bigint not null default 1
);
insert into budget_version default values;

-- Null in both takes it away. With its row in the audit.
create function budget_put(of_agent text, day bigint, each_call bigint, of_who text) returns void language plpgsql as $$
declare
    old budgets;
begin
    select * into old from budgets where agent = of_agent for update;
    if day is null and each_call is null then
        delete from budgets where agent = of_agent;
    else
        insert into budgets (agent, day_micro_usd, call_micro_usd, who) values (of_agent, day, each_call, of_who)
            on conflict (agent) do update set day_micro_usd = excluded.day_micro_usd,
                call_micro_usd = excluded.call_micro_usd, who = excluded.who, at = now();
    end if;
    insert into audit (who, what, subject, before, after) values (of_who, 'budget.set', of_agent,
        case when old.agent is not null then to_jsonb(old) - array['who', 'at'] end,
        jsonb_strip_nulls(jsonb_build_object('day_micro_usd', day, 'call_micro_usd', each_call)));
end $$;

-- What is set goes before what agents' files say: {"sales": {"day": 25000000, "call": 2000000}}.
create function budget_caps(files jsonb) returns table (agent text, day bigint, each_call bigint) language sql stable as $$
    select x.agent, coalesce(b.day_micro_usd, (files -> x.agent ->> 'day')::bigint),
        coalesce(b.call_micro_usd, (files -> x.agent ->> 'call')::bigint,
            (select call_micro_usd from budgets where agent = '*'))
    from (select agent::text from budgets union select jsonb_object_keys(files)
        union select agent::text from agents where exists (select from budgets where agent = '*')) x (agent)
    left join budgets b on b.agent = x.agent
$$;

create function call_spent(c calls, out micro_usd bigint, out is_known boolean) language sql stable as $$
    select coalesce(k.micro_usd, case when k.call is not null
            then (select sum(line_micro_usd(l)) from call_cost_lines l where l.call = c.call and l.numerator is not null)
            else (select floor(sum(t.micro_usd_exact)) from turn_costs(c.call) t) end, 0)::bigint,
        k.micro_usd is not null
    from (select 1) one left join call_costs k on k.call = c.call
$$;

create function budget_digest() returns text language sql stable
return (select md5(coalesce(string_agg(x, ' ' order by x), '')) from (
    select agent || ' ' || until from budget_states where state = 'over'
    union all select call from budget_calls) d (x));

-- Looks at today; what it found, for whoever tells people.
create function budget_look(files jsonb, as_of timestamptz default now()) returns jsonb language plpgsql set jit = off as $$
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
        select k.agent, k.day, coalesce(sum(s.micro_usd), 0), count(*) filter (where not s.is_known), d.until,
            case when coalesce(sum(s.micro_usd), 0) >= k.day then 'over'
                when coalesce(sum(s.micro_usd), 0) >= k.day * 0.8 then 'near' else 'ok' end
        from budget_caps(files) k
        left join agents a on a.agent = k.agent
        cross join lateral (select zone_or_utc(a.time_zone) as zone) z
        cross join lateral (select date_trunc('day', as_of, z.zone) as since,
            (date_trunc('day', as_of at time zone z.zone) + interval '1 day') at time zone z.zone as until) d
        left join calls c on c.started_at >= d.since and c.started_at <= as_of + interval '1 hour'
            and (c.agent = k.agent or k.agent = '*')
        left join lateral call_spent(c) s on c.call is not null
        where k.day is not null
        group by k.agent, k.day, d.until
    on conflict (agent) do update set cap_micro_usd = excluded.cap_micro_usd,
        spent_micro_usd = excluded.spent_micro_usd, unknown_calls = excluded.unknown_calls, until = excluded.until,
        state = excluded.state, at = now();
    delete from budget_calls;
    insert into budget_calls (call, spent_micro_usd)
        select c.call, s.micro_usd from budget_caps(files) k
        join calls c on c.agent = k.agent and c.started_at > as_of - interval '6 hours' and not call_is_over(c)
            and c.state in ('live', 'connecting')
        cross join lateral call_spent(c) s
        where k.each_call is not null and s.micro_usd >= k.each_call
            and not exists (select from triage_matches m where m.call = c.call and m.state = 'open');
    if budget_digest() <> before then
        update budget_version set version = version + 1;
    end if;
    return (select coalesce(jsonb_agg(to_jsonb(s) order by agent), '[]') from budget_states s);
end $$;
