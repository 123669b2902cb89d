-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What Vapi tells of the calls that it runs. One call is one row in `calls`, whatever system ran it; here is beside it
-- what only Vapi has: its own id, how it says that the call ended, what it charges.
--
--   its webhook, or what it answers when it is asked ── fact `vapi` ──▶ vapi_calls ──▶ calls, turns, costs
--
-- Both tell the same, one of them late or never, so each column is an extreme of what was told: the furthest status,
-- the latest end, the highest cost. The rows are the same whatever came first. Amounts are Vapi's own, to the digit.

alter table calls add column imported boolean not null default false; -- of a time before we answered; no evidence

create table vapi_calls (
    call text primary key references calls on delete cascade,
    vapi_id label not null unique,
    route text check (route in ('redirect', 'bypass', 'bridge')), -- how it came there; null: not told
    type label, -- Vapi's word: inboundPhoneCall…
    assistant label,
    number_id label, -- of the phone number, at Vapi
    status text check (status in ('scheduled', 'queued', 'ringing', 'in-progress', 'forwarding', 'ended')),
    ended_reason label,
    ended_class text check (ended_class in ('ok', 'limit', 'no_answer', 'config', 'provider', 'vapi', 'other')),
    created_at timestamptz,
    started_at timestamptz,
    in_progress_at timestamptz, -- when we heard of it; by Vapi's clock when only asking told
    ended_at timestamptz,
    hangs integer not null default 0 check (hangs >= 0), -- it failed to answer the caller in time
    cost_usd numeric check (cost_usd >= 0),
    cost_micro_usd micro_dollars generated always as (floor(cost_usd * 1000000 + 0.5)::bigint) stored,
    cost_lines jsonb check (jsonb_typeof(cost_lines) = 'array'), -- as Vapi breaks it down
    metrics jsonb check (jsonb_typeof(metrics) = 'object'), -- performanceMetrics: what turns took, in ms
    words integer not null default 0 check (words >= 0), -- how many turns were told
    seen_by text not null check (seen_by in ('webhook', 'poll', 'both')),
    told_at timestamptz not null, -- by the clock of the node that heard of it last
    updated_at timestamptz not null default now()
);
create index on vapi_calls (created_at);
create index on vapi_calls (told_at) where status is distinct from 'ended';

create function vapi_status_rank(status text) returns integer language sql immutable parallel safe
return coalesce(array_position(array['scheduled', 'queued', 'ringing', 'in-progress', 'forwarding', 'ended'], status), 0);

-- What kind of end that was, by rule: there are more than six hundred reasons, and each month has others.
create function vapi_ended_class(reason text) returns text language sql immutable parallel safe
return case
    when reason is null then null
    -- whatever names whose fault it was
    when reason ~ 'error-vapifault' or reason ~ 'worker-shutdown|worker-died|closed-websocket|assistant-join-timed-out'
        or reason = 'phone-call-provider-bypass-enabled-but-no-call-received' then 'vapi'
    when reason ~ 'error-providerfault' or reason ~ '^pipeline-' or reason ~ 'in-progress\.error-pipeline-' then 'provider'
    when reason ~ '^call[.]start[.]error-' or reason ~ '^call-start-error-' or reason ~ '^assistant-not-'
        or reason ~ '^assistant-request-' then 'config'
    when reason ~ '^(exceeded-max-duration|silence-timed-out|voicemail)$' then 'limit'
    when reason ~ '^customer-(busy|did-not-answer|did-not-give-microphone-permission)$'
        or reason ~ 'misdialed|operator-busy|forwarding\.no-answer|ringing\.hook-executed-.*busy' then 'no_answer'
    when reason ~ 'error' then 'other'
    when reason ~ '^(customer-ended-call|assistant-ended-call|assistant-said-|assistant-forwarded-call)'
        or reason ~ '(twilio|sip)-completed-call$' or reason in ('vonage-completed', 'manually-canceled')
        or reason ~ '\.hook-executed-' or reason ~ '^customer-ended-call-.*transfer' then 'ok'
    else 'other'
end;

-- ISO 8601 as they write it; null when it is no time, or one that no call can have.
create function told_time(said text) returns timestamptz language plpgsql stable as $$
declare
    at timestamptz;
