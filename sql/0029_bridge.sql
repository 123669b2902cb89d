-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Calls that went on with the other system, because their own could not.

alter table calls
    add column failed_over_to text check (failed_over_to in ('openai', 'vapi')),
    add column failed_over_at timestamptz;

create function keep_failover(e journal_event) returns void language plpgsql as $$
begin
    update calls set failed_over_to = case e.body ->> 'to' when 'vapi' then 'vapi' else 'openai' end, failed_over_at = e.at
    where call = e.stream and (failed_over_at is null or failed_over_at < e.at);
end $$;

-- As in 0025, and a fail-over.
create or replace function keep_of_call(e journal_event) returns void language plpgsql as $$
begin
    case e.type
        when 'webhook' then perform keep_webhook(e);
        when 'decision' then perform keep_decision(e); perform settle_vapi_call(e.stream);
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
        when 'vapi' then perform keep_vapi(e);
        when 'vapi_words' then perform keep_vapi_words(e);
        when 'failover' then perform keep_failover(e);
        when 'ended' then perform keep_ended(e); perform keep_opening(e);
        else null;
    end case;
end $$;

-- Who looks at what was done to a call looks for this as well.
create or replace function why_events(which text, types text[]) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(body - array['call', 'agent', 'from', 'to']
        || jsonb_build_object('at', at, 'type', type) order by epoch, seq), '[]')
    from call_events where stream = which
        and type = any(types || case when 'resumed' = any(types) then array['failover'] else '{}' end)
$$;
