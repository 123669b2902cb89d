-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Tokens of an agent's hour stand together, whatever the site: with many sites and few calls an hour there were as many
-- rows as calls. '*' stands for all.

insert into usage_hourly
select hour, local_hour, agent, '*', kind, what, model, sum(answers), sum(incomplete), sum(text_in), sum(text_cached),
    sum(audio_in), sum(audio_cached), sum(image_in), sum(image_cached), sum(text_out), sum(audio_out), sum(ms)
from usage_hourly group by hour, local_hour, agent, kind, what, model;
delete from usage_hourly where site <> '*';
alter table usage_hourly add constraint usage_hourly_is_of_all_sites check (site = '*');

create or replace function count_usage(of_hour timestamptz) returns void language sql set jit = off as $$
    insert into usage_hourly
    select of_hour, x.local_hour, x.agent, '*', x.kind, u.kind, coalesce(u.model, '?'), count(*),
        count(*) filter (where not u.complete), sum(u.text_in), sum(u.text_cached), sum(u.audio_in), sum(u.audio_cached),
        sum(u.image_in), sum(u.image_cached), sum(u.text_out), sum(u.audio_out), floor(sum(u.seconds) * 1000)
    from calls_counted x join usage u on u.call = x.call and u.started_at >= of_hour - interval '1 day'
        and u.started_at < of_hour + interval '7 days'
    where x.hour = of_hour
    group by x.local_hour, x.agent, x.kind, u.kind, coalesce(u.model, '?')
$$;
