-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Taking calls over, when something is amiss: an address used twice, a taker without room, an owner who slept.

-- --- each stream's address is good for one stream, wherever that arrives ------------------------

create table streams_begun (
    call text not null, -- facts may be on their way: perhaps there is no such row yet
    nonce label not null, -- of the address; good for a minute
    at timestamptz not null,
    epoch bigint, -- of the adoption that used it; null: it came to whom it was promised
    primary key (call, nonce)
);
create index on streams_begun (at);

-- A stream came to the process that promised it. False: the address was used before.
create function stream_begins(of_call text, with_nonce text, as_of timestamptz default now()) returns boolean
language plpgsql as $$
begin
    insert into streams_begun values (of_call, with_nonce, as_of) on conflict (call, nonce) do nothing;
    return found;
end $$;

-- --- taking over ------------------------------------------------------------------------------

alter table adoptions add column from_process bigint, add column from_epoch bigint; -- what give_back_call() restores

-- As in 0014, the newest up to half a megabyte: whoever asked has no more room.
create or replace function call_history(of_call text) returns jsonb language sql stable
begin atomic
    select coalesce(jsonb_agg(item order by at, epoch, seq), '[]') from (
        select latest.*, sum(octet_length(item::text)) over (order by at desc, epoch desc, seq desc) as bytes from (
            select * from (
                select at, epoch, seq, jsonb_build_object('role', role, 'text', left(heard, 4000)) as item
                    from turns where call = of_call and heard <> ''
                union all
                select coalesce(asked_at, answered_at), 0, 0, jsonb_build_object('tool', name, 'id', id,
                        'arguments', coalesce(left(arguments, 16000), ''), 'output', left(output, 4000))
                    from tool_calls where call = of_call and name is not null
            ) everything order by at desc, epoch desc, seq desc limit 200) latest) counted
        where bytes <= 524288;
end;

