-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Texts that were refused have a row as well, with the reason: 'canceled'. They cost nothing, and no cap counts them.

-- As before, of texts that went out.
create or replace function is_swarm(number text, of_agent text, ask jsonb, as_of timestamptz) returns boolean
language sql stable
return (select count(*) from calls where started_at > as_of - interval '10 minutes' and agent = of_agent
        and swarm_of(from_number) = swarm_of(number)) > (ask ->> 'swarm_calls')::integer
    or (select count(distinct to_number) from texts where created_at > as_of - interval '1 hour' and agent = of_agent
        and direction = 'out' and status is distinct from 'canceled' and to_number <> number
        and swarm_of(to_number) = swarm_of(number)) >= (ask ->> 'swarm_texts')::integer;

-- As before, without texts that never went out.
create or replace function call_consumption(c calls)
returns table (item text, what text, model text, unit text, quantity numeric, sixtieths numeric, basis text,
    at timestamptz, reason text)
language plpgsql stable as $$
#variable_conflict use_column
declare
    until constant timestamptz := c.started_at + interval '7 days';
    begun constant numeric := -- minutes of the carrier
        ceil(coalesce(c.duration_s, extract(epoch from c.ended_at - c.started_at)) / 60);
begin
    return query
    select case u.kind when 'response' then 'model' else 'transcription' end, 'openai', u.model::text, x.unit,
        sum(x.quantity), sum(case x.unit when 'minute' then u.seconds else x.quantity * 60 end),
        'reported', min(u.at), null
    from usage u cross join lateral usage_units(u) x
    where u.call = c.call and u.started_at >= c.started_at and u.started_at < until
    group by u.kind, u.model, x.unit, (select r.id from rates r where r.what = 'openai' and r.model = u.model
        and r.unit = x.unit and u.at >= r.valid_from and (r.valid_to is null or u.at < r.valid_to));

    return query
    select case u.kind when 'response' then 'model' else 'transcription' end, 'openai', u.model::text, null,
        null::numeric, null::numeric, 'reported', min(u.at),
        'the provider did not tell all it counted, ' || count(*) || ' times'
    from usage u
    where u.call = c.call and u.started_at >= c.started_at and u.started_at < until and not u.complete
    group by u.kind, u.model;

    if c.system = 'openai' and exists (select from turns t where t.call = c.call and t.role = 'agent'
            and t.started_at >= c.started_at and t.started_at < until)
        and not exists (select from usage u where u.call = c.call and u.kind = 'response'
            and u.started_at >= c.started_at and u.started_at < until) then
        return query select 'model', 'openai', c.model::text, null, null::numeric, null::numeric, 'reported',
            c.started_at, 'the agent spoke, and the provider told no usage';
    end if;
    if c.system = 'vapi' then
        return query select 'provider', null, null, null, null::numeric, null::numeric, 'reported', c.started_at,
            'what Vapi charges is not known here';
    end if;
    return query select 'carrier', 'twilio_voice', '', 'minute', begun, begun * 60,
        case when c.duration_s is null then 'measured' else 'reported' end, c.started_at,
        case when begun is null then 'nobody has told yet how long the call was' end;
    if c.duration_ms > 0 then
        return query select 'stream', 'twilio_stream', '', 'minute', ceil(c.duration_ms / 60000.0),
            ceil(c.duration_ms / 60000.0) * 60, 'measured', c.started_at, null;
    end if;
    return query
    select 'texts', 'sms', '', 'segment', sum(t.segments)::numeric, sum(t.segments) * 60.0, 'reported',
        min(t.created_at),
        case when bool_or(t.segments is null) then 'the carrier has not counted the segments of a text' end
    from texts t where t.call = c.call and t.direction = 'out' and t.status is distinct from 'canceled'
    group by t.call;
end $$;
