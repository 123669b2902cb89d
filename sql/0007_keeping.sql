-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- How long things stay: `maintain` makes and drops months and lets words expire; `erase_caller` forgets a person.

-- --- words ------------------------------------------------------------------------------------

create function blank_words(which text[]) returns void language plpgsql as $$
begin
    update turns set heard = '', said = null where call = any(which) and (heard <> '' or said is not null);
    update tool_calls set arguments = null, output = null
        where call = any(which) and (arguments is not null or output is not null);
    update triage_matches set words = null where call = any(which) and words is not null;
    update texts set body = null where call = any(which) and body is not null;
    update call_events set body = without_words(type, body), digest = null
        where (stream = any(which) or (stream like 'node/%' and about_call(stream, body) = any(which)))
            and body is distinct from without_words(type, body);
    update calls set words_gone_at = now() where call = any(which) and words_gone_at is null;
end $$;

-- --- months -----------------------------------------------------------------------------------

create function drop_old_partitions(as_of timestamptz) returns void language plpgsql as $$
declare
    old record;
begin
    for old in
        select child.relname as name, r.what
        from retention r join pg_class parent on parent.oid = to_regclass(r.what)
        join pg_inherits i on i.inhparent = parent.oid join pg_class child on child.oid = i.inhrelid
        where child.relname ~ '_[0-9]{6}$'
            and to_date(right(child.relname, 6), 'YYYYMM') + interval '1 month' <= (as_of - r.keep) at time zone 'UTC'
        order by array_position(partitioned_tables(), r.what), child.relname
    loop
        execute format('drop table %I', old.name);
    end loop;
    delete from calls using retention r where r.what = 'calls' and calls.started_at < as_of - r.keep;
    delete from alerts using retention r where r.what = 'alerts' and alerts.closed_at < as_of - r.keep;
end $$;

-- The days whose calls may have changed: again and again, until they are four days old.
create function count_days(as_of timestamptz) returns void language sql as $$
    insert into statistics (day, agent, system, calls, callers, seconds, turns, barge_ins, tool_calls, errors,
        first_audio_p95_ms, micro_usd, unknown_costs)
    select (c.started_at at time zone 'UTC')::date, coalesce(c.agent, '?'), coalesce(c.system, 'none'), count(*),
        count(distinct c.from_number), coalesce(sum(c.duration_ms), 0)::bigint / 1000, sum(c.turns), sum(c.barge_ins),
        sum(c.tool_calls), sum(c.errors), percentile_disc(0.95) within group (order by c.first_audio_ms),
        sum(k.micro_usd), count(*) filter (where k.micro_usd is null)
    from calls c left join call_costs k using (call)
    where c.started_at >= date_trunc('day', as_of, 'UTC') - interval '3 days' and c.started_at <= as_of
    group by 1, 2, 3
    on conflict (day, agent, system) do update set calls = excluded.calls, callers = excluded.callers,
        seconds = excluded.seconds, turns = excluded.turns, barge_ins = excluded.barge_ins,
        tool_calls = excluded.tool_calls, errors = excluded.errors,
        first_audio_p95_ms = excluded.first_audio_p95_ms, micro_usd = excluded.micro_usd,
        unknown_costs = excluded.unknown_costs
$$;

-- Files that must be deleted, of one node or of all. Each stays due until its node calls recording_gone().
create function recordings_due(of_node text default null) returns table (node text, path text) language sql stable as $$
    select r.node::text, r.path from recordings r
    where r.due_at is not null and r.gone_at is null and (of_node is null or r.node = of_node) order by 1, 2
$$;

-- Once an hour or so, by one node. Returns the recordings that are due then, on whichever node they are.
create function maintain(as_of timestamptz default now())
returns table (node text, path text) language plpgsql as $$
#variable_conflict use_column
begin
    perform ensure_partitions(month_of(as_of) + make_interval(days => 32 * n)) from generate_series(0, 2) n;
    perform drop_old_partitions(as_of);
    perform count_days(as_of);
    perform blank_words(coalesce(array_agg(call), '{}')) from calls c join agents a using (agent)
        where c.words_gone_at is null and c.started_at < as_of - a.keep_transcripts;
    update recordings r set due_at = as_of from calls c join agents a using (agent)
        where r.call = c.call and r.due_at is null and r.at < as_of - a.keep_recordings;
    return query select * from recordings_due();
end $$;

create function recording_gone(of_node text, of_path text) returns void language sql as $$
    update recordings set gone_at = now() where node = of_node and path = of_path and gone_at is null
$$;

-- --- erase this caller ------------------------------------------------------------------------

