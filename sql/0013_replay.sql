-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What a call was made of, for whoever runs it again: `ringdown replay`. Its facts as they were kept, and no guess
-- about those that are missing: scripts/ringdown/replay/recording.lua reads them.

create function call_recording(which text) returns jsonb language sql stable as $$
    select jsonb_build_object('call', c.call, 'agent', c.agent, 'version', c.version, 'from', c.from_number,
        'to', c.to_number, 'system', c.system, 'reason', c.reason, 'ended', c.ended_at is not null,
        'words_gone', c.words_gone_at is not null,
        'began_ms', floor(extract(epoch from c.started_at) * 1000)::bigint,
        'events', coalesce((select jsonb_agg(jsonb_build_object('type', e.type,
                'at_ms', greatest(floor(extract(epoch from e.at - c.started_at) * 1000), 0)::bigint,
                'body', e.body - array['call', 'agent', 'at_ms'] - case when e.type = 'text' then array[]::text[]
                    else array['from', 'to'] end) order by e.epoch, e.seq)
            from call_events e where e.stream = c.call and e.type = any(array['opened', 'input', 'state', 'turn', 'tool',
                'dtmf', 'transfer', 'triage', 'text', 'ended'])), '[]'))
    from calls c where c.call = which
$$;

-- The newest calls that ended and had a script, newest first: of one agent, or of each.
create function recorded_calls(of_agent text, at_most integer, since timestamptz default null) returns setof text
language sql stable as $$
    select call from (select call, started_at, row_number() over (partition by agent order by started_at desc) as n
        from calls where ended_at is not null and version is not null and words_gone_at is null
            and (of_agent is null or agent = of_agent) and (since is null or started_at >= since)) c
    where n <= at_most order by started_at desc
$$;
