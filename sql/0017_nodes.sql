-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Several nodes on one database: who is there, who does what only one must do, and what becomes of the calls and the
-- emergencies of one that died.
--
--   each process ── node_beat() every few seconds ──▶ node_processes; the lease in `node_leader`
--   the leader   ── what a process that is gone left open ──▶ asks the carrier ── close_call() ──▶ calls
--
-- A process is gone when it stopped, or was not seen for a minute. Nothing is closed because it is old: only the
-- carrier's word closes a call. Facts that a dead process brings later never open one again.

create table node_processes (
    node label not null,
    epoch bigint not null check (epoch > 0), -- when it began, in microseconds; its facts have it too
    version label,
    host label,
    pid bigint check (pid > 0),
    started_at timestamptz not null,
    seen_at timestamptz not null,
    stopped_at timestamptz,
    draining boolean not null default false,
    calls integer not null default 0 check (calls >= 0),
    agents text check (agents ~ '^[0-9a-f]{64}$'), -- the tree it runs: agent_trees
    agents_since timestamptz,
    primary key (node, epoch)
);

-- At most one row: who does what only one must do, as long as it says so again and again.
create table node_leader (
    only_one boolean primary key default true check (only_one),
    node label not null,
    epoch bigint not null,
    since timestamptz not null,
    until timestamptz not null
);

-- Who goes on with an emergency that another process left open.
create table triage_followers (
    call text not null,
    rule label not null,
    node label not null,
    epoch bigint not null,
    at timestamptz not null,
    primary key (call, rule),
    foreign key (call, rule) references triage_matches on delete cascade
);

alter table calls add column process bigint, -- of `node`, which has it
    add column evidence_at timestamptz; -- the carrier was asked what became of it
create index calls_open on calls (evidence_at) where state is distinct from 'ended' and node is not null;

-- --- who is there -----------------------------------------------------------------------------

create function gone_after() returns interval language sql immutable return interval '60 seconds';

create function is_alive(p node_processes, as_of timestamptz) returns boolean language sql stable
return p.stopped_at is null and p.seen_at > as_of - gone_after();

-- Its process told of itself once, and does no more. A release without beats may have the node now: nobody can say then.
create function owner_is_gone(c calls, as_of timestamptz) returns boolean language sql stable
return c.node is not null
    and exists (select from node_processes p where p.node = c.node
        and (p.epoch = c.process or c.process is null and p.epoch <= c.node_epoch))
    and not exists (select from node_processes p where p.node = c.node and is_alive(p, as_of)
        and (p.epoch = c.process or c.process is null and p.epoch <= c.node_epoch))
    and (c.process is not null or not exists (select from nodes n where n.node = c.node and n.stopped_at is null
        and n.started_at > (select max(p.started_at) + interval '10 seconds' from node_processes p where p.node = c.node)));

-- Of each node the process that takes new calls; its name and what it runs.
create function nodes_that_differ(as_of timestamptz) returns text language sql stable
begin atomic
    select case when count(distinct agents) > 1 and max(agents_since) <= as_of - interval '30 seconds'
            then string_agg(node || ' ' || left(agents, 12), ', ' order by node) end
    from (select distinct on (p.node) p.node, p.agents, p.agents_since from node_processes p
        where is_alive(p, as_of) and not p.draining and p.agents is not null order by p.node, p.epoch desc) newest;
end;

-- Died within the last day, and nobody of that name came back.
create function nodes_that_died(as_of timestamptz) returns jsonb language sql stable
begin atomic
    select coalesce(jsonb_agg(jsonb_build_object('node', node,
        'seen_s', extract(epoch from as_of - seen_at)::bigint) order by node), '[]')
    from (select distinct on (p.node) p.* from node_processes p order by p.node, p.epoch desc) newest
    where stopped_at is null and seen_at between as_of - interval '1 day' and as_of - gone_after();
end;

