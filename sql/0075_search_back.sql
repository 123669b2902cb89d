-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Calls are looked for by steps of bounded work, however many there are.

create index calls_of_fallback on calls (started_at desc, call desc) where system = 'fallback';

-- Turns that have these words, of calls that began in that time or within a day of it, at most so many and in no order: by
-- the index of words alone. Words that no index helps with (`-water` alone) find none.
create function said_by_index(query text, since timestamptz, before timestamptz, at_most integer)
returns table (call text, epoch bigint, seq bigint, at timestamptz) language sql stable
set enable_seqscan = off set enable_indexscan = off as $$
    select t.call, t.epoch, t.seq, t.at from turns t
    where querytree(websearch_to_tsquery('simple', left(query, 1000))) <> 'T'
        and t.words @@ websearch_to_tsquery('simple', left(query, 1000))
        and t.started_at >= since - interval '1 day' and t.started_at < before + interval '1 day'
    limit at_most
$$;

-- Who said that, of calls that began before a moment: { items, searched_to }. It goes back in time like the admin API
-- (api/calls_search.lua): the newest calls are walked, then the index tells of a month, of two, of four, unless too many
-- (`too_many`) turns have these words. After `budget_ms` it is what was found until then, and `searched_to` says how far back that is.
create function search_back(query text, before timestamptz default null, since timestamptz default null,
    of_agent text default null, at_most integer default 50, budget_ms integer default null,
    first_walk integer default 500, too_many integer default 20000)
returns jsonb language plpgsql stable as $$
declare
    wanted constant tsquery := websearch_to_tsquery('simple', left(query, 1000));
    n constant integer := least(greatest(coalesce(at_most, 50), 1), 1000);
    first_month constant timestamptz := coalesce(since - interval '1 day', '-infinity');
    begun constant timestamptz := clock_timestamp();
    here timestamptz := coalesce(before, 'infinity');
    reach timestamptz;
    months integer := 0; -- 0: walk
    walked integer := first_walk;
    ids text[];
    items jsonb := '[]';
    more jsonb;
begin
    loop
        ids := null;
        if months > 0 then
            reach := here - months * interval '31 days';
            select array_agg(w.call) into ids from said_by_index(query, greatest(reach, first_month), here, too_many + 1) w;
            if cardinality(ids) > too_many or querytree(wanted) = 'T' then
                months := -1; -- from now on it walks
                walked := 4 * first_walk;
                ids := null;
            else
                ids := coalesce(ids, '{}');
            end if;
        end if;
        if months <= 0 then
            select c.started_at into reach from calls c where c.started_at < here and c.started_at >= first_month
                and (of_agent is null or c.agent = of_agent) order by c.started_at desc offset walked - 1 limit 1;
            reach := coalesce(reach, '-infinity');
        end if;
        select coalesce(jsonb_agg(to_jsonb(h) order by h.at desc, h.call, h.epoch, h.seq), '[]') into more
            from (select t.call, t.at, c.agent, t.role, t.heard, t.said, t.turn, t.epoch, t.seq
                from (select s.* from (select distinct unnest(ids) as call) d
                        cross join lateral (select * from calls c where c.call = d.call offset 0) s
                    union all
                    select w.* from calls w where ids is null and w.started_at >= greatest(reach, first_month)
                        and w.started_at < here) c
                cross join lateral (select * from turns t where t.call = c.call and t.words @@ wanted
                    and t.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day'
                    offset 0) t
                where c.started_at >= greatest(reach, first_month) and c.started_at < here
                    and (of_agent is null or c.agent = of_agent) and (since is null or t.at >= since)
                order by t.at desc, t.call, t.epoch, t.seq limit n - jsonb_array_length(items)) h;
        items := items || more;
        here := reach;
        if jsonb_array_length(items) >= n or here <= first_month
                or not exists (select from calls c where c.started_at < here) then
            return jsonb_build_object('items', items, 'searched_to', null);
        elsif clock_timestamp() > begun + budget_ms * interval '1 millisecond' then
            return jsonb_build_object('items', items, 'searched_to', here);
        end if;
        months := case when months < 0 then months when months = 0 then 1 else months * 2 end;
    end loop;
end $$;

-- As in 0006; so many calls are no matter.
create or replace function search_turns(query text, since timestamptz default null, of_agent text default null,
    at_most integer default 50)
returns table (call text, at timestamptz, agent text, role text, heard text, said text, turn integer)
language sql stable as $$
    select call, at, agent, role, heard, said, turn
    from jsonb_to_recordset(search_back(query, null, since, of_agent, at_most) -> 'items')
        as h (call text, at timestamptz, agent text, role text, heard text, said text, turn integer, epoch bigint, seq bigint)
    order by at desc, call, epoch, seq
$$;