begin
    at := said::timestamptz;
    return case when at between timestamptz '2020-01-01 00:00Z' and now() + interval '1 day' then at end;
exception when datetime_field_overflow or invalid_datetime_format or invalid_parameter_value then
    return null;
end $$;

-- Theirs are binary fractions: what is beyond a millionth of a micro-dollar is no money.
create function dollars(x jsonb) returns numeric language sql immutable parallel safe
return case when jsonb_typeof(x) = 'number' and (x #>> '{}')::numeric between 0 and 100000
    then round((x #>> '{}')::numeric, 12) end;

-- {what, model, unit, quantity, usd} each: of costs[], else of costBreakdown. What stands beside the amounts and says
-- nothing about money is left out.
create function vapi_lines(costs jsonb, breakdown jsonb) returns jsonb language plpgsql immutable as $$
declare
    lines jsonb;
begin
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'what', coalesce(cut(c ->> 'type', 32), 'other'),
            'model', cut(coalesce(c #>> '{model,model}', c #>> '{voice,voiceId}', c #>> '{transcriber,model}',
                case when jsonb_typeof(c -> 'model') = 'string' then c ->> 'model' end, c ->> 'provider',
                c ->> 'subType', c ->> 'analysisType'), 64),
            'unit', case when dollars(c -> 'minutes') is not null then 'minute'
                when dollars(c -> 'characters') is not null then 'character'
                when jsonb_typeof(c -> 'promptTokens') = 'number' then 'token' end,
            'quantity', coalesce(dollars(c -> 'minutes'), dollars(c -> 'characters'),
                whole(c -> 'promptTokens') + whole(c -> 'completionTokens')),
            'usd', dollars(c -> 'cost'))) order by n)
        into lines
        from jsonb_array_elements(case when jsonb_typeof(costs) = 'array' then costs else '[]' end)
            with ordinality x (c, n)
        where jsonb_typeof(c) = 'object' and dollars(c -> 'cost') is not null and n <= 64;
    if lines is null then
        select jsonb_agg(jsonb_build_object('what', key, 'usd', dollars(value)) order by key) into lines
            from jsonb_each(case when jsonb_typeof(breakdown) = 'object' then breakdown else '{}' end)
            where key in ('transport', 'stt', 'llm', 'tts', 'vapi', 'chat') and dollars(value) is not null;
    end if;
    return lines;
end $$;

-- --- what the journal brings ------------------------------------------------------------------

-- Its call began when Vapi says so, at the latest: our own webhook, which was first, may come later.
create function expect_vapi_call(e journal_event) returns text language plpgsql as $$
declare
    which text := cut(about_call(e.stream, e.body), 64);
begin
    if which is null or which !~ '^[A-Za-z0-9]+$' then
        return null;
    end if;
    insert into calls as c (call, started_at, agent, from_number, to_number, imported, system, reason)
    values (which, least(coalesce(told_time(e.body ->> 'created_at'), e.at), e.at), word(e.body, 'agent'),
        word(e.body, 'from'), word(e.body, 'to'), yes(e.body -> 'imported'),
        case when yes(e.body -> 'imported') then 'vapi' end, case when yes(e.body -> 'imported') then 'imported' end)
    on conflict (call) do update set agent = coalesce(c.agent, excluded.agent),
        from_number = coalesce(c.from_number, excluded.from_number),
        to_number = coalesce(c.to_number, excluded.to_number),
        imported = c.imported or excluded.imported and c.system is null,
        system = coalesce(c.system, excluded.system), reason = coalesce(c.reason, excluded.reason),
        started_at = case when c.imported then least(c.started_at, excluded.started_at) else c.started_at end
    where c.agent is null and excluded.agent is not null or c.from_number is null and excluded.from_number is not null
        or c.to_number is null and excluded.to_number is not null or c.imported and excluded.started_at < c.started_at
        or excluded.imported and c.system is null;
    return which;
end $$;

