-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- No text leaves a number whose texts are not ours to hear, and a change of a thousand numbers is written down in parts.

-- By the last look: an answer to a text from this number would go to somebody else, or to nobody.
create function is_unheard(of_number text) returns boolean language sql stable
return exists (select from numbers_seen where number = of_number and texts_to <> 'ringdown' and gone_at is null);

-- As before, and callers are not texted from a number at which we would not hear them. The agent's people are: what they
-- must know goes before that their answer is lost.
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
        when not yes(ask -> 'person') and is_unheard(ask ->> 'from') then 'unheard'
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

-- Which of these numbers are in the middle of a change that was cut off: [{number, run}]; null: none.
create function numbers_held(numbers jsonb) returns jsonb language sql stable
return (select jsonb_agg(jsonb_build_object('number', b.number, 'run', b.run) order by b.number) from bulk_items b
    where b.state in ('snapshotted', 'written') and numbers ? b.number);

-- More numbers of a run that was just begun, behind those it has.
create function bulk_add(of_run bigint, items jsonb) returns bigint language sql as $$
    with made as (
        insert into bulk_items (run, number, place, carrier_id, wanted, goes_to, restores)
        select of_run, x ->> 'number', n + (select count(*) from bulk_items where run = of_run), x ->> 'carrier_id',
            x -> 'wanted', x ->> 'goes_to', (x ->> 'restores')::bigint
        from jsonb_array_elements(items) with ordinality as l(x, n) returning 1
    )
    select count(*) from made
$$;
