-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What the admin interface needs besides: jobs that take longer than a request, changes that are made only from the
-- version that was looked at, conversations by text, an emergency that is confirmed from a desk, and imports.

-- --- jobs ---------------------------------------------------------------------------------------

-- What was begun by a request and goes on after it: ringdown.jobs does it, and tells here how far it is.
create table jobs (
    job bigint generated always as identity primary key,
    kind label not null,
    about jsonb not null check (jsonb_typeof(about) = 'object'),
    who label not null,
    state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
    progress sentence,
    lines jsonb not null default '[]' check (jsonb_typeof(lines) = 'array'), -- the last it told
    result jsonb,
    why sentence, -- it failed
    made_at timestamptz not null default now(),
    told_at timestamptz not null default now(),
    ended_at timestamptz check (ended_at >= made_at),
    check ((state in ('done', 'failed')) = (ended_at is not null))
);
create index on jobs (made_at);

-- What ended a month ago is nobody's question any more.
create function job_begin(of_kind text, wish jsonb, of_who text) returns bigint language plpgsql as $$
declare
    made bigint;
begin
    delete from jobs where made_at < now() - interval '30 days' and ended_at is not null;
    insert into jobs (kind, about, who) values (of_kind, wish, of_who) returning job into made;
    return made;
end $$;

-- Once: whoever comes second gets null.
create function job_take(which bigint) returns jsonb language sql as $$
    update jobs set state = 'running', told_at = clock_timestamp() where job = which and state = 'waiting'
    returning jsonb_build_object('kind', kind, 'about', about, 'who', who)
$$;

create function job_tell(which bigint, now_at text, more jsonb) returns void language sql as $$
    update jobs set told_at = clock_timestamp(), progress = coalesce(cut(now_at, 2000), progress),
        lines = (select coalesce(jsonb_agg(line order by n), '[]') from (select line, n
            from jsonb_array_elements(lines || more) with ordinality l (line, n) order by n desc limit 200) last)
    where job = which and state = 'running'
$$;

create function job_end(which bigint, of_result jsonb, of_why text) returns boolean language sql as $$
    with ended as (update jobs set state = case when of_why is null then 'done' else 'failed' end, result = of_result,
            why = cut(of_why, 2000), told_at = clock_timestamp(), ended_at = clock_timestamp()
        where job = which and ended_at is null returning 1)
    select exists (select from ended)
$$;

-- --- numbers ------------------------------------------------------------------------------------

-- As in 0026, and one number is found without looking at all of them.
create or replace view numbers_shown as
select number, p.agent, p.site, s.carrier_id, s.name, coalesce(s.goes_to, p.goes_to, 'unknown') as goes_to, s.texts_to,
    s.vapi_id, s.vapi_assistant, s.vapi_seen_at, s.seen_at, s.gone_at, s.fields, t.goes_to as target, t.set_at, t.set_by,
    t.drift, t.compared_at
from (select number from phone_numbers union select number from numbers_seen) n left join phone_numbers p using (number)
    left join numbers_seen s using (number) left join number_targets t using (number);

-- --- only from the version that was looked at ---------------------------------------------------

-- Changes with whatever of a number somebody may decide by.
create function number_version(which text) returns text language sql stable as $$
    select substr(md5(concat_ws('|', coalesce(p.agent, '-'), coalesce(p.site, '-'), coalesce(t.goes_to, '-'),
        coalesce(n.fields::text, '-'), coalesce((select max(id) from number_snapshots s where s.number = which), 0),
        n.gone_at is not null)), 1, 16)
    from (select which as number) one left join phone_numbers p using (number) left join numbers_seen n using (number)
        left join number_targets t using (number)
$$;

-- As number_put; null, and nothing is written, when the number is not as `version` says.
create function number_put_if(version text, of_number text, to_agent text, to_site text, who text) returns boolean
language plpgsql as $$
begin
    lock table phone_numbers in share row exclusive mode; -- also where there is no row yet
    if version <> number_version(of_number) then
        return null;
    end if;
    return number_put(of_number, to_agent, to_site, who);
end $$;

-- A table rather than a domain's word: what it is of may not be there ('new').
create function site_version(of_agent text, of_site text) returns text language sql stable as $$
    select coalesce((select substr(md5(site_facts(s)::text), 1, 16) from sites s
        where s.agent = of_agent and s.site = of_site), 'new')