-- The call's own row, where Vapi ran it: nobody else tells how it ended. What was decided may be told later than that.
create function settle_vapi_call(which text) returns void language plpgsql as $$
begin
    update calls c set
        ended_at = coalesce(v.ended_at, v.told_at), ended_reason = v.ended_reason, state = 'ended',
        duration_ms = greatest(extract(epoch from v.ended_at - v.started_at) * 1000, 0)::bigint,
        turns = v.words, errors = coalesce(v.ended_class in ('config', 'provider', 'vapi'), false)::integer
    from vapi_calls v
    where c.call = which and v.call = c.call and v.status = 'ended' and c.system = 'vapi' and c.ended_epoch = 0
        and c.state_epoch = 0; -- what ran over a line of ours, that line tells
end $$;

create function keep_vapi(e journal_event) returns void language plpgsql as $$
declare
    which text := expect_vapi_call(e);
    of_id text := word(e.body, 'vapi_id');
    now_is text := case when vapi_status_rank(e.body ->> 'status') > 0 then e.body ->> 'status' end;
    by_whom text := case when e.body ->> 'seen_by' = 'webhook' then 'webhook' else 'poll' end;
    began timestamptz := told_time(e.body ->> 'started_at');
begin
    if which is null or of_id is null then
        return;
    end if;
    -- A first attempt that came to nothing makes room for the one that carried the call.
    delete from vapi_calls where call = which and vapi_id <> of_id and in_progress_at is null
            and (status = 'ended' or vapi_status_rank(now_is) >= 4)
        or vapi_id = of_id and call <> which;
    insert into vapi_calls as v (call, vapi_id, route, type, assistant, number_id, status, ended_reason, ended_class,
        created_at, started_at, in_progress_at, ended_at, hangs, cost_usd, cost_lines, metrics, seen_by, told_at)
    values (which, of_id, case when e.body ->> 'route' in ('redirect', 'bypass', 'bridge') then e.body ->> 'route' end,
        word(e.body, 'type'), word(e.body, 'assistant'), word(e.body, 'number_id'), now_is,
        word(e.body, 'ended_reason'), vapi_ended_class(word(e.body, 'ended_reason')),
        told_time(e.body ->> 'created_at'), began,
        case when now_is = 'in-progress' and by_whom = 'webhook' then e.at
            when vapi_status_rank(now_is) >= 4 then began end,
        told_time(e.body ->> 'ended_at'), yes(e.body -> 'hang')::integer, dollars(e.body -> 'cost'),
        vapi_lines(e.body -> 'costs', e.body -> 'cost_breakdown'),
        case when jsonb_typeof(e.body -> 'metrics') = 'object' then e.body -> 'metrics' end, by_whom, e.at)
    on conflict (call) do update set
        route = greatest(v.route, excluded.route),
        type = greatest(v.type::text, excluded.type::text),
        assistant = greatest(v.assistant::text, excluded.assistant::text),
        number_id = greatest(v.number_id::text, excluded.number_id::text),
        status = case when vapi_status_rank(excluded.status) > vapi_status_rank(v.status)
            then excluded.status else v.status end,
        ended_reason = greatest(v.ended_reason::text, excluded.ended_reason::text),
        ended_class = vapi_ended_class(greatest(v.ended_reason::text, excluded.ended_reason::text)),
        created_at = least(v.created_at, excluded.created_at),
        started_at = least(v.started_at, excluded.started_at),
        in_progress_at = least(v.in_progress_at, excluded.in_progress_at),
        ended_at = greatest(v.ended_at, excluded.ended_at),
        hangs = v.hangs + excluded.hangs,
        cost_lines = case when (coalesce(excluded.cost_usd, -1), coalesce(excluded.cost_lines::text, ''))
                > (coalesce(v.cost_usd, -1), coalesce(v.cost_lines::text, ''))
            then excluded.cost_lines else v.cost_lines end,
        cost_usd = greatest(v.cost_usd, excluded.cost_usd),
        metrics = greatest(v.metrics, excluded.metrics),
        seen_by = case when v.seen_by = excluded.seen_by then v.seen_by else 'both' end,
        told_at = greatest(v.told_at, excluded.told_at), updated_at = now()
    where v.vapi_id = excluded.vapi_id;
    perform settle_vapi_call(which);
end $$;

-- What was said, numbered from 1, a part of it each. The month is that of Vapi's own beginning, which every part names.
create function keep_vapi_words(e journal_event) returns void language plpgsql as $$
declare
    which text := expect_vapi_call(e);
    began timestamptz := coalesce(told_time(e.body ->> 'created_at'), e.at);
    first constant integer := greatest(whole(e.body -> 'first'), 1)::integer;
