-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A snapshot counts as long as there is something to take back: not when its change came to nothing, and not when the
-- number has been given back behind our back.

-- `about` of the step `snapshotted`: {"before": {…}, "anew": true}; anew: somebody gave the number back behind our back, so how
-- it is now is how it was before we came.
create function bulk_anew(i bulk_items, about jsonb) returns void language sql as $$
    update number_snapshots set undone_at = now()
    where number = i.number and undone_at is null and coalesce((about ->> 'anew')::boolean, false)
$$;

-- What was tried is over. `as_it_was`: the number is as before, so there is nothing to take back.
create function bulk_failed(i bulk_items, about jsonb) returns void language sql as $$
    update number_snapshots set undone_at = now()
    where id = i.snapshot and verified_at is null and undone_at is null
        and coalesce((about ->> 'as_it_was')::boolean, false)
$$;

-- A change that was said to have come to nothing and shows after all can be taken back, too.
create function bulk_reopened(i bulk_items) returns void language sql as $$
    update number_snapshots set undone_at = null
    where id = i.snapshot and verified_at is null and i.restores is null
        and not exists (select from number_snapshots o where o.number = i.number and o.undone_at is null)
$$;

-- As before, with those three.
create or replace function bulk_step(of_run bigint, token text, of_number text, to_state text, about jsonb) returns jsonb
language plpgsql as $$
declare
    i bulk_items;
    made jsonb := '{}';
begin
    perform from bulk_runs where run = of_run and held_by = token for share;
    if not found then
        return null;
    end if;
    update bulk_items set state = to_state, why = cut(about ->> 'why', 2000), updated_at = now()
        where run = of_run and number = of_number returning * into i;
    if to_state = 'snapshotted' and about ? 'before' then
        perform bulk_anew(i, about);
        made := bulk_snapshot(i, about -> 'before');
    elsif to_state = 'failed' then
        perform bulk_failed(i, about);
    elsif to_state = 'verified' then
        perform bulk_reopened(i);
        perform bulk_verified(i, about -> 'now', about ->> 'texts_to');
    end if;
    return made;
end $$;

-- What lies on a machine's disk and the database does not know, as after its loss: how the number was before we came.
create function snapshot_adopted(of_number text, taken text, by_whom text, as_it_was jsonb) returns bigint
language sql as $$
    insert into number_snapshots (number, taken_at, taken_by, reason, fields)
    values (of_number, least(case when taken ~ '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d' then taken::timestamptz end, now()), by_whom,
        'it lay on the disk of a machine, and the database did not know it', as_it_was)
    returning id
$$;
