-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Texts: both directions, who may be texted, what waits for the morning; and calls that were missed.
--
-- `may_text` answers all questions about one text in one round trip and, when the answer is yes, writes its row:
-- two nodes that ask about the same caller at the same moment cannot both be told yes. The facts that come by the
-- journal find that row by its id.

alter table texts
    add column template label,
    add column kind label, -- what it was for: tool, missed, reply, emergency…
    add column carrier_id label, -- SM…
    add column due_at timestamptz, -- not before
    add column taken_at timestamptz; -- by a node: one that came is given to its agent, one that was due is sent
create index on texts (agent, created_at desc);
create index on texts (from_number, created_at desc);
create index on texts (due_at) where status = 'scheduled';

alter table calls
    add column opening_heard boolean not null default false, -- the caller heard the greeting, or spoke into it
    add column missed label; -- why, when nobody got through

-- --- what the journal brings ------------------------------------------------------------------

-- A text of a call has a sender and a recipient of its own: they are not the call's.
create or replace function keep_call(e journal_event) returns void language plpgsql as $$
declare
    own boolean := e.type = 'text';
begin
    insert into calls (call, started_at, agent, from_number, to_number)
    values (e.stream, e.started_at, word(e.body, 'agent'), case when not own then word(e.body, 'from') end,
        case when not own then word(e.body, 'to') end)
    on conflict (call) do update set
        started_at = least(calls.started_at, excluded.started_at),
        agent = coalesce(calls.agent, excluded.agent),
        from_number = coalesce(calls.from_number, excluded.from_number),
        to_number = coalesce(calls.to_number, excluded.to_number)
    where calls.started_at > excluded.started_at
        or (calls.agent is null and excluded.agent is not null)
        or (calls.from_number is null and excluded.from_number is not null)
        or (calls.to_number is null and excluded.to_number is not null);
end $$;

-- The last word counts, in whatever order the two come: STOP (out), START (in), and YES, which means START only
-- to somebody who is out.
create function keep_opt(hash text, of_sender text, said text, at timestamptz, of_source text) returns void
language plpgsql as $$
begin
    if coalesce(hash, '') !~ '^[0-9a-f]{64}$' then
        return;
    end if;
    if said = 'out' then
        insert into opt_outs (number_hash, sender, opted_out_at, source)
        values (decode(hash, 'hex'), coalesce(of_sender, '*'), at, of_source)
        on conflict (number_hash, sender) do update
            set opted_out_at = excluded.opted_out_at, opted_in_at = null, source = excluded.source
            where coalesce(opt_outs.opted_in_at, opt_outs.opted_out_at) < excluded.opted_out_at;
    elsif said = 'in' then
        insert into opt_outs (number_hash, sender, opted_out_at, opted_in_at, source)
        values (decode(hash, 'hex'), coalesce(of_sender, '*'), at, at, of_source)
        on conflict (number_hash, sender) do update set opted_in_at = excluded.opted_in_at
            where coalesce(opt_outs.opted_in_at, opt_outs.opted_out_at) < excluded.opted_in_at;
    elsif said = 'yes' then
        update opt_outs set opted_in_at = at
            where number_hash = decode(hash, 'hex') and sender = of_sender and opted_in_at is null and opted_out_at < at;
    end if;
end $$;

-- Facts about one text come from its script, from the carrier's callbacks and from `may_text`, in any order.
create or replace function keep_text(e journal_event) returns void language plpgsql as $$
declare
    way text := case when word(e.body, 'direction') = 'in' then 'in' else 'out' end;
