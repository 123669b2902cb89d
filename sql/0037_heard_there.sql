-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Whether what callers say on Vapi reaches us while they say it: there an agent's rules about emergencies are searched for
-- only where its assistant sends transcripts.

alter table vapi_calls add column heard_at timestamptz; -- first words by webhook; null: none came

-- As in 0025, and the first words.
alter function keep_vapi(journal_event) rename to keep_vapi_told;
create function keep_vapi(e journal_event) returns void language plpgsql as $$
begin
    perform keep_vapi_told(e);
    if yes(e.body -> 'heard') then
        update vapi_calls set heard_at = e.at
        where vapi_id = word(e.body, 'vapi_id') and (heard_at is null or heard_at > e.at);
    end if;
end $$;

-- Of the newest calls of an agent in which something was said on Vapi, and not over a line of ours: in how many we heard it.
create function vapi_heard(of_agent text) returns jsonb language sql stable as $$
    select jsonb_build_object('calls', count(*), 'heard', count(heard_at)) from (
        select v.heard_at from calls c join vapi_calls v using (call)
        where c.agent = of_agent and not c.imported and c.started_at > now() - interval '14 days'
            and v.status = 'ended' and v.words > 0 and v.route is distinct from 'bridge' and not is_on_our_line(c, v.route)
        order by c.started_at desc limit 20) newest
$$;
