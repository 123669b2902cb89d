-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Costs: legs to people, hosting, how each amount is known, whole micro-dollars that add up from line to year, prices
-- that are dated and changed by who is named, and both systems compared over the same mix of calls.

-- --- more that is paid for ------------------------------------------------------------------------

alter table rates drop constraint rates_what_check;
alter table rates add constraint rates_what_check
    check (what in ('openai', 'twilio_voice', 'twilio_stream', 'twilio_dial', 'sms', 'hosting'));
alter table rates drop constraint rates_unit_check;
alter table rates add constraint rates_unit_check check (unit in ('text_in', 'text_cached', 'audio_in', 'audio_cached',
    'image_in', 'image_cached', 'text_out', 'audio_out', 'minute', 'segment', 'month'));
insert into rates (what, model, unit, micro_usd_per_million, source) values
    ('twilio_dial', '', 'minute', 14000000000, 'list price, US outbound; compare with your bill');

alter table call_cost_lines drop constraint call_cost_lines_item_check;
alter table call_cost_lines add constraint call_cost_lines_item_check
    check (item in ('model', 'transcription', 'carrier', 'stream', 'texts', 'provider', 'transfer', 'hosting'));
-- billed: they told the amount; reported: they told the quantity; measured: by our clock; estimated: from other facts.
alter table call_cost_lines drop constraint call_cost_lines_basis_check;
alter table call_cost_lines add constraint call_cost_lines_basis_check
    check (basis in ('billed', 'reported', 'measured', 'estimated'));
-- Whole ones, which add up to the call's: what a line adds to the sum so far, rounded. Null: not known, or of before.
alter table call_cost_lines add column micro_usd bigint;

create or replace function line_micro_usd(l call_cost_lines) returns bigint language sql immutable parallel safe
return coalesce(l.micro_usd, floor(l.micro_usd_exact + 0.5)::bigint);

-- Somebody was dialled for a call: one row for each leg that the carrier told the end of, however often it did.
create table call_legs (
    call text not null references calls on delete cascade,
    leg label not null, -- its CallSid
    at timestamptz not null default now(),
    duration_s integer check (duration_s >= 0), -- null: never told
    primary key (call, leg)
);

create function keep_leg(which text, body jsonb) returns void language plpgsql as $$
begin
    insert into call_legs as l (call, leg, duration_s)
        values (which, word(body, 'dial_sid'), least(whole(body -> 'dial_s'), 604800)::integer)
        on conflict (call, leg) do update set duration_s = greatest(l.duration_s, excluded.duration_s);
end $$;

-- As in 0005, and the leg that has ended.
create or replace function keep_status(which text, body jsonb) returns void language plpgsql as $$
begin
    update calls set
        status = case when status_rank(word(body, 'status')) > status_rank(status)
            then word(body, 'status') else status end,
        duration_s = greatest(duration_s, case when whole(body -> 'duration_s') > 0
            or (body ? 'duration_s' and status_rank(word(body, 'status')) > 4)
            then whole(body -> 'duration_s')::integer end), -- 0 is a length only once it is over
        direction = coalesce(direction, word(body, 'direction'))
    where call = which;
    if word(body, 'dial_sid') is not null and jsonb_typeof(body -> 'dial_s') = 'number' then
        perform keep_leg(which, body);
    end if;
end $$;

-- What it is to hand a caller to a person: a leg of begun minutes, besides the caller's own. What a person took whose
-- leg nobody told of is not known; nor what Vapi dialled, but for the time that the caller stayed on.
create function transfer_consumption(c calls)
returns table (item text, what text, model text, unit text, quantity numeric, sixtieths numeric, basis text,
    at timestamptz, reason text)
language plpgsql stable as $$
#variable_conflict use_column
declare
    legs constant bigint := (select count(*) from call_legs where call = c.call);
    stayed numeric;
begin
    return query select 'transfer', 'twilio_dial', '', 'minute', ceil(l.duration_s / 60.0), ceil(l.duration_s / 60.0) * 60,
        'reported', c.started_at, null
        from call_legs l where l.call = c.call and l.duration_s > 0 order by l.leg;
    if legs = 0 and (c.transfers_answered > 0 or exists (select from triage_steps s where s.call = c.call
            and s.kind = 'transfer' and s.state in ('answered', 'confirmed'))) then
        return query select 'transfer', 'twilio_dial', '', 'minute', null::numeric, null::numeric, 'reported', c.started_at,
            'a person took the call, and nobody told for how long';
    end if;
    if c.ended_reason = 'assistant-forwarded-call' then
        select ceil((c.duration_s - extract(epoch from v.ended_at - c.started_at)) / 60) into stayed
            from vapi_calls v where v.call = c.call;
        return query select 'transfer', 'twilio_dial', '', 'minute', greatest(stayed, 0), greatest(stayed, 0) * 60,
            'estimated', c.started_at,
            case when stayed is null then 'Vapi handed the call on, and nobody told for how long' end;
    end if;
