-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A call that the carrier took to Vapi is an alarm also where the node that had decided it tells so only later.

-- Agents with such a call in the last hour, of which no alarm was raised or told again since it began.
create function vapi_fell(as_of timestamptz default now()) returns setof text language sql stable as $$
    select distinct c.agent::text from calls c
    where c.direct_to_vapi and c.failed_over_to = 'vapi' and c.system <> 'vapi' and c.agent is not null
        and c.started_at > as_of - interval '1 hour'
        and not exists (select from alerts a where a.kind = 'routing.failover'
            and a.subject = left(c.agent::text, 60) || '/openai' and a.last_at >= c.started_at)
$$;
