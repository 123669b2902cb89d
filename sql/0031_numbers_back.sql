-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Numbers are given back whatever a run was in the middle of.

create index bulk_items_snapshot on bulk_items (snapshot) where snapshot is not null;

-- As before, but what only was tried is no last change: a restore that failed left the number as it was, and a switch that
-- failed counts when nothing else does (somebody else may have changed the number in its middle).
create or replace function number_snapshot(of_number text, the_first boolean) returns number_snapshots language sql stable
return (select s from number_snapshots s left join bulk_items i on i.snapshot = s.id left join bulk_runs r using (run)
    where s.number = of_number and s.undone_at is null
        and (the_first or not coalesce(i.state = 'failed' and r.action = 'restore', false))
    order by case when the_first then s.id end, coalesce(i.state = 'failed', false), s.id desc limit 1);

-- The runs that have not come to their end with some of these numbers (null: with any), or of_run alone.
create function bulks_unfinished(of_run bigint, of_numbers jsonb) returns jsonb language sql stable
return (select coalesce(jsonb_agg(distinct run order by run), '[]') from bulk_items
    where state in ('planned', 'snapshotted', 'written') and (of_run is null or run = of_run)
        and (of_numbers is null or of_numbers ? number::text));
