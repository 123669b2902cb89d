-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What somebody at a desk changes: a customer, a visit, who must not be texted; and imports whose every part is in the
-- audit. What is written about people stays out of it: it is kept for good, and a person may be forgotten.

-- --- customers ------------------------------------------------------------------------------------

create function customer_version(c customers) returns text language sql stable as $$
    select substr(md5(jsonb_build_array(c.name, c.email, c.notes, c.facts)::text), 1, 16)
$$;

-- What `wish` names is set, what its list `clear` names is null then; facts are added to those there are. Only from `version`; null: from any. Null:
-- there is no such customer; else {changed: the fields} or {stale: true}.
create function customer_change(which bigint, version text, wish jsonb, who text) returns jsonb language plpgsql as $$
declare
    old customers;
    made customers;
    fields text[];
begin
    select * into old from customers where id = which for update;
    if not found then
        return null;
    elsif version <> customer_version(old) then
        return '{"stale": true}';
    end if;
    made := old;
    made.name := case when wish -> 'clear' ? 'name' then null else coalesce(wish ->> 'name', old.name) end;
    made.email := case when wish -> 'clear' ? 'email' then null else coalesce(wish ->> 'email', old.email) end;
    made.notes := case when wish -> 'clear' ? 'notes' then null else coalesce(wish ->> 'notes', old.notes) end;
    made.facts := jsonb_strip_nulls(old.facts || coalesce(wish -> 'facts', '{}'));
    fields := array_remove(array[case when made.name is distinct from old.name then 'name' end,
        case when made.email is distinct from old.email then 'email' end,
        case when made.notes is distinct from old.notes then 'notes' end,
        case when made.facts is distinct from old.facts then 'facts' end], null);
    if cardinality(fields) > 0 then
        update customers set name = made.name, email = made.email, notes = made.notes, facts = made.facts,
            updated_at = now() where id = which;
        insert into audit (who, what, subject, before, after) values (who, 'customer.change', which::text,
            jsonb_build_object('version', customer_version(old)),
            jsonb_build_object('version', customer_version(made), 'changed', to_jsonb(fields)));
    end if;
    return jsonb_build_object('changed', to_jsonb(fields));
end $$;

-- --- visits ---------------------------------------------------------------------------------------

create function visit_version(a appointments) returns text language sql stable as $$
    select substr(md5(jsonb_build_array(a.agent, a.site, a.resource, a.during, a.status, a.customer, a.name, a.service,
        a.notes)::text), 1, 16)
$$;

-- What of a visit stands in the audit.
create function visit_facts(a appointments) returns jsonb language sql stable as $$
    select jsonb_build_object('resource', a.resource, 'begins', lower(a.during), 'ends', upper(a.during), 'status', a.status)
$$;

-- A booked visit is moved (begins, minutes, resource) or called off (status). Null: there is none; else {changed}, or
-- {stale}, {taken} (somebody has that hour), {cancelled} (it was called off: there is nothing to move).
create function visit_change(which bigint, version text, wish jsonb, who text) returns jsonb language plpgsql as $$
declare
    old appointments;
    made appointments;
    begins timestamptz;
begin
    select * into old from appointments where id = which for update;
    if not found then
        return null;
    elsif version <> visit_version(old) then
        return '{"stale": true}';
    elsif old.status = 'cancelled' then
        return case when wish ->> 'status' = 'cancelled' then '{"changed": false}'::jsonb else '{"cancelled": true}' end;
    end if;
    begins := coalesce((wish ->> 'begins')::timestamptz, lower(old.during));
    made := old;
    made.status := coalesce(wish ->> 'status', old.status);
    made.resource := coalesce(wish ->> 'resource', old.resource);
    made.during := tstzrange(begins, begins + coalesce(make_interval(mins => (wish ->> 'minutes')::integer),
        upper(old.during) - lower(old.during)));
    if (made.status, made.resource, made.during) is not distinct from (old.status, old.resource, old.during) then
        return '{"changed": false}';
    end if;
    begin
        update appointments set status = made.status, resource = made.resource, during = made.during, updated_at = now()
            where id = which;
    exception when exclusion_violation then
        return '{"taken": true}';
    end;
    insert into audit (who, what, subject, before, after) values (who,
        case when made.status = 'cancelled' then 'appointment.cancel' else 'appointment.move' end, which::text,
        visit_facts(old), visit_facts(made));
    return '{"changed": true}';
end $$;

-- As in 0042; a visit that is known by its key has the name and the number that were written last.
create or replace function appointment_put(r jsonb) returns text language plpgsql as $$
declare
    old appointments;
    begins constant timestamptz := case when r ->> 'begins' ~ '(Z|[+-]\d\d:?\d\d)$' then (r ->> 'begins')::timestamptz
        else (r ->> 'begins')::timestamp at time zone (r ->> 'zone') end;
    wanted constant tstzrange := tstzrange(begins, begins + make_interval(mins => (r ->> 'minutes')::integer));
    whose bigint;
    known_by constant text := 'import:' || (r ->> 'agent') || ':' || coalesce(r ->> 'key',
        md5(concat_ws('|', r ->> 'site', r ->> 'resource', begins, r ->> 'number')));
    is_now constant text := coalesce(r ->> 'status', 'booked');
    number_then text;
