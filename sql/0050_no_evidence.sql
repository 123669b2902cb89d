-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What is evidence and what is none: calls that the carrier took to Vapi because we did not answer, calls in which no
-- caller spoke, and calls from a browser. And nodes from before 0038 can write numbers until they are replaced.

-- --- calls that nobody here decided ---------------------------------------------------------------

-- As in 0030. A call that the carrier took to Vapi because we did not answer says nothing about the model that it was
-- meant for: it is an alarm, and nobody's evidence.
create or replace function rollout_split(of_agent text, from_at timestamptz, of_share integer) returns setof calls
language sql stable as $$
    select c.* from calls c
    where c.agent = of_agent and c.started_at >= from_at and c.route_reason = 'split' and c.percent_bp = of_share
        and not c.imported and not c.direct_to_vapi
        and not exists (select from numbers_seen s where s.number = c.from_number::text)
$$;

-- As in 0038, the same.
create or replace function rollout_emergencies(of_agent text, from_at timestamptz) returns jsonb language sql stable as $$
    select jsonb_build_object('late', count(*), 'calls', coalesce(jsonb_agg(call order by call) filter (where nth <= 5), '[]'))
    from (select m.call, row_number() over (order by m.matched_at desc) as nth
        from triage_matches m join calls c on c.call = m.call
        where c.agent = of_agent and c.started_at >= from_at and c.routed_first = 'openai' and c.first_reason = 'split'
            and m.severity = 'life' and (m.state = 'abandoned'
                or m.state = 'open' and m.matched_at < clock_timestamp() - interval '5 minutes')
            and not c.direct_to_vapi and not is_own_test(c)) late
$$;

-- As in 0039, and `fell`: it was meant for another system, and the carrier took it to Vapi.
create or replace function vapi_webhook(ask jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
declare
    known jsonb;
    c calls;
begin
    if ask ? 'mac' and not vapi_signature_is_new(ask ->> 'mac', ask ->> 'process') then
        return '{"repeated": true}';
    end if;
    known := vapi_call_for(ask, as_of);
    if known is not null then
        return known;
    end if;
    select * into c from calls where call = ask ->> 'sid';
    if found and c.state_epoch > 0 then
        return '{"elsewhere": true}';
    elsif found then
        return jsonb_strip_nulls(jsonb_build_object('call', c.call, 'agent', c.agent, 'from', c.from_number,
            'to', c.to_number, 'not_routed', true, 'fell', case when c.system <> 'vapi' then true end));
    end if;
    return jsonb_strip_nulls(jsonb_build_object('number', (select s.number from numbers_seen s
        where s.vapi_id = ask ->> 'number_id' and s.gone_at is null limit 1)));
end $$;

-- --- whether we hear what callers say on Vapi -----------------------------------------------------

-- As in 0037, of calls in which the caller said something: a greeting alone proves nothing.
create or replace function vapi_heard(of_agent text) returns jsonb language sql stable as $$
    select jsonb_build_object('calls', count(*), 'heard', count(heard_at)) from (
        select v.heard_at from calls c join vapi_calls v using (call)
        where c.agent = of_agent and not c.imported and c.started_at > now() - interval '14 days'
            and v.status = 'ended' and v.words > 0 and v.route is distinct from 'bridge' and not is_on_our_line(c, v.route)
            and exists (select from turns t where t.call = c.call and t.role = 'caller'
                and t.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day')
        order by c.started_at desc limit 20) newest
$$;

-- --- calls from a browser -------------------------------------------------------------------------

-- Somebody of ours tries the assistant: no carrier has such a call, and it is a test.
create function is_web_call(which text) returns boolean language sql stable
return exists (select from vapi_calls v where v.call = which and v.type = 'webCall');

create function tell_web_call() returns trigger language plpgsql as $$
begin
    update calls set is_test = true where call = new.call and not is_test;
    return null;
end $$;
create trigger vapi_web_calls_are_tests after insert or update of type, call on vapi_calls
    for each row when (new.type = 'webCall') execute function tell_web_call();
update calls set is_test = true where not is_test and call in (select call from vapi_calls where type = 'webCall');

-- As in 0038, and whatever was known for one.
create or replace function is_own_test(c calls) returns boolean language sql stable
return c.is_test or exists (select from numbers_seen s where s.number = c.from_number::text);

-- As in 0044.
create or replace function call_consumption(c calls)
returns table (item text, what text, model text, unit text, quantity numeric, sixtieths numeric, basis text,
    at timestamptz, reason text)
language sql stable as $$
    select * from call_consumption_itself(c) k where k.item not in ('carrier', 'stream') or not is_web_call(c.call)
    union all select * from transfer_consumption(c)
    union all select * from hosting_consumption(c)
$$;

-- --- what Vapi did not tell in time ---------------------------------------------------------------

-- Of these, which nobody asks for any more, how many are really missing. Not: who was forgotten meanwhile, who was gone
-- before Vapi could have them, and what Vapi began for us and nobody took.
create function vapi_given_up(sids text[]) returns bigint language sql stable
return (select count(*) from calls c left join vapi_calls v using (call)
    where c.call = any(sids) and (c.system = 'vapi' or c.failed_over_to = 'vapi' or v.call is not null)
        and (v.status is distinct from 'ended' or v.cost_usd is null) and c.erased_at is null
        and not (v.call is null and coalesce(c.status in ('busy', 'failed', 'no-answer', 'canceled')
            or c.duration_s <= 5, false))
        and v.ended_reason is distinct from 'phone-call-provider-bypass-enabled-but-no-call-received');

-- --- nodes from before 0038 -----------------------------------------------------------------------

-- They write numbers by these while the others are replaced one by one.
create function numbers_saw(seen jsonb, with_vapi boolean, whole boolean, as_of timestamptz)
returns jsonb language plpgsql as $$
declare
    counts jsonb := numbers_saw(seen, with_vapi, as_of);
    at_vapi constant bigint := (select count(*) from numbers_at_vapi);
    left_us bigint := 0;
begin
    if whole then
        update numbers_seen n set gone_at = as_of where gone_at is null
            and not exists (select from jsonb_to_recordset(seen) as s(number text) where s.number = n.number);
        get diagnostics left_us = row_count;
    end if;
    if at_vapi <> (select count(*) from numbers_at_vapi) then
        update numbers_version set version = version + 1;
    end if;
    return counts || jsonb_build_object('gone', left_us);
end $$;

create function bulk_begin(about jsonb, items jsonb) returns jsonb language plpgsql as $$
declare
    held constant jsonb := numbers_held((select coalesce(jsonb_agg(x -> 'number'), '[]')
        from jsonb_array_elements(items) x));
    made bigint;
begin
    if held is not null then
        return jsonb_build_object('held', held);
    end if;
    made := bulk_begin(about);
    perform bulk_add(made, items);
    return jsonb_build_object('run', made);
end $$;
