-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What the first page asks: the calls that Vapi had of an agent, the newest first; and whether this is a database for
-- showing things, whose calls are made up.

create index calls_of_vapi on calls (agent, started_at) where system = 'vapi';

-- One row, put there while the database has no calls yet, and never taken back: what is made up must not get among what
-- is real, nor the other way round.
create table demo_database (
    one boolean primary key default true check (one),
    marked_at timestamptz not null default now(),
    marked_by text not null check (length(marked_by) between 1 and 200),
    seed bigint,
    seeded_at timestamptz
);

create function demo_mark(who text) returns boolean language plpgsql as $$
begin
    if exists (select from demo_database) then
        return false;
    end if;
    lock table calls in share mode; -- nobody calls meanwhile
    if exists (select from calls) or exists (select from customers) or exists (select from phone_numbers) then
        raise exception 'this database has calls, customers or numbers already; only a new one can be for a demo'
            using errcode = 'RD409';
    end if;
    insert into demo_database (marked_by) values (who);
    return true;
end $$;

create function refuse_unmarked_demo() returns trigger language plpgsql as $$
begin
    raise exception 'a database for a demo stays one';
end $$;
create trigger demo_database_stays before delete or truncate on demo_database
    for each statement execute function refuse_unmarked_demo();
