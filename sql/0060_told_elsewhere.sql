-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A page that a channel did not take goes to another one, when nobody else has it or is about to.

-- `others`: [{"name", "kind"}], in the order in which they are to be tried. The name of the one that gets it; null: none.
create function notice_elsewhere(of_id bigint, others jsonb) returns text language sql as $$
    insert into notices (notice, channel, kind, of_group, status, severity, counts, body)
    select n.notice, o.value ->> 'name', o.value ->> 'kind', n.of_group, n.status, n.severity, false,
        n.body || jsonb_build_object('instead_of', n.channel)
    from notices n cross join jsonb_array_elements(others) with ordinality o
    where n.id = of_id and n.given_up_at is not null and n.severity = 'page' and n.status = 'firing'
        and not exists (select from notices x where x.notice = n.notice and x.given_up_at is null)
        and not exists (select from notices x where x.notice = n.notice and x.channel = o.value ->> 'name')
    order by o.ordinality limit 1
    on conflict do nothing
    returning channel
$$;
