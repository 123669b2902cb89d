-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Which calls Vapi owes us something of, one by one: so that each is asked for at its own pace.

-- Calls that went to Vapi and of which their end, cost or words are not told, and how old they are; as in 0034, by
-- which older nodes ask. What Vapi has not told within a day, it never will; and of a call that it has not named within
-- an hour it never heard.
create function vapi_owed(as_of timestamptz default now())
returns table (call text, agent text, status text, costed boolean, worded boolean, vapi_id text, age_s bigint)
language sql stable as $$
    select c.call, c.agent::text, v.status, v.cost_usd is not null, coalesce(v.words, 0) > 0 or c.words_gone_at is not null,
        v.vapi_id::text, extract(epoch from as_of - c.started_at)::bigint
    from calls c left join vapi_calls v using (call)
    where (c.system = 'vapi' or c.failed_over_to = 'vapi') and not c.imported
        and c.started_at > as_of - case when v.call is null then interval '1 hour' else interval '1 day' end
        and (v.status is distinct from 'ended' or v.cost_usd is null or v.words = 0 and c.words_gone_at is null
            and v.ended_at > v.started_at + interval '5 seconds')
    order by c.started_at
$$;

-- As in 0025, but no call ends before it began, whatever two clocks say: it would have cost less than nothing, and the
-- facts about it could not be kept.
create or replace function settle_vapi_call(which text) returns void language plpgsql as $$
begin
    update calls c set
        ended_at = greatest(coalesce(v.ended_at, v.told_at), c.started_at), ended_reason = v.ended_reason, state = 'ended',
        duration_ms = greatest(extract(epoch from v.ended_at - v.started_at) * 1000, 0)::bigint,
        turns = v.words, errors = coalesce(v.ended_class in ('config', 'provider', 'vapi'), false)::integer
    from vapi_calls v
    where c.call = which and v.call = c.call and v.status = 'ended' and c.system = 'vapi' and c.ended_epoch = 0
        and c.state_epoch = 0; -- what ran over a line of ours, that line tells
end $$;
