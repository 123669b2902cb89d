-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Booking: visits and who made them in one step, what agents remember (`store`), which role an agent is,
-- and when numbers and sites have changed.

alter table appointments add column name sentence; -- as the caller gave it; a customer's own name is kept with them

-- --- visits -------------------------------------------------------------------------------------

-- The customer behind a number; made when nobody has it yet. A name is only ever filled in: whoever shows a
-- number is not its owner for that, and may not rename somebody.
create function customer_of(of_agent text, of_number text, called text) returns bigint language sql as $$
    insert into customers as c (agent, number, name) values (of_agent, of_number, called)
        on conflict (agent, number) do update
            set name = coalesce(c.name, excluded.name), updated_at = now()
        returning id
$$;

-- Books the first of these resources that is free then. `state` is booked, again (this key had booked already:
-- asked twice, booked once) or taken.
create function book_appointment(of_agent text, at_site text, resources text[], begins bigint, ends bigint,
    of_number text, called text, what text, remarks text, from_call text, key text) returns jsonb
language plpgsql as $$
declare
    wanted constant tstzrange := tstzrange(to_timestamp(begins), to_timestamp(ends));
    one appointments;
    who bigint;
begin
    select * into one from appointments where idempotency_key = key;
    if found then
        return jsonb_build_object('state', 'again', 'id', one.id, 'resource', one.resource);
    end if;
    if of_number is not null then
        who := customer_of(of_agent, of_number, called);
    end if;
    for i in 1 .. cardinality(resources) loop
        begin
            insert into appointments (agent, site, resource, during, customer, call, name, service, notes,
                    idempotency_key)
                values (of_agent, at_site, resources[i], wanted, who, from_call, called, what, remarks, key)
                returning * into one;
            return jsonb_build_object('state', 'booked', 'id', one.id, 'resource', one.resource);
        exception
            when exclusion_violation then null; -- somebody has that one: the next
            when unique_violation then -- the same wish came twice at once
                select * into one from appointments where idempotency_key = key;
                return jsonb_build_object('state', 'again', 'id', one.id, 'resource', one.resource);
        end;
    end loop;
    return jsonb_build_object('state', 'taken');
end $$;

create index on appointments (agent, site, upper(during)) where status = 'booked';

-- --- what agents remember -----------------------------------------------------------------------

create table store (
    agent label not null,
    site label not null,
    key label not null,
    value jsonb not null check (octet_length(value::text) <= 16384),
    expires_at timestamptz, -- null: for good
    updated_at timestamptz not null default now(),
    primary key (agent, site, key)
);
create index on store (expires_at) where expires_at is not null;

-- At most 10,000 keys for an agent's site; what has expired does not count.
create function store_room(of_agent text, at_site text, for_key text) returns void language plpgsql as $$
begin
    if exists (select from store where agent = of_agent and site = at_site and key = for_key) then
        return;
    end if;
    delete from store where agent = of_agent and site = at_site and expires_at < now();
    if (select count(*) from store where agent = of_agent and site = at_site) >= 10000 then
        raise exception 'the store of % at % holds 10,000 keys already; delete some, or give them a ttl',
            of_agent, at_site using errcode = 'program_limit_exceeded';
    end if;
end $$;

create function store_set(of_agent text, at_site text, for_key text, what jsonb, ttl_ms bigint) returns void
language plpgsql as $$
begin
    perform store_room(of_agent, at_site, for_key);
    insert into store as s (agent, site, key, value, expires_at)
        values (of_agent, at_site, for_key, what, now() + ttl_ms * interval '1 millisecond')
        on conflict (agent, site, key) do update
            set value = excluded.value, expires_at = excluded.expires_at, updated_at = now();
end $$;

-- One more (or `by`) than there was; what has expired counts as 0. The time to live is that of the first.
create function store_incr(of_agent text, at_site text, for_key text, by numeric, ttl_ms bigint) returns jsonb
language plpgsql as $$
declare
    result jsonb;
