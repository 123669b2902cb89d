-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Alarms of whoever is not there any more: they say nothing about now, so they count no more, mute nothing, and are
-- closed with why. And when more is wrong than is looked at, what is severe comes before what is new.
--
-- `led` are the kinds that only the node which leads raises: when another has led for ten minutes it has said all of
-- them itself, and what the one before it said is over. An emergency is open as long as it is, whoever raised it.

alter table alerts add column closed_why sentence; -- nobody said that it is over

-- None of their processes has been there for a minute.
create function nodes_left(as_of timestamptz) returns table (node label, at timestamptz, stopped boolean, why text)
language sql stable as $$
    select n.node, n.at, n.stopped, case when n.stopped then 'stopped at ' else 'was not seen since ' end
        || to_char(n.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    from (select p.node, max(coalesce(p.stopped_at, p.seen_at)) as at,
            (array_agg(p.stopped_at is not null order by p.epoch desc))[1] as stopped
        from node_processes p group by p.node having not bool_or(is_alive(p, as_of))) n
    where n.at <= as_of - gone_after()
$$;

-- Open alarms that say nothing about now, and why; `is_over`: nor will they, whoever comes back.
create function alarms_left(led text[], as_of timestamptz) returns table (id bigint, why text, is_over boolean)
language sql stable as $$
    with gone as materialized (select * from nodes_left(as_of)),
        heir as materialized (select node from node_leader l
            where l.until > as_of and l.since <= as_of - interval '10 minutes')
    select a.id, case when a.kind = any(led) then 'another node leads now: ' || h.node
            else format('its node %s %s', g.node, g.why) end,
        coalesce(g.stopped or g.at <= as_of - interval '1 day', false)
    from alerts a left join gone g using (node) left join heir h on h.node <> a.node
    where a.closed_at is null and case when a.kind = any(led) then h.node is not null else g.node is not null end
        and not exists (select from triage_matches m where m.call = a.subject and m.state = 'open')
$$;

-- What is wrong now, with the agent that each is about, as far as that is known: first those of the kinds `urgent`, then
-- critical ones, then the newest, 500 in all; how many more there are; which nodes left, and how.
create function alarms_look(led text[], urgent text[], as_of timestamptz default now()) returns jsonb
language plpgsql set jit = off as $$
declare
    left_ids bigint[];
begin
    update alerts a set closed_at = greatest(as_of, a.opened_at), closed_why = cut(l.why, 2000)
        from alarms_left(led, as_of) l where l.id = a.id and l.is_over;
    select coalesce(array_agg(id), '{}') into left_ids from alarms_left(led, as_of);
    return (select jsonb_build_object('alarms', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('kind', a.kind,
            'subject', a.subject, 'node', a.node, 'severity', a.severity, 'text', a.text, 'fix', a.fix, 'agent',
            coalesce(c.agent::text, (select g.agent::text from agents g where g.agent = a.subject)), 'count', a.count))
            order by a.nth) filter (where a.nth <= 500), '[]'), 'left_out', count(*) filter (where a.nth > 500),
        'gone', coalesce((select jsonb_object_agg(node, why) from nodes_left(as_of) where at > as_of - interval '1 day'), '{}'))
        from (select x.*, row_number() over (order by x.kind = any(urgent) desc, x.severity = 'critical' desc, x.id desc) as nth
            from alerts x where x.closed_at is null and x.id <> all(left_ids)) a
        left join calls c on c.call = a.subject and a.nth <= 500);
end $$;

-- As before; open alerts before those that are over, pages before others; how many of the notices were pages, and how
-- loudly people were last told that there is more.
create or replace function alerts_before(limit_ms bigint, flap_ms bigint) returns jsonb language sql stable as $$
    select jsonb_build_object('version', e.version, 'now_ms', alert_ms(clock_timestamp()), 'looked_ms', alert_ms(e.looked_at),
        'suppressed_ms', alert_ms(e.suppressed_at),
        'suppressed_severity', (select severity from notices where status = 'suppressed' order by id desc limit 1),
        'states', coalesce((select jsonb_agg(alert_shown(s) order by s.id) from (
            select * from alert_states where state <> 'resolved' or resolved_at > now() - 2 * flap_ms * interval '1 ms'
            order by state = 'resolved', severity = 'page' desc, id desc limit 3000) s), '[]'),
        'silences', coalesce((select jsonb_agg(silence_shown(s) order by s.id) from alert_silences s
            where s.ended_at is null and s.until_at > now() and s.from_at <= now()), '[]'),
        'notices', n.all_told, 'pages', n.pages)
    from alert_engine e, (select count(distinct notice) as all_told,
        count(distinct notice) filter (where severity = 'page') as pages from notices
        where counts and made_at > now() - limit_ms * interval '1 ms') n
$$;