-- For `ringdown nodes`: those of the last day.
create function nodes_shown(as_of timestamptz default now()) returns jsonb language sql stable
begin atomic
    select coalesce(jsonb_agg(jsonb_build_object('node', p.node, 'process', p.epoch, 'version', p.version, 'host', p.host,
        'pid', p.pid, 'started_at', p.started_at, 'seen_at', p.seen_at,
        'seen_s', greatest(extract(epoch from as_of - p.seen_at), 0)::bigint,
        'state', case when p.stopped_at is not null then 'stopped' when not is_alive(p, as_of) then 'lost'
            when p.draining then 'draining' else 'live' end,
        'leader', exists (select from node_leader l where (l.node, l.epoch) = (p.node, p.epoch) and l.until > as_of),
        'calls', case when is_alive(p, as_of) then p.calls else 0 end,
        'left_open', case when is_alive(p, as_of) then 0 else (select count(*) from calls c where c.node = p.node
            and c.process = p.epoch and c.state is distinct from 'ended') end,
        'agents', p.agents) order by p.node, p.epoch desc), '[]')
    from node_processes p where p.seen_at > as_of - interval '1 day';
end;

create or replace function keep_node(e journal_event) returns void language plpgsql as $$
declare
    of_node text := coalesce(word(e.body, 'node'), substr(e.stream, 6));
begin
    if e.type = 'node_started' then
        insert into nodes (node, version, host, pid, started_at, seen_at)
        values (of_node, word(e.body, 'version'), word(e.body, 'host'), nullif(whole(e.body -> 'pid'), 0), e.at, e.at)
        on conflict (node) do update set version = excluded.version, host = excluded.host, pid = excluded.pid,
            started_at = excluded.started_at, draining = false, seen_at = greatest(nodes.seen_at, excluded.seen_at),
            stopped_at = case when nodes.stopped_at > excluded.started_at then nodes.stopped_at end
        where nodes.version is null or nodes.started_at < excluded.started_at;
        -- What the process before it had open, it can tell no more: what is still wrong is told anew.
        update alerts set closed_at = e.at where node = of_node and closed_at is null and opened_at < e.at;
    else
        insert into nodes (node, started_at, stopped_at, seen_at) values (of_node, e.started_at, e.at, e.at)
        on conflict (node) do update set stopped_at = excluded.stopped_at,
            seen_at = greatest(nodes.seen_at, excluded.seen_at)
        where nodes.started_at <= excluded.stopped_at
            and (nodes.stopped_at is null or nodes.stopped_at < excluded.stopped_at);
        update node_processes set stopped_at = e.at where node = of_node and epoch = e.epoch;
    end if;
end $$;

create or replace function keep_webhook(e journal_event) returns void language plpgsql as $$
begin
    perform keep_status(e.stream, e.body);
    update calls set account = coalesce(account, word(e.body, 'account')), verstat = coalesce(verstat, word(e.body, 'verstat'))
        where call = e.stream and (e.body ? 'account' or e.body ? 'verstat');
    update calls set node = word(e.body, 'node'), node_epoch = e.epoch,
            process = case when jsonb_typeof(e.body -> 'process') = 'number' then (e.body ->> 'process')::bigint end
        where call = e.stream and word(e.body, 'node') is not null and node_epoch < e.epoch;
end $$;

-- --- what only one must do --------------------------------------------------------------------

create function take_lead(of_node text, of_epoch bigint, as_of timestamptz) returns boolean language plpgsql as $$
begin
    insert into node_leader values (true, of_node, of_epoch, as_of, as_of + interval '15 seconds')
    on conflict (only_one) do update set node = excluded.node, epoch = excluded.epoch, until = excluded.until,
        since = case when (node_leader.node, node_leader.epoch) = (excluded.node, excluded.epoch) then node_leader.since else as_of end
    where node_leader.until <= as_of or (node_leader.node, node_leader.epoch) = (excluded.node, excluded.epoch);
    return found;
end $$;

