-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Rollouts: what speaks for and against a stage, what the guards said about it, and who changed what.
--
--   calls of the split, since the stage began ── rollout_evidence() ──▶ guards (Lua) ──▶ rollout_checks, rollout_change()
--
-- Whether a call ended badly is asked of each system in its own words; what only one of them tells is null for the other,
-- and the guards hold it against limits instead of against the other system.

alter table rollouts
    add column since timestamptz, -- evidence counts from here
    add column auto_advance boolean not null default false,
    add column held_for label; -- why it is paused: a guard, or `person`
update rollouts set since = updated_at;
create or replace view rollout_now as
select distinct on (agent) * from rollouts order by agent, version desc;

create or replace function rollout_put(of_agent text, expected integer, plan jsonb, who text, why text default null)
returns integer language plpgsql as $$
begin
    if expected is distinct from coalesce((select max(version) from rollouts where agent = of_agent), 0) then
        return null;
    end if;
    insert into rollouts
        select (jsonb_populate_record(null::rollouts,
            jsonb_build_object('salt', 'v1', 'unit', 'caller', 'mode', 'split', 'percent_bp', 0, 'state', 'draft',
                'allow', '[]'::jsonb, 'deny', '[]'::jsonb, 'kill', false, 'stages', '[]'::jsonb, 'auto_advance', false)
            || plan
            || jsonb_build_object('agent', of_agent, 'version', expected + 1, 'updated_by', who,
                'updated_at', now(), 'reason', why,
                'since', case when coalesce(plan ->> 'since', 'now') = 'now' then to_jsonb(now()) else plan -> 'since' end)
            )).*;
    return expected + 1;
exception when unique_violation then
    return null;
end $$;

-- What of a record the audit shows.
create function rollout_shown(r rollouts) returns jsonb language sql stable as $$
    select jsonb_strip_nulls(jsonb_build_object('version', r.version, 'state', r.state, 'stage', r.stage,
        'percent_bp', r.percent_bp, 'mode', r.mode, 'kill', r.kill, 'salt', r.salt, 'unit', r.unit,
        'allow', cardinality(r.allow), 'deny', cardinality(r.deny), 'auto_advance', r.auto_advance,
        'held_for', r.held_for, 'reason', r.reason))
$$;

-- The next version, or null when somebody else was faster; both are in the audit.
create function rollout_change(of_agent text, expected integer, plan jsonb, of_who text, why text, what text,
    evidence jsonb default null)
returns integer language plpgsql as $$
declare
    was rollouts;
    made integer;
begin
    select * into was from rollouts where agent = of_agent and version = expected;
    made := rollout_put(of_agent, expected, plan, of_who, why);
    if made is null then
        perform rollout_refused(of_agent, of_who, what, format('made from version %s, and that is not the newest', expected));
        return null;
    end if;
    insert into audit (who, what, subject, before, after)
    select of_who, 'rollout.' || what, of_agent, case when was.agent is not null then rollout_shown(was) end,
        rollout_shown(r) || jsonb_strip_nulls(jsonb_build_object('evidence', evidence))
    from rollouts r where r.agent = of_agent and r.version = made;
    return made;
end $$;

-- What somebody tried and may not.
create function rollout_refused(of_agent text, of_who text, what text, why text) returns void language sql as $$
    insert into audit (who, what, subject, before, after)
    values (of_who, 'rollout.refused', of_agent, (select rollout_shown(r) from rollout_now n join rollouts r
        using (agent, version) where n.agent = of_agent), jsonb_build_object('asked', what, 'why', cut(why, 2000)))
$$;

-- --- what the guards said -----------------------------------------------------------------------

-- A row for each verdict that differs from the one before, and for each look; what stays the same is counted. baked_s is
-- a sum of steps between checks, so that a clock that is set back neither adds to the time of a stage nor takes from it.
create table rollout_checks (
    id bigint generated always as identity primary key,
    agent label not null,
    version integer not null,
    stage label,
    since timestamptz not null,
    at timestamptz not null default now(),
    last_at timestamptz not null default now(),
    checks integer not null default 1 check (checks > 0),
    baked_s integer not null check (baked_s >= 0),
    verdict text not null check (verdict in ('rollback', 'hold', 'failing', 'insufficient', 'inconclusive', 'pass', 'ready')),
    canary integer not null check (canary >= 0), -- calls that are compared
    baseline integer not null check (baseline >= 0),
    look jsonb, -- what the next one starts from
    findings jsonb not null check (jsonb_typeof(findings) = 'array'),
    action text check (action in ('rollback', 'hold', 'advance'))
);
create index on rollout_checks (agent, id desc);