end $$;

-- A share of our own machines, where somebody said what they cost: of calls whose sound ran through them.
create function hosting_consumption(c calls)
returns table (item text, what text, model text, unit text, quantity numeric, sixtieths numeric, basis text,
    at timestamptz, reason text)
language sql stable as $$
    select 'hosting', 'hosting', '', 'minute', c.duration_ms / 60000.0, c.duration_ms / 1000.0, 'estimated', c.started_at,
        null
    where c.duration_ms > 0 and c.state_epoch > 0
        and exists (select from rates r where r.what = 'hosting' and r.unit = 'minute' and c.started_at >= r.valid_from
            and (r.valid_to is null or c.started_at < r.valid_to))
$$;

alter function call_consumption(calls) rename to call_consumption_itself;
create function call_consumption(c calls)
returns table (item text, what text, model text, unit text, quantity numeric, sixtieths numeric, basis text,
    at timestamptz, reason text)
language sql stable as $$
    select * from call_consumption_itself(c)
    union all select * from transfer_consumption(c)
    union all select * from hosting_consumption(c)
$$;

-- As in 0025, and each line has whole micro-dollars that add up to the call's: that of the sum up to it, less that of the
-- sum before.
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
    insert into call_cost_lines (call, line, item, model, unit, quantity, basis, rate, micro_usd_per_million, numerator,
            reason, micro_usd)
        select which, line, item, model, unit, quantity, basis, rate, micro_usd_per_million, numerator, reason,
            case when numerator is not null then floor((2 * (sum(numerator) over up_to) + 60000000) / 120000000)
                - floor((2 * ((sum(numerator) over up_to) - numerator) + 60000000) / 120000000) end
        from (
            select row_number() over (order by k.item, k.model, k.unit, k.at)::integer as line, k.item,
                nullif(k.model, '') as model, k.unit, k.quantity, k.basis, r.id as rate, r.micro_usd_per_million,
                case when k.reason is null then k.sixtieths * r.micro_usd_per_million end as numerator,
                case when k.reason is not null then k.reason
                    when r.id is null then format('no rate for %s of %s at that time; ringdown cost rates set adds one',
                        k.unit, coalesce(nullif(k.model, ''), k.what)) end as reason
            from call_consumption(c) k
            left join rates r on r.what = k.what and r.model = coalesce(k.model, '') and r.unit = k.unit
                and k.at >= r.valid_from and (r.valid_to is null or k.at < r.valid_to)
            union all
            select 1000 + row_number() over (order by v.model, v.unit), 'provider', v.model, v.unit, v.quantity, 'billed',
                null, null, v.numerator, null
            from vapi_charges(which) v) lines
        window up_to as (order by line rows unbounded preceding);
    select coalesce(sum(numerator), 0), min(item || ': ' || reason) into total, unknown
        from call_cost_lines where call = which;
    update call_costs set
        reason = unknown,
        micro_usd = case when unknown is null then floor((2 * total + 60000000) / 120000000) end,
        micro_usd_exact = case when unknown is null then total / 60000000 end
        where call = which returning * into answer;
    return answer;
end $$;

-- What each answer of the model, and each transcription, cost: in order, exact; null where there is no rate.
create function turn_costs(which text)
returns table (n bigint, at timestamptz, kind text, model text, units jsonb, micro_usd_exact numeric, complete boolean)
language sql stable as $$
    select row_number() over (order by u.epoch, u.seq), u.at, u.kind, u.model::text, x.units, x.cost, u.complete
    from calls c join usage u on u.call = c.call and u.started_at >= c.started_at - interval '1 day'
        and u.started_at < c.started_at + interval '7 days'
    cross join lateral (select jsonb_object_agg(k.unit, k.quantity) as units,
            case when count(*) = count(r.id) and u.complete then coalesce(sum(k.quantity * r.micro_usd_per_million), 0) / 1000000 end
                as cost
        from usage_units(u) k left join rates r on r.what = 'openai' and r.model = u.model and r.unit = k.unit
            and u.at >= r.valid_from and (r.valid_to is null or u.at < r.valid_to)) x
    where c.call = which
    order by 1
$$;

-- --- prices ---------------------------------------------------------------------------------------

-- A price from a day on, until the next one that is there already. What was reckoned before keeps the price that it was
-- reckoned with. Of a day that has one, the price is changed. Returns what is there now.
create function rate_set(of_what text, of_model text, of_unit text, price bigint, from_at timestamptz, of_source text,
    who text) returns jsonb language plpgsql as $$
#variable_conflict use_column
declare
    old rates;
    made rates;
    following timestamptz;
