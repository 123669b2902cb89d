-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Alerts: what the rules of scripts/ringdown/alerts/ found, whom that was told, and what nobody wants to hear.

-- One row each time that a rule finds the same thing anew. `fingerprint` is that thing: the rule and its labels.
create table alert_states (
    id bigint generated always as identity primary key,
    rule label not null,
    fingerprint text not null check (fingerprint ~ '^[0-9a-f]{64}$'),
    labels jsonb not null default '{}' check (jsonb_typeof(labels) = 'object'),
    severity text not null check (severity in ('page', 'ticket', 'info')),
    state text not null check (state in ('pending', 'firing', 'resolved')),
    value double precision,
    threshold double precision,
    text sentence, -- what is wrong, numbers of people masked
    fix sentence,
    call text check (length(call) between 1 and 64), -- one that shows it
    began_at timestamptz not null, -- true for the first time
    fired_at timestamptz, -- for long enough
    clear_at timestamptz, -- firing, and not true any more since then
    resolved_at timestamptz,
    seen_at timestamptz not null, -- true for the last time
    told_at timestamptz,
    told text check (told in ('firing', 'flapping', 'held', 'resolved')), -- the last that people heard; held: nothing, it flaps
    muted_by label, -- a silence, another alert, the limit of notices
    acked_at timestamptz,
    acked_by label,
    ack_note sentence,
    check ((state = 'pending') = (fired_at is null)),
    check ((state = 'resolved') = (resolved_at is not null)),
    check ((told is null) = (told_at is null)),
    check ((acked_at is null) = (acked_by is null))
);
create unique index alert_states_open_once on alert_states (fingerprint) where state <> 'resolved';
create index on alert_states (resolved_at) where state = 'resolved';

create table alert_silences (
    id bigint generated always as identity primary key,
    labels jsonb not null check (jsonb_typeof(labels) = 'object' and labels <> '{}'), -- also `rule`; * stands for anything
    from_at timestamptz not null default now(),
    until_at timestamptz not null check (until_at > from_at),
    who label not null,
    reason sentence not null,
    ended_at timestamptz,
    ended_by label,
    check ((ended_at is null) = (ended_by is null))
);
create index on alert_silences (until_at) where ended_at is null;

-- What goes to whom: one row for each channel, there until it is sent or given up.
create table notices (
    id bigint generated always as identity primary key,
    notice text not null check (notice ~ '^[0-9a-f]{16,64}$'), -- the same for all its channels
    channel label not null,
    kind text not null check (kind in ('mail', 'webhook')),
    of_group text not null check (length(of_group) <= 300),
    status text not null check (status in ('firing', 'resolved', 'suppressed')),
    severity text not null check (severity in ('page', 'ticket', 'info')),
    counts boolean not null default true, -- against the limit of notices
    body jsonb not null check (jsonb_typeof(body) = 'object' and octet_length(body::text) <= 131072),
    made_at timestamptz not null default now(),
    due_at timestamptz not null default now(),
    attempts integer not null default 0 check (attempts >= 0),
    lease text,
    leased_until timestamptz,
    sent_at timestamptz,
    given_up_at timestamptz,
    why sentence,
    unique (notice, channel),
    check (sent_at is null or given_up_at is null)
);
create index notices_due on notices (kind, due_at) where sent_at is null and given_up_at is null;
create index on notices (made_at);

-- Whoever evaluates writes the next version: two leaders at once are one too many.
create table alert_engine (
    only_one boolean primary key default true check (only_one),
    version bigint not null default 0,
    looked_at timestamptz not null default 'epoch',
    suppressed_at timestamptz, -- when people were last told that there is more than they are told
    pruned_at timestamptz not null default now()
);
insert into alert_engine default values;

create function alert_ms(at timestamptz) returns bigint language sql immutable parallel safe
return (extract(epoch from at) * 1000)::bigint;

