-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Calls that we make ourselves are nobody's evidence anywhere; and two functions lose a parameter that nobody uses.

-- From one of the account's own numbers (`numbers verify --call`): a test of ours.
create function is_own_test(c calls) returns boolean language sql stable
return exists (select from numbers_seen s where s.number = c.from_number::text);

-- As in 0027, without our own tests.
create or replace function rollout_emergencies(of_agent text, from_at timestamptz) returns jsonb language sql stable as $$
    select jsonb_build_object('late', count(*), 'calls', coalesce(jsonb_agg(call order by call) filter (where nth <= 5), '[]'))
    from (select m.call, row_number() over (order by m.matched_at desc) as nth
        from triage_matches m join calls c on c.call = m.call
        where c.agent = of_agent and c.started_at >= from_at and c.routed_first = 'openai' and c.first_reason = 'split'
            and m.severity = 'life' and (m.state = 'abandoned'
                or m.state = 'open' and m.matched_at < clock_timestamp() - interval '5 minutes')
            and not is_own_test(c)) late
$$;

-- The same, and nothing of a time before.
create or replace function rollout_usual(of_agent text) returns jsonb language plpgsql stable as $$
begin
    return (select jsonb_build_object('n', count(*), 'k', count(*) filter (where ended_class
            in ('config', 'provider', 'vapi', 'other')))
        from (select v.ended_class from calls c join vapi_calls v on v.call = c.call
            where c.agent = of_agent and c.started_at > now() - interval '14 days' and v.ended_class is not null
                and not c.imported and not is_own_test(c)
            order by c.started_at desc limit 2000) v);
end $$;

-- The same.
create or replace function rollout_callers(of_agent text) returns text[] language sql stable as $$
    select coalesce(array_agg(from_number), '{}') from (select from_number::text from calls c where agent = of_agent
        and started_at > now() - interval '7 days' and from_number ~ '^\+' and not is_own_test(c) group by 1 limit 5000) c
$$;

-- As in 0026; what is gone is seen when all parts are there (ringdown.numbers.sync).
drop function numbers_saw(jsonb, boolean, boolean, timestamptz);
create function numbers_saw(seen jsonb, with_vapi boolean, as_of timestamptz default now())
returns jsonb language plpgsql as $$
declare
    counts jsonb;
    at_vapi constant bigint := (select count(*) from numbers_at_vapi);
begin
    with s as (
        select * from jsonb_to_recordset(seen) as s(number text, carrier_id text, name text, fields jsonb, goes_to text,
            texts_to text, vapi_id text, vapi_assistant text)
    ), put as (
        insert into numbers_seen as n (number, carrier_id, name, fields, goes_to, texts_to, vapi_id, vapi_assistant,
            vapi_seen_at, seen_at)
        select number, carrier_id, cut(name, 200), fields, goes_to, texts_to, vapi_id, vapi_assistant,
            case when with_vapi then as_of end, as_of from s
        on conflict (number) do update set carrier_id = excluded.carrier_id, name = excluded.name,
            fields = excluded.fields, goes_to = excluded.goes_to, texts_to = excluded.texts_to,
            vapi_id = case when with_vapi then excluded.vapi_id else n.vapi_id end,
            vapi_assistant = case when with_vapi then excluded.vapi_assistant else n.vapi_assistant end,
            vapi_seen_at = case when with_vapi then as_of else n.vapi_seen_at end, seen_at = as_of, gone_at = null
    )
    select jsonb_build_object('new', (select count(*) from s where not exists
            (select from numbers_seen n where n.number = s.number)),
        'changed', (select count(*) from s join numbers_seen n using (number) where n.fields <> s.fields)) into counts;
    update phone_numbers p set carrier_id = n.carrier_id, goes_to = replace(n.goes_to, 'nobody', 'elsewhere')
        from numbers_seen n where n.number = p.number and n.seen_at = as_of
            and (p.carrier_id, p.goes_to) is distinct from (n.carrier_id, replace(n.goes_to, 'nobody', 'elsewhere'));
    if at_vapi <> (select count(*) from numbers_at_vapi) then
        update numbers_version set version = version + 1;
    end if;
    return counts;
end $$;

-- As in 0026; its items come by bulk_add(), and whether a change of them was cut off is asked before.
drop function bulk_begin(jsonb, jsonb);
create function bulk_begin(about jsonb) returns bigint language sql as $$
    insert into bulk_runs (action, goes_to, options, who, reason)
        values (about ->> 'action', about ->> 'goes_to', coalesce(about -> 'options', '{}'), about ->> 'who',
            cut(about ->> 'reason', 2000)) returning run
$$;