begin
    insert into texts (id, call, agent, direction, from_number, to_number, template, kind, body, segments, status,
        error_code, carrier_id, due_at, created_at, updated_at)
    values (coalesce(word(e.body, 'id'), e.stream || '.' || e.epoch || '.' || e.seq),
        (select call from calls where call = about_call(e.stream, e.body)), word(e.body, 'agent'), way,
        case when e.body ? 'direction' then word(e.body, 'from') end, word(e.body, 'to'), word(e.body, 'template'),
        word(e.body, 'kind'), words(e.body, 'body'), nullif(least(whole(e.body -> 'segments'), 100), 0)::integer,
        case when text_rank(word(e.body, 'status')) > 0 then word(e.body, 'status') end, word(e.body, 'error_code'),
        word(e.body, 'sid'), case when e.body ? 'due_at' then time_of_us(whole(e.body -> 'due_at') * 1000000) end,
        e.at, e.at)
    on conflict (id) do update set
        call = coalesce(texts.call, excluded.call),
        agent = coalesce(texts.agent, excluded.agent),
        direction = case when 'in' in (texts.direction, excluded.direction) then 'in' else 'out' end,
        from_number = coalesce(texts.from_number, excluded.from_number),
        to_number = coalesce(texts.to_number, excluded.to_number),
        template = coalesce(texts.template, excluded.template),
        kind = coalesce(texts.kind, excluded.kind),
        body = coalesce(texts.body, excluded.body),
        segments = greatest(texts.segments, excluded.segments),
        status = case when text_rank(excluded.status) > text_rank(texts.status)
            then excluded.status else texts.status end,
        error_code = greatest(texts.error_code, excluded.error_code),
        carrier_id = coalesce(texts.carrier_id, excluded.carrier_id),
        due_at = coalesce(texts.due_at, excluded.due_at),
        created_at = least(texts.created_at, excluded.created_at),
        updated_at = greatest(texts.updated_at, excluded.updated_at);
    if way = 'in' then
        perform keep_opt(e.body ->> 'hash', word(e.body, 'to'), word(e.body, 'opt'), e.at, 'stop');
    elsif word(e.body, 'error_code') = '21610' then -- the carrier knows of a STOP that we have not seen
        perform keep_opt(e.body ->> 'hash', word(e.body, 'from'), 'out', e.at, 'carrier');
    end if;
end $$;

create function keep_missed(e journal_event) returns void language plpgsql as $$
begin
    update calls set missed = least(missed, word(e.body, 'why')) where call = about_call(e.stream, e.body);
end $$;

create function keep_opening(e journal_event) returns void language plpgsql as $$
begin
    update calls set opening_heard = true where call = e.stream and not opening_heard and yes(e.body -> 'opening_heard');
end $$;

-- What a node tells about a call whose row may not be here yet.
create function expect_call(e journal_event) returns void language plpgsql as $$
begin
    insert into calls (call, started_at, agent)
    select e.body ->> 'call', e.at, word(e.body, 'agent') where e.body ->> 'call' ~ '^CA[0-9a-f]{32}$'
    on conflict (call) do nothing;
end $$;

create or replace function keep_of_node(e journal_event) returns void language plpgsql as $$
begin
    case e.type
        when 'node_started', 'node_stopped' then perform keep_node(e);
        when 'agent_version' then perform keep_agent_version(e);
        when 'alarm' then perform keep_alarm(e);
        when 'audit' then perform keep_audit(e);
        when 'webhook' then perform keep_foreign_webhook(e);
        when 'text' then perform expect_call(e); perform keep_text(e);
        when 'missed' then perform expect_call(e); perform keep_missed(e);
        else null;
    end case;
end $$;

create or replace function keep_of_call(e journal_event) returns void language plpgsql as $$
begin
    case e.type
        when 'webhook' then perform keep_webhook(e);
        when 'decision' then perform keep_decision(e);
        when 'state' then perform keep_state(e);
        when 'notice' then perform keep_notice(e);
        when 'turn' then perform keep_turn(e);
        when 'tool' then perform keep_tool(e);
        when 'usage' then perform keep_usage(e);
        when 'recording' then perform keep_recording(e);
        when 'text' then perform keep_text(e);
        when 'missed' then perform keep_missed(e);
        when 'ended' then perform keep_ended(e); perform keep_opening(e);
        else null;
    end case;
end $$;

-- --- may it be sent? --------------------------------------------------------------------------

-- All but the last four digits: callers who come in swarms share them.
create function swarm_of(number text) returns text language sql immutable parallel safe
return left(number, -4);

