-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What somebody at a desk confirmed by mistake is open again: of an emergency about life its people are asked anew.

alter table triage_matches add column reopened_at timestamptz;

-- By whom it was confirmed is one who asked the API, and none of the agent's people who answered.
create function is_at_desk(who text) returns boolean language sql immutable parallel safe
return coalesce(who ~ '^(token .+ \([a-z]+\)|control socket uid \d+)$', false);

-- Null: there is none. `at_desk` false: somebody took it by answering, which no desk takes back.
create function triage_unconfirm(of_call text, of_rule text, who text, as_of timestamptz default now()) returns jsonb
language plpgsql as $$
declare
    c calls;
    m triage_matches;
    was text;
    grown bigint;
begin
    select * into c from calls where call = of_call for update;
    select * into m from triage_matches where call = of_call and rule = of_rule for update;
    if not found then
        return null;
    elsif m.state <> 'handled' then
        return jsonb_build_object('changed', false, 'state', m.state);
    elsif not is_at_desk(m.handled_by) then
        return jsonb_build_object('at_desk', false, 'handled_by', m.handled_by, 'handled_at', m.handled_at);
    end if;
    was := coalesce((select a.before ->> 'state' from audit a where a.what = 'emergency.confirm'
        and a.subject = of_call || ' ' || of_rule order by a.id desc limit 1), 'open');
    update triage_matches set state = was, handled_at = null, handled_by = null, reopened_at = as_of
        where call = of_call and rule = of_rule;
    grown := greatest((extract(epoch from as_of) * 1000000)::bigint,
        (select max(e.epoch) + 1 from call_events e where e.stream = of_call));
    perform keep_here(c, grown, 1, greatest(as_of, m.matched_at), 'triage', jsonb_build_object('call', c.call,
        'agent', c.agent, 'rule', m.rule, 'severity', m.severity, 'state', 'reopened', 'by', who));
    insert into audit (who, what, subject, before, after) values (who, 'emergency.unconfirm', of_call || ' ' || of_rule,
        jsonb_build_object('state', m.state, 'by', m.handled_by), jsonb_build_object('state', was));
    return jsonb_build_object('changed', true, 'state', was, 'asked_anew', was = 'open' and m.severity = 'life'
        and m.matched_at > as_of - interval '1 day' and c.agent is not null);
end $$;

-- As in 0017, and those that were taken back: whoever followed them up before has let go.
create or replace function triage_orphans(of_node text, of_epoch bigint, before timestamptz, as_of timestamptz)
returns setof triage_matches language sql stable as $$
    select m.* from triage_matches m join calls c using (call)
    where m.state = 'open' and m.severity = 'life' and m.matched_at > as_of - interval '1 day' and c.agent is not null
        and (m.reopened_at is not null or owner_is_gone(c, as_of) or before is not null and c.node = of_node
            and c.started_at < before and m.matched_at < before
            and not exists (select from adoptions a where a.call = c.call and a.at >= before))
        and not exists (select from triage_followers f join node_processes p using (node, epoch)
            where (f.call, f.rule) = (m.call, m.rule) and is_alive(p, as_of)
                and (m.reopened_at is null or f.at >= m.reopened_at)
                and not (before is not null and f.node = of_node and f.epoch <> of_epoch))
$$;
