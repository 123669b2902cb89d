-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Calls that reached Vapi without us have our tools, triage and records too; a signature is good once in the whole
-- cluster; and two webhooks of a call do not take what the other one remembered.

-- Numbers whose calls Vapi still gets itself, and calls that the carrier took there because we did not answer. Nobody
-- here decided that, so it is evidence for nothing.
alter table calls add column direct_to_vapi boolean not null default false;

-- As in 0025, and calls that we did not send there: `not_routed`.
create or replace function expect_vapi_call(e journal_event) returns text language plpgsql as $$
declare
    which text := cut(about_call(e.stream, e.body), 64);
    why text := case when yes(e.body -> 'imported') then 'imported' when yes(e.body -> 'not_routed') then 'not_routed' end;
begin
    if which is null or which !~ '^[A-Za-z0-9]+$' then
        return null;
    end if;
    insert into calls as c (call, started_at, agent, from_number, to_number, imported, direct_to_vapi, system, reason)
    values (which, least(coalesce(told_time(e.body ->> 'created_at'), e.at), e.at), word(e.body, 'agent'),
        word(e.body, 'from'), word(e.body, 'to'), yes(e.body -> 'imported'), yes(e.body -> 'not_routed'),
        case when why is not null then 'vapi' end, why)
    on conflict (call) do update set agent = coalesce(c.agent, excluded.agent),
        from_number = coalesce(c.from_number, excluded.from_number),
        to_number = coalesce(c.to_number, excluded.to_number),
        imported = c.imported or excluded.imported and c.system is null,
        direct_to_vapi = c.direct_to_vapi or excluded.direct_to_vapi,
        system = coalesce(c.system, excluded.system), reason = coalesce(c.reason, excluded.reason),
        started_at = case when c.imported then least(c.started_at, excluded.started_at) else c.started_at end
    where c.agent is null and excluded.agent is not null or c.from_number is null and excluded.from_number is not null
        or c.to_number is null and excluded.to_number is not null or c.imported and excluded.started_at < c.started_at
        or excluded.system is not null and c.system is null or excluded.direct_to_vapi and not c.direct_to_vapi;
    return which;
end $$;

-- As in 0025. A call that we wanted elsewhere, that never came to a line of ours and that Vapi has by itself went on
-- there; and nobody else tells how it ended either.
create or replace function settle_vapi_call(which text) returns void language plpgsql as $$
begin
    update calls c set failed_over_to = 'vapi', failed_over_at = coalesce(v.created_at, v.told_at)
    from vapi_calls v
    where c.call = which and v.call = c.call and c.direct_to_vapi and c.system <> 'vapi' and c.state_epoch = 0
        and c.failed_over_to is null;
    update calls c set -- never before it began, whatever Vapi's clock says
        ended_at = greatest(coalesce(v.ended_at, v.told_at), c.started_at), ended_reason = v.ended_reason, state = 'ended',
        duration_ms = greatest(extract(epoch from v.ended_at - v.started_at) * 1000, 0)::bigint,
        turns = v.words, errors = coalesce(v.ended_class in ('config', 'provider', 'vapi'), false)::integer
    from vapi_calls v
    where c.call = which and v.call = c.call and v.status = 'ended' and (c.system = 'vapi' or c.direct_to_vapi)
        and c.ended_epoch = 0 and c.state_epoch = 0; -- what ran over a line of ours, that line tells
end $$;

-- --- a signature, once --------------------------------------------------------------------------

-- Of webhooks that ask or act: by the process that saw it first. What is older than a signature may be is gone.
create table vapi_signatures (
    mac text primary key check (mac ~ '^[0-9a-f]{64}$'),
    process label not null,
    at timestamptz not null default now()
);
create index on vapi_signatures (at);

-- False: another process saw it, or this one before it was started again. What this one saw itself, it knows.
create function vapi_signature_is_new(of_mac text, by_process text) returns boolean language plpgsql as $$
begin
    delete from vapi_signatures where mac in (select mac from vapi_signatures
        where at < now() - interval '15 minutes' order by at limit 100 for update skip locked);
    insert into vapi_signatures (mac, process) values (of_mac, by_process) on conflict do nothing;
    return found or exists (select from vapi_signatures where mac = of_mac and process = by_process);
end $$;

-- All that the door asks about a webhook, in one go. `ask`: {sid, vapi_id, number_id, mac, process}, each may be missing.
--   {repeated: true}            its signature was here
--   {call, agent, …}            a call that Vapi has from us: vapi_call_for()
--   {call, agent, …, not_routed: true}   one of ours that never came to a line of ours
--   {elsewhere: true}           one of ours that is not at Vapi
--   {number}                    none of ours; the number that Vapi calls number_id, if we know it
create function vapi_webhook(ask jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
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
            'to', c.to_number, 'not_routed', true));
    end if;
    return jsonb_strip_nulls(jsonb_build_object('number', (select s.number from numbers_seen s
        where s.vapi_id = ask ->> 'number_id' and s.gone_at is null limit 1)));
end $$;

-- --- what is remembered from one webhook to the next ------------------------------------------

-- As in 0014, but by when it was remembered: webhooks of a call are answered by any node, whichever was started last.
create or replace function keep_vars(e journal_event) returns void language plpgsql as $$
declare
    of_time constant bigint := extract(epoch from e.at) * 1000000;
begin
    update calls set vars = e.body -> 'vars', vars_epoch = of_time, vars_seq = e.seq
    where call = e.stream and (vars_epoch, vars_seq) < (of_time, e.seq) and words_gone_at is null
        and jsonb_typeof(e.body -> 'vars') = 'object';
end $$;

-- As in 0034, but what webhooks left is known before the journal has brought the call itself.
create or replace function vapi_call_memory(which text, as_of timestamptz default now()) returns jsonb language sql stable as $$
    select jsonb_build_object('vars', case when s.state -> 'vars' is null then c.vars
            else coalesce(c.vars, '{}') || (s.state -> 'vars') end, 'verstat', c.verstat,
        'noticed', c.notice_at is not null,
        'elapsed_ms', greatest((extract(epoch from as_of - c.started_at) * 1000)::bigint, 0),
        'history', coalesce(call_history(c.call), '[]'),
        'tools_lately', (select count(*) from tool_calls t where t.call = c.call
            and t.asked_at > as_of - interval '1 minute'),
        'state', s.state)
    from (select which) x left join calls c on c.call = which left join lateral (
        select w.output::jsonb as state from vapi_writes w where w.call = which and w.key = repeat('0', 64)) s on true
    where c.call is not null or s.state is not null
$$;

-- --- one webhook of a call at a time ------------------------------------------------------------

-- A tool reads what the call remembers, and changes it. Whoever holds the call does so alone; who died holds it until
-- its time is over. Null: somebody else holds it. (The key is of f's.)
create function vapi_call_open(of_call text, holder text, for_ms integer, as_of timestamptz default clock_timestamp())
returns jsonb language plpgsql as $$
begin
    insert into vapi_writes as w (call, key, at, output)
    values (of_call, repeat('f', 64), as_of + for_ms * interval '1 millisecond', holder)
    on conflict (call, key) do update set at = excluded.at, output = excluded.output
        where w.at <= as_of or w.output = excluded.output;
    return case when found then jsonb_build_object('memory', vapi_call_memory(of_call, as_of)) end;
end $$;

create function vapi_call_close(of_call text, holder text) returns void language sql as $$
    delete from vapi_writes where call = of_call and key = repeat('f', 64) and output = holder
$$;
