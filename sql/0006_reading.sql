-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Questions that people ask: why did this happen, who said that, what was it like each day.

create function why_alarms(c calls) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_object('at', opened_at, 'kind', kind, 'subject', subject, 'node', node,
        'severity', severity, 'text', text, 'fix', fix, 'open', closed_at is null, 'count', count)
        order by opened_at, id), '[]')
    from alerts
    where subject = c.call or (subject = '' and node = c.node
        and opened_at <= coalesce(c.ended_at, now()) and coalesce(closed_at, 'infinity') >= c.started_at)
$$;

-- Events of one type, each with its time, in order.
create function why_events(which text, types text[]) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(body - array['call', 'agent', 'from', 'to']
        || jsonb_build_object('at', at, 'type', type) order by epoch, seq), '[]')
    from call_events where stream = which and type = any(types)
$$;

-- Each state with the time until the next; of the last one only once the call has ended.
create function why_states(which text) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_object('state', state, 'at', at, 'ms',
        round(extract(epoch from next - at) * 1000)) order by epoch, seq), '[]')
    from (select case type when 'ended' then 'ended' else body ->> 'state' end as state, at, epoch, seq,
            lead(at) over (order by epoch, seq) as next
        from call_events where stream = which and type in ('state', 'ended')) s
    where state <> 'ended' or next is null
$$;

create function why_cost(which text) returns jsonb language sql stable as $$
    select jsonb_build_object('micro_usd', k.micro_usd, 'micro_usd_exact', k.micro_usd_exact, 'reason', k.reason,
        'computed_at', k.computed_at, 'lines', coalesce((select jsonb_agg(jsonb_build_object('item', item,
            'model', model, 'unit', unit, 'quantity', quantity, 'basis', basis,
            'micro_usd_per_million', micro_usd_per_million, 'micro_usd_exact', micro_usd_exact, 'reason', reason)
            order by line) from call_cost_lines where call = which), '[]'))
    from call_costs k where k.call = which
$$;

create function why_call(c calls) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'found', true,
        'kind', 'call',
        'call', to_jsonb(c) - array['state_epoch', 'state_seq', 'decision_epoch', 'decision_seq', 'node_epoch',
            'ended_epoch'],
        'webhooks', why_events(c.call, array['webhook']),
        'decisions', why_events(c.call, array['decision']),
        'states', why_states(c.call),
        'notices', why_events(c.call, array['notice']),
        'errors', why_events(c.call, array['error']),
        'interventions', why_events(c.call, array['operator', 'pause', 'transfer']),
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

create function why_number(which text) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'found', p.number is not null or exists (select from calls where which in (from_number, to_number)),
        'kind', 'number',
        'number', which,
        'assignment', case when p.number is not null then jsonb_build_object('agent', p.agent,
            'site', coalesce(p.site, 'default'), 'goes_to', p.goes_to, 'updated_at', p.updated_at,
            'updated_by', p.updated_by) end,
        'calls', (select coalesce(jsonb_agg(jsonb_build_object('call', call, 'started_at', started_at, 'agent', agent,
                'from', from_number, 'to', to_number, 'system', system, 'reason', reason, 'status', status,
                'ended_reason', ended_reason, 'errors', errors, 'micro_usd', micro_usd) order by started_at desc), '[]')
            from (select c.*, k.micro_usd from calls c left join call_costs k using (call)
                where which in (c.from_number, c.to_number) order by c.started_at desc limit 10) l))
    from (select 1) one left join phone_numbers p on p.number = which
$$;

-- Everything about a call, or about a phone number: how it is assigned, and its last calls.
create function why(which text) returns jsonb language plpgsql stable as $$
declare
    c calls;
begin
    if which ~ '^\+[1-9][0-9]{1,14}$' then
        return why_number(which);
    end if;
    select * into c from calls where call = which;
    if not found then
        return jsonb_build_object('found', false, 'kind', 'call', 'call', which);
    end if;
    return why_call(c);
end $$;

-- Newest first. `query` as one types it: words, "a phrase", or, -without.
create function search_turns(query text, since timestamptz default null, of_agent text default null,
    at_most integer default 50)
returns table (call text, at timestamptz, agent text, role text, heard text, said text, turn integer)
language sql stable as $$
    select t.call, t.at, c.agent::text, t.role, t.heard::text, t.said::text, t.turn
    from turns t join calls c using (call)
    where t.words @@ websearch_to_tsquery('simple', left(query, 1000))
        and (since is null or t.at >= since) and (since is null or t.started_at >= since - interval '1 day')
        and (of_agent is null or c.agent = of_agent)
    order by t.at desc, t.call, t.epoch, t.seq
    limit least(greatest(coalesce(at_most, 50), 1), 1000)
$$;

create view calls_daily as
select (started_at at time zone 'UTC')::date as day, coalesce(agent, '?') as agent, coalesce(system, 'none') as system,
    count(*) as calls, count(distinct from_number) as callers, count(*) filter (where state = 'ended') as ended,
    coalesce(sum(duration_ms), 0)::bigint / 1000 as seconds, sum(turns) as turns, sum(barge_ins) as barge_ins,
    sum(tool_calls) as tool_calls, sum(errors) as errors,
    percentile_disc(0.5) within group (order by first_audio_ms) as first_audio_p50_ms,
    percentile_disc(0.95) within group (order by first_audio_ms) as first_audio_p95_ms
from calls
group by 1, 2, 3;

-- Unknown lines are counted, not guessed.
create view costs_daily as
select (c.started_at at time zone 'UTC')::date as day, coalesce(c.agent, '?') as agent,
    coalesce(c.system, 'none') as system, l.item, l.model, l.unit, sum(l.quantity) as quantity,
    sum(l.numerator) / 60000000 as micro_usd_exact, count(*) filter (where l.numerator is null) as unknown_lines
from calls c join call_cost_lines l using (call)
group by 1, 2, 3, 4, 5, 6;