create function is_opted_out(hash text, senders jsonb) returns boolean language sql stable
return exists (select from opt_outs where number_hash = decode(hash, 'hex') and opted_in_at is null
    and (sender = '*' or senders ? sender));

create function is_landline(number text) returns boolean language sql stable
return exists (select from texts where to_number = number and error_code in ('30006', '21614'));

create function got_through(number text, of_agent text, since timestamptz) returns boolean language sql stable
return exists (select from calls where from_number = number and agent = of_agent and started_at > since
    and (opening_heard or state = 'live'));

-- Too many callers, or too many people texted, from one block of numbers: somebody makes money with it.
create function is_swarm(number text, of_agent text, ask jsonb, as_of timestamptz) returns boolean
language sql stable
return (select count(*) from calls where started_at > as_of - interval '10 minutes' and agent = of_agent
        and swarm_of(from_number) = swarm_of(number)) > (ask ->> 'swarm_calls')::integer
    or (select count(distinct to_number) from texts where created_at > as_of - interval '1 hour' and agent = of_agent
        and direction = 'out' and to_number <> number and swarm_of(to_number) = swarm_of(number))
        >= (ask ->> 'swarm_texts')::integer;

-- Texts of an agent, to one number or to all, that were not called off.
create function texts_since(of_agent text, number text, since timestamptz) returns setof texts language sql stable
begin atomic
    select * from texts where agent = of_agent and direction = 'out' and created_at > since
        and (number is null or to_number = number) and status is distinct from 'canceled';
end;

-- Null, and the text's row is there: send it. Else why not. `ask` has id, call, agent, from, to, senders (all our
-- numbers of that agent), hash (of `to`), template, kind, body, segments and the limits: window_s, caller_day,
-- agent_day, reply_hour, swarm_calls, swarm_texts; of a missed call `since_us`, when it began, and perhaps `due_at`
-- (seconds since 1970); `person`: one of the agent's people, who is owed the text. A second question about the
-- same id is one too many, except `due`: then the row is there, and only what may have changed is looked at.
create function may_text(ask jsonb, as_of timestamptz default now()) returns text language plpgsql as $$
declare
    whom constant text := ask ->> 'to';
    ours constant text := ask ->> 'agent';
    kind constant text := ask ->> 'kind';
    day_ago constant timestamptz := as_of - interval '1 day';
    recent constant timestamptz := as_of - (ask ->> 'window_s')::integer * interval '1 second';
    due constant timestamptz := time_of_us((ask ->> 'due_at')::bigint * 1000000);
    since constant timestamptz := time_of_us((ask ->> 'since_us')::bigint);
    why text;
begin
    perform pg_advisory_xact_lock(hashtextextended('ringdown.text ' || whom, 0));
    why := case
        when not yes(ask -> 'due') and exists (select from texts t where t.id = ask ->> 'id') then 'asked'
        when is_opted_out(ask ->> 'hash', ask -> 'senders') then 'opted_out'
        when is_landline(whom) then 'landline'
        when yes(ask -> 'person') then null
        when since is not null and got_through(whom, ours, since) then 'answered'
        when yes(ask -> 'due') then null
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
        update texts set status = 'canceled', error_code = why, body = null, updated_at = as_of
            where id = ask ->> 'id' and why is not null;
    elsif why is null then
        insert into texts (id, call, agent, direction, from_number, to_number, template, kind, body, segments, status,
            due_at, created_at, updated_at)
        values (ask ->> 'id', (select call from calls where call = ask ->> 'call'), ours, 'out', ask ->> 'from', whom,
            ask ->> 'template', kind, ask ->> 'body', (ask ->> 'segments')::integer,
            case when due is null then 'queued' else 'scheduled' end, due, as_of, as_of);
    end if;
    return why;
end $$;

-- --- what came, what is due -------------------------------------------------------------------

