-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A call that Vapi took from OpenAI is as much Vapi's as one that began there; and what an agent remembers from one
-- webhook to the next does not wait for the journal.

-- Does a line of ours have the caller, so that it hears every word itself? Not when the line ended and Vapi has them.
create function is_on_our_line(c calls, route text) returns boolean language sql immutable parallel safe
return c.state_epoch > 0 and coalesce(route, case when c.system = 'vapi' then 'bridge' else '' end) = 'bridge';

-- As in 0025, but a line that is over hears nobody.
create or replace function vapi_call_for(ask jsonb, as_of timestamptz default now()) returns jsonb language sql stable as $$
    select jsonb_strip_nulls(jsonb_build_object('call', c.call, 'agent', c.agent, 'from', c.from_number,
        'to', c.to_number, 'vapi_id', v.vapi_id, 'line', case when is_on_our_line(c, v.route) then true end))
    from calls c left join vapi_calls v using (call)
    where (c.call = ask ->> 'sid' or v.vapi_id = ask ->> 'vapi_id')
        and (c.system = 'vapi' or c.failed_over_to = 'vapi' or v.call is not null)
        and c.started_at > as_of - interval '1 day'
    order by c.call = ask ->> 'sid' desc limit 1
$$;

-- As in 0025, and of calls that went on at Vapi.
create or replace function vapi_calls_known(sids text[])
returns table (call text, agent text, status text, costed boolean, worded boolean) language sql stable as $$
    select c.call, c.agent::text, v.status, v.cost_usd is not null, coalesce(v.words, 0) > 0 or c.words_gone_at is not null
    from calls c left join vapi_calls v using (call)
    where c.call = any(sids) and (c.system = 'vapi' or c.failed_over_to = 'vapi' or v.call is not null)
$$;

-- The same.
create or replace function vapi_owes_since(as_of timestamptz default now()) returns bigint language sql stable
return (select extract(epoch from as_of - min(c.started_at))::bigint
    from calls c left join vapi_calls v using (call)
    where (c.system = 'vapi' or c.failed_over_to = 'vapi') and not c.imported
        and c.started_at > as_of - case when v.call is null then interval '1 hour' else interval '1 day' end
        and (v.status is distinct from 'ended' or v.cost_usd is null or v.words = 0 and c.words_gone_at is null
            and v.ended_at > v.started_at + interval '5 seconds'));

-- As in 0025, and what was said after our line was over: behind its own turns, whose epochs are times as well.
create or replace function keep_vapi_words(e journal_event) returns void language plpgsql as $$
declare
    which text := expect_vapi_call(e);
    began timestamptz := coalesce(told_time(e.body ->> 'created_at'), e.at);
    first constant integer := greatest(whole(e.body -> 'first'), 1)::integer;
    of_epoch bigint := 1;
    before integer := 0;
begin
    if which is null or jsonb_typeof(e.body -> 'words') is distinct from 'array' then
        return;
    end if;
    update vapi_calls set words = greatest(words, first - 1 + jsonb_array_length(e.body -> 'words')) where call = which;
    if exists (select from calls c left join vapi_calls v using (call)
            where c.call = which and is_on_our_line(c, v.route)) then
        return; -- a line of ours heard them
    end if;
    if exists (select from calls c where c.call = which and c.system = 'openai') then
        of_epoch := extract(epoch from began) * 1000000;
        select coalesce(max(turn), 0) into before from turns t where t.call = which and t.epoch <> of_epoch;
    end if;
    perform ensure_partitions_for(began);
    insert into turns as t (call, epoch, seq, started_at, at, turn, role, heard)
        select which, of_epoch, first + n - 1, began,
            began + least(whole(w -> 'at_ms'), 86400000) * interval '1 millisecond', (before + first + n - 1)::integer,
            w ->> 'role', left(coalesce(w ->> 'text', ''), 131072)
        from jsonb_array_elements(e.body -> 'words') with ordinality x (w, n)
        where w ->> 'role' in ('caller', 'agent')
    on conflict (call, epoch, seq, started_at) do update set heard = excluded.heard, role = excluded.role, at = excluded.at
        where (length(t.heard), t.heard, t.role, t.at) < (length(excluded.heard), excluded.heard, excluded.role, excluded.at);
    perform settle_vapi_call(which);
end $$;

-- As in 0025, and what Vapi charges for calls that went on there is missing as well until it is told.
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
    if (c.system = 'vapi' or c.failed_over_to = 'vapi')
        and not exists (select from vapi_calls v where v.call = c.call and v.cost_usd is not null) then
        return query select 'provider', null, null, null, null::numeric, null::numeric, 'reported', c.started_at,
            'Vapi has not told yet what it charges';
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

-- --- what is remembered from one webhook to the next ------------------------------------------

-- What webhooks changed of `vars` lies beside the rest and is newer than what the journal has brought so far. Names that
-- this one did not change stay as another one left them.
create or replace function vapi_call_state(of_call text, state jsonb) returns void language sql as $$
    insert into vapi_writes as w (call, key, output) values (of_call, repeat('0', 64), state::text)
        on conflict (call, key) do update set at = now(), output = (coalesce(w.output, '{}')::jsonb || state
            || jsonb_build_object('vars', coalesce(w.output::jsonb -> 'vars', '{}') || coalesce(state -> 'vars', '{}')))::text
$$;

-- As in 0025, but for `vars`.
create or replace function vapi_call_memory(which text, as_of timestamptz default now()) returns jsonb language sql stable as $$
    select jsonb_build_object('vars', case when s.state -> 'vars' is null then c.vars
            else coalesce(c.vars, '{}') || (s.state -> 'vars') end, 'verstat', c.verstat,
        'noticed', c.notice_at is not null,
        'elapsed_ms', greatest((extract(epoch from as_of - c.started_at) * 1000)::bigint, 0),
        'history', call_history(c.call),
        'tools_lately', (select count(*) from tool_calls t where t.call = c.call
            and t.asked_at > as_of - interval '1 minute'),
        'state', s.state)
    from calls c left join lateral (select w.output::jsonb as state from vapi_writes w
        where w.call = c.call and w.key = repeat('0', 64)) s on true
    where c.call = which
$$;
