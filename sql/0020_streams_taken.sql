-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Who took a call a moment ago has it, unless what happens now follows from that.

-- The stream that another process was promised when it took the call may reach this one; and the process that a stream
-- reached may be gone before three seconds are over. But neither two questions nor two streams are one call's.
create function was_just_taken(of_call text, whom text, why text, as_of timestamptz) returns boolean language sql stable
return coalesce((select a.node <> whom and a.at > as_of - interval '3 seconds'
        and (a.cause = 'stream_elsewhere') = (why = 'stream_elsewhere')
    from adoptions a where a.call = of_call order by a.epoch desc limit 1), false);

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
        and a.cause <> 'stream_elsewhere';
    if attempt > 3 then
        return refuse_adoption('too_often');
    end if;
    if why = 'node_lost' and c.ended_reason in ('node_drained', 'shutdown') then
        why := 'node_drained'; -- it said goodbye
    end if;
    grown := greatest((extract(epoch from as_of) * 1000000)::bigint, c.node_epoch + 1, c.state_epoch + 1);
    insert into adoptions values (c.call, grown, as_of, whom, c.node, why);
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
