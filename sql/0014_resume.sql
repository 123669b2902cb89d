-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A call goes on with another process when the one that had it is gone: what it remembers, who may take it over.
--
--   the process that has it ── facts ──▶ calls, turns, tool_calls      adopt_call(): the row is locked, the epoch grows,
--   another one, asked by the carrier ─────────────────────────────▶   calls.node changes, everybody is told
--
-- Two processes that ask for the same call at once: the first has it, the other is refused. Who had it before learns by
-- looking into `adoptions`.

alter table calls add column vars jsonb check (jsonb_typeof(vars) = 'object'),
    add column vars_epoch bigint not null default 0, add column vars_seq bigint not null default 0,
    add column account label, add column verstat label;

-- Each time that a process took a call from another one.
create table adoptions (
    call text not null references calls on delete cascade,
    epoch bigint not null, -- in which the new one counts its facts
    at timestamptz not null,
    node label not null,
    from_node label,
    cause text not null check (cause in ('node_lost', 'node_drained', 'stream_elsewhere')),
    primary key (call, epoch)
);
create index on adoptions (from_node, at);

-- All of call.vars, whenever they changed.
create function keep_vars(e journal_event) returns void language plpgsql as $$
begin
    update calls set vars = e.body -> 'vars', vars_epoch = e.epoch, vars_seq = e.seq
    where call = e.stream and (vars_epoch, vars_seq) < (e.epoch, e.seq) and words_gone_at is null
        and jsonb_typeof(e.body -> 'vars') = 'object';
end $$;

create or replace function keep_webhook(e journal_event) returns void language plpgsql as $$
begin
    perform keep_status(e.stream, e.body);
    update calls set account = coalesce(account, word(e.body, 'account')), verstat = coalesce(verstat, word(e.body, 'verstat'))
        where call = e.stream and (e.body ? 'account' or e.body ? 'verstat');
    update calls set node = word(e.body, 'node'), node_epoch = e.epoch
        where call = e.stream and word(e.body, 'node') is not null and node_epoch < e.epoch;
end $$;

create or replace function keep_of_call(e journal_event) returns void language plpgsql as $$
begin
    case e.type
        when 'webhook' then perform keep_webhook(e);
        when 'decision' then perform keep_decision(e);
        when 'state' then perform keep_state(e);
        when 'notice' then perform keep_notice(e);
        when 'turn' then perform keep_turn(e);
        when 'tool' then perform keep_tool(e);
        when 'vars' then perform keep_vars(e);
        when 'usage' then perform keep_usage(e);
        when 'recording' then perform keep_recording(e);
        when 'text' then perform keep_text(e);
        when 'missed' then perform keep_missed(e);
        when 'triage' then perform keep_triage(e);
        when 'triage_step' then perform keep_triage_step(e);
        when 'near_miss' then perform keep_near_miss(e);
        when 'ended' then perform keep_ended(e); perform keep_opening(e);
        else null;
    end case;
end $$;

-- --- taking a call over -----------------------------------------------------------------------

-- These ends of a stream are none of a call: its caller may still be there.
create function may_go_on(c calls) returns boolean language sql stable
return status_rank(coalesce(c.status, '')) < 5 and (c.state is distinct from 'ended'
    or c.ended_reason in ('carrier_lost', 'transferred', 'shutdown'));

-- What was said and done, oldest first; a tool whose outcome nobody kept has no output.
create function call_history(of_call text) returns jsonb language sql stable
begin atomic
    select coalesce(jsonb_agg(item order by at, epoch, seq), '[]') from (
        select * from (
            select at, epoch, seq, jsonb_build_object('role', role, 'text', left(heard, 4000)) as item
                from turns where call = of_call and heard <> ''
            union all
            select coalesce(asked_at, answered_at), 0, 0, jsonb_build_object('tool', name, 'id', id,
                    'arguments', coalesce(left(arguments, 16000), ''), 'output', left(output, 4000))
                from tool_calls where call = of_call and name is not null
        ) everything order by at desc, epoch desc, seq desc limit 200) latest;
end;

-- Emergencies of life that nobody has taken yet, as an errand is told of them (triage_left_open).
create function call_emergencies(c calls) returns jsonb language sql stable
return (select coalesce(jsonb_agg(json_strip_nulls(json_build_object('call', m.call, 'rule', m.rule,
        'severity', m.severity, 'source', m.source, 'words', coalesce(m.words, ''), 'from', c.from_number,
        'to', c.to_number, 'resumed', true, 'steps', (select coalesce(max(step), 0) from triage_steps s
            where s.call = m.call and s.rule = m.rule))) order by m.matched_at), '[]')
    from triage_matches m where m.call = c.call and m.state = 'open' and m.severity = 'life');

create function refuse_adoption(why text) returns jsonb language sql immutable return jsonb_build_object('refused', why);

-- {"refused": why}, or all that the new owner must know. `ask` has call, node, cause, and of the carrier's own words
-- those there are: to, account. "unknown" and "leaving" may change in a moment: facts are on their way.
create function adopt_call(ask jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
declare
    c calls;
    whom constant text := ask ->> 'node';
    grown bigint;
    attempt integer;
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
    elsif exists (select from adoptions a where a.call = c.call and a.node <> whom
            and a.at > as_of - interval '3 seconds') then
        return refuse_adoption('taken');
    end if;
    select count(*) + 1 into attempt from adoptions a where a.call = c.call and a.at > as_of - interval '60 seconds'
        and a.cause <> 'stream_elsewhere';
    if attempt > 3 then
        return refuse_adoption('too_often');
    end if;
    grown := greatest((extract(epoch from as_of) * 1000000)::bigint, c.node_epoch + 1, c.state_epoch + 1);
    insert into adoptions values (c.call, grown, as_of, whom, c.node, ask ->> 'cause');
    update calls set node = whom, node_epoch = grown where call = c.call;
    return jsonb_strip_nulls(jsonb_build_object('call', c.call, 'agent', c.agent, 'from', c.from_number, 'to', c.to_number,
        'account', c.account, 'verstat', c.verstat, 'direction', c.direction, 'vars', c.vars,
        'noticed', c.notice_at is not null, 'attempt', attempt, 'from_node', c.node,
        'started_us', (extract(epoch from c.started_at) * 1000000)::bigint, 'epoch', grown,
        'gone_ms', greatest((extract(epoch from as_of - (select max(at) from call_events e
            where e.stream = c.call and e.started_at = c.started_at)) * 1000)::bigint, 0),
        'elapsed_ms', greatest((extract(epoch from as_of - c.started_at) * 1000)::bigint, 0),
        'emergencies', case when ask ->> 'cause' <> 'stream_elsewhere' then call_emergencies(c) end))
        || jsonb_build_object('history', call_history(c.call));
end $$;

-- --- how long, and whom to forget -------------------------------------------------------------

create or replace function impersonal_types() returns text[] language sql immutable
return array['webhook', 'decision', 'state', 'notice', 'usage', 'recording', 'text', 'ended', 'triage', 'triage_step',
    'resumed'];

create or replace function without_words(type text, body jsonb) returns jsonb language sql immutable parallel safe
return case when type = 'notice' then body
    else body - array['text', 'said', 'arguments', 'output', 'detail', 'head', 'words', 'body', 'vars'] end;

create function blank_vars() returns trigger language plpgsql as $$
begin
    new.vars := null;
    return new;
end $$;
create trigger vars_go before update of words_gone_at on calls
    for each row when (old.words_gone_at is null and new.words_gone_at is not null) execute function blank_vars();
