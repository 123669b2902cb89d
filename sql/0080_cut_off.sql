-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Answers that the model did not bring to their end (it had no tokens left, or its filter stopped it) are figures of
-- their own. `incomplete` is another thing: the provider did not tell what an answer used.

alter table usage add column cut_off text; -- why; null: it came to its end, or the caller ended it
alter table usage_hourly add column cut_off bigint not null default 0;

-- As in 0056.
create or replace function keep_usage(e journal_event) returns void language plpgsql as $$
declare
    n jsonb := usage_counts(e.body);
    s jsonb := coalesce(e.body -> 'raw' -> 'seconds', e.body -> 'usage' -> 'seconds');
begin
    insert into usage (call, epoch, seq, started_at, at, kind, model, text_in, text_cached, audio_in, audio_cached,
        image_in, image_cached, text_out, audio_out, seconds, complete, raw, item, cut_off)
    values (e.stream, e.epoch, e.seq, e.started_at, e.at, e.body ->> 'kind', word(e.body, 'model'),
        whole(n -> 'text_in'), least(whole(n -> 'text_cached'), whole(n -> 'text_in')),
        whole(n -> 'audio_in'), least(whole(n -> 'audio_cached'), whole(n -> 'audio_in')),
        whole(n -> 'image_in'), least(whole(n -> 'image_cached'), whole(n -> 'image_in')),
        whole(n -> 'text_out'), whole(n -> 'audio_out'),
        case when jsonb_typeof(s) = 'number' then least(greatest((s #>> '{}')::numeric, 0), 86400) else 0 end,
        yes(e.body -> 'complete'), e.body -> 'raw', word(e.body, 'item'), word(e.body, 'cut_off'));
end $$;

-- As in 0068.
create or replace function count_usage(of_hour timestamptz) returns void language sql set jit = off as $$
    insert into usage_hourly (hour, local_hour, agent, site, kind, what, model, answers, incomplete, text_in, text_cached,
        audio_in, audio_cached, image_in, image_cached, text_out, audio_out, ms, cut_off)
    select of_hour, x.local_hour, x.agent, '*', x.kind, u.kind, coalesce(u.model, '?'), count(*),
        count(*) filter (where not u.complete), sum(u.text_in), sum(u.text_cached), sum(u.audio_in), sum(u.audio_cached),
        sum(u.image_in), sum(u.image_cached), sum(u.text_out), sum(u.audio_out), floor(sum(u.seconds) * 1000),
        count(*) filter (where u.cut_off is not null)
    from calls_counted x join usage u on u.call = x.call and u.started_at >= of_hour - interval '1 day'
        and u.started_at < of_hour + interval '7 days'
    where x.hour = of_hour
    group by x.local_hour, x.agent, x.kind, u.kind, coalesce(u.model, '?')
$$;

-- As in 0064.
create or replace function usage_range(ask jsonb) returns jsonb language sql stable set jit = off as $$
    with h as (
        select h.*, case ask ->> 'by' when 'hour' then extract(hour from local_hour)::text
            when 'weekday' then extract(isodow from local_hour)::text when 'day' then (local_hour::date)::text
            when 'agent' then agent::text when 'site' then site::text else '' end as key
        from usage_hourly h
        where hour >= coalesce((ask ->> 'from')::timestamptz, (ask ->> 'local_from')::date - interval '1 day', '-infinity')
            and hour < coalesce((ask ->> 'to')::timestamptz, (ask ->> 'local_to')::date + interval '1 day', 'infinity')
            and local_hour >= coalesce((ask ->> 'local_from')::date::timestamp, '-infinity')
            and local_hour < coalesce((ask ->> 'local_to')::date::timestamp, 'infinity')
            and (ask ->> 'agent' is null or agent = ask ->> 'agent')
            and (jsonb_typeof(ask -> 'agents') is distinct from 'array'
                or agent = any(array(select jsonb_array_elements_text(ask -> 'agents'))))
            and (ask ->> 'site' is null or site = ask ->> 'site')
            and kind = any(case when jsonb_typeof(ask -> 'kinds') = 'array'
                then array(select jsonb_array_elements_text(ask -> 'kinds')) else array['real'] end)
    )
    select coalesce(jsonb_agg(to_jsonb(s) order by key), '[]') from (
        select key, coalesce(sum(answers) filter (where what = 'response'), 0) as answers,
            sum(incomplete) as incomplete, sum(cut_off) as cut_off, sum(text_in) as text_in, sum(text_cached) as text_cached,
            sum(audio_in) as audio_in, sum(audio_cached) as audio_cached, sum(image_in) as image_in,
            sum(image_cached) as image_cached, sum(text_out) as text_out, sum(audio_out) as audio_out,
            coalesce(sum(ms) filter (where what = 'transcription'), 0) as transcribed_ms,
            to_jsonb(array_agg(distinct model) filter (where what = 'response')) as models
        from h group by key) s
$$;
