-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Where the carrier sends each number: what was seen, what it should be, and how it was changed, so that a change that
-- was cut off can be finished and every change can be taken back.

-- The account's numbers as they were when somebody looked.
create table numbers_seen (
    number e164 primary key,
    carrier_id label not null, -- PN…
    name sentence,
    fields jsonb not null check (jsonb_typeof(fields) = 'object'), -- the twelve of a snapshot
    goes_to text not null check (goes_to in ('ringdown', 'vapi', 'elsewhere', 'nobody')),
    texts_to text not null check (texts_to in ('ringdown', 'vapi', 'elsewhere', 'nobody')),
    vapi_id label, -- of the imported number; null: not imported, or never asked
    vapi_assistant label,
    vapi_seen_at timestamptz, -- null: Vapi was never asked
    seen_at timestamptz not null,
    gone_at timestamptz -- the account has it no more
);

-- What we made of a number: what its fields must say, until somebody changes it by us again.
create table number_targets (
    number e164 primary key,
    goes_to text not null check (goes_to in ('ringdown', 'vapi', 'elsewhere', 'nobody')),
    fields jsonb not null check (jsonb_typeof(fields) = 'object'),
    set_at timestamptz not null default now(),
    set_by label not null,
    drift jsonb check (jsonb_typeof(drift) = 'array'), -- [{name, wanted, found}]; null: none
    compared_at timestamptz
);

-- A change of one number or of a thousand. `held_by` is the process that goes on with it; whoever takes it next is told
-- so by bulk_step, and the one before stops.
create table bulk_runs (
    run bigint generated always as identity primary key,
    action text not null check (action in ('switch', 'restore')),
    goes_to text check (goes_to in ('ringdown', 'vapi')),
    options jsonb not null default '{}' check (jsonb_typeof(options) = 'object'),
    who label not null,
    reason sentence,
    state text not null default 'running' check (state in ('running', 'stopped', 'done')),
    held_by label,
    started_at timestamptz not null default now(),
    ended_at timestamptz check (ended_at >= started_at)
);

-- planned ─▶ snapshotted ─▶ written ─▶ verified; failed: as it was before, and why.
create table bulk_items (
    run bigint not null references bulk_runs on delete cascade,
    number e164 not null,
    place integer not null check (place > 0),
    carrier_id label not null,
    wanted jsonb not null check (jsonb_typeof(wanted) = 'object'),
    goes_to text not null check (goes_to in ('ringdown', 'vapi', 'elsewhere', 'nobody')),
    restores bigint references number_snapshots, -- which is undone by it
    snapshot bigint references number_snapshots,
    state text not null default 'planned'
        check (state in ('planned', 'snapshotted', 'written', 'verified', 'failed')),
    why sentence,
    updated_at timestamptz not null default now(),
    primary key (run, number)
);
create unique index bulk_items_one_at_a_time on bulk_items (number) where state in ('snapshotted', 'written');

-- Whoever reads routing asks which numbers Vapi answers too.
create or replace view numbers_at_vapi as
select number from numbers_seen where vapi_id is not null and gone_at is null;

-- All that is known of a number, in a row.
create view numbers_shown as
select number, p.agent, p.site, s.carrier_id, s.name, coalesce(s.goes_to, p.goes_to, 'unknown') as goes_to, s.texts_to,
    s.vapi_id, s.vapi_assistant, s.vapi_seen_at, s.seen_at, s.gone_at, s.fields, t.goes_to as target, t.set_at, t.set_by,
    t.drift, t.compared_at
from phone_numbers p full join numbers_seen s using (number) left join number_targets t using (number);

-- --- looking ------------------------------------------------------------------------------------

-- `seen` is [{number, carrier_id, name, fields, goes_to, texts_to, vapi_id, vapi_assistant}]; without `with_vapi`, what
-- Vapi said last stays. `whole`: all of the account's, so that what is missing is gone.
create function numbers_saw(seen jsonb, with_vapi boolean, whole boolean, as_of timestamptz default now())
returns jsonb language plpgsql as $$
declare
    counts jsonb;
    at_vapi constant bigint := (select count(*) from numbers_at_vapi);
