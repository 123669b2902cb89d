-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What a replay must know besides: that another process went on with the call, and what an operator ordered.

create or replace function call_recording(which text) returns jsonb language sql stable as $$
    select jsonb_build_object('call', c.call, 'agent', c.agent, 'version', c.version, 'from', c.from_number,
        'to', c.to_number, 'system', c.system, 'reason', c.reason, 'ended', c.ended_at is not null,
        'words_gone', c.words_gone_at is not null,
        'began_ms', floor(extract(epoch from c.started_at) * 1000)::bigint,
        'events', coalesce((select jsonb_agg(jsonb_build_object('type', e.type,
                'at_ms', greatest(floor(extract(epoch from e.at - c.started_at) * 1000), 0)::bigint,
                'body', e.body - array['call', 'agent', 'at_ms'] - case when e.type = 'text' then array[]::text[]
                    else array['from', 'to'] end) order by e.epoch, e.seq)
            from call_events e where e.stream = c.call and e.type = any(array['opened', 'input', 'state', 'turn', 'tool',
                'dtmf', 'operator', 'transfer', 'resumed', 'triage', 'text', 'ended'])), '[]'))
    from calls c where c.call = which
$$;