begin
    if which is null or jsonb_typeof(e.body -> 'words') is distinct from 'array' then
        return;
    end if;
    update vapi_calls set words = greatest(words, first - 1 + jsonb_array_length(e.body -> 'words')) where call = which;
    if exists (select from calls c where c.call = which and c.state_epoch > 0) then
        return; -- a line of ours heard them
    end if;
    perform ensure_partitions_for(began);
    insert into turns as t (call, epoch, seq, started_at, at, turn, role, heard)
        select which, 1, first + n - 1, began,
            began + least(whole(w -> 'at_ms'), 86400000) * interval '1 millisecond', (first + n - 1)::integer,
            w ->> 'role', left(coalesce(w ->> 'text', ''), 131072)
        from jsonb_array_elements(e.body -> 'words') with ordinality x (w, n)
        where w ->> 'role' in ('caller', 'agent')
    on conflict (call, epoch, seq, started_at) do update set heard = excluded.heard, role = excluded.role, at = excluded.at
        where (length(t.heard), t.heard, t.role, t.at) < (length(excluded.heard), excluded.heard, excluded.role, excluded.at);
    perform settle_vapi_call(which);
end $$;

-- A fact of the call that a node tells which does not have it: tools that Vapi's model called, what the agent remembers.
create function as_of_call(e journal_event) returns journal_event language plpgsql as $$
declare
    which text := expect_vapi_call(e);
    began timestamptz;
begin
    if which is null then
        return null;
    end if;
    select coalesce((select t.started_at from tool_calls t where t.call = which and t.id = word(e.body, 'id')
        order by t.started_at limit 1), c.started_at) into began from calls c where c.call = which;
    perform ensure_partitions_for(began);
    return row(which, began, e.epoch, e.seq, e.at, e.type, e.body)::journal_event;
end $$;

-- As in 0009, and what Vapi tells.
create or replace function keep_of_node(e journal_event) returns void language plpgsql as $$
begin
    case e.type
        when 'node_started', 'node_stopped' then perform keep_node(e);
        when 'agent_version' then perform keep_agent_version(e);
        when 'alarm' then perform keep_alarm(e);
        when 'audit' then perform keep_audit(e);
        when 'webhook' then perform keep_foreign_webhook(e);
        when 'text' then perform expect_call(e); perform keep_text(e);
        when 'missed' then perform expect_call(e); perform keep_missed(e);
        when 'triage' then perform keep_triage(e);
        when 'triage_step' then perform keep_triage_step(e);
        when 'near_miss' then perform keep_near_miss(e);
        when 'vapi' then perform keep_vapi(e);
        when 'vapi_words' then perform keep_vapi_words(e);
        when 'tool' then perform keep_tool(t) from as_of_call(e) t where (t).stream is not null;
        when 'vars' then perform keep_vars(t) from as_of_call(e) t where (t).stream is not null;
        else null;
    end case;
end $$;

-- As in 0014; a decision may be told after Vapi told the end.
create or replace function keep_of_call(e journal_event) returns void language plpgsql as $$
begin
    case e.type
        when 'webhook' then perform keep_webhook(e);
        when 'decision' then perform keep_decision(e); perform settle_vapi_call(e.stream);
        when 'state' then perform keep_state(e);
        when 'notice' then perform keep_notice(e);
        when 'turn' then perform keep_turn(e);
        when 'tool' then perform keep_tool(e);
        when 'vars' then perform keep_vars(e);
        when 'usage' then perform keep_usage(e);
        when 'recording' then perform keep_recording(e);
        when 'text' then perform keep_text(e);
        when 'missed' then perform keep_missed(e);
        when 'triage' then perform keep_triage(e);
        when 'triage_step' then perform keep_triage_step(e);
        when 'near_miss' then perform keep_near_miss(e);
        when 'vapi' then perform keep_vapi(e);
        when 'vapi_words' then perform keep_vapi_words(e);
        when 'ended' then perform keep_ended(e); perform keep_opening(e);
        else null;
    end case;
end $$;

-- --- what it costs ----------------------------------------------------------------------------

