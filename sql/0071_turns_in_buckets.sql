-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- How long callers wait for an answer, turn by turn, is a percentile of statistics as well.

alter table statistics_hourly add column turn_at smallint[], add column turn_n bigint[]; -- ms
alter table statistics_coarse add column turn_at smallint[], add column turn_n bigint[];

-- Of the calls of an hour that was just counted.
create function count_turns(of_hour timestamptz) returns void language sql set jit = off as $$
    with waits as (
        select x.local_hour, x.agent, x.site, x.system, x.outcome, x.reason, x.kind, bucket_of(t.first_audio_ms) as bucket,
            count(*) as n
        from calls_counted x join turns t on t.call = x.call and t.started_at >= of_hour - interval '1 day'
            and t.started_at < of_hour + interval '7 days' and t.first_audio_ms is not null
        where x.hour = of_hour
        group by 1, 2, 3, 4, 5, 6, 7, 8
    ),
    buckets as (
        select local_hour, agent, site, system, outcome, reason, kind, array_agg(bucket order by bucket) as turn_at,
            array_agg(n order by bucket) as turn_n
        from waits group by 1, 2, 3, 4, 5, 6, 7
    )
    update statistics_hourly h set turn_at = b.turn_at, turn_n = b.turn_n from buckets b
        where h.hour = of_hour and (h.local_hour, h.agent, h.site, h.system, h.outcome, h.reason, h.kind)
            = (b.local_hour, b.agent, b.site, b.system, b.outcome, b.reason, b.kind)
$$;

-- As in 0063, and what their turns say.
create or replace function hours_come() returns trigger language plpgsql as $$
begin
    perform count_calls(h.hour), count_turns(h.hour) from (select distinct hour from made) h;
    return null;
end $$;

-- What there is already is counted with the next rolls.
insert into statistics_dirty (hour) select distinct hour from statistics_hourly;
