-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Texts to the agent's own people have caps, too: to one of them in an hour, to all of them in a day. Texts about
-- emergencies and drills have none, and count for none.

alter table texts add column person boolean not null default false; -- to one of the agent's people

-- As before: what it returns has the new column.
create or replace function texts_since(of_agent text, number text, since timestamptz) returns setof texts
language sql stable
begin atomic
    select * from texts where agent = of_agent and direction = 'out' and created_at > since
        and (number is null or to_number = number) and status is distinct from 'canceled'
        and error_code is distinct from 'down';
end;

create function people_cap(whom text, of_agent text, ask jsonb, as_of timestamptz) returns text language sql stable
return case
    when ask ->> 'kind' in ('emergency', 'drill') then null
    when (select count(*) from texts_since(of_agent, whom, as_of - interval '1 hour') t where t.person)
        >= coalesce((ask ->> 'person_hour')::integer, 30) then 'person_hour'
    when (select count(*) from texts_since(of_agent, null, as_of - interval '1 day') t where t.person)
        >= coalesce((ask ->> 'people_day')::integer, 500) then 'people_day'
    end;

-- As before, and the agent's people are not texted without end.
create or replace function may_text(ask jsonb, as_of timestamptz default now()) returns text language plpgsql as $$
declare
    whom constant text := ask ->> 'to';
    ours constant text := ask ->> 'agent';
    kind constant text := ask ->> 'kind';
    day_ago constant timestamptz := as_of - interval '1 day';
    recent constant timestamptz := as_of - (ask ->> 'window_s')::integer * interval '1 second';
    due constant timestamptz := time_of_us((ask ->> 'due_at')::bigint * 1000000);
    since constant timestamptz := time_of_us((ask ->> 'since_us')::bigint);
    put_off constant boolean := yes(ask -> 'due') and exists (select from texts t where t.id = ask ->> 'id'
        and t.error_code = 'down');
    why text;
begin
    perform pg_advisory_xact_lock(hashtextextended('ringdown.text ' || whom, 0));
    why := case
        when not yes(ask -> 'due') and exists (select from texts t where t.id = ask ->> 'id') then 'asked'
        when is_opted_out(ask ->> 'hash', ask -> 'senders') then 'opted_out'
        when is_landline(whom) then 'landline'
        when yes(ask -> 'person') then people_cap(whom, ours, ask, as_of)
        when since is not null and got_through(whom, ours, since) then 'answered'
        when yes(ask -> 'due') and not put_off then null
        when kind = 'missed' and exists (select from texts_since(ours, whom, recent) t where t.kind = 'missed')
            then 'recent'
        when kind = 'reply' and (select count(*) from texts_since(ours, whom, as_of - interval '1 hour') t
            where t.kind = 'reply') >= (ask ->> 'reply_hour')::integer then 'loop'
        when exists (select from texts_since(ours, whom, recent) t where t.body = ask ->> 'body') then 'repeated'
        when (select count(*) from texts_since(ours, whom, day_ago)) >= (ask ->> 'caller_day')::integer
            then 'caller_cap'
        when (select count(*) from texts_since(ours, null, day_ago)) >= (ask ->> 'agent_day')::integer
            then 'agent_cap'
        when kind <> 'reply' and is_swarm(whom, ours, ask, as_of) then 'swarm'
        end;
    if yes(ask -> 'due') then
        update texts set status = case when why is null then status else 'canceled' end, error_code = why,
            body = case when why is null then body end, updated_at = as_of
            where id = ask ->> 'id';
    elsif why is null then
        insert into texts (id, call, agent, direction, from_number, to_number, template, kind, body, segments, status,
            due_at, held_by, person, created_at, updated_at)
        values (ask ->> 'id', (select call from calls where call = ask ->> 'call'), ours, 'out', ask ->> 'from', whom,
            ask ->> 'template', kind, ask ->> 'body', (ask ->> 'segments')::integer,
            case when due is null then 'queued' else 'scheduled' end, due, ask ->> 'held_by', yes(ask -> 'person'),
            as_of, as_of);
    end if;
    return why;
end $$;