-- The number where it stands for itself, and not at the beginning of a longer one.
create function mask_number(words text, number text) returns text language sql immutable parallel safe
return regexp_replace(words, '\' || number || '(?![0-9])', 'erased', 'g');

create function mentions(words text, number text) returns boolean language sql immutable parallel safe
return position(number in words) > 0 and words ~ ('\' || number || '(?![0-9])');

-- Forgets a caller: whose calls they were and what was said in them; what else mentions the number loses it.
-- Opt-outs stay, for they are keyed hashes (`hash` is this number's; null when there is no key). Returns counts per
-- table, the recordings to delete, and what must be done elsewhere.
create function erase_caller(number text, hash bytea, who text default 'operator') returns jsonb
language plpgsql as $$
#variable_conflict use_column
declare
    whom constant text := number;
    theirs text[];
    n jsonb := '{}';
    touched bigint;
begin
    if whom !~ '^\+[1-9][0-9]{1,14}$' then
        raise exception 'only a phone number can be erased, written as +13125550142; this is not one'
            using errcode = 'invalid_parameter_value';
    end if;
    perform set_config('ringdown.erasing', 'on', true);
    select coalesce(array_agg(call), '{}') into theirs
        from calls where whom in (from_number, to_number);

    update calls set from_number = case when from_number = whom then 'erased' else from_number end,
        to_number = case when to_number = whom then 'erased' else to_number end,
        reason = mask_number(reason, whom), erased_at = now(), words_gone_at = coalesce(words_gone_at, now())
        where call = any(theirs);
    n := n || jsonb_build_object('calls', cardinality(theirs));

    update call_events set digest = null, body = case when about_call(stream, body) = any(theirs)
            or whom in (body ->> 'from', body ->> 'to') and type = 'webhook'
            then without_person(type, body) else mask_number(body::text, whom)::jsonb end
        where stream = any(theirs) or about_call(stream, body) = any(theirs) or mentions(body::text, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('call_events', touched);

    update turns set heard = case when call = any(theirs) then '' else mask_number(heard, whom) end,
        said = case when call = any(theirs) then null else mask_number(said, whom) end
        where call = any(theirs) or mentions(heard, whom) or mentions(said, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('turns', touched);

    update tool_calls set arguments = case when not call = any(theirs) then mask_number(arguments, whom) end,
        output = case when not call = any(theirs) then mask_number(output, whom) end
        where call = any(theirs) or mentions(arguments, whom) or mentions(output, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('tool_calls', touched);

    update texts set from_number = case when from_number = whom then 'erased' else from_number end,
        to_number = case when to_number = whom then 'erased' else to_number end, body = null
        where call = any(theirs) or whom in (from_number, to_number) or mentions(body, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('texts', touched);

    update triage_matches set words = null where call = any(theirs);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('triage_matches', touched);
    update triage_steps set detail = null, target = case when target = whom then 'erased' else target end
        where call = any(theirs) or target = whom or mentions(detail, whom);

    update appointments set notes = null, service = null, updated_at = now()
        where call = any(theirs) or customer in (select id from customers where number = whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('appointments', touched);
    update customers set number = null, name = null, email = null, notes = null, facts = '{}',
        updated_at = now(), erased_at = now() where number = whom;
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('customers', touched);

    update alerts set text = mask_number(text, whom), fix = mask_number(fix, whom), subject = mask_number(subject, whom)
        where mentions(text, whom) or mentions(fix, whom) or mentions(subject, whom);
    update audit set subject = mask_number(subject, whom), before = mask_number(before::text, whom)::jsonb,
        after = mask_number(after::text, whom)::jsonb
        where mentions(subject, whom) or mentions(before::text, whom) or mentions(after::text, whom);
    get diagnostics touched = row_count;
    n := n || jsonb_build_object('audit', touched);
    update recordings set due_at = coalesce(due_at, now()) where call = any(theirs) and gone_at is null;

    n := n || jsonb_build_object(
        'opt_outs_kept', (select count(*) from opt_outs where number_hash = hash),
        'recordings', (select coalesce(jsonb_agg(jsonb_build_object('node', node, 'path', path) order by node, path), '[]')
            from recordings where call = any(theirs) and gone_at is null),
        'still_listed', (select coalesce(jsonb_agg(agent order by agent), '[]')
            from rollout_now where whom = any(allow || deny)));
    insert into audit (who, what, subject, after)
        values (who, 'erase_caller', encode(hash, 'hex'), n - 'recordings');
    perform set_config('ringdown.erasing', 'off', true);
    return n;
end $$;

-- This month's partitions, so that the first call finds them.
select from maintain(now());