begin
    perform store_room(of_agent, at_site, for_key);
    insert into store as s (agent, site, key, value, expires_at)
        values (of_agent, at_site, for_key, to_jsonb(by), now() + ttl_ms * interval '1 millisecond')
        on conflict (agent, site, key) do update set
            value = case when s.expires_at < now() then excluded.value else to_jsonb((s.value #>> '{}')::numeric + by) end,
            expires_at = case when s.expires_at < now() then excluded.expires_at else s.expires_at end,
            updated_at = now()
        returning value into result;
    return result;
end $$;

alter function maintain(timestamptz) rename to maintain_calls;
create function maintain(as_of timestamptz default now()) returns table (node text, path text)
language plpgsql as $$
begin
    delete from store where expires_at < as_of;
    return query select * from maintain_calls(as_of);
end $$;

alter function erase_caller(text, bytea, text) rename to erase_from_calls;
create function erase_caller(number text, hash bytea, who text default 'operator') returns jsonb
language plpgsql as $$
#variable_conflict use_column
declare
    whom constant text := number;
    touched bigint := 0;
begin
    if whom ~ '^\+[1-9][0-9]{1,14}$' then -- what is no number is refused below
        update appointments set name = null
            where call in (select call from calls where whom in (from_number, to_number))
                or customer in (select id from customers where number = whom);
        delete from store where mentions(key, whom) or mentions(value::text, whom);
        get diagnostics touched = row_count;
    end if;
    return erase_from_calls(whom, hash, who) || jsonb_build_object('store', touched);
end $$;

-- --- an agent's own role ------------------------------------------------------------------------

-- Makes the role ready to log in, with exactly these tables: {"price_list": "read", "visits": "write"}. Each name
-- is looked up as the search_path says, or has its schema. Run by who may make roles and owns the tables.
create function grant_agent(role text, secret text, tables jsonb) returns void language plpgsql as $$
declare
    one record;
    whole regclass;
    place text;
begin
    perform pg_advisory_xact_lock(hashtext('ringdown roles'));
    if not exists (select from pg_roles where rolname = 'ringdown_agents') then
        create role ringdown_agents nologin noinherit;
    end if;
    if not exists (select from pg_roles where rolname = role) then
        execute format('create role %I login noinherit nosuperuser nocreatedb nocreaterole noreplication', role);
        execute format('grant ringdown_agents to %I', role);
    end if;
    execute format('alter role %I connection limit 64 password %L', role, secret);
    for one in
        select distinct c.oid::regclass as relation, c.relkind
        from pg_class c, aclexplode(c.relacl) a
        where a.grantee = (select oid from pg_roles where rolname = role)
    loop
        execute format('revoke all on %s %s from %I', case one.relkind when 'S' then 'sequence' else 'table' end,
            one.relation, role);
    end loop;
    for one in select key, value from jsonb_each_text(tables) loop
        whole := one.key::regclass;
        select nspname into place from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = whole;
        execute format('grant usage on schema %I to %I', place, role);
        execute format('grant %s on table %s to %I',
            case one.value when 'write' then 'select, insert, update, delete' else 'select' end, whole, role);
        if one.value = 'write' then
            perform grant_sequences(whole, role);
        end if;
    end loop;
end $$;

-- Numbers for new rows come from the sequences that the table's columns own.
create function grant_sequences(of_table regclass, role text) returns void language plpgsql as $$
declare
    one regclass;
begin
    for one in
        select d.objid::regclass from pg_depend d join pg_class c on c.oid = d.objid
        where d.refobjid = of_table and d.deptype = 'a' and d.classid = 'pg_class'::regclass and c.relkind = 'S'
    loop
        execute format('grant usage on sequence %s to %I', one, role);
    end loop;
end $$;

-- --- numbers and sites --------------------------------------------------------------------------

-- Grows with every change of either: whoever keeps a copy asks for this one number.
create table numbers_version (
    one boolean primary key default true check (one),
    version bigint not null default 1
);
insert into numbers_version default values;

create function numbers_changed() returns trigger language plpgsql as $$
begin
    update numbers_version set version = version + 1;
    return null;
end $$;
create trigger numbers_change after insert or update or delete or truncate on phone_numbers
    for each statement execute function numbers_changed();
create trigger sites_change after insert or update or delete or truncate on sites
    for each statement execute function numbers_changed();

-- A site as a call gets it.
create function site_facts(s sites) returns jsonb language sql stable
return s.facts || jsonb_strip_nulls(jsonb_build_object('id', s.site, 'name', s.name, 'time_zone', s.time_zone));

-- Writes one site; true: it was new or is different now.
create function site_put(of_agent text, of_site text, called text, zone text, about jsonb, who text) returns boolean
language plpgsql as $$
declare
    old sites;
begin
    select * into old from sites where agent = of_agent and site = of_site for update;
    if found and (old.name, old.time_zone, old.facts) is not distinct from (called::sentence, zone::label, about) then
        return false;
    end if;
    insert into sites (agent, site, name, time_zone, facts) values (of_agent, of_site, called, zone, about)
        on conflict (agent, site) do update
            set name = excluded.name, time_zone = excluded.time_zone, facts = excluded.facts, updated_at = now();
    insert into audit (who, what, subject, before, after)
        select who, 'site_import', of_agent || '/' || of_site,
            case when old.agent is not null then site_facts(old) end,
            about || jsonb_strip_nulls(jsonb_build_object('name', called, 'time_zone', zone));
    return true;
end $$;

-- A null agent takes the assignment away. True: something changed.
create function number_put(of_number text, to_agent text, to_site text, who text) returns boolean language plpgsql as $$
declare
    old phone_numbers;
begin
    select * into old from phone_numbers where number = of_number for update;
    if (old.agent, old.site) is not distinct from (to_agent::label, to_site::label) then
        return false;
    end if;
    if to_agent is null then
        delete from phone_numbers where number = of_number;
    else
        insert into phone_numbers (number, agent, site, updated_by) values (of_number, to_agent, to_site, who)
            on conflict (number) do update
                set agent = excluded.agent, site = excluded.site, updated_by = excluded.updated_by, updated_at = now();
    end if;
    insert into audit (who, what, subject, before, after)
        values (who, case when to_agent is null then 'number_unassign' else 'number_assign' end, of_number,
            case when old.number is not null then jsonb_build_object('agent', old.agent, 'site', old.site) end,
            case when to_agent is not null then jsonb_build_object('agent', to_agent, 'site', to_site) end);
    return true;
end $$;