-- As in 0020; a stream says with which address it came (`nonce`), and streams are counted for themselves.
create or replace function adopt_call(ask jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
declare
    c calls;
    whom constant text := ask ->> 'node';
    grown bigint;
    attempt integer;
    why text := ask ->> 'cause';
begin
    select * into c from calls where call = ask ->> 'call' for update;
    if not found or c.agent is null or c.system is null then
        return refuse_adoption('unknown');
    elsif ask ->> 'to' <> c.to_number or ask ->> 'account' <> c.account then
        return refuse_adoption('foreign');
    elsif c.system <> 'openai' or not may_go_on(c) then
        return refuse_adoption('ended') || jsonb_build_object('hang_up', coalesce(c.ended_reason in
            ('caller_hangup', 'agent_hangup', 'silence', 'max_duration', 'operator'), false));
    elsif c.state in ('leaving', 'closing') then
        return refuse_adoption('leaving');
    elsif was_just_taken(c.call, whom, why, as_of) then
        return refuse_adoption('taken');
    end if;
    select count(*) + 1 into attempt from adoptions a where a.call = c.call and a.at > as_of - interval '60 seconds'
        and (a.cause = 'stream_elsewhere') = (why = 'stream_elsewhere');
    if attempt > 3 then
        return refuse_adoption('too_often');
    end if;
    grown := greatest((extract(epoch from as_of) * 1000000)::bigint, c.node_epoch + 1, c.state_epoch + 1);
    if why = 'stream_elsewhere' then
        insert into streams_begun values (c.call, coalesce(ask ->> 'nonce', 'none'), as_of, grown)
            on conflict (call, nonce) do nothing;
        if not found then
            return refuse_adoption('used');
        end if;
    elsif why = 'node_lost' and c.ended_reason in ('node_drained', 'shutdown') then
        why := 'node_drained'; -- it said goodbye
    end if;
    insert into adoptions (call, epoch, at, node, from_node, cause, from_process, from_epoch)
        values (c.call, grown, as_of, whom, c.node, why, c.process, c.node_epoch);
    update calls set node = whom, node_epoch = grown, process = (ask ->> 'process')::bigint where call = c.call;
    return jsonb_strip_nulls(jsonb_build_object('call', c.call, 'agent', c.agent, 'from', c.from_number, 'to', c.to_number,
        'account', c.account, 'verstat', c.verstat, 'direction', c.direction, 'vars', c.vars,
        'noticed', c.notice_at is not null, 'attempt', attempt, 'from_node', c.node, 'cause', why,
        'started_us', (extract(epoch from c.started_at) * 1000000)::bigint, 'epoch', grown,
        'gone_ms', greatest((extract(epoch from as_of - (select max(at) from call_events e
            where e.stream = c.call and e.started_at = c.started_at)) * 1000)::bigint, 0),
        'elapsed_ms', greatest((extract(epoch from as_of - c.started_at) * 1000)::bigint, 0),
        'emergencies', case when ask ->> 'cause' <> 'stream_elsewhere' then call_emergencies(c) end))
        || jsonb_build_object('history', call_history(c.call));
end $$;

-- Who took a call had no room, or never heard the answer: {call, node, process}. It is its owner's again, as if it had
-- never been asked for; false when there is nothing to give back.
create function give_back_call(ask jsonb) returns boolean language plpgsql as $$
declare
    c calls;
    a adoptions;
begin
    select * into c from calls where call = ask ->> 'call' for update;
    select * into a from adoptions where call = c.call order by epoch desc limit 1;
    if not found or (c.node::text, c.node_epoch) is distinct from (a.node::text, a.epoch)
            or (a.node::text, c.process) is distinct from (ask ->> 'node', (ask ->> 'process')::bigint)
            or exists (select from call_events e where e.stream = c.call and e.started_at = c.started_at
                and e.epoch >= a.epoch) then
        return false;
    end if;
    delete from adoptions where (call, epoch) = (a.call, a.epoch);
    delete from streams_begun where (call, epoch) = (a.call, a.epoch);
    update calls set node = a.from_node, node_epoch = coalesce(a.from_epoch, 0), process = a.from_process
        where call = c.call;
    return true;
end $$;

-- --- letting go -------------------------------------------------------------------------------

-- What a process must close on its side, of the calls that it has ({call: epoch}): what somebody else has by now, in
-- which epoch, however long ago that was; and with '-' what another node was told is over, and how, for the carrier
-- tells whomever it reaches.
create function calls_lost(of_node text, have jsonb)
returns table (call text, epoch text, status text, direction text) language sql stable as $$
    select c.call, case when c.node_epoch > h.value::bigint then c.node_epoch::text else '-' end, c.status, c.direction
    from jsonb_each_text(have) h join calls c on c.call = h.key
    where c.node_epoch > h.value::bigint
        or c.node = of_node and c.state is distinct from 'ended' and status_rank(coalesce(c.status, '')) >= 5
$$;

-- As in 0017; and with `not_had` a call that is over, and whose owner, though alive, has not said so.
create or replace function close_call(ask jsonb, as_of timestamptz default now()) returns text language plpgsql as $$
declare
    c calls;
    said text := word(ask, 'status');
    why constant text := case when yes(ask -> 'not_had') then 'not_had' else 'node_lost' end;
    ended timestamptz;
    grown bigint;
begin
    select * into c from calls where call = ask ->> 'call' for update;
    if not found or c.state = 'ended' or why = 'node_lost' and not owner_is_gone(c, as_of) then
        return 'moved';
    elsif not yes(ask -> 'unknown') and status_rank(coalesce(said, '')) < 5 then
        return 'open';
    end if;
    begin
        ended := (ask ->> 'ended_at')::timestamptz;
    exception when datetime_field_overflow or invalid_datetime_format then
        ended := null;
    end;
    ended := least(greatest(coalesce(ended, (select max(at) from call_events e where e.stream = c.call), as_of),
        c.started_at), as_of);
    grown := greatest((extract(epoch from as_of) * 1000000)::bigint, c.node_epoch + 1, c.state_epoch + 1);
    perform keep_here(c, grown, 1, as_of, 'closed', jsonb_strip_nulls(jsonb_build_object('call', c.call,
        'reason', why, 'status', said, 'unknown', yes(ask -> 'unknown'), 'node', c.node, 'by', word(ask, 'by'),
        'ended_at', ended)));
    perform keep_status(c.call, ask);
    update calls set state = 'ended', state_epoch = grown, state_seq = 1, ended_reason = why, ended_at = ended
        where call = c.call;
    perform call_cost(c.call);
    return 'closed';
end $$;

-- Over by the carrier's word, and whoever has it told of that for two minutes (calls_lost) has ended nothing: it does
-- not know the call.
create function close_calls_not_had(by_whom text, as_of timestamptz) returns void language plpgsql as $$
declare
    c calls;
begin
    for c in select * from calls o where o.state is distinct from 'ended' and o.node is not null
            and o.system = 'openai' and status_rank(coalesce(o.status, '')) >= 5
            and (o.state is not null or exists (select from adoptions a where a.call = o.call)) -- it had a stream, or should
            and not owner_is_gone(o, as_of)
            and (o.evidence_at is null or o.evidence_at <= as_of - interval '2 minutes')
            order by o.evidence_at nulls first limit 20 for update skip locked
    loop
        if c.evidence_at > as_of - interval '10 minutes' then
            perform close_call(jsonb_build_object('call', c.call, 'status', c.status, 'by', by_whom, 'not_had', true,
                'ended_at', c.started_at + c.duration_s * interval '1 second'), as_of);
        else
            update calls set evidence_at = as_of where call = c.call;
        end if;
    end loop;
end $$;

-- As in 0017, and what is over but nobody's.
create or replace function node_beat(b jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
declare
    whom constant text := b ->> 'node';
    mine constant bigint := (b ->> 'epoch')::bigint;
begin
    insert into node_processes as p (node, epoch, version, host, pid, started_at, seen_at, draining, calls, agents, agents_since)
    values (whom, mine, word(b, 'version'), word(b, 'host'), (b ->> 'pid')::bigint, time_of_us(mine), as_of,
        yes(b -> 'draining'), whole(b -> 'calls')::integer, b ->> 'agents', as_of)
    on conflict (node, epoch) do update set seen_at = greatest(p.seen_at, excluded.seen_at),
        draining = excluded.draining, calls = excluded.calls, agents = excluded.agents,
        agents_since = case when p.agents is distinct from excluded.agents then as_of else p.agents_since end;
    update nodes set seen_at = greatest(seen_at, as_of), draining = yes(b -> 'draining')
        where node = whom and not exists (select from node_processes p where p.node = whom and p.epoch > mine);
    if yes(b -> 'draining') or not take_lead(whom, mine, as_of) then
        return '{"leader": false}';
    end if;
    delete from node_processes where seen_at < as_of - interval '30 days';
    delete from streams_begun where at < as_of - interval '5 minutes';
    perform close_calls_not_had(whom, as_of);
    return jsonb_build_object('leader', true, 'lost', take_lost_calls(whom, as_of),
        'left_open', (select coalesce(jsonb_agg(distinct c.agent), '[]')
            from triage_orphans(whom, mine, null, as_of) join calls c using (call)),
        'differ', nodes_that_differ(as_of), 'died', nodes_that_died(as_of));
end $$;
