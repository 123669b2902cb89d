-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- An emergency that is not about life and that nobody was told of is *recorded*: no person took it, and nothing is left
-- to do.

alter table triage_matches drop constraint triage_matches_state_check;
alter table triage_matches add constraint triage_matches_state_check
    check (state in ('open', 'recorded', 'handled', 'abandoned'));

create or replace function triage_rank(state text) returns integer language sql immutable parallel safe
return case state when 'handled' then 4 when 'abandoned' then 3 when 'recorded' then 2 when 'open' then 1 else 0 end;
