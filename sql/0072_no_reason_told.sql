-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A call that is over without a word of why has the reason 'unknown'. As in 0043; there it was '', which is no label, and
-- one such call kept its hour, and with it all others, from being counted.

create or replace view calls_measured as
select c.call, c.started_at, date_trunc('hour', c.started_at, 'UTC') as hour,
    date_trunc('hour', c.started_at at time zone zone_or_utc(coalesce(s.time_zone, a.time_zone)::text)) as local_hour,
    coalesce(c.agent, '?') as agent, coalesce(c.site, 'default') as site, coalesce(c.system, 'none') as system,
    call_outcome(c, v.ended_class, v.ended_reason, m.emergencies) as outcome,
    coalesce(c.missed, case when c.system = 'fallback' then cut(c.reason, 128) end, c.ended_reason, c.status,
        'unknown')::label as reason,
    case when c.is_test then 'test' when c.imported then 'imported' else 'real' end as kind,
    (c.failed_over_to is not null)::integer as failed_over,
    greatest(coalesce(c.duration_ms, c.duration_s * 1000::bigint, 0), 0) as talk_ms,
    c.turns, c.barge_ins, c.errors, c.transfers_asked, c.transfers_answered,
    m.emergencies, m.life, m.handled, m.handled_s, n.near_misses, b.bookings, t.tools, t.tools_failed, t.tools_open,
    t.tool_ms, case when v.call is null or v.route is not distinct from 'bridge' then c.first_audio_ms::bigint
        else greatest(extract(epoch from v.in_progress_at - c.started_at) * 1000, 0)::bigint end as first_audio_ms,
    k.micro_usd, k.call is null or k.micro_usd is null as cost_unknown, k.reason as cost_reason
from calls c
left join agents a on a.agent = c.agent
left join sites s on s.agent = c.agent and s.site = c.site
left join vapi_calls v on v.call = c.call
left join call_costs k on k.call = c.call
cross join lateral (select count(*) filter (where state <> 'recorded') as emergencies,
        count(*) filter (where severity = 'life') as life, count(*) filter (where state = 'handled') as handled,
        array_agg(extract(epoch from handled_at - matched_at)::bigint) filter (where state = 'handled') as handled_s
    from triage_matches where call = c.call) m
cross join lateral (select count(*) as near_misses from near_misses where call = c.call) n
cross join lateral (select count(*) as bookings from appointments where call = c.call) b
cross join lateral (select count(*) as tools, count(*) filter (where failed) as tools_failed,
        count(*) filter (where failed is null) as tools_open,
        array_agg(greatest(extract(epoch from answered_at - asked_at) * 1000, 0)::bigint)
            filter (where answered_at is not null and asked_at is not null) as tool_ms
    from tool_calls x where x.call = c.call
        and x.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day') t
where call_is_over(c);
