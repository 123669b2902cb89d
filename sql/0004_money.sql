-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What a call costs, from raw usage and dated rates.
--
-- Unknown is unknown, never 0: without a rate, or when the provider did not tell all, the total is null with a
-- reason, and what is known is still there line by line. Numerators are added exactly and rounded once.

-- Published list prices are seeded below as a beginning: the operator's contract wins. A new price is a new row:
--   update rates set valid_to = '2027-01-01' where …;  insert into rates (…, valid_from) values (…, '2027-01-01')
create table rates (
    id bigint generated always as identity primary key,
    what text not null check (what in ('openai', 'twilio_voice', 'twilio_stream', 'sms')),
    model text not null default '' check (length(model) <= 128), -- '': any
    unit text not null check (unit in ('text_in', 'text_cached', 'audio_in', 'audio_cached', 'image_in', 'image_cached',
        'text_out', 'audio_out', -- tokens; *_in without those that were cached
        'minute', -- begun minutes where the carrier bills, minutes to the second where a model does
        'segment')),
    micro_usd_per_million bigint not null check (micro_usd_per_million >= 0), -- for a million units
    valid_from timestamptz not null default '2025-01-01 00:00Z',
    valid_to timestamptz check (valid_to > valid_from), -- null: until further notice
    source sentence,
    constraint rates_never_overlap exclude using gist
        (what with =, model with =, unit with =, tstzrange(valid_from, valid_to) with &&)
);

-- Realtime models, dollars per million tokens.
insert into rates (what, model, unit, micro_usd_per_million, source)
select 'openai', model, unit, dollars * 1000000, 'list price, autumn 2026'
from (values
    ('gpt-realtime-2.1',             32, 0.40, 64, 4,    0.40, 24,   5,    0.50),
    ('gpt-realtime-2',               32, 0.40, 64, 4,    0.40, 24,   5,    0.50),
    ('gpt-realtime-2.1-mini',        10, 0.30, 20, 0.60, 0.06, 2.40, 0.80, 0.08),
    ('gpt-realtime-1.5',             32, 0.40, 64, 4,    0.40, 16,   5,    0.50),
    ('gpt-realtime',                 32, 0.40, 64, 4,    0.40, 16,   5,    0.50),
    ('gpt-realtime-mini',            10, 0.30, 20, 0.60, 0.06, 2.40, 0.80, 0.08),
    ('gpt-4o-realtime-preview',      40, 2.50, 80, 5,    2.50, 20,   null, null),
    ('gpt-4o-mini-realtime-preview', 10, 0.30, 20, 0.60, 0.30, 2.40, null, null)
) p (model, audio_in, audio_cached, audio_out, text_in, text_cached, text_out, image_in, image_cached),
lateral (values ('audio_in', audio_in), ('audio_cached', audio_cached), ('audio_out', audio_out),
    ('text_in', text_in), ('text_cached', text_cached), ('text_out', text_out),
    ('image_in', image_in), ('image_cached', image_cached)) u (unit, dollars)
where dollars is not null;

-- What is billed by time or by piece, dollars per unit.
insert into rates (what, model, unit, micro_usd_per_million, source) values
    ('openai', 'gpt-transcribe',           'minute',   4500000000, 'list price, autumn 2026'),
    ('openai', 'gpt-live-transcribe',      'minute',  17000000000, 'list price, autumn 2026'),
    ('openai', 'gpt-realtime-whisper',     'minute',  17000000000, 'list price, autumn 2026'),
    ('openai', 'gpt-realtime-translate',   'minute',  34000000000, 'list price, autumn 2026'),
    ('openai', 'gpt-4o-transcribe',        'minute',   6000000000, 'list price, approximate'),
    ('openai', 'gpt-4o-mini-transcribe',   'minute',   3000000000, 'list price, approximate'),
    ('openai', 'whisper-1',                'minute',   6000000000, 'list price'),
    ('openai', 'gpt-live-1',               'minute',  50000000000, 'list price, autumn 2026'),
    ('openai', 'gpt-live-1.1',             'minute',  50000000000, 'list price, autumn 2026: active minutes'),
    ('twilio_voice', '',                   'minute',   8500000000, 'list price, US inbound, local number'),
    ('twilio_stream', '',                  'minute',   4400000000, 'a default: compare with your bill'),
    ('sms', '',                            'segment',  8300000000, 'list price, US, without carrier fees');

create table call_costs (
    call text primary key references calls on delete cascade,
    computed_at timestamptz not null default now(),
    micro_usd micro_dollars, -- half up, once
    micro_usd_exact numeric,
    reason sentence, -- why it is not known
    check ((micro_usd is null) = (reason is not null)),
    check ((micro_usd is null) = (micro_usd_exact is null))
);

create table call_cost_lines (
    call text not null references call_costs on delete cascade,
    line integer not null check (line > 0),
    item text not null check (item in ('model', 'transcription', 'carrier', 'stream', 'texts', 'provider')),
    model text,
    unit text,
    quantity numeric check (quantity >= 0),
    basis text not null default 'reported' check (basis in ('reported', 'measured')), -- by them, by our clock
    rate bigint references rates,
    micro_usd_per_million bigint, -- as it was then, whatever becomes of the rate
    numerator numeric, -- exact: of a micro-dollar's sixty-millionth (seconds are sixtieths of minutes)
    micro_usd_exact numeric generated always as (numerator / 60000000) stored,
    reason sentence, -- why it is not known
    primary key (call, line),
    check ((numerator is null) = (reason is not null))
);

-- Tokens of one usage row by what they cost: cached ones are part of those next to them.
create function usage_units(u usage) returns table (unit text, quantity numeric) language sql immutable
begin atomic
    select x.unit, x.quantity
    from (values
        ('text_in', (u.text_in - u.text_cached)::numeric), ('text_cached', u.text_cached::numeric),
        ('audio_in', (u.audio_in - u.audio_cached)::numeric), ('audio_cached', u.audio_cached::numeric),
        ('image_in', (u.image_in - u.image_cached)::numeric), ('image_cached', u.image_cached::numeric),
        ('text_out', u.text_out::numeric), ('audio_out', u.audio_out::numeric),
        ('minute', u.seconds / 60)) x (unit, quantity)
    where x.quantity > 0;
end;

-- Everything that was consumed, before anybody asks for prices. A quantity of null is not known. The call's month is
-- looked at and no other: no call is a week long.
create function call_consumption(c calls)
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
    from texts t where t.call = c.call and t.direction = 'out' group by t.call;
end $$;

-- Computes the cost of a call, keeps it and its lines, and returns it. Again at any time: after late usage,
-- after a correction of rates. Null for a call that nobody knows.
create function call_cost(which text) returns call_costs language plpgsql as $$
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
    select coalesce(sum(numerator), 0), min(item || ': ' || reason) into total, unknown
        from call_cost_lines where call = which;
    update call_costs set
        reason = unknown,
        micro_usd = case when unknown is null then floor((2 * total + 60000000) / 120000000) end,
        micro_usd_exact = case when unknown is null then total / 60000000 end
        where call = which returning * into answer;
    return answer;
end $$;