-- Vapi's amounts as lines, and what its total says more or less than they do.
create function vapi_charges(which text)
returns table (model text, unit text, quantity numeric, numerator numeric) language sql stable as $$
    with l as (select n, cut(concat_ws(' ', x ->> 'what', x ->> 'model'), 128) as model, x ->> 'unit' as unit,
            (x ->> 'quantity')::numeric as quantity, (x ->> 'usd')::numeric as usd, v.cost_usd
        from vapi_calls v left join lateral jsonb_array_elements(v.cost_lines) with ordinality e (x, n) on true
        where v.call = which and v.cost_usd is not null)
    select model, unit, quantity, usd * 60000000000000 from l where n is not null
    union all
    select 'not broken down', null, null, (min(cost_usd) - coalesce(sum(usd), 0)) * 60000000000000 from l
        having min(cost_usd) is distinct from coalesce(sum(usd), 0) and count(*) > 0
$$;

-- As in 0012; what Vapi charges is added by call_cost, and only missing here.
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
    if c.system = 'vapi' and not exists (select from vapi_calls v where v.call = c.call and v.cost_usd is not null) then
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

-- As in 0004, and Vapi's own lines behind ours.
create or replace function call_cost(which text) returns call_costs language plpgsql as $$
#variable_conflict use_column
declare
    c calls;
    total numeric;
    unknown text;
    answer call_costs;
begin
    select * into c from calls where call = which for update;
    if not found then
        return null;
    end if;
    delete from call_costs where call = which;
    insert into call_costs (call, reason) values (which, 'being computed');
    insert into call_cost_lines (call, line, item, model, unit, quantity, basis, rate, micro_usd_per_million,
            numerator, reason)
        select which, row_number() over (order by k.item, k.model, k.unit, k.at), k.item, nullif(k.model, ''), k.unit,
            k.quantity, k.basis, r.id, r.micro_usd_per_million,
            case when k.reason is null then k.sixtieths * r.micro_usd_per_million end,
            case when k.reason is not null then k.reason
                when r.id is null then format('no rate for %s of %s at that time; add one to the table rates',
                    k.unit, coalesce(nullif(k.model, ''), k.what)) end
        from call_consumption(c) k
        left join rates r on r.what = k.what and r.model = coalesce(k.model, '') and r.unit = k.unit
            and k.at >= r.valid_from and (r.valid_to is null or k.at < r.valid_to);
    insert into call_cost_lines (call, line, item, model, unit, quantity, numerator)
        select which, 1000 + row_number() over (order by v.model, v.unit), 'provider', v.model, v.unit, v.quantity,
            v.numerator
        from vapi_charges(which) v;
    select coalesce(sum(numerator), 0), min(item || ': ' || reason) into total, unknown
        from call_cost_lines where call = which;
    update call_costs set
        reason = unknown,
        micro_usd = case when unknown is null then floor((2 * total + 60000000) / 120000000) end,
        micro_usd_exact = case when unknown is null then total / 60000000 end
        where call = which returning * into answer;
    return answer;
end $$;

-- --- what people and programs ask -------------------------------------------------------------

-- As in 0006; of a call that Vapi has or had, what Vapi says.
create or replace function why(which text) returns jsonb language plpgsql stable as $$
declare
    c calls;
begin
    if which ~ '^\+[1-9][0-9]{1,14}$' then
        return why_number(which);
    end if;
    select * into c from calls where call = which;
    if not found then
        return jsonb_build_object('found', false, 'kind', 'call', 'call', which);
    end if;
    return why_call(c) || jsonb_build_object('vapi',
        (select to_jsonb(v) - array['call', 'updated_at', 'cost_lines'] from vapi_calls v where v.call = c.call));
end $$;

-- Which of these calls of Vapi are ours, by the carrier's id: those that we sent there, and what is missing of them.
-- Null members are not known yet. For the one who asks Vapi about the last minutes.
create function vapi_calls_known(sids text[])
returns table (call text, agent text, status text, costed boolean, worded boolean) language sql stable as $$
    select c.call, c.agent::text, v.status, v.cost_usd is not null, coalesce(v.words, 0) > 0 or c.words_gone_at is not null
    from calls c left join vapi_calls v using (call)
    where c.call = any(sids) and (c.system = 'vapi' or v.call is not null)
$$;