-- Longer steps are no time in which somebody looked.
create function rollout_baked(of_agent text, of_since timestamptz, counts boolean) returns integer
language sql stable as $$
    select coalesce(c.baked_s, 0) + case when counts
        then least(greatest(extract(epoch from clock_timestamp() - coalesce(c.last_at, of_since)), 0), 600)::integer else 0 end
    from (values (1)) one (n) left join lateral (
        select baked_s, last_at from rollout_checks where agent = of_agent and since = of_since order by id desc limit 1) c
        on true
$$;

create function rollout_check_put(said jsonb) returns bigint language plpgsql as $$
declare
    last rollout_checks;
    new rollout_checks := jsonb_populate_record(null::rollout_checks, said);
begin
    select * into last from rollout_checks where agent = new.agent order by id desc limit 1;
    if last.since = new.since and last.version = new.version and last.verdict = new.verdict
        and last.look is not distinct from new.look and new.action is null and last.action is null then
        update rollout_checks set last_at = clock_timestamp(), checks = checks + 1, baked_s = new.baked_s,
            canary = new.canary, baseline = new.baseline, findings = new.findings
        where id = last.id;
        return last.id;
    end if;
    insert into rollout_checks (agent, version, stage, since, at, last_at, baked_s, verdict, canary, baseline, look, findings,
        action)
    values (new.agent, new.version, new.stage, new.since, clock_timestamp(), clock_timestamp(), new.baked_s, new.verdict,
        new.canary, new.baseline, new.look, new.findings, new.action)
    returning id into last.id;
    return last.id;
end $$;

-- --- what speaks for and against a stage ----------------------------------------------------------

-- Ended by a fault, of a call over our line; null: it is not over.
create function ended_badly(c calls) returns boolean language sql stable as $$
    select case when c.ended_at is null then null
        else c.system = 'fallback' or c.ended_reason in ('provider_failed', 'script_failed', 'carrier_lost', 'node_lost',
            'refused', 'shutdown') end
$$;

-- The provider says that the account is not good for it: no call will do better.
create function refused_by_provider(c calls) returns boolean language sql stable as $$
    select exists (select from call_events e where e.stream = c.call and e.type = 'error'
        and e.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day'
        and e.body ->> 'code' ~
        '(invalid_api_key|account_deactivated|insufficient_quota|billing_hard_limit|http_40[13]|close_3000|model_not_found|no_key)$')
$$;

create function a_tool_failed(c calls) returns boolean language sql stable as $$
    select exists (select from tool_calls t where t.call = c.call
        and t.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day'
        and (t.output like '{"failed":true%' or t.output like '{"error":%'))
$$;

-- Calls that the bucket decided since then, newest first, with what is compared. A caller counts three times a day.
-- mark: 0 it went well, 1 it ended by a fault, c it never reached the model, r the provider refused it.
-- A call that went on with the other system (`lost`) is a fault of the first; how it ended there says nothing.
create function rollout_calls(of_agent text, from_at timestamptz, of_share integer)
returns table (arm text, who text, at timestamptz, over boolean, counts boolean, mark text, error_end boolean,
    no_audio boolean, short_hangup boolean, transfer boolean, tool_error boolean, late_ms numeric)
language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
    with latest as (
        select c, c.routed_first as arm, c.ended_at is not null as over, v.in_progress_at,
            c.routed_first = 'openai' or v.route is not distinct from 'bridge' as ours, -- runs over our line
            c.failed_over_to is not null as lost, ended_badly(c) as bad,
            v.ended_class in ('config', 'provider', 'vapi', 'other') as vapi_bad, v.ended_reason as vapi_reason,
            v.ended_at - v.started_at as vapi_took,
            case when c.route_unit is distinct from 'call' and c.from_number ~ '^\+' then c.from_number::text
                else c.call end as who
        from calls c left join vapi_calls v on v.call = c.call
        where c.agent = of_agent and c.started_at >= from_at and c.route_reason = 'split' and c.percent_bp = of_share
            and not c.imported
        order by c.started_at desc limit 10000
    ),
    told as (
        select *, case when lost then true when ours then bad or vapi_bad is true else vapi_bad end as failed
        from latest
    )
    select arm, who, (c).started_at, over,
        over and row_number() over (partition by who, date_trunc('day', (c).started_at, 'UTC'), over
            order by (c).started_at) <= 3,
        case when failed is not true then '0' when not ours then '1' when refused_by_provider(c) then 'r'
            when (c).first_audio_ms is null then 'c' else '1' end,
        failed,
        case when not ours or lost or not over then null
            when (c).duration_ms > 5000 then coalesce((c).first_audio_ms > 5000, true) else false end,
        case when lost then null
            when ours then (c).ended_reason = 'caller_hangup' and (c).duration_ms < 15000
            else vapi_reason = 'customer-ended-call' and vapi_took < interval '15 seconds' end,
        case when lost then null when ours then (c).ended_reason = 'transferred'
            else vapi_reason = 'assistant-forwarded-call' end,
        case when ours and not lost then (c).tool_calls > 0 and a_tool_failed(c) end,
        case when lost then null when ours then (c).first_audio_ms
            else greatest(extract(epoch from in_progress_at - (c).started_at) * 1000, 0) end
    from told;
