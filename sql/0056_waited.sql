-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- How long the caller waited for each turn of the agent, and what each turn cost.

-- Of a turn that answers the caller: when they stopped speaking, and from then on.
alter table turns
    add column caller_stopped_at timestamptz,
    add column first_text_ms integer check (first_text_ms >= 0), -- to its first words
    add column first_audio_ms integer check (first_audio_ms >= 0), -- to its first sound, as in the metric
    add column tool_ms integer check (tool_ms >= 0); -- of that, while tools ran

-- The item that the response made sound of; null: it called tools only.
alter table usage add column item label;

create or replace function keep_turn(e journal_event) returns void language plpgsql as $$
declare
    waited constant boolean := jsonb_typeof(e.body -> 'first_audio_ms') is not distinct from 'number';
begin
    insert into turns (call, epoch, seq, started_at, at, turn, role, heard, said, interrupted, withheld, item,
        caller_stopped_at, first_text_ms, first_audio_ms, tool_ms)
    values (e.stream, e.epoch, e.seq, e.started_at, e.at, whole(e.body -> 'seq')::integer, e.body ->> 'role',
        coalesce(words(e.body, 'text'), ''), words(e.body, 'said'), yes(e.body -> 'interrupted'),
        word(e.body, 'withheld'), word(e.body, 'item'),
        case when waited then e.at - make_interval(secs => greatest(whole(e.body -> 'at_ms')
            - whole(e.body -> 'caller_stopped_ms'), 0) / 1000.0) end,
        case when waited and e.body ? 'first_text_ms' then least(whole(e.body -> 'first_text_ms'), 86400000) end,
        case when waited then least(whole(e.body -> 'first_audio_ms'), 86400000) end,
        case when waited then least(whole(e.body -> 'tool_ms'), 86400000) end);
end $$;

create or replace function keep_usage(e journal_event) returns void language plpgsql as $$
declare
    n jsonb := usage_counts(e.body);
    s jsonb := coalesce(e.body -> 'raw' -> 'seconds', e.body -> 'usage' -> 'seconds');
begin
    insert into usage (call, epoch, seq, started_at, at, kind, model, text_in, text_cached, audio_in, audio_cached,
        image_in, image_cached, text_out, audio_out, seconds, complete, raw, item)
    values (e.stream, e.epoch, e.seq, e.started_at, e.at, e.body ->> 'kind', word(e.body, 'model'),
        whole(n -> 'text_in'), least(whole(n -> 'text_cached'), whole(n -> 'text_in')),
        whole(n -> 'audio_in'), least(whole(n -> 'audio_cached'), whole(n -> 'audio_in')),
        whole(n -> 'image_in'), least(whole(n -> 'image_cached'), whole(n -> 'image_in')),
        whole(n -> 'text_out'), whole(n -> 'audio_out'),
        case when jsonb_typeof(s) = 'number' then least(greatest((s #>> '{}')::numeric, 0), 86400) else 0 end,
        yes(e.body -> 'complete'), e.body -> 'raw', word(e.body, 'item'));
end $$;

-- The turns of a call that answered the caller, with what took the time: words, tools, sound. The first so many.
create function call_waits(which text, at_most integer default 500) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_object('turn', t.turn, 'epoch', t.epoch::text, 'seq', t.seq::text,
        'caller_stopped_at', t.caller_stopped_at, 'first_text_ms', t.first_text_ms, 'first_audio_ms', t.first_audio_ms,
        'tool_ms', t.tool_ms, 'interrupted', t.interrupted, 'tools', (
            select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name,
                'after_ms', round(extract(epoch from o.asked_at - t.caller_stopped_at) * 1000),
                'ms', round(extract(epoch from o.answered_at - o.asked_at) * 1000)) order by o.asked_at, o.id), '[]')
            from tool_calls o where o.call = t.call and o.started_at >= t.started_at - interval '1 day'
                and o.started_at < t.started_at + interval '7 days'
                and o.asked_at between t.caller_stopped_at and t.caller_stopped_at + t.first_audio_ms * interval '1 ms'))
        order by t.epoch, t.seq), '[]')
    from (select t.* from calls c join turns t on t.call = c.call and t.started_at >= c.started_at - interval '1 day'
            and t.started_at < c.started_at + interval '7 days'
        where c.call = which and t.first_audio_ms is not null order by t.epoch, t.seq limit at_most) t
$$;

-- What each turn of a call cost: an answer of the model counts to the turn that it made sound of, one that called
-- tools only to the agent's next, a transcription to the caller's next. Turns are null for what no turn followed.
create function cost_by_turn(which text) returns jsonb language sql stable as $$
    with used as (
        select row_number() over (order by u.epoch, u.seq) as n, u.epoch, u.seq, u.kind, u.item
        from calls c join usage u on u.call = c.call and u.started_at >= c.started_at - interval '1 day'
            and u.started_at < c.started_at + interval '7 days'
        where c.call = which
    ), placed as (
        select used.n, used.kind, t.turn, coalesce(t.epoch, 9223372036854775807) as epoch, t.seq, t.at
        from used left join lateral (
            select t.turn, t.epoch, t.seq, t.at from calls c join turns t on t.call = c.call
                and t.started_at >= c.started_at - interval '1 day' and t.started_at < c.started_at + interval '7 days'
            where c.call = which and t.role = case used.kind when 'response' then 'agent' else 'caller' end
                and (t.item = used.item or (t.epoch, t.seq) > (used.epoch, used.seq))
            order by t.item is not distinct from used.item desc, t.epoch, t.seq limit 1) t on true
    ), costs as (
        select p.kind, p.turn, p.epoch, p.seq, p.at, k.model, k.units, k.micro_usd_exact, k.complete
        from turn_costs(which) k join placed p using (n)
    ), units as (
        select kind, epoch, seq, unit, sum(quantity::numeric) as quantity
        from costs, jsonb_each_text(coalesce(units, '{}')) u (unit, quantity) group by 1, 2, 3, 4
    )
    select coalesce(jsonb_agg(jsonb_build_object('turn', g.turn, 'role', case g.kind when 'response' then 'agent'
            else 'caller' end, 'at', g.at, 'answers', g.answers, 'models', g.models,
        'units', (select coalesce(jsonb_object_agg(u.unit, u.quantity), '{}') from units u
            where u.kind = g.kind and u.epoch = g.epoch and u.seq is not distinct from g.seq),
        'micro_usd_exact', g.cost, 'reason', case when not g.complete then 'the provider did not tell all it counted'
            when g.cost is null then 'a rate is missing' end)
        order by g.epoch, g.seq nulls last, g.kind), '[]')
    from (select kind, turn, epoch, seq, at, count(*) as answers, to_jsonb(array_agg(distinct model)) as models,
            case when count(*) = count(micro_usd_exact) then sum(micro_usd_exact) end as cost,
            bool_and(complete) as complete
        from costs group by kind, turn, epoch, seq, at) g
$$;