-- A fact that is made here rather than in a journal.
create function keep_here(c calls, of_epoch bigint, of_seq bigint, as_of timestamptz, of_type text, body jsonb)
returns void language plpgsql as $$
begin
    perform ensure_partitions_for(c.started_at);
    insert into call_events (stream, epoch, seq, started_at, at, type, body)
        values (c.call, of_epoch, of_seq, c.started_at, as_of, of_type, body);
    perform keep_of_call(row(c.call, c.started_at, of_epoch, of_seq, as_of, of_type, body)::journal_event);
end $$;

-- Closes a call of a process that is gone, by the carrier's word: {call, status, duration_s, ended_at, unknown, by}.
-- "moved": somebody else has it, or it is over already; "open": it goes on. `ended_at` is text as the carrier writes it.
create function close_call(ask jsonb, as_of timestamptz default now()) returns text language plpgsql as $$
declare
    c calls;
    said text := word(ask, 'status');
    ended timestamptz;
    grown bigint;
begin
    select * into c from calls where call = ask ->> 'call' for update;
    if not found or c.state = 'ended' or not owner_is_gone(c, as_of) then
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
        'reason', 'node_lost', 'status', said, 'unknown', yes(ask -> 'unknown'), 'node', c.node, 'by', word(ask, 'by'),
        'ended_at', ended)));
    perform keep_status(c.call, ask);
    update calls set state = 'ended', state_epoch = grown, state_seq = 1, ended_reason = 'node_lost', ended_at = ended
        where call = c.call;
    perform call_cost(c.call);
    return 'closed';
end $$;

-- What the carrier is to be asked about, each at most once a minute. What it has said already is enough.
create function take_lost_calls(by_whom text, as_of timestamptz) returns jsonb language plpgsql as $$
declare
    c calls;
    asked jsonb := '[]';
begin
    for c in select * from calls o where o.state is distinct from 'ended' and o.node is not null
            and o.call ~ '^CA[0-9a-f]{32}$'
            and o.system is distinct from 'vapi' and o.system is distinct from 'fallback'
            and (o.node::text, coalesce(o.process, 0)) not in
                (select p.node::text, p.epoch from node_processes p where is_alive(p, as_of))
            and owner_is_gone(o, as_of) -- for those few, in all its detail
            and (o.evidence_at is null or o.evidence_at <= as_of - interval '60 seconds')
            order by o.evidence_at nulls first, o.started_at limit 20 for update skip locked
    loop
        if status_rank(coalesce(c.status, '')) >= 5 then
            perform close_call(jsonb_build_object('call', c.call, 'status', c.status, 'by', by_whom,
                'ended_at', c.started_at + c.duration_s * interval '1 second'), as_of);
        else
            update calls set evidence_at = as_of where call = c.call;
            asked := asked || to_jsonb(c.call);
        end if;
    end loop;
    return asked;
end $$;

-- What a node must close on its side: what was taken from it (since which epoch), and what another node was told is
-- over ('-'), for the carrier tells whomever it reaches.
create function calls_to_let_go(of_node text) returns table (call text, epoch text) language sql stable as $$
    select a.call, a.epoch::text from adoptions a where a.from_node = of_node and a.at > now() - interval '1 minute'
    union all
    select c.call, '-' from calls c where c.node = of_node and c.state is distinct from 'ended'
        and status_rank(coalesce(c.status, '')) >= 5 and c.started_at > now() - interval '1 day'
$$;

-- --- emergencies that were left open ----------------------------------------------------------

-- Open ones of life that nobody follows up: their process is gone, and so is whoever went on with them. `before`: by
-- a process that begins, which knows that none before it on its node is there any more.
create function triage_orphans(of_node text, of_epoch bigint, before timestamptz, as_of timestamptz)
returns setof triage_matches language sql stable as $$
    select m.* from triage_matches m join calls c using (call)
    where m.state = 'open' and m.severity = 'life' and m.matched_at > as_of - interval '1 day' and c.agent is not null
        and (owner_is_gone(c, as_of) or before is not null and c.node = of_node and c.started_at < before
            and m.matched_at < before
            and not exists (select from adoptions a where a.call = c.call and a.at >= before))
        and not exists (select from triage_followers f join node_processes p using (node, epoch)
            where (f.call, f.rule) = (m.call, m.rule) and is_alive(p, as_of)
                and not (before is not null and f.node = of_node and f.epoch <> of_epoch))