-- A text that came goes to its agent once, whichever nodes the carrier told. `yes`: it may be meant as START.
create function take_text_in(ask jsonb, as_of timestamptz default now())
returns table (first_time boolean, opted_out boolean) language plpgsql as $$
begin
    insert into texts (id, agent, direction, from_number, to_number, created_at, updated_at)
    values (ask ->> 'id', ask ->> 'agent', 'in', ask ->> 'from', ask ->> 'to', as_of, as_of)
    on conflict (id) do nothing;
    update texts set taken_at = as_of where id = ask ->> 'id' and taken_at is null;
    first_time := found;
    opted_out := is_opted_out(ask ->> 'hash', ask -> 'senders');
    return next;
end $$;

-- The texts of these agents that are due: whoever gets one sends it, once at most. What is half a day late, or
-- has lost its number or its words to "erase this caller", is called off.
create function take_due_texts(of_agents text[], as_of timestamptz default now(), most integer default 50)
returns table (id text, agent text, about jsonb) language plpgsql as $$
#variable_conflict use_column
begin
    update texts set status = 'canceled', error_code = 'late', updated_at = as_of where id in (select id from texts
        where status = 'scheduled' and due_at <= as_of
            and (due_at < as_of - interval '12 hours' or body is null or to_number !~ '^\+[1-9][0-9]{1,14}$')
        for update skip locked);
    return query
        update texts t set status = 'queued', taken_at = as_of, updated_at = as_of
        where t.id in (select id from texts where status = 'scheduled' and due_at <= as_of and agent = any(of_agents)
            order by due_at limit most for update skip locked)
        returning t.id, t.agent::text, jsonb_build_object('id', t.id, 'call', t.call, 'from', t.from_number,
            'to', t.to_number, 'template', t.template, 'body', t.body, 'segments', t.segments,
            'since_us', (select (extract(epoch from c.started_at) * 1000000)::bigint from calls c where c.call = t.call));
end $$;

-- It is quiet again where it should go, or nobody could take it in hand: later.
create function put_text_off(which text, until timestamptz) returns void language sql as $$
    update texts set status = 'scheduled', due_at = until, taken_at = null, updated_at = now()
    where id = which and status = 'queued' and carrier_id is null
$$;

-- --- how long, and whom to forget -------------------------------------------------------------

create or replace function without_words(type text, body jsonb) returns jsonb language sql immutable parallel safe
return case when type = 'notice' then body
    else body - array['text', 'said', 'arguments', 'output', 'detail', 'head', 'words', 'body'] end;

alter table retention drop constraint retention_what_check;
alter table retention add constraint retention_what_check
    check (what in ('call_events', 'turns', 'tool_calls', 'usage', 'calls', 'alerts', 'texts'));
insert into retention values ('texts', '25 months');

-- Words of texts without a call go by the same rule as those of calls.
create function expire_texts(as_of timestamptz) returns void language sql as $$
    delete from texts using retention r where r.what = 'texts' and texts.created_at < as_of - r.keep;
    update call_events e set body = without_words(e.type, e.body), digest = null from agents a
        where e.stream like 'node/%' and e.type = 'text' and a.agent = e.body ->> 'agent' and e.body ? 'body'
            and e.at < as_of - a.keep_transcripts;
    update texts t set body = null from agents a
        where t.agent = a.agent and t.body is not null and t.created_at < as_of - a.keep_transcripts;
$$;

create or replace function maintain(as_of timestamptz default now())
returns table (node text, path text) language plpgsql as $$
#variable_conflict use_column
begin
    perform ensure_partitions(month_of(as_of) + make_interval(days => 32 * n)) from generate_series(0, 2) n;
    perform drop_old_partitions(as_of);
    perform expire_texts(as_of);
    perform count_days(as_of);
    perform blank_words(coalesce(array_agg(call), '{}')) from calls c join agents a using (agent)
        where c.words_gone_at is null and c.started_at < as_of - a.keep_transcripts;
    update recordings r set due_at = as_of from calls c join agents a using (agent)
        where r.call = c.call and r.due_at is null and r.at < as_of - a.keep_recordings;
    return query select * from recordings_due();
