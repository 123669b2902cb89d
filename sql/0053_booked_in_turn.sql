-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Visits of one site are written one after the other. Two that overlap and are written at the same instant wait for each
-- other in the index of the constraint, and PostgreSQL ends one of them as a deadlock instead of saying that it is taken.

create function booked_in_turn() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('appointments ' || new.agent || ' ' || new.site, 0));
    return new;
end $$;
create trigger appointments_in_turn before insert or update of agent, site, resource, during, status on appointments
    for each row execute function booked_in_turn();
