-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What a change of a rollout takes from the version before: its lists, which are long, and what was usual on Vapi when
-- the last stage began, which nobody can see any more once no calls go there.

alter table rollouts
    add column usual jsonb check (jsonb_typeof(usual) = 'object'); -- errors on Vapi before everybody went to OpenAI
create or replace view rollout_now as
select distinct on (agent) * from rollouts order by agent, version desc;

-- As in 0027, but a plan without `allow` or `deny` has those of the version it is made from, or of `lists_of`.
create or replace function rollout_put(of_agent text, expected integer, plan jsonb, who text, why text default null)
returns integer language plpgsql as $$
declare
    was rollouts;
    lists rollouts;
    is_whole boolean := coalesce((plan ->> 'percent_bp')::integer, 0) = 10000;
begin
    if expected is distinct from coalesce((select max(version) from rollouts where agent = of_agent), 0) then
        return null;
    end if;
    select * into was from rollouts where agent = of_agent and version = expected;
    select * into lists from rollouts where agent = of_agent
        and version = coalesce((plan ->> 'lists_of')::integer, expected);
    insert into rollouts
        select (jsonb_populate_record(null::rollouts,
            jsonb_build_object('salt', 'v1', 'unit', 'caller', 'mode', 'split', 'percent_bp', 0, 'state', 'draft',
                'allow', coalesce(to_jsonb(lists.allow), '[]'), 'deny', coalesce(to_jsonb(lists.deny), '[]'), 'kill', false,
                'stages', '[]'::jsonb, 'auto_advance', false)
            || plan
            || jsonb_build_object('agent', of_agent, 'version', expected + 1, 'updated_by', who,
                'updated_at', now(), 'reason', why,
                'since', case when coalesce(plan ->> 'since', 'now') = 'now' then to_jsonb(now()) else plan -> 'since' end,
                'usual', case when is_whole and was.percent_bp = 10000 then was.usual
                    when is_whole then rollout_usual(of_agent) end)
            )).*;
    return expected + 1;
exception when unique_violation then
    return null;
end $$;

-- As in 0027, with what was usual when the last stage began.
create or replace function rollout_evidence(of_agent text) returns jsonb language sql stable as $$
    select jsonb_build_object('record', to_jsonb(n), 'since_s',
            greatest(extract(epoch from clock_timestamp() - n.since), 0)::integer,
        'baked_s', rollout_baked(n.agent, n.since, n.state = 'running'),
        'arms', a.arms, 'usual', coalesce(n.usual, rollout_usual(n.agent)),
        'emergencies', rollout_emergencies(n.agent, n.since),
        'last', (select jsonb_build_object('verdict', verdict, 'look', look, 'at', at, 'last_at', last_at, 'action', action,
            'findings', findings) from rollout_checks c where c.agent = n.agent and c.since = n.since order by id desc limit 1))
    from rollout_now n cross join lateral rollout_arms(n.agent, n.since, n.percent_bp) a (arms)
    where n.agent = of_agent
$$;

update rollouts r set usual = rollout_usual(r.agent)
from rollout_now n where r.agent = n.agent and r.version = n.version and n.percent_bp = 10000;