-- Calls that went to Vapi and of which their end, cost or words are not told: how long ago the oldest of them began, in
-- seconds; null when there is none. What Vapi has not told within a day, it never will; and of a call that it has not
-- named within an hour it never heard.
create function vapi_owes_since(as_of timestamptz default now()) returns bigint language sql stable
return (select extract(epoch from as_of - min(c.started_at))::bigint
    from calls c left join vapi_calls v using (call)
    where c.system = 'vapi' and not c.imported
        and c.started_at > as_of - case when v.call is null then interval '1 hour' else interval '1 day' end
        and (v.status is distinct from 'ended' or v.cost_usd is null or v.words = 0 and c.words_gone_at is null
            and v.ended_at > v.started_at + interval '5 seconds'));

-- What a webhook must know of its call before anything of it is run: that it is one that we sent to Vapi. `ask`: {sid,
-- vapi_id}; null: none of ours. `line`: it runs over a line of ours, which hears the caller itself.
create function vapi_call_for(ask jsonb, as_of timestamptz default now()) returns jsonb language sql stable as $$
    select jsonb_strip_nulls(jsonb_build_object('call', c.call, 'agent', c.agent, 'from', c.from_number,
        'to', c.to_number, 'vapi_id', v.vapi_id, 'line', case when c.state_epoch > 0 then true end))
    from calls c left join vapi_calls v using (call)
    where (c.call = ask ->> 'sid' or v.vapi_id = ask ->> 'vapi_id')
        and (c.system = 'vapi' or v.call is not null) and c.started_at > as_of - interval '1 day'
    order by c.call = ask ->> 'sid' desc limit 1
$$;

-- --- what a tool did for Vapi -------------------------------------------------------------------

-- A write happens once per call, tool and arguments, whichever process is asked. The row is there before it runs.
create table vapi_writes (
    call text not null,
    key text not null check (length(key) = 64), -- SHA-256 of tool and arguments
    at timestamptz not null default now(),
    output prose, -- null: it runs, or nobody knows what came of it
    primary key (call, key)
);
create index on vapi_writes (at);

-- What there is to remember of a call where each webhook begins anew: what its agent's own file remembers, what was said
-- and done, how many tools within the last minute; `state`: what the library remembers (its key is of zeros).
create function vapi_call_memory(which text, as_of timestamptz default now()) returns jsonb language sql stable as $$
    select jsonb_build_object('vars', c.vars, 'verstat', c.verstat, 'noticed', c.notice_at is not null,
        'elapsed_ms', greatest((extract(epoch from as_of - c.started_at) * 1000)::bigint, 0),
        'history', call_history(c.call),
        'tools_lately', (select count(*) from tool_calls t where t.call = c.call
            and t.asked_at > as_of - interval '1 minute'),
        'state', (select w.output::jsonb from vapi_writes w where w.call = c.call and w.key = repeat('0', 64)))
    from calls c where c.call = which
$$;

create function vapi_call_state(of_call text, state jsonb) returns void language sql as $$
    insert into vapi_writes (call, key, output) values (of_call, repeat('0', 64), state::text)
        on conflict (call, key) do update set output = excluded.output, at = now()
$$;

-- True: it is yours to do. Else what it came to, null while that is not known.
create function vapi_write_begin(of_call text, of_key text, out mine boolean, out known text) language plpgsql as $$
begin
    delete from vapi_writes where at < now() - interval '2 days' and call <> of_call;
    insert into vapi_writes (call, key) values (of_call, of_key) on conflict do nothing;
    mine := found;
    if not mine then
        select output into known from vapi_writes where call = of_call and key = of_key;
    end if;
end $$;

-- What it came to; null: nothing was done, and it may be tried again.
create function vapi_write_end(of_call text, of_key text, came_to text) returns void language plpgsql as $$
begin
    if came_to is null then
        delete from vapi_writes where call = of_call and key = of_key;
    else
        update vapi_writes set output = left(came_to, 131072) where call = of_call and key = of_key;
    end if;
end $$;

alter function blank_words(text[]) rename to blank_words_of_calls;
create function blank_words(which text[]) returns void language plpgsql as $$
begin
    delete from vapi_writes where call = any(which);
    perform blank_words_of_calls(which);
end $$;
