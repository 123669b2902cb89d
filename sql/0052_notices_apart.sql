-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A notice that is late holds back what is about the same alert, and nothing else of its group.

create function tells_the_same(a jsonb, b jsonb) returns boolean language sql immutable parallel safe
return exists (select from jsonb_array_elements(coalesce(a -> 'alerts', '[]')) x
    join jsonb_array_elements(coalesce(b -> 'alerts', '[]')) y on x.value ->> 'fingerprint' = y.value ->> 'fingerprint');

-- The next notice of this kind that is due; about one alert, the older one first, and those last whose channel does not
-- answer. Nothing that fires waits when it is about life (it does not count against the limit). It is the caller's for
-- so many seconds.
create or replace function notice_take(of_kind text, of_lease text, lease_s integer) returns jsonb language sql as $$
    update notices set lease = of_lease, leased_until = now() + lease_s * interval '1 s', attempts = attempts + 1
    where id = (
        select id from notices n
        where kind = of_kind and sent_at is null and given_up_at is null and due_at <= now()
            and (leased_until is null or leased_until < now())
            and (not n.counts and n.status = 'firing' or not exists (select from notices o
                where o.channel = n.channel and o.of_group = n.of_group and o.id < n.id
                    and o.sent_at is null and o.given_up_at is null and tells_the_same(o.body, n.body)))
        order by attempts, severity = 'page' desc, exists (select from notices t where t.channel = n.channel
            and t.sent_at is null and t.attempts > 0 and t.made_at > now() - interval '30 minutes'), id limit 1 for update skip locked)
    returning jsonb_build_object('id', id, 'notice', notice, 'channel', channel, 'status', status, 'severity', severity,
        'group', of_group, 'attempts', attempts, 'made_ms', alert_ms(made_at), 'body', body)
$$;