begin
    select * into old from appointments where idempotency_key = known_by for update;
    select number into number_then from customers where id = old.customer;
    if old.id is not null and (old.agent, old.site, old.resource, old.during, old.service, old.notes, old.status, old.name,
                number_then)
            is not distinct from (r ->> 'agent', r ->> 'site', r ->> 'resource', wanted,
                coalesce(r ->> 'service', old.service), coalesce(r ->> 'notes', old.notes), is_now,
                coalesce(r ->> 'name', old.name), coalesce(r ->> 'number', number_then)) then
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

-- A part of a file, and its row in the audit: together, so that an import that is cut off left nothing unsaid.
create function import_part(what text, lines jsonb, dry_run boolean, who text) returns jsonb language plpgsql as $$
declare
    said constant jsonb := import_lines(what, lines, dry_run);
begin
    if not dry_run then
        insert into audit (who, what, after)
            select who, import_part.what || 's.import', jsonb_build_object('lines', count(*),
                'first_line', min((one ->> 'line')::integer), 'last_line', max((one ->> 'line')::integer),
                'new', count(*) filter (where one ->> 'state' = 'new'),
                'changed', count(*) filter (where one ->> 'state' = 'changed'),
                'same', count(*) filter (where one ->> 'state' = 'same'), 'wrong', count(*) filter (where one ? 'why'))
            from jsonb_array_elements(said) one;
    end if;
    return said;
end $$;

-- --- who must not be texted -----------------------------------------------------------------------

create index on opt_outs (opted_out_at desc);

create function opt_out_shown(o opt_outs) returns jsonb language sql stable as $$
    select jsonb_build_object('hash', encode(o.number_hash, 'hex'), 'sender', o.sender, 'state',
        case when o.opted_in_at is null then 'out' else 'in' end, 'opted_out_at', o.opted_out_at,
        'opted_in_at', o.opted_in_at, 'source', o.source)
$$;

-- An operator's word, from now on. 'out' of one sender of ours or of all ('*'); 'in' again: of that sender, or with null
-- of all. The rows as they are then; null: nobody was out.
create function opt_change(hash text, of_sender text, said text, who text) returns jsonb language plpgsql as $$
declare
    before_it jsonb;
    after_it jsonb;
begin
    perform pg_advisory_xact_lock(hashtextextended('ringdown.opt ' || hash, 0));
    select jsonb_agg(opt_out_shown(o) order by sender) into before_it from opt_outs o where number_hash = decode(hash, 'hex');
    if said = 'in' then
        update opt_outs set opted_in_at = greatest(now(), opted_out_at) where number_hash = decode(hash, 'hex')
            and opted_in_at is null and (of_sender is null or sender = of_sender);
        if not found then
            return null;
        end if;
    elsif not exists (select from opt_outs where number_hash = decode(hash, 'hex') and sender = of_sender
            and opted_in_at is null) then
        perform keep_opt(hash, of_sender, 'out', clock_timestamp(), 'operator');
    end if;
    select jsonb_agg(opt_out_shown(o) order by sender) into after_it from opt_outs o where number_hash = decode(hash, 'hex');
    if after_it is distinct from before_it then
        insert into audit (who, what, subject, before, after) values (who, 'opt_out.' || said, hash, before_it, after_it);
    end if;
    return after_it;
end $$;

-- --- the force switch -----------------------------------------------------------------------------

-- As force_put, from the version that was seen alone; null, and nothing is written: it is another by now.
create function force_put(to_system text, of_who text, why text, seen integer) returns integer language plpgsql as $$
begin
    lock table forces in share row exclusive mode;
    if seen <> coalesce((select version from force_now), 0) then
        return null;
    end if;
    return force_put(to_system, of_who, why);
end $$;

-- --- jobs -----------------------------------------------------------------------------------------

-- Whose a job is: the token that began it. Two tokens may have had one name.
alter table jobs add column token bigint;

-- As in 0042; what was lost a month ago is nobody's question either.
create or replace function job_begin(of_kind text, wish jsonb, of_who text) returns bigint language plpgsql as $$
begin
    return job_begin(of_kind, wish, of_who, null);
end $$;

create function job_begin(of_kind text, wish jsonb, of_who text, of_token bigint) returns bigint language plpgsql as $$
declare
    made bigint;
begin
    delete from jobs where made_at < now() - interval '30 days' and told_at < now() - interval '30 days';
    insert into jobs (kind, about, who, token) values (of_kind, wish, of_who, of_token) returning job into made;
    return made;
end $$;