$$;

-- They are this process's from here on.
create function take_left_open(of_agent text, of_node text, of_epoch bigint, before timestamptz default null,
    as_of timestamptz default now()) returns table (order_json text) language plpgsql as $$
declare
    m triage_matches;
begin
    perform pg_advisory_xact_lock(hashtext('ringdown left open'));
    for m in select o.* from triage_orphans(of_node, of_epoch, before, as_of) o join calls c using (call)
        where c.agent = of_agent order by o.matched_at
    loop
        insert into triage_followers values (m.call, m.rule, of_node, of_epoch, as_of)
            on conflict (call, rule) do update set node = excluded.node, epoch = excluded.epoch, at = excluded.at;
        select json_strip_nulls(json_build_object('call', m.call, 'rule', m.rule, 'severity', m.severity,
            'source', m.source, 'words', coalesce(m.words, ''), 'from', c.from_number, 'to', c.to_number, 'ended', true,
            'resumed', true, 'steps', (select coalesce(max(step), 0) from triage_steps s
                where s.call = m.call and s.rule = m.rule)))::text into order_json from calls c where c.call = m.call;
        return next;
    end loop;
end $$;

-- As triage_asked (0009), and with which digit they were to answer.
create function triage_asked_with(of_agent text, number text, as_of timestamptz default now())
returns table (call text, rule text, code integer) language sql stable as $$
    select a.call, a.rule, coalesce((select substr(s.detail, 7)::integer from triage_steps s
            where s.call = a.call and s.rule = a.rule and s.kind = 'text' and s.target = number and s.state = 'asked'
                and s.detail ~ '^reply [1-9]$' order by s.step desc limit 1), 1)
    from triage_asked(of_agent, number, as_of) a
$$;