create function alert_at(ms jsonb) returns timestamptz language sql stable parallel safe
return case when jsonb_typeof(ms) = 'number' then time_of_us((ms #>> '{}')::numeric::bigint * 1000) end;

create function alert_shown(s alert_states) returns jsonb language sql stable as $$
    select jsonb_strip_nulls(to_jsonb(s) - array['began_at', 'fired_at', 'clear_at', 'resolved_at', 'seen_at', 'told_at',
        'acked_at'] || jsonb_build_object('began_ms', alert_ms(s.began_at), 'fired_ms', alert_ms(s.fired_at),
        'clear_ms', alert_ms(s.clear_at), 'resolved_ms', alert_ms(s.resolved_at), 'seen_ms', alert_ms(s.seen_at),
        'told_ms', alert_ms(s.told_at), 'acked_ms', alert_ms(s.acked_at)))
$$;

create function silence_shown(s alert_silences) returns jsonb language sql stable as $$
    select jsonb_strip_nulls(jsonb_build_object('id', s.id, 'labels', s.labels, 'from_ms', alert_ms(s.from_at),
        'until_ms', alert_ms(s.until_at), 'who', s.who, 'reason', s.reason, 'ended_ms', alert_ms(s.ended_at),
        'ended_by', s.ended_by))
$$;

-- All that an evaluation must know of those before it.
create function alerts_before(limit_ms bigint, flap_ms bigint) returns jsonb language sql stable as $$
    select jsonb_build_object('version', e.version, 'now_ms', alert_ms(clock_timestamp()), 'looked_ms', alert_ms(e.looked_at),
        'suppressed_ms', alert_ms(e.suppressed_at),
        'states', coalesce((select jsonb_agg(alert_shown(s) order by s.id) from (
            select * from alert_states where state <> 'resolved' or resolved_at > now() - 2 * flap_ms * interval '1 ms'
            order by id desc limit 2000) s), '[]'),
        'silences', coalesce((select jsonb_agg(silence_shown(s) order by s.id) from alert_silences s
            where s.ended_at is null and s.until_at > now() and s.from_at <= now()), '[]'),
        'notices', (select count(distinct notice) from notices
            where counts and made_at > now() - limit_ms * interval '1 ms'))
    from alert_engine e
$$;

create function alert_keep(s jsonb) returns void language plpgsql as $$
begin
    if s ? 'id' then
        update alert_states set state = s ->> 'state', labels = coalesce(s -> 'labels', labels), severity = s ->> 'severity', value = (s ->> 'value')::double precision,
            threshold = (s ->> 'threshold')::double precision, text = cut(s ->> 'text', 2000), fix = cut(s ->> 'fix', 2000),
            call = cut(s ->> 'call', 64), fired_at = alert_at(s -> 'fired_ms'), clear_at = alert_at(s -> 'clear_ms'),
            resolved_at = alert_at(s -> 'resolved_ms'), seen_at = alert_at(s -> 'seen_ms'),
            told_at = alert_at(s -> 'told_ms'), told = s ->> 'told', muted_by = cut(s ->> 'muted_by', 128)
        where id = (s ->> 'id')::bigint;
        return;
    end if;
    insert into alert_states (rule, fingerprint, labels, severity, state, value, threshold, text, fix, call, began_at,
        fired_at, clear_at, resolved_at, seen_at, told_at, told, muted_by)
    values (s ->> 'rule', s ->> 'fingerprint', coalesce(s -> 'labels', '{}'), s ->> 'severity', s ->> 'state',
        (s ->> 'value')::double precision, (s ->> 'threshold')::double precision, cut(s ->> 'text', 2000),
        cut(s ->> 'fix', 2000), cut(s ->> 'call', 64), alert_at(s -> 'began_ms'), alert_at(s -> 'fired_ms'),
        alert_at(s -> 'clear_ms'), alert_at(s -> 'resolved_ms'), alert_at(s -> 'seen_ms'), alert_at(s -> 'told_ms'),
        s ->> 'told', cut(s ->> 'muted_by', 128))
    on conflict do nothing;
end $$;

-- A notice for each of its channels; its alerts get the ids that they have now.
create function notice_queue(n jsonb) returns void language plpgsql as $$
declare
    told jsonb := n -> 'body';
begin
    told := told || jsonb_build_object('alerts', (
        select coalesce(jsonb_agg(a.value || coalesce((select jsonb_build_object('id', s.id::text) from alert_states s
            where s.fingerprint = a.value ->> 'fingerprint' order by s.id desc limit 1), '{}') order by a.ordinality), '[]')
        from jsonb_array_elements(coalesce(told -> 'alerts', '[]')) with ordinality a));
    insert into notices (notice, channel, kind, of_group, status, severity, counts, body)
    select n ->> 'notice', c.value ->> 'name', c.value ->> 'kind', left(n ->> 'group', 300), n ->> 'status', n ->> 'severity',
        coalesce((n ->> 'counts')::boolean, true), told
    from jsonb_array_elements(n -> 'channels') c
    on conflict do nothing;
end $$;

-- What an evaluation came to, if nobody was faster than it: its states and its notices, or neither.
create function alerts_after(expected bigint, said jsonb) returns boolean language plpgsql as $$
begin
    update alert_engine set version = version + 1, looked_at = now(),
        suppressed_at = coalesce(alert_at(said -> 'suppressed_ms'), suppressed_at)
    where version = expected;
    if not found then
        return false;
    end if;
    delete from alert_states where id in (select x::bigint from jsonb_array_elements_text(said -> 'gone') x)
        and state = 'pending';
    perform alert_keep(s) from jsonb_array_elements(said -> 'states') s;
    perform notice_queue(n) from jsonb_array_elements(said -> 'notices') n;
    if exists (select from alert_engine where pruned_at < now() - interval '1 hour') then
        delete from notices where made_at < now() - interval '30 days';
        delete from alert_states where state = 'resolved' and resolved_at < now() - interval '400 days';
        delete from alert_silences where until_at < now() - interval '400 days';
        update alert_engine set pruned_at = now();
    end if;
    return true;
end $$;

-- The next notice of this kind that is due; of a group, the older one first, and those last whose channel does not
-- answer. It is the caller's for so many seconds.
create function notice_take(of_kind text, of_lease text, lease_s integer) returns jsonb language sql as $$
    update notices set lease = of_lease, leased_until = now() + lease_s * interval '1 s', attempts = attempts + 1
    where id = (
        select id from notices n
        where kind = of_kind and sent_at is null and given_up_at is null and due_at <= now()
            and (leased_until is null or leased_until < now())
            and not exists (select from notices o where o.channel = n.channel and o.of_group = n.of_group and o.id < n.id
                and o.sent_at is null and o.given_up_at is null)
        order by attempts, severity = 'page' desc, exists (select from notices t where t.channel = n.channel
            and t.sent_at is null and t.attempts > 0 and t.made_at > now() - interval '30 minutes'), id limit 1 for update skip locked)
    returning jsonb_build_object('id', id, 'notice', notice, 'channel', channel, 'status', status, 'severity', severity,
        'group', of_group, 'attempts', attempts, 'made_ms', alert_ms(made_at), 'body', body)
$$;

-- It went, or did not: then again in so many seconds; null: never.
create function notice_done(of_id bigint, of_lease text, went boolean, of_why text, again_s integer) returns boolean
language plpgsql as $$
begin
    update notices set lease = null, leased_until = null, why = cut(of_why, 2000),
        sent_at = case when went then now() end,
        given_up_at = case when not went and again_s is null then now() end,
        due_at = case when went or again_s is null then due_at else now() + again_s * interval '1 s' end
    where id = of_id and lease = of_lease and sent_at is null;
    return found;
end $$;

-- A node told people itself, because the database was away: that counts as told.
create function alerts_told(said jsonb) returns void language plpgsql as $$
declare
    s jsonb;
begin
    for s in select * from jsonb_array_elements(said) loop
        update alert_states set told = 'firing', told_at = alert_at(s -> 'told_ms')
        where fingerprint = s ->> 'fingerprint' and state = 'firing' and told is null;
        if not exists (select from alert_states where fingerprint = s ->> 'fingerprint' and state <> 'resolved') then
            perform alert_keep(s);
        end if;
    end loop;
    update alert_engine set version = version + 1; -- who is evaluating now does it again
end $$;

-- --- what people do -------------------------------------------------------------------------------

create function alert_ack(of_id bigint, of_who text, of_note text) returns jsonb language plpgsql as $$
declare
    s alert_states;
begin
    update alert_states set acked_at = now(), acked_by = of_who, ack_note = cut(of_note, 2000)
    where id = of_id and state = 'firing' and acked_at is null returning * into s;
    if s.id is not null then
        insert into audit (who, what, subject, after)
        values (of_who, 'alert.ack', s.rule, jsonb_strip_nulls(jsonb_build_object('alert', s.id, 'note', s.ack_note)));
    else
        select * into s from alert_states where id = of_id;
    end if;
    return case when s.id is not null then alert_shown(s) end;
end $$;

create function silence_put(ask jsonb, of_who text) returns jsonb language plpgsql as $$
declare
    s alert_silences;
begin
    insert into alert_silences (labels, until_at, who, reason)
    values (ask -> 'labels', now() + (ask ->> 'for_ms')::bigint * interval '1 ms', of_who, cut(ask ->> 'reason', 2000))
    returning * into s;
    insert into audit (who, what, subject, after) values (of_who, 'alert.silence', s.id::text, silence_shown(s));
    return silence_shown(s);
end $$;

create function silence_end(of_id bigint, of_who text) returns jsonb language plpgsql as $$
declare
    s alert_silences;
begin
    update alert_silences set ended_at = now(), ended_by = of_who
    where id = of_id and ended_at is null and until_at > now() returning * into s;
    if s.id is not null then
        insert into audit (who, what, subject, before) values (of_who, 'alert.unsilence', s.id::text, silence_shown(s));
    end if;
    return case when s.id is not null then silence_shown(s) end;
end $$;

-- Newest first, and those that fire before all others.
create function alerts_listed(ask jsonb) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(alert_shown(s) order by (s.state = 'resolved'), s.id desc), '[]')
    from (select a.* from alert_states a
        where (ask ->> 'state' = 'all' or a.state::text = coalesce(ask ->> 'state', a.state)
                and (ask ? 'state' or a.state <> 'resolved'))
            and (ask ->> 'rule' is null or a.rule = ask ->> 'rule')
            and (ask -> 'agents' is null or a.labels ->> 'agent' in (select jsonb_array_elements_text(ask -> 'agents')))
            and (ask ->> 'before' is null or a.id < (ask ->> 'before')::bigint)
        order by a.id desc limit least(coalesce((ask ->> 'limit')::integer, 100), 500)) s
$$;

create function alert_one(of_id bigint) returns jsonb language sql stable as $$
    select alert_shown(s) || jsonb_build_object('notices', coalesce((select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'channel', n.channel, 'status', n.status, 'made_ms', alert_ms(n.made_at), 'sent_ms', alert_ms(n.sent_at),
            'given_up_ms', alert_ms(n.given_up_at), 'attempts', n.attempts, 'why', n.why)) order by n.id)
        from notices n where n.made_at > s.began_at - interval '1 minute'
            and exists (select from jsonb_array_elements(n.body -> 'alerts') a where a ->> 'id' = s.id::text)), '[]'))
    from alert_states s where s.id = of_id
$$;

-- Open alarms, with the agent that each is about, as far as that is known.
create function alarms_open() returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('kind', a.kind, 'subject', a.subject, 'node', a.node,
        'severity', a.severity, 'text', a.text, 'fix', a.fix, 'agent', coalesce(c.agent::text,
            (select g.agent::text from agents g where g.agent = a.subject)), 'count', a.count)) order by a.id), '[]')
    from (select * from alerts where closed_at is null order by id desc limit 500) a left join calls c on c.call = a.subject
$$;
