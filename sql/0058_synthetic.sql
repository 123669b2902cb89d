-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Calls that we make ourselves say so, whatever number they come from: `ringdown call`, and the synthetic call by which
-- the cluster tries the way that callers come. One notion for all of them: is_test (0043). They are in the records and
-- in no statistics, no evidence, no alarm about callers; what a synthetic call costs counts towards no cap, and has a
-- line of its own.

alter table calls add column trial label check (trial in ('call', 'synthetic')); -- null: somebody called

-- As in 0017, and what kind of trial it is.
create or replace function keep_webhook(e journal_event) returns void language plpgsql as $$
begin
    perform keep_status(e.stream, e.body);
    update calls set account = coalesce(account, word(e.body, 'account')), verstat = coalesce(verstat, word(e.body, 'verstat'))
        where call = e.stream and (e.body ? 'account' or e.body ? 'verstat');
    update calls set node = word(e.body, 'node'), node_epoch = e.epoch,
            process = case when jsonb_typeof(e.body -> 'process') = 'number' then (e.body ->> 'process')::bigint end
        where call = e.stream and word(e.body, 'node') is not null and node_epoch < e.epoch;
    update calls set is_test = true, trial = e.body ->> 'trial'
        where call = e.stream and e.body ->> 'trial' in ('call', 'synthetic') and trial is null;
end $$;

-- Whoever goes on with a call knows that it is a trial.
alter function adopt_call(jsonb, timestamptz) rename to adopt_call_itself;
create function adopt_call(ask jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
declare
    answer constant jsonb := adopt_call_itself(ask, as_of);
    kind constant text := (select trial from calls where call = answer ->> 'call');
begin
    return case when answer ? 'epoch' and kind is not null then answer || jsonb_build_object('trial', kind)
        else answer end;
end $$;

-- As in 0046, but nobody's cap is touched by what we try ourselves.
create or replace function call_spent(c calls, out micro_usd bigint, out is_known boolean) language sql stable as $$
    select case when c.trial is not distinct from 'synthetic' then 0 else coalesce(k.micro_usd,
            case when k.call is not null
                then (select sum(line_micro_usd(l)) from call_cost_lines l where l.call = c.call and l.numerator is not null)
                else (select floor(sum(t.micro_usd_exact)) from turn_costs(c.call) t) end, 0)::bigint end,
        k.micro_usd is not null or c.trial is not distinct from 'synthetic'
    from (select 1) one left join call_costs k on k.call = c.call
$$;

-- --- the synthetic call ---------------------------------------------------------------------------

create table synthetic_calls (
    run bigint generated always as identity primary key,
    node label not null, -- who made it
    begun_at timestamptz not null default now(),
    ended_at timestamptz, -- null: it goes on, or its node is gone
    call text check (length(call) <= 64), -- null: it was not even placed
    agent label,
    system label,
    good boolean,
    step label, -- that failed
    why prose,
    first_audio_ms bigint check (first_audio_ms >= 0), -- from the answer to the first sound
    answer_ms bigint check (answer_ms >= 0), -- from the end of the question
    check ((ended_at is null) = (good is null))
);
create index on synthetic_calls (begun_at);
create index calls_synthetic on calls (started_at) where trial = 'synthetic';

-- What a day's synthetic calls have cost so far, as far as that is known.
create function synthetic_spent(since timestamptz) returns bigint language sql stable
return (select coalesce(sum(coalesce(k.micro_usd, (select floor(sum(t.micro_usd_exact)) from turn_costs(c.call) t), 0)), 0)
    from calls c left join call_costs k using (call) where c.trial = 'synthetic' and c.started_at >= since)::bigint;

-- How many failed in a row, the last one included.
create function synthetic_failed() returns bigint language sql stable
return (select count(*) from synthetic_calls s where not s.good and s.run > coalesce(
    (select max(run) from synthetic_calls where good), 0));

-- Is it time for one? {run}: yes, and it has begun; {due_s}: not for so long; {spent}: not today any more. `ask`: {node,
-- every_s, again_s: after the first that failed, cap_micro_usd: 0 for none}. Never two at once in the cluster.
create function synthetic_begin(ask jsonb, as_of timestamptz default now()) returns jsonb language plpgsql as $$
declare
    latest synthetic_calls;
    wait_s numeric := (ask ->> 'every_s')::numeric;
    spent bigint;
    made bigint;
begin
    perform pg_advisory_xact_lock(hashtext('ringdown.synthetic'));
    delete from synthetic_calls where begun_at < as_of - interval '30 days';
    select * into latest from synthetic_calls order by run desc limit 1;
    if latest.ended_at is null then
        wait_s := greatest(wait_s, 180); -- it goes on; or its node is gone, and so is the call
    elsif not latest.good and synthetic_failed() = 1 then
        wait_s := least(wait_s, (ask ->> 'again_s')::numeric); -- was it only that one?
    end if;
    if latest.run is not null and latest.begun_at + wait_s * interval '1 second' > as_of then
        return jsonb_build_object('due_s',
            ceil(extract(epoch from latest.begun_at - as_of) + wait_s)::bigint);
    end if;
    if (ask ->> 'cap_micro_usd')::bigint > 0 then
        spent := synthetic_spent(date_trunc('day', as_of, 'UTC'));
        if spent >= (ask ->> 'cap_micro_usd')::bigint then
            return jsonb_build_object('spent_micro_usd', spent);
        end if;
    end if;
    insert into synthetic_calls (node, begun_at) values (ask ->> 'node', as_of) returning run into made;
    return jsonb_build_object('run', made);
end $$;

-- How it was: {run, good, call, agent, system, step, why, first_audio_ms, answer_ms}. Returns how many failed in a row.
create function synthetic_told(said jsonb, as_of timestamptz default now()) returns bigint language plpgsql as $$
begin
    update synthetic_calls set ended_at = as_of, good = (said ->> 'good')::boolean, call = said ->> 'call',
            agent = said ->> 'agent', system = said ->> 'system', step = said ->> 'step', why = cut(said ->> 'why', 2000),
            first_audio_ms = (said ->> 'first_audio_ms')::bigint, answer_ms = (said ->> 'answer_ms')::bigint
        where run = (said ->> 'run')::bigint and ended_at is null;
    return synthetic_failed();
end $$;
