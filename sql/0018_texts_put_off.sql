-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A missed call's text that nobody could ask about, because the database was away, is not lost: the journal brings it
-- as 'scheduled' with the reason 'down', and when it is due, all is asked that was not asked then.

alter table texts add column held_by label; -- to whose question may_text said yes

-- The row is here: the question arrived after all, and its answer did not. Only who asked knows that it did not; the
-- text of the same call that another node has in hand is not theirs to put off. One that was due is in one hand only.
create function put_off_by_journal(e journal_event) returns void language sql as $$
    update texts set status = 'scheduled', error_code = 'down', taken_at = null, updated_at = e.at,
        due_at = time_of_us(whole(e.body -> 'due_at') * 1000000)
    where id = word(e.body, 'id') and status = 'queued' and carrier_id is null
        and case when yes(e.body -> 'due') then taken_at is not null
            else taken_at is null and held_by = word(e.body, 'held_by') end
$$;

alter function keep_text(journal_event) rename to keep_text_told;

create function keep_text(e journal_event) returns void language plpgsql as $$
begin
    if word(e.body, 'status') = 'scheduled' and word(e.body, 'error_code') = 'down'
            and exists (select from texts where id = word(e.body, 'id')) then
        perform put_off_by_journal(e);
    else
        perform keep_text_told(e);
    end if;
end $$;

-- As before, without those that nobody was asked about yet: of two of them, the first that is asked about goes.
create or replace function texts_since(of_agent text, number text, since timestamptz) returns setof texts
language sql stable
begin atomic
    select * from texts where agent = of_agent and direction = 'out' and created_at > since
        and (number is null or to_number = number) and status is distinct from 'canceled'
        and error_code is distinct from 'down';
end;

-- As before; one that is due and was put off is asked about like a new one.
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
        when yes(ask -> 'person') then null
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
            due_at, held_by, created_at, updated_at)
        values (ask ->> 'id', (select call from calls where call = ask ->> 'call'), ours, 'out', ask ->> 'from', whom,
            ask ->> 'template', kind, ask ->> 'body', (ask ->> 'segments')::integer,
            case when due is null then 'queued' else 'scheduled' end, due, ask ->> 'held_by', as_of,
            as_of);
    end if;
    return why;
end $$;
