-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- One notion of a call with an emergency, that of statistics and of a day's sentence: a match that was only recorded
-- (0021) is none.

create or replace function tell_emergency() returns trigger language plpgsql as $$
begin
    update calls c set had_emergency = not c.had_emergency where c.call = new.call
        and c.had_emergency <> exists (select from triage_matches m where m.call = new.call and m.state <> 'recorded');
    return null;
end $$;
drop trigger calls_have_emergencies on triage_matches;
create trigger calls_have_emergencies after insert or update of state on triage_matches
    for each row execute function tell_emergency();

update calls c set had_emergency = false where c.had_emergency
    and not exists (select from triage_matches m where m.call = c.call and m.state <> 'recorded');