end $$;

-- As before; texts of no call are forgotten whole as well, and those that wait are called off.
create or replace function erase_caller(number text, hash bytea, who text default 'operator') returns jsonb
language plpgsql as $$
#variable_conflict use_column
declare
    whom constant text := number;
    theirs text[];
    n jsonb := '{}';
    touched bigint;
begin
    if whom !~ '^\+[1-9][0-9]{1,14}$' then
        raise exception 'only a phone number can be erased, written as +13125550142; this is not one'
            using errcode = 'invalid_parameter_value';
    end if;
    perform set_config('ringdown.erasing', 'on', true);
    select coalesce(array_agg(call), '{}') into theirs
        from calls where whom in (from_number, to_number);

    update calls set from_number = case when from_number = whom then 'erased' else from_number end,
        to_number = case when to_number = whom then 'erased' else to_number end,
        reason = mask_number(reason, whom), erased_at = now(), words_gone_at = coalesce(words_gone_at, now())
        where call = any(theirs);
    n := n || jsonb_build_object('calls', cardinality(theirs));

    update call_events set digest = null, body = case when about_call(stream, body) = any(theirs)
            or whom in (body ->> 'from', body ->> 'to') and type in ('webhook', 'text')
            then without_person(type, body) else mask_number(body::text, whom)::jsonb end
        where stream = any(theirs) or about_call(stream, body) = any(theirs) or mentions(body::text, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('call_events', touched);

    update turns set heard = case when call = any(theirs) then '' else mask_number(heard, whom) end,
        said = case when call = any(theirs) then null else mask_number(said, whom) end
        where call = any(theirs) or mentions(heard, whom) or mentions(said, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('turns', touched);

    update tool_calls set arguments = case when not call = any(theirs) then mask_number(arguments, whom) end,
        output = case when not call = any(theirs) then mask_number(output, whom) end
        where call = any(theirs) or mentions(arguments, whom) or mentions(output, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('tool_calls', touched);

    update texts set from_number = case when from_number = whom then 'erased' else from_number end,
        to_number = case when to_number = whom then 'erased' else to_number end, body = null,
        status = case when status = 'scheduled' then 'canceled' else status end
        where call = any(theirs) or whom in (from_number, to_number) or mentions(body, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('texts', touched);

    update triage_matches set words = null where call = any(theirs);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('triage_matches', touched);
    update triage_steps set detail = null, target = case when target = whom then 'erased' else target end
        where call = any(theirs) or target = whom or mentions(detail, whom);

    update appointments set notes = null, service = null, updated_at = now()
        where call = any(theirs) or customer in (select id from customers where number = whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('appointments', touched);
    update customers set number = null, name = null, email = null, notes = null, facts = '{}',
        updated_at = now(), erased_at = now() where number = whom;
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('customers', touched);

    update alerts set text = mask_number(text, whom), fix = mask_number(fix, whom), subject = mask_number(subject, whom)
        where mentions(text, whom) or mentions(fix, whom) or mentions(subject, whom);
    update audit set subject = mask_number(subject, whom), before = mask_number(before::text, whom)::jsonb,
        after = mask_number(after::text, whom)::jsonb
        where mentions(subject, whom) or mentions(before::text, whom) or mentions(after::text, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('audit', touched);
    update recordings set due_at = coalesce(due_at, now()) where call = any(theirs) and gone_at is null;

    n := n || jsonb_build_object(
        'opt_outs_kept', (select count(*) from opt_outs where number_hash = hash),
        'recordings', (select coalesce(jsonb_agg(jsonb_build_object('node', node, 'path', path) order by node, path), '[]')
            from recordings where call = any(theirs) and gone_at is null),
        'still_listed', (select coalesce(jsonb_agg(agent order by agent), '[]')
            from rollout_now where whom = any(allow || deny)));
    insert into audit (who, what, subject, after)
        values (who, 'erase_caller', encode(hash, 'hex'), n - 'recordings');
    perform set_config('ringdown.erasing', 'off', true);
    return n;
end $$;
