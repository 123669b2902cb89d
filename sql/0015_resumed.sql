-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- `why` shows when a call went on with another session of its model.

create or replace function why_call(c calls) returns jsonb language sql stable as $$
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
        'interventions', why_events(c.call, array['operator', 'pause', 'transfer', 'resumed']),
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