$$;

-- As site_put; a null version is any.
create function site_put_if(version text, of_agent text, of_site text, called text, zone text, about jsonb, who text)
returns boolean language plpgsql as $$
begin
    lock table sites in share row exclusive mode;
    if version <> site_version(of_agent, of_site) then
        return null;
    end if;
    return site_put(of_agent, of_site, called, zone, about, who);
end $$;

create view sites_shown as
select s.agent, s.site, site_facts(s) || jsonb_build_object('agent', s.agent, 'numbers', (select
    coalesce(jsonb_agg(number order by number), '[]') from phone_numbers p
    where (p.agent, p.site) = (s.agent, s.site))) as shown, s.updated_at
from sites s;

-- --- conversations by text ----------------------------------------------------------------------

create function text_party(t texts) returns text language sql immutable parallel safe
return case t.direction when 'in' then t.from_number else t.to_number end;
create function text_ours(t texts) returns text language sql immutable parallel safe
return case t.direction when 'in' then t.to_number else t.from_number end;
create index on texts (text_party(texts), created_at desc, id desc);
create index on texts (created_at desc, id desc);

-- The last text of each conversation: what one agent and one number wrote to each other. Newest first, before that one.
create function text_threads(of_agents text[], before timestamptz, before_id text, at_most integer)
returns setof texts language sql stable as $$
    select t.* from texts t
    where text_party(t) is not null and (of_agents is null or t.agent = any(of_agents))
        and (before is null or (t.created_at, t.id) < (before, before_id))
        and not exists (select from texts n where text_party(n) = text_party(t) and n.agent is not distinct from t.agent
            and (n.created_at, n.id) > (t.created_at, t.id))
    order by t.created_at desc, t.id desc
    limit at_most
$$;

-- --- emergencies --------------------------------------------------------------------------------

create index on triage_matches (matched_at desc, call, rule);
create index on near_misses (at desc, call, rule, why);

-- Somebody at a desk takes it: who follows it up sees that within seconds, and tells the others. With its audit.
-- null: there is no such emergency.
create function triage_confirm(of_call text, of_rule text, who text, as_of timestamptz default now()) returns jsonb
language plpgsql as $$
declare
    c calls;
    m triage_matches;
    grown bigint;
begin
    select * into c from calls where call = of_call for update;
    select * into m from triage_matches where call = of_call and rule = of_rule for update;
    if not found then
        return null;
    elsif m.state = 'handled' then
        return jsonb_build_object('changed', false, 'handled_by', m.handled_by, 'handled_at', m.handled_at);
    end if;
    grown := greatest((extract(epoch from as_of) * 1000000)::bigint,
        (select max(e.epoch) + 1 from call_events e where e.stream = of_call));
    perform keep_here(c, grown, 1, greatest(as_of, m.matched_at), 'triage', jsonb_build_object('call', c.call,
        'agent', c.agent, 'rule', m.rule, 'severity', m.severity, 'state', 'handled', 'by', who));
    insert into audit (who, what, subject, before, after) values (who, 'emergency.confirm', of_call || ' ' || of_rule,
        jsonb_build_object('state', m.state), jsonb_build_object('state', 'handled', 'by', who));
    return jsonb_build_object('changed', true, 'handled_by', who, 'handled_at', greatest(as_of, m.matched_at));
end $$;

-- Was it one? null: there is no such near miss.
create function near_miss_mark(of_call text, of_rule text, of_why text, said text, who text) returns boolean
language plpgsql as $$
declare
    old near_misses;
begin
    select * into old from near_misses where call = of_call and rule = of_rule and why = of_why for update;
    if not found then
        return null;
    elsif old.verdict is not distinct from said then
        return false;
    end if;
    update near_misses set verdict = said where call = of_call and rule = of_rule and why = of_why;
    insert into audit (who, what, subject, before, after) values (who, 'near_miss.mark', of_call || ' ' || of_rule,
        jsonb_strip_nulls(jsonb_build_object('verdict', old.verdict, 'why', of_why)),
        jsonb_build_object('verdict', said, 'why', of_why));
    return true;
end $$;

-- --- customers and visits from a table ----------------------------------------------------------

create index on customers using gin (to_tsvector('simple', coalesce(name, '')));
create index on customers (agent, id);
create index on appointments (lower(during), id);