begin
    perform pg_advisory_xact_lock(hashtext('ringdown.rates'));
    select * into old from rates where what = of_what and model = of_model and unit = of_unit
        and from_at >= valid_from and (valid_to is null or from_at < valid_to);
    select min(valid_from) into following from rates
        where what = of_what and model = of_model and unit = of_unit and valid_from > from_at;
    if old.valid_from = from_at then
        update rates set micro_usd_per_million = price, source = of_source where id = old.id returning * into made;
    else
        update rates set valid_to = from_at where id = old.id;
        insert into rates (what, model, unit, micro_usd_per_million, valid_from, valid_to, source)
            values (of_what, of_model, of_unit, price, from_at, following, of_source) returning * into made;
    end if;
    insert into audit (who, what, subject, before, after) values (who, 'rate.set',
        concat_ws(' ', of_what, nullif(of_model, ''), of_unit), case when old.id is not null then to_jsonb(old) end,
        to_jsonb(made));
    return to_jsonb(made);
end $$;

-- Calls since then are reckoned anew, so many behind that one. The last of them, how many, and by how much they changed;
-- null when there are no more.
create function cost_again(since timestamptz, behind jsonb, at_most integer) returns jsonb language plpgsql as $$
declare
    c record;
    was bigint;
    is_now bigint;
    n integer := 0;
    changed bigint := 0;
    last jsonb;
begin
    for c in select call, started_at from calls where started_at >= since
            and (behind is null or (started_at, call) > ((behind ->> 'at')::timestamptz, behind ->> 'call'))
            and exists (select from call_costs k where k.call = calls.call)
            order by started_at, call limit at_most loop
        select micro_usd into was from call_costs where call = c.call;
        select micro_usd into is_now from call_cost(c.call);
        changed := changed + coalesce(is_now, 0) - coalesce(was, 0);
        n := n + 1;
        last := jsonb_build_object('call', c.call, 'at', c.started_at);
    end loop;
    return case when n > 0 then last || jsonb_build_object('n', n, 'changed_micro_usd', changed) end;
end $$;

-- --- both systems over the same calls -------------------------------------------------------------

-- Sums by when in the week a call was and how long it took, of each system: what ringdown.stats.compare weighs. Calls that
-- changed systems on their way count for neither. `x` micro-dollars, `m` minutes, `b` bookings.
create function cost_compare(of_agent text, ask jsonb) returns jsonb language sql stable set jit = off as $$
    with m as (
        select m.*, greatest(coalesce(c.duration_s, m.talk_ms / 1000.0), 0) / 60.0 as minutes
        from calls c join calls_measured m using (call)
        where c.agent = of_agent
            and c.started_at >= coalesce((ask ->> 'from')::timestamptz, (ask ->> 'local_from')::date - interval '1 day')
            and c.started_at < coalesce((ask ->> 'to')::timestamptz, (ask ->> 'local_to')::date + interval '1 day')
            and (ask ->> 'local_from' is null or m.local_hour >= (ask ->> 'local_from')::date)
            and (ask ->> 'local_to' is null or m.local_hour < (ask ->> 'local_to')::date)
            and m.system in ('openai', 'vapi') and m.outcome <> 'missed'
            and m.kind = any(case when jsonb_typeof(ask -> 'kinds') = 'array'
                then array(select jsonb_array_elements_text(ask -> 'kinds')) else array['real'] end)
    ),
    bands as (
        select *, case when extract(isodow from local_hour) > 5 then 'weekend' else 'weekday' end
                || ' ' || (extract(hour from local_hour)::integer / 6 * 6) as week_band,
            case when minutes < 0.5 then '0 to 30 s' when minutes < 1 then '30 s to 1 min' when minutes < 2 then '1 to 2 min'
                when minutes < 4 then '2 to 4 min' when minutes < 8 then '4 to 8 min' else '8 min and more' end as length_band
        from m
    )
    select jsonb_build_object(
        'changed', coalesce((select sum(failed_over) from bands), 0),
        'strata', coalesce((select jsonb_agg(to_jsonb(s) order by week_band, length_band, system) from (
            select week_band, length_band, system, count(*) as calls, count(*) filter (where cost_unknown) as unknown,
                count(*) filter (where not cost_unknown) as n,
                sum(micro_usd) filter (where not cost_unknown) as x, sum(minutes) filter (where not cost_unknown) as m,
                sum(bookings) filter (where not cost_unknown) as b,
                sum(micro_usd::numeric * micro_usd) filter (where not cost_unknown) as xx,
                sum(minutes * minutes) filter (where not cost_unknown) as mm,
                sum(bookings * bookings) filter (where not cost_unknown) as bb,
                sum(micro_usd * minutes) filter (where not cost_unknown) as xm,
                sum(micro_usd * bookings) filter (where not cost_unknown) as xb,
                count(*) filter (where not cost_unknown and outcome = 'contained') as contained,
                count(*) filter (where not cost_unknown and outcome in ('transferred', 'not_taken')) as transferred,
                count(*) filter (where not cost_unknown and outcome = 'failed') as failed,
                count(*) filter (where not cost_unknown and bookings > 0) as booked
            from bands where failed_over = 0 group by week_band, length_band, system) s), '[]'))
$$;