begin
    with s as (
        select * from jsonb_to_recordset(seen) as s(number text, carrier_id text, name text, fields jsonb, goes_to text,
            texts_to text, vapi_id text, vapi_assistant text)
    ), put as (
        insert into numbers_seen as n (number, carrier_id, name, fields, goes_to, texts_to, vapi_id, vapi_assistant,
            vapi_seen_at, seen_at)
        select number, carrier_id, cut(name, 200), fields, goes_to, texts_to, vapi_id, vapi_assistant,
            case when with_vapi then as_of end, as_of from s
        on conflict (number) do update set carrier_id = excluded.carrier_id, name = excluded.name,
            fields = excluded.fields, goes_to = excluded.goes_to, texts_to = excluded.texts_to,
            vapi_id = case when with_vapi then excluded.vapi_id else n.vapi_id end,
            vapi_assistant = case when with_vapi then excluded.vapi_assistant else n.vapi_assistant end,
            vapi_seen_at = case when with_vapi then as_of else n.vapi_seen_at end, seen_at = as_of, gone_at = null
    ), gone as (
        update numbers_seen n set gone_at = as_of
        where whole and gone_at is null and not exists (select from s where s.number = n.number) returning 1
    )
    select jsonb_build_object('new', (select count(*) from s where not exists
            (select from numbers_seen n where n.number = s.number)),
        'changed', (select count(*) from s join numbers_seen n using (number) where n.fields <> s.fields),
        'gone', (select count(*) from gone)) into counts;
    update phone_numbers p set carrier_id = n.carrier_id, goes_to = replace(n.goes_to, 'nobody', 'elsewhere')
        from numbers_seen n where n.number = p.number and n.seen_at = as_of
            and (p.carrier_id, p.goes_to) is distinct from (n.carrier_id, replace(n.goes_to, 'nobody', 'elsewhere'));
    if at_vapi <> (select count(*) from numbers_at_vapi) then
        update numbers_version set version = version + 1;
    end if;
    return counts;
end $$;

-- `found` is [{number, drift}], drift null where all is as it should be.
create function numbers_compared(found jsonb, as_of timestamptz default now()) returns void language sql as $$
    update number_targets t set drift = nullif(f.drift, 'null'), compared_at = as_of
    from jsonb_to_recordset(found) as f(number text, drift jsonb) where f.number = t.number
$$;

-- --- changing -----------------------------------------------------------------------------------

-- `items` is [{number, carrier_id, wanted, goes_to, restores}]. {"run": 7}, or {"held": [{number, run}]} when a change
-- of some of them was cut off halfway and must be finished first.
create function bulk_begin(about jsonb, items jsonb) returns jsonb language plpgsql as $$
declare
    held jsonb;
    made bigint;
begin
    select jsonb_agg(jsonb_build_object('number', b.number, 'run', b.run) order by b.number) into held
    from bulk_items b where b.state in ('snapshotted', 'written')
        and b.number in (select x ->> 'number' from jsonb_array_elements(items) x);
    if held is not null then
        return jsonb_build_object('held', held);
    end if;
    insert into bulk_runs (action, goes_to, options, who, reason)
        values (about ->> 'action', about ->> 'goes_to', coalesce(about -> 'options', '{}'), about ->> 'who',
            cut(about ->> 'reason', 2000)) returning run into made;
    insert into bulk_items (run, number, place, carrier_id, wanted, goes_to, restores)
        select made, x ->> 'number', n, x ->> 'carrier_id', x -> 'wanted', x ->> 'goes_to', (x ->> 'restores')::bigint
        from jsonb_array_elements(items) with ordinality as l(x, n);
    return jsonb_build_object('run', made);
end $$;

create function bulk_shown(of_run bigint) returns jsonb language sql stable
return (select to_jsonb(r) || jsonb_build_object('items', (select coalesce(jsonb_agg(
            jsonb_strip_nulls(to_jsonb(i) - 'run' || jsonb_build_object('before', s.fields)) order by i.place), '[]')
        from bulk_items i left join number_snapshots s on s.id = i.snapshot where i.run = r.run))
    from bulk_runs r where r.run = of_run);

