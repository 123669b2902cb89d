-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Emergencies: what a rule or the model found, what was done about it, and what only sounded like one.
--
-- A fact may come in any order, from any process of the call or, once the call is over, from its node. So a step whose
-- match is not known yet makes it, and of its states the furthest one wins: handled, abandoned, open.

alter table triage_matches alter column severity drop not null; -- of a match that only its step has told
create index on triage_matches (state, matched_at);

create function triage_rank(state text) returns integer language sql immutable parallel safe
return case state when 'handled' then 3 when 'abandoned' then 2 when 'open' then 1 else 0 end;

-- Its call, if anybody may know of it already; null otherwise.
create function triage_call(e journal_event) returns text language plpgsql as $$
declare
    which text := cut(about_call(e.stream, e.body), 64);
begin
    if which is null or which !~ '^[A-Za-z0-9]+$' or word(e.body, 'rule') is null then
        return null;
    end if;
    insert into calls (call, started_at, agent) values (which, e.at, word(e.body, 'agent')) on conflict (call) do nothing;
    return which;
end $$;

create function keep_triage(e journal_event) returns void language plpgsql as $$
declare
    which text := triage_call(e);
    now_is text := word(e.body, 'state');
begin
    if which is null or triage_rank(now_is) = 0 then
        return;
    end if;
    insert into triage_matches as m (call, rule, severity, source, words, matched_at, state, handled_at, handled_by)
    values (which, word(e.body, 'rule'), word(e.body, 'severity', 32), coalesce(word(e.body, 'source'), 'rule'),
        cut(e.body ->> 'words', 2000), e.at, now_is, case when now_is = 'handled' then e.at end,
        case when now_is = 'handled' then word(e.body, 'by') end)
    on conflict (call, rule) do update set
        severity = coalesce(m.severity, excluded.severity),
        source = case when now_is = 'open' then excluded.source else m.source end,
        words = coalesce(m.words, excluded.words),
        matched_at = least(m.matched_at, excluded.matched_at),
        state = case when triage_rank(excluded.state) > triage_rank(m.state) then excluded.state else m.state end,
        handled_by = case when m.handled_at is null or m.handled_at > excluded.handled_at
            then coalesce(excluded.handled_by, m.handled_by) else m.handled_by end,
        handled_at = least(m.handled_at, excluded.handled_at);
end $$;

create function keep_triage_step(e journal_event) returns void language plpgsql as $$
declare
    which text := triage_call(e);
begin
    if which is null or whole(e.body -> 'step') = 0 then
        return;
    end if;
    insert into triage_matches (call, rule, matched_at) values (which, word(e.body, 'rule'), e.at)
        on conflict (call, rule) do update set matched_at = least(triage_matches.matched_at, excluded.matched_at)
        where triage_matches.matched_at > excluded.matched_at;
    insert into triage_steps (call, rule, step, kind, target, state, at, detail)
    values (which, word(e.body, 'rule'), whole(e.body -> 'step')::integer, e.body ->> 'kind', word(e.body, 'target'),
        e.body ->> 'state', e.at, cut(e.body ->> 'detail', 2000))
    on conflict (call, rule, step) do nothing;
end $$;

-- What sounded like an emergency and was not acted on. Somebody who reads it says whether it was one: that is how rules
-- get better.
create table near_misses (
    call text not null references calls on delete cascade,
    rule label not null,
    why text not null check (why in ('unless', 'negated', 'unclear', 'model')),
    words sentence,
    at timestamptz not null,
    verdict text check (verdict in ('was', 'was_not')),
    primary key (call, rule, why)
);
create index on near_misses (at) where verdict is null;

create function keep_near_miss(e journal_event) returns void language plpgsql as $$
declare
    which text := triage_call(e);
begin
    if which is null then
        return;
    end if;
    insert into near_misses as n (call, rule, why, words, at)
    values (which, word(e.body, 'rule'), e.body ->> 'why', cut(e.body ->> 'words', 2000), e.at)
    on conflict (call, rule, why) do update set
        words = case when excluded.at < n.at then excluded.words else coalesce(n.words, excluded.words) end,
        at = least(n.at, excluded.at);