-- Who was dialled for a caller picked up, and the carrier asks a node that has no such call: {call, to, digits} →
-- {answer: "screen", words}, {answer: "bridge"} or {answer: "hang_up", words}. Whoever follows the emergency up looks
-- here, too (emergency:look), and so sees who took it.
create function accept_elsewhere(ask jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
declare
    c calls;
    m triage_matches;
    whom constant text := coalesce(ask ->> 'to', '');
    digits constant text := coalesce(ask ->> 'digits', '');
    grown bigint;
    step integer;
    body jsonb;
begin
    select * into c from calls where call = ask ->> 'call' for update;
    if not found or c.agent is null or status_rank(coalesce(c.status, '')) >= 5 then
        return '{"answer": "hang_up"}';
    end if;
    select t.* into m from triage_matches t, lateral (select exists (select from triage_steps s where s.call = t.call
            and s.rule = t.rule and s.kind = 'transfer' and s.target = whom) as rung) r
        where t.call = c.call and (r.rung or t.state = 'open' and t.severity = 'life') -- or that fact is on its way
        order by r.rung desc, t.state = 'open' desc, t.matched_at desc limit 1;
    if m.state = 'handled' and not exists (select from triage_steps s where s.call = m.call and s.rule = m.rule
            and s.target = whom and s.state = 'confirmed') then
        return jsonb_build_object('answer', 'hang_up', 'words', 'It is taken already. Thank you.');
    elsif digits = '' then
        return jsonb_build_object('answer', 'screen', 'words', format('%s for %s%s. Press 1 to take it.',
            case when m.call is null then 'A call' else 'Emergency call' end, initcap(replace(c.agent, '-', ' ')),
            coalesce(': ' || translate(m.rule, '-_', '  '), '')));
    end if;
    if m.call is not null then
        -- Steps of whoever follows it up are counted from 1: these must not meet them.
        select greatest(max(s.step), 1000) + 1 into step from triage_steps s where s.call = m.call and s.rule = m.rule;
        grown := greatest((extract(epoch from as_of) * 1000000)::bigint,
            (select max(e.epoch) + 1 from call_events e where e.stream = c.call and e.type = 'triage_step'));
        body := jsonb_build_object('call', c.call, 'rule', m.rule, 'step', step, 'kind', 'transfer', 'target', whom,
            'state', case digits when '1' then 'confirmed' else 'refused' end, 'node', ask ->> 'node');
        perform keep_here(c, grown, 1, as_of, 'triage_step', body);
    end if;
    if digits <> '1' then
        return '{"answer": "hang_up"}';
    elsif m.state = 'open' then
        perform keep_here(c, grown, 2, as_of, 'triage', jsonb_build_object('call', c.call, 'rule', m.rule,
            'severity', m.severity, 'state', 'handled', 'by', whom, 'node', ask ->> 'node'));
    end if;
    return '{"answer": "bridge"}';
end $$;

-- --- one beat ---------------------------------------------------------------------------------

-- {node, epoch, version, host, pid, calls, draining, agents} → {leader}, and for the leader: `lost` (calls to ask the
-- carrier about), `left_open` (agents with emergencies nobody follows up), `differ`, `died`.
create function node_beat(b jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
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
    return jsonb_build_object('leader', true, 'lost', take_lost_calls(whom, as_of),
        'left_open', (select coalesce(jsonb_agg(distinct c.agent), '[]')
            from triage_orphans(whom, mine, null, as_of) join calls c using (call)),
        'differ', nodes_that_differ(as_of), 'died', nodes_that_died(as_of));
end $$;

-- --- taking a call over -----------------------------------------------------------------------

-- As in 0014, and which process of the node has it now; who said goodbye before is not lost but drained.
-- {"refused": why}, or all that the new owner must know. `ask` has call, node, cause, and of the carrier's own words
-- those there are: to, account; `process` is the node's, by its epoch. "unknown" and "leaving" may change in a moment:
-- facts are on their way.
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
    elsif exists (select from adoptions a where a.call = c.call and a.node <> whom
            and a.at > as_of - interval '3 seconds') then
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

-- `why` tells who closed a call whose node died.
create or replace function why_call(c calls) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'found', true,
        'kind', 'call',
        'call', to_jsonb(c) - array['state_epoch', 'state_seq', 'decision_epoch', 'decision_seq', 'node_epoch',
            'ended_epoch', 'process', 'evidence_at'],
        'webhooks', why_events(c.call, array['webhook']),
        'decisions', why_events(c.call, array['decision']),
        'states', why_states(c.call),
        'notices', why_events(c.call, array['notice']),
        'errors', why_events(c.call, array['error']),
        'interventions', why_events(c.call, array['operator', 'pause', 'transfer', 'resumed', 'closed']),
        'alarms', why_alarms(c),
        'tools', coalesce((select jsonb_agg(jsonb_build_object('id', id, 'name', name, 'at', asked_at,
            'ms', round(extract(epoch from answered_at - asked_at) * 1000), 'arguments', arguments, 'output', output)
            order by coalesce(asked_at, answered_at), id) from tool_calls where call = c.call), '[]'),
        'triage', coalesce((select jsonb_agg(to_jsonb(m) - 'call' || jsonb_build_object('steps',
            (select coalesce(jsonb_agg(to_jsonb(s) - array['call', 'rule'] order by s.step), '[]')
                from triage_steps s where (s.call, s.rule) = (m.call, m.rule))) order by m.matched_at)
            from triage_matches m where m.call = c.call), '[]'),
        'texts', coalesce((select jsonb_agg(to_jsonb(t) - 'call' order by t.created_at, t.id)
            from texts t where t.call = c.call), '[]'),
        'recordings', coalesce((select jsonb_agg(to_jsonb(r) - 'call' order by r.at)
            from recordings r where r.call = c.call), '[]'),
        'cost', why_cost(c.call),
        'last_events', (select coalesce(jsonb_agg(jsonb_build_object('at', at, 'epoch', epoch, 'seq', seq,
                'type', type, 'body', body - array['call', 'agent', 'from', 'to']) order by epoch, seq), '[]')
            from (select * from call_events where stream = c.call order by epoch desc, seq desc limit 20) l))
$$;