end $$;

-- Both arms, as ringdown.rollout.guards wants them.
create function rollout_arms(of_agent text, from_at timestamptz, of_share integer) returns jsonb
language sql stable as $$
    with c as materialized (select * from rollout_calls(of_agent, from_at, of_share)),
    per_caller as (
        select arm, name, who, count(*) as n, count(*) filter (where bad) as k
        from c cross join lateral (values ('error_end', error_end), ('no_audio', no_audio), ('short_hangup', short_hangup),
            ('transfer', transfer), ('tool_error', tool_error)) x (name, bad)
        where counts and bad is not null group by arm, name, who
    ),
    metrics as (
        select arm, jsonb_object_agg(name, said) as said
        from (select arm, name, jsonb_build_object('k', sum(k), 'n', sum(n), 'spread', jsonb_build_object(
                'nn', sum(n * n), 'kn', sum(k * n), 'kk', sum(k * k))) as said
            from per_caller group by arm, name) m
        group by arm
    ),
    recent as (
        select arm, string_agg(mark, '' order by at) as marks
        from (select arm, mark, at, row_number() over (partition by arm order by at desc) as nth from c where counts) r
        where nth <= 400 group by arm
    ),
    late as (
        select arm, jsonb_build_object('n', count(*), 'p95_ms', percentile_disc(0.95) within group (order by late_ms)) as said
        from (select arm, late_ms, row_number() over (partition by arm order by at desc) as nth from c
            where late_ms is not null) l
        where nth <= 200 group by arm
    )
    select coalesce(jsonb_object_agg(arm, jsonb_strip_nulls(jsonb_build_object('calls', calls, 'n', n, 'callers', callers,
        'decided', decided, 'metrics', coalesce(m.said, '{}'), 'recent', marks, 'latency', l.said))), '{}')
    from (select arm, count(*) filter (where over) as calls, count(*) filter (where counts) as n,
            count(distinct who) filter (where counts) as callers, count(distinct who) as decided from c group by arm) a
        left join metrics m using (arm) left join recent using (arm) left join late l using (arm)
$$;

-- Emergencies about life in calls of the canary that no person took in time.
create function rollout_emergencies(of_agent text, from_at timestamptz) returns jsonb language sql stable as $$
    select jsonb_build_object('late', count(*), 'calls', coalesce(jsonb_agg(call order by call) filter (where nth <= 5), '[]'))
    from (select m.call, row_number() over (order by m.matched_at desc) as nth
        from triage_matches m join calls c on c.call = m.call
        where c.agent = of_agent and c.started_at >= from_at and c.routed_first = 'openai' and c.first_reason = 'split'
            and m.severity = 'life' and (m.state = 'abandoned'
                or m.state = 'open' and m.matched_at < clock_timestamp() - interval '5 minutes')) late
$$;

-- How often calls on Vapi ended by a fault within two weeks, whoever sent them there.
create function rollout_usual(of_agent text) returns jsonb language plpgsql stable as $$
begin
    return (select jsonb_build_object('n', count(*), 'k', count(*) filter (where ended_class
            in ('config', 'provider', 'vapi', 'other')))
        from (select v.ended_class from calls c join vapi_calls v on v.call = c.call
            where c.agent = of_agent and c.started_at > now() - interval '14 days' and v.ended_class is not null
            order by c.started_at desc limit 2000) v);
end $$;

-- All that a verdict needs, and the record that it is about; null: there is none.
create function rollout_evidence(of_agent text) returns jsonb language sql stable as $$
    select jsonb_build_object('record', to_jsonb(n), 'since_s',
            greatest(extract(epoch from clock_timestamp() - n.since), 0)::integer,
        'baked_s', rollout_baked(n.agent, n.since, n.state = 'running'),
        'arms', a.arms, 'usual', rollout_usual(n.agent), 'emergencies', rollout_emergencies(n.agent, n.since),
        'last', (select jsonb_build_object('verdict', verdict, 'look', look, 'at', at, 'last_at', last_at, 'action', action,
            'findings', findings) from rollout_checks c where c.agent = n.agent and c.since = n.since order by id desc limit 1))
    from rollout_now n cross join lateral rollout_arms(n.agent, n.since, n.percent_bp) a (arms)
    where n.agent = of_agent
$$;

-- Who called this agent within a week: for what a share would mean. Numbers, so for the library alone.
create function rollout_callers(of_agent text) returns text[] language sql stable as $$
    select coalesce(array_agg(from_number), '{}') from (select from_number::text from calls where agent = of_agent
        and started_at > now() - interval '7 days' and from_number ~ '^\+' group by 1 limit 5000) c
$$;