end $$;

-- What a process that ended left open: its successor on this node goes on with it.
create function triage_left_open(of_node text, before timestamptz)
returns table (agent text, order_json text) language sql stable as $$
    select c.agent::text, json_strip_nulls(json_build_object('call', m.call, 'rule', m.rule, 'severity', m.severity,
        'source', m.source, 'words', coalesce(m.words, ''), 'from', c.from_number, 'to', c.to_number, 'ended', true,
        'resumed', true, 'steps', (select coalesce(max(step), 0) from triage_steps s
            where s.call = m.call and s.rule = m.rule)))::text
    from triage_matches m join calls c using (call)
    where m.state = 'open' and m.severity = 'life' and c.node = of_node and m.matched_at < before
        and m.matched_at > before - interval '1 day'
    order by m.matched_at
$$;

-- A text came to a node that waits for none: which emergencies was its sender asked about?
create function triage_asked(of_agent text, number text, as_of timestamptz default now())
returns table (call text, rule text, caller text) language sql stable as $$
    select m.call, m.rule::text, c.from_number::text
    from triage_matches m join calls c using (call)
    where c.agent = of_agent and m.state <> 'handled' and m.matched_at > as_of - interval '1 day'
        and exists (select from triage_steps s where s.call = m.call and s.rule = m.rule and s.kind = 'text'
            and s.target = number and s.state = 'asked')
    order by m.matched_at desc
$$;

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
        when 'triage' then perform keep_triage(e);
        when 'triage_step' then perform keep_triage_step(e);
        when 'near_miss' then perform keep_near_miss(e);
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
        when 'triage' then perform keep_triage(e);
        when 'triage_step' then perform keep_triage_step(e);
        when 'near_miss' then perform keep_near_miss(e);
        when 'ended' then perform keep_ended(e); perform keep_opening(e);
        else null;
    end case;
end $$;

-- That there was an emergency, and that somebody took it, is no person.
create or replace function impersonal_types() returns text[] language sql immutable
return array['webhook', 'decision', 'state', 'notice', 'usage', 'recording', 'text', 'ended', 'triage', 'triage_step'];

create or replace function without_person(type text, body jsonb) returns jsonb language sql immutable
begin atomic
    select coalesce(jsonb_object_agg(key, value), '{}') || '{"erased": true}'
    from jsonb_each(body)
    where (type = 'notice' and key = 'text')
        or (type = 'recording' and key in ('path', 'why')) -- or nobody could delete the file
        or (type = 'ended' and key = 'reason') or (type = 'usage' and key = 'raw') or (type = 'text' and key = 'id')
        or (type in ('triage', 'triage_step') and key in ('rule', 'severity', 'source', 'step', 'by'))
        or key = any(array['call', 'agent', 'at_ms', 'kind', 'status', 'duration_s', 'repeated', 'direction', 'node',
            'system', 'version', 'model', 'state', 'seq', 'role', 'interrupted', 'withheld', 'name', 'done', 'heard_ms',
            'usage', 'complete', 'code', 'on', 'bytes', 'duration_ms', 'segments', 'frames_in', 'frames_out', 'gap_ms',
            'bad_frames', 'late_deltas', 'turns', 'barge_ins', 'tool_calls', 'errors', 'first_audio_ms', 'cut']);
end;

-- Whoever lets a call's words go, by age or by "erase this caller", lets these go with them.
create function blank_triage() returns trigger language plpgsql as $$
begin
    update near_misses set words = null where call = new.call and words is not null;
    update triage_matches set words = null where call = new.call and words is not null;
    update triage_steps set detail = null where call = new.call and detail is not null;
    return null;
end $$;
create trigger words_of_triage_go after update of words_gone_at on calls
    for each row when (old.words_gone_at is null and new.words_gone_at is not null) execute function blank_triage();
