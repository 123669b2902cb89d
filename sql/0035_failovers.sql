-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Who went on with a call is told beside its caller, not instead of them.

-- As in 0029. In journals of before, `to` is the system: there it stands last, behind the number of the call.
create or replace function keep_failover(e journal_event) returns void language plpgsql as $$
begin
    update calls set failed_over_at = e.at,
        failed_over_to = case coalesce(e.body ->> 'to_system', e.body ->> 'to') when 'vapi' then 'vapi' else 'openai' end
    where call = e.stream and (failed_over_at is null or failed_over_at < e.at);
end $$;
