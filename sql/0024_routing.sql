-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Where calls go: what all nodes must know at once, and what was decided for each call.

-- --- what nodes follow --------------------------------------------------------------------------

-- OpenAI may be used only while these hours are open, or only while they are closed: {"when": "open" | "closed",
-- "hours": {"mon_fri": "08:00-17:00"}, "zone": "America/Chicago"}; without hours or zone, the agent's own.
alter table rollouts add column schedule jsonb check (jsonb_typeof(schedule) = 'object');
create or replace view rollout_now as
select distinct on (agent) * from rollouts order by agent, version desc;

-- Every new call, of every agent that can, goes to this system. The newest row is the truth; `off` ends it.
create table forces (
    version integer primary key check (version > 0),
    system text not null check (system in ('openai', 'vapi', 'off')),
    who label not null,
    reason sentence,
    at timestamptz not null default now()
);

create view force_now as
select * from forces order by version desc limit 1;

-- Its version. It is meant for the worst moment, so nobody has to know what it was before.
create function force_put(to_system text, of_who text, why text default null) returns integer
language plpgsql as $$
declare
    made integer;
    was text;
begin
    lock table forces in share row exclusive mode;
    select version, system into made, was from force_now;
    made := coalesce(made, 0) + 1;
    insert into forces (version, system, who, reason) values (made, to_system, of_who, why);
    insert into audit (who, what, subject, before, after) values (of_who, 'force', to_system,
        jsonb_build_object('system', coalesce(was, 'off')),
        jsonb_strip_nulls(jsonb_build_object('system', to_system, 'version', made, 'reason', why)));
    return made;
end $$;

-- Grows with every change of either: whoever keeps a copy asks for this one number, or listens.
create table routing_version (
    one boolean primary key default true check (one),
    version bigint not null default 1
);
insert into routing_version default values;

create function routing_changed() returns trigger language plpgsql as $$
declare
    made bigint;
begin
    update routing_version set version = version + 1 returning version into made;
    perform pg_notify('ringdown_routing', made::text);
    return null;
end $$;
create trigger rollouts_change after insert or update or delete or truncate on rollouts
    for each statement execute function routing_changed();
create trigger forces_change after insert or update or delete or truncate on forces
    for each statement execute function routing_changed();

-- Plans that agents' files begin with, {"sales": 2500} in hundredths of a percent: each becomes version 1 where there
-- is none, and does nothing where there is. How many were made.
create function rollouts_seed(shares jsonb) returns integer language plpgsql as $$
declare
    made integer := 0;
    one record;
begin
    for one in select key as agent, value::integer as bp from jsonb_each_text(shares) order by key loop
        if not exists (select from rollouts r where r.agent = one.agent) and rollout_put(one.agent, 0,
            jsonb_build_object('percent_bp', one.bp, 'state', case when one.bp = 0 then 'pilot' else 'running' end),
            'ringdown', 'the share in the agent''s file') is not null then
            insert into audit (who, what, subject, after) values ('ringdown', 'rollout.seed', one.agent,
                jsonb_build_object('version', 1, 'percent_bp', one.bp,
                    'state', case when one.bp = 0 then 'pilot' else 'running' end));
            made := made + 1;
        end if;
    end loop;
    return made;
end $$;

-- Numbers that Vapi answers too: such a number, when nobody assigned it, goes there. Replaced by whoever knows them.
create view numbers_at_vapi as
select null::e164 as number where false;

-- --- what was decided ---------------------------------------------------------------------------

-- Of the first decision, which a repeated webhook, a fail-over or the fallback do not change. Only where
-- route_reason is `split` did the bucket decide: those calls are evidence, and no others.
alter table calls
    add column routed_at timestamptz,
    add column routed_first text check (routed_first in ('openai', 'vapi')), -- before a fail-over
    add column first_reason label, -- why that one
    add column route_reason label, -- the same, or `failover:…`
    add column rollout_version integer check (rollout_version >= 0), -- 0: of the agent's file
    add column route_unit text check (route_unit in ('caller', 'call')),
    add column bucket integer check (bucket between 0 and 9999),
    add column percent_bp integer check (percent_bp between 0 and 10000);

-- A count that may be missing.
create function count_of(x jsonb) returns integer language sql immutable parallel safe
return case when jsonb_typeof(x) = 'number' then whole(x)::integer end;

create or replace function keep_decision(e journal_event) returns void language plpgsql as $$
begin
    update calls set system = word(e.body, 'system'),
        reason = coalesce(word(e.body, 'detail', 2000), word(e.body, 'reason', 2000)),
        fix = word(e.body, 'fix', 2000), version = coalesce(word(e.body, 'version'), version),
        model = word(e.body, 'model'), decision_epoch = e.epoch, decision_seq = e.seq
    where call = e.stream and (decision_epoch, decision_seq) < (e.epoch, e.seq);
    if e.body ? 'first' or word(e.body, 'reason') like 'failover:%' then
        update calls set routed_at = e.at, routed_first = word(e.body, 'first'),
            first_reason = word(e.body, 'first_reason'), route_reason = word(e.body, 'reason'),
            rollout_version = count_of(e.body -> 'rollout'), route_unit = word(e.body, 'unit'),
            bucket = count_of(e.body -> 'bucket'), percent_bp = count_of(e.body -> 'percent_bp')
        where call = e.stream and (routed_at is null or e.at < routed_at);
    end if;
end $$;

-- Where a call went when the carrier asked before: the same webhook may come twice, to any node.
create function call_pinned(which text) returns text language sql stable
return (select system from calls
    where call = which and system in ('openai', 'vapi') and started_at > now() - interval '48 hours');