-- Whoever asks goes on with it, by the word in `held_by`. Null: there is no such run.
create function bulk_take(of_run bigint) returns jsonb language plpgsql as $$
begin
    update bulk_runs set held_by = gen_random_uuid()::text, state = 'running', ended_at = null where run = of_run;
    return bulk_shown(of_run);
end $$;

-- What was before, and is not undone: the first of these is how the number was before we came.
create function number_snapshot(of_number text, the_first boolean) returns number_snapshots language sql stable
return (select s from number_snapshots s where number = of_number and undone_at is null
    order by case when the_first then id else -id end limit 1);

create function bulk_snapshot(i bulk_items, before jsonb) returns jsonb language plpgsql as $$
declare
    made bigint;
    oldest number_snapshots;
begin
    insert into number_snapshots (number, taken_by, reason, fields, changed_to)
        select i.number, r.who, coalesce(r.reason, r.action || ' ' || r.run), before, i.wanted
        from bulk_runs r where r.run = i.run returning id into made;
    update bulk_items set snapshot = made where (run, number) = (i.run, i.number);
    oldest := number_snapshot(i.number, true);
    return jsonb_build_object('snapshot', made, 'first', oldest.id, 'fields', oldest.fields, 'taken_at', oldest.taken_at,
        'taken_by', oldest.taken_by);
end $$;

-- The number is as wished: that is what it must be from now on.
create function bulk_verified(i bulk_items, now_is jsonb, texts text) returns void language plpgsql as $$
declare
    by_whom constant text := (select who from bulk_runs where run = i.run);
    was jsonb;
begin
    select fields into was from number_snapshots where id = i.snapshot;
    update number_snapshots set verified_at = now() where id = i.snapshot;
    update number_snapshots set undone_at = now()
        where i.restores is not null and number = i.number and id >= i.restores and undone_at is null;
    insert into number_targets (number, goes_to, fields, set_by) values (i.number, i.goes_to, i.wanted, by_whom)
        on conflict (number) do update set goes_to = excluded.goes_to, fields = excluded.fields, set_at = now(),
            set_by = excluded.set_by, drift = null, compared_at = now();
    update numbers_seen set fields = now_is, goes_to = i.goes_to, texts_to = texts, seen_at = now()
        where number = i.number;
    update phone_numbers set goes_to = replace(i.goes_to, 'nobody', 'elsewhere') where number = i.number
        and goes_to <> replace(i.goes_to, 'nobody', 'elsewhere');
    insert into audit (who, what, subject, before, after)
        select by_whom, 'number_' || action, i.number, was, i.wanted || jsonb_build_object('run', i.run)
        from bulk_runs where run = i.run and was is not null;
end $$;

-- One step of one number. Null: somebody else goes on with the run. `about`: of `snapshotted` {"before": {…}}, of
-- `verified` {"now": {…}, "texts_to": "…"}, of `failed` and of a step that is not over {"why": "…"}.
create function bulk_step(of_run bigint, token text, of_number text, to_state text, about jsonb) returns jsonb
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
        made := bulk_snapshot(i, about -> 'before');
    elsif to_state = 'verified' then
        perform bulk_verified(i, about -> 'now', about ->> 'texts_to');
    end if;
    return made;
end $$;

-- {"verified": 3, "failed": 1, …}; done when nothing is left. Null: somebody else goes on with it.
create function bulk_end(of_run bigint, token text) returns jsonb language plpgsql as $$
declare
    counts jsonb;
begin
    select coalesce(jsonb_object_agg(state, n), '{}') into counts
        from (select state, count(*) as n from bulk_items where run = of_run group by state) s;
    update bulk_runs set state = case when counts - 'verified' = '{}' then 'done' else 'stopped' end, ended_at = now(),
        held_by = null where run = of_run and held_by = token;
    if not found then
        return null;
    end if;
    return counts;
end $$;