-- One line; what it does not say stays as it was. "new", "changed" or "same".
create function customer_put(r jsonb) returns text language plpgsql as $$
declare
    old customers;
    made customers;
begin
    select * into old from customers where agent = r ->> 'agent' and number = r ->> 'number' for update;
    if not found then
        insert into customers (agent, number, name, email, notes, facts) values (r ->> 'agent', r ->> 'number',
            r ->> 'name', r ->> 'email', r ->> 'notes', coalesce(r -> 'facts', '{}'));
        return 'new';
    end if;
    made := old;
    made.name := coalesce(r ->> 'name', old.name);
    made.email := coalesce(r ->> 'email', old.email);
    made.notes := coalesce(r ->> 'notes', old.notes);
    made.facts := old.facts || coalesce(r -> 'facts', '{}');
    if (made.name, made.email, made.notes, made.facts) is not distinct from (old.name, old.email, old.notes, old.facts)
    then
        return 'same';
    end if;
    update customers set name = made.name, email = made.email, notes = made.notes, facts = made.facts, updated_at = now()
        where id = old.id;
    return 'changed';
end $$;

-- One visit, known by its key, else by where and when it is and whose. A time without a zone is in `zone`.
create function appointment_put(r jsonb) returns text language plpgsql as $$
declare
    old appointments;
    begins constant timestamptz := case when r ->> 'begins' ~ '(Z|[+-]\d\d:?\d\d)$' then (r ->> 'begins')::timestamptz
        else (r ->> 'begins')::timestamp at time zone (r ->> 'zone') end;
    wanted constant tstzrange := tstzrange(begins, begins + make_interval(mins => (r ->> 'minutes')::integer));
    whose bigint;
    known_by constant text := 'import:' || (r ->> 'agent') || ':' || coalesce(r ->> 'key',
        md5(concat_ws('|', r ->> 'site', r ->> 'resource', begins, r ->> 'number')));
    is_now constant text := coalesce(r ->> 'status', 'booked');
begin
    select * into old from appointments where idempotency_key = known_by for update;
    if found and (old.agent, old.site, old.resource, old.during, old.service, old.notes, old.status)
            is not distinct from (r ->> 'agent', r ->> 'site', r ->> 'resource', wanted,
                coalesce(r ->> 'service', old.service), coalesce(r ->> 'notes', old.notes), is_now) then
        return 'same';
    end if;
    if r ->> 'number' is not null then
        whose := customer_of(r ->> 'agent', r ->> 'number', r ->> 'name');
    end if;
    if old.id is not null then
        update appointments set agent = r ->> 'agent', site = r ->> 'site', resource = r ->> 'resource',
            during = wanted, customer = coalesce(whose, old.customer), name = coalesce(r ->> 'name', old.name),
            service = coalesce(r ->> 'service', old.service), notes = coalesce(r ->> 'notes', old.notes),
            status = is_now, updated_at = now() where id = old.id;
        return 'changed';
    end if;
    insert into appointments (agent, site, resource, during, customer, name, service, notes, status, idempotency_key)
        values (r ->> 'agent', r ->> 'site', r ->> 'resource', wanted, whose, r ->> 'name', r ->> 'service',
            r ->> 'notes', is_now, known_by);
    return 'new';
end $$;

-- Lines of `what` (customer, appointment), each for itself: [{line, state}] or [{line, why}]. Of a dry run, nothing is
-- left, and what it says is what would have been.
create function import_lines(what text, lines jsonb, dry_run boolean) returns jsonb language plpgsql as $$
declare
    r jsonb;
    said jsonb := '[]';
    state text;
begin
    begin
        for r in select * from jsonb_array_elements(lines) loop
            begin
                state := case what when 'customer' then customer_put(r) when 'appointment' then appointment_put(r) end;
                said := said || jsonb_build_object('line', r -> 'line', 'state', state);
            exception
                when exclusion_violation then
                    said := said || jsonb_build_object('line', r -> 'line', 'why', 'somebody has that hour of '
                        || coalesce(r ->> 'resource', '?') || ' already');
                when data_exception or integrity_constraint_violation then
                    said := said || jsonb_build_object('line', r -> 'line', 'why', sqlerrm);
            end;
        end loop;
        if dry_run then
            raise exception using errcode = 'RD001'; -- takes it all back
        end if;
    exception when sqlstate 'RD001' then null;
    end;
    return said;
end $$;
