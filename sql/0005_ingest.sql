-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- ingest: the journal's events become rows, each once (docs/records.md has their shape).
--
-- - An event is inserted into call_events. Same key, same content: `duplicate`. Same key, other content:
--   `conflict`, and nothing of it is used. New: `kept`, and in the same transaction it changes the tables that
--   people read, each type in one small function below.
-- - Batches come in any order, repeated, from several nodes. Whatever could depend on that compares positions
--   (epoch, seq), adds up, or takes an extreme; so the tables are the same whatever the order was.
-- - Words from outside are cut to their columns. What still breaks a constraint raises, and the whole batch is
--   undone: the shipper halves it until the culprit is alone. A type that nobody knows is kept, and that is all.
-- - plpgsql also where one statement would do: its plans are cached, those of SQL functions are made anew each time.
-- - SQLSTATE 40P01 and 40001 mean "again": two shippers met.

create type journal_event as (
    stream text, started_at timestamptz, epoch bigint, seq bigint, at timestamptz, type text, body jsonb);

create function whole(x jsonb) returns bigint language sql immutable parallel safe
return case when jsonb_typeof(x) = 'number'
    then trunc(least(greatest((x #>> '{}')::numeric, 0), 1000000000000))::bigint else 0 end;

create function yes(x jsonb) returns boolean language sql immutable parallel safe
return x is not null and x = 'true'::jsonb;

-- A text member, cut to n; null when missing or empty.
create function word(body jsonb, member text, n integer default 128) returns text
language sql immutable parallel safe
return cut(body ->> member, n);

-- Words may have line ends; they have no other bound than the event's.
create function words(body jsonb, member text) returns text language sql immutable parallel safe
return body ->> member;

-- --- of a call --------------------------------------------------------------------------------

-- The row that everything else of a call refers to, made by whichever event comes first.
create function keep_call(e journal_event) returns void language plpgsql as $$
begin
    insert into calls (call, started_at, agent, from_number, to_number)
    values (e.stream, e.started_at, word(e.body, 'agent'), word(e.body, 'from'), word(e.body, 'to'))
    on conflict (call) do update set
        started_at = least(calls.started_at, excluded.started_at),
        agent = coalesce(calls.agent, excluded.agent),
        from_number = coalesce(calls.from_number, excluded.from_number),
        to_number = coalesce(calls.to_number, excluded.to_number)
    where calls.started_at > excluded.started_at
        or (calls.agent is null and excluded.agent is not null)
        or (calls.from_number is null and excluded.from_number is not null)
        or (calls.to_number is null and excluded.to_number is not null);
end $$;

create function status_rank(status text) returns integer language sql immutable parallel safe
return case status when 'queued' then 1 when 'initiated' then 2 when 'ringing' then 3 when 'in-progress' then 4
    when 'completed' then 9 when 'canceled' then 8 when 'no-answer' then 7 when 'busy' then 6 when 'failed' then 5
    else 0 end;

-- The carrier's word never goes back: callbacks come twice, late and out of order.
create function keep_status(which text, body jsonb) returns void language plpgsql as $$
begin
    update calls set
        status = case when status_rank(word(body, 'status')) > status_rank(status)
            then word(body, 'status') else status end,
        duration_s = greatest(duration_s, case when whole(body -> 'duration_s') > 0
            or (body ? 'duration_s' and status_rank(word(body, 'status')) > 4)
            then whole(body -> 'duration_s')::integer end), -- 0 is a length only once it is over
        direction = coalesce(direction, word(body, 'direction'))
    where call = which;
end $$;

create function keep_webhook(e journal_event) returns void language plpgsql as $$
begin
    perform keep_status(e.stream, e.body);
    update calls set node = word(e.body, 'node'), node_epoch = e.epoch
        where call = e.stream and word(e.body, 'node') is not null and node_epoch < e.epoch;
end $$;

create function keep_decision(e journal_event) returns void language plpgsql as $$
begin
    update calls set system = word(e.body, 'system'), reason = word(e.body, 'reason', 2000),
        fix = word(e.body, 'fix', 2000), version = coalesce(word(e.body, 'version'), version),
        model = word(e.body, 'model'), decision_epoch = e.epoch, decision_seq = e.seq
    where call = e.stream and (decision_epoch, decision_seq) < (e.epoch, e.seq);
end $$;

create function keep_state(e journal_event) returns void language plpgsql as $$
begin
    update calls set state = word(e.body, 'state'), state_epoch = e.epoch, state_seq = e.seq
    where call = e.stream and (state_epoch, state_seq) < (e.epoch, e.seq);
end $$;

create function keep_notice(e journal_event) returns void language plpgsql as $$
begin
    update calls set notice_at = least(notice_at, e.at) where call = e.stream;
end $$;

create function keep_turn(e journal_event) returns void language plpgsql as $$
begin
    insert into turns (call, epoch, seq, started_at, at, turn, role, heard, said, interrupted, withheld, item)
    values (e.stream, e.epoch, e.seq, e.started_at, e.at, whole(e.body -> 'seq')::integer, e.body ->> 'role',
        coalesce(words(e.body, 'text'), ''), words(e.body, 'said'), yes(e.body -> 'interrupted'),
        word(e.body, 'withheld'), word(e.body, 'item'));
end $$;

create function keep_tool(e journal_event) returns void language plpgsql as $$
begin
    insert into tool_calls (call, id, started_at, name, asked_at, answered_at, arguments, output)
    values (e.stream, coalesce(word(e.body, 'id'), e.epoch || '.' || e.seq), e.started_at, word(e.body, 'name'),
        case when not yes(e.body -> 'done') then e.at end, case when yes(e.body -> 'done') then e.at end,
        words(e.body, 'arguments'), words(e.body, 'output'))
    on conflict (call, id, started_at) do update set
        name = coalesce(tool_calls.name, excluded.name),
        asked_at = least(tool_calls.asked_at, excluded.asked_at),
        answered_at = greatest(tool_calls.answered_at, excluded.answered_at),
        arguments = case when excluded.arguments is not null
            and (tool_calls.asked_at is null or excluded.asked_at < tool_calls.asked_at)
            then excluded.arguments else coalesce(tool_calls.arguments, excluded.arguments) end,
        output = case when excluded.output is not null
            and (tool_calls.answered_at is null or excluded.answered_at > tool_calls.answered_at)
            then excluded.output else coalesce(tool_calls.output, excluded.output) end;
end $$;

-- Tokens as the provider's own block has them, or as the core summed them up. Every member may be missing;
-- when nobody says of which kind the cached ones are, they are text first.
create function usage_counts(body jsonb) returns jsonb language plpgsql immutable as $$
declare
    u jsonb := coalesce(body -> 'usage', '{}');
    own jsonb := body -> 'raw';
    i jsonb;
    k jsonb;
    cached bigint;
begin
    if jsonb_typeof(own -> 'input_token_details') is distinct from 'object' then
        return jsonb_build_object('text_in', whole(u -> 'text_in'), 'text_cached', whole(u -> 'text_in_cached'),
            'audio_in', whole(u -> 'audio_in'), 'audio_cached', whole(u -> 'audio_in_cached'),
            'image_in', whole(u -> 'image_in'), 'image_cached', whole(u -> 'image_in_cached'),
            'text_out', whole(u -> 'text_out'), 'audio_out', whole(u -> 'audio_out'));
    end if;
    i := own -> 'input_token_details';
    k := i -> 'cached_tokens_details';
    if jsonb_typeof(k) is distinct from 'object' then
        cached := whole(i -> 'cached_tokens');
        k := jsonb_build_object('text_tokens', least(cached, whole(i -> 'text_tokens')),
            'audio_tokens', greatest(cached - whole(i -> 'text_tokens'), 0));
    end if;
    return jsonb_build_object('text_in', whole(i -> 'text_tokens'), 'text_cached', whole(k -> 'text_tokens'),
        'audio_in', whole(i -> 'audio_tokens'), 'audio_cached', whole(k -> 'audio_tokens'),
        'image_in', whole(i -> 'image_tokens'), 'image_cached', whole(k -> 'image_tokens'),
        'text_out', case when jsonb_typeof(own -> 'output_token_details') = 'object'
            then whole(own -> 'output_token_details' -> 'text_tokens') else whole(own -> 'output_tokens') end,
        'audio_out', whole(own -> 'output_token_details' -> 'audio_tokens'));
end $$;

create function keep_usage(e journal_event) returns void language plpgsql as $$
declare
    n jsonb := usage_counts(e.body);
    s jsonb := coalesce(e.body -> 'raw' -> 'seconds', e.body -> 'usage' -> 'seconds');
begin
    insert into usage (call, epoch, seq, started_at, at, kind, model, text_in, text_cached, audio_in, audio_cached,
        image_in, image_cached, text_out, audio_out, seconds, complete, raw)
    values (e.stream, e.epoch, e.seq, e.started_at, e.at, e.body ->> 'kind', word(e.body, 'model'),
        whole(n -> 'text_in'), least(whole(n -> 'text_cached'), whole(n -> 'text_in')),
        whole(n -> 'audio_in'), least(whole(n -> 'audio_cached'), whole(n -> 'audio_in')),
        whole(n -> 'image_in'), least(whole(n -> 'image_cached'), whole(n -> 'image_in')),
        whole(n -> 'text_out'), whole(n -> 'audio_out'),
        case when jsonb_typeof(s) = 'number' then least(greatest((s #>> '{}')::numeric, 0), 86400) else 0 end,
        yes(e.body -> 'complete'), e.body -> 'raw');
end $$;

create function keep_recording(e journal_event) returns void language plpgsql as $$
begin
    insert into recordings (call, node, path, bytes, duration_ms, state, why, at, due_at)
    select e.stream, coalesce(word(e.body, 'node'), c.node, '?'), coalesce(word(e.body, 'path', 1024), '?' || e.stream),
        whole(e.body -> 'bytes'), whole(e.body -> 'duration_ms'), e.body ->> 'state', word(e.body, 'why', 2000), e.at,
        case when c.erased_at is not null then now() end -- the caller was erased while it was made
    from calls c where c.call = e.stream
    on conflict (node, path) do update set bytes = excluded.bytes, duration_ms = excluded.duration_ms,
        state = excluded.state, why = excluded.why, at = excluded.at,
        due_at = coalesce(recordings.due_at, excluded.due_at)
    where excluded.at >= recordings.at;
end $$;

create function text_rank(status text) returns integer language sql immutable parallel safe
return coalesce(array_position(array['accepted', 'scheduled', 'receiving', 'queued', 'sending', 'sent',
    'partially_delivered', 'received', 'canceled', 'failed', 'undelivered', 'delivered', 'read'], status), 0);

create function keep_text(e journal_event) returns void language plpgsql as $$
begin
    insert into texts (id, call, agent, from_number, to_number, segments, status, created_at, updated_at)
    values (coalesce(word(e.body, 'id'), e.stream || '.' || e.epoch || '.' || e.seq), e.stream, word(e.body, 'agent'),
        null, word(e.body, 'to'), nullif(whole(e.body -> 'segments'), 0)::integer,
        case when text_rank(word(e.body, 'status')) > 0 then word(e.body, 'status') end, e.at, e.at)
    on conflict (id) do update set
        call = coalesce(texts.call, excluded.call),
        segments = greatest(texts.segments, excluded.segments),
        status = case when text_rank(excluded.status) > text_rank(texts.status)
            then excluded.status else texts.status end,
        created_at = least(texts.created_at, excluded.created_at),
        updated_at = greatest(texts.updated_at, excluded.updated_at);
end $$;

-- Totals are of one process's time with the call; a call that was resumed is the sum.
create function keep_ended(e journal_event) returns void language plpgsql as $$
begin
    update calls set
        ended_at = greatest(ended_at, e.at),
        ended_reason = case when e.epoch >= ended_epoch then word(e.body, 'reason') else ended_reason end,
        ended_epoch = greatest(ended_epoch, e.epoch),
        duration_ms = coalesce(duration_ms, 0) + whole(e.body -> 'duration_ms'),
        first_audio_ms = least(first_audio_ms, nullif(whole(e.body -> 'first_audio_ms'), 0)::integer),
        turns = turns + whole(e.body -> 'turns')::integer,
        barge_ins = barge_ins + whole(e.body -> 'barge_ins')::integer,
        tool_calls = tool_calls + whole(e.body -> 'tool_calls')::integer,
        errors = errors + whole(e.body -> 'errors')::integer,
        gap_ms = gap_ms + whole(e.body -> 'gap_ms'),
        bad_frames = bad_frames + whole(e.body -> 'bad_frames'),
        late_deltas = late_deltas + whole(e.body -> 'late_deltas'),
        state = case when (state_epoch, state_seq) < (e.epoch, e.seq) then 'ended' else state end,
        state_seq = case when state_epoch = e.epoch then greatest(state_seq, e.seq)
            when state_epoch < e.epoch then e.seq else state_seq end,
        state_epoch = greatest(state_epoch, e.epoch)
    where call = e.stream;
end $$;

-- --- of the node ------------------------------------------------------------------------------

create function keep_node(e journal_event) returns void language plpgsql as $$
declare
    of_node text := coalesce(word(e.body, 'node'), substr(e.stream, 6));
begin
    if e.type = 'node_started' then
        insert into nodes (node, version, host, pid, started_at, seen_at)
        values (of_node, word(e.body, 'version'), word(e.body, 'host'), nullif(whole(e.body -> 'pid'), 0), e.at, e.at)
        on conflict (node) do update set version = excluded.version, host = excluded.host, pid = excluded.pid,
            started_at = excluded.started_at, draining = false, seen_at = greatest(nodes.seen_at, excluded.seen_at),
            stopped_at = case when nodes.stopped_at > excluded.started_at then nodes.stopped_at end
        where nodes.version is null or nodes.started_at < excluded.started_at;
        -- What the process before it had open, it can tell no more: what is still wrong is told anew.
        update alerts set closed_at = e.at where node = of_node and closed_at is null and opened_at < e.at;
    else
        insert into nodes (node, started_at, stopped_at, seen_at) values (of_node, e.started_at, e.at, e.at)
        on conflict (node) do update set stopped_at = excluded.stopped_at,
            seen_at = greatest(nodes.seen_at, excluded.seen_at)
        where nodes.started_at <= excluded.stopped_at
            and (nodes.stopped_at is null or nodes.stopped_at < excluded.stopped_at);
    end if;
end $$;

-- Seconds as an interval; null when not said.
create function seconds(x jsonb) returns interval language sql immutable parallel safe
return case when jsonb_typeof(x) = 'number' then whole(x) * interval '1 second' end;

create function keep_agent_version(e journal_event) returns void language plpgsql as $$
begin
    insert into agents (agent, version, keep_transcripts, keep_recordings, recording, notice, first_seen_at, updated_at)
    values (word(e.body, 'agent'), word(e.body, 'version'), seconds(e.body -> 'keep_transcripts_s'),
        seconds(e.body -> 'keep_recordings_s'), yes(e.body -> 'recording'), e.body -> 'notice', e.at, e.at)
    on conflict (agent) do update set
        version = case when excluded.updated_at >= agents.updated_at then excluded.version else agents.version end,
        keep_transcripts = case when excluded.updated_at >= agents.updated_at
            then excluded.keep_transcripts else agents.keep_transcripts end,
        keep_recordings = case when excluded.updated_at >= agents.updated_at
            then excluded.keep_recordings else agents.keep_recordings end,
        recording = case when excluded.updated_at >= agents.updated_at then excluded.recording else agents.recording end,
        notice = case when excluded.updated_at >= agents.updated_at then excluded.notice else agents.notice end,
        first_seen_at = least(agents.first_seen_at, excluded.first_seen_at),
        updated_at = greatest(agents.updated_at, excluded.updated_at);
    insert into agent_versions (agent, version, first_seen_at, last_seen_at, facts)
    values (word(e.body, 'agent'), word(e.body, 'version'), e.at, e.at, e.body - 'agent' - 'version')
    on conflict (agent, version) do update set
        first_seen_at = least(agent_versions.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(agent_versions.last_seen_at, excluded.last_seen_at);
end $$;

-- Raising what is open counts it. What is older than the last word about it is history already.
create function keep_alarm(e journal_event) returns void language plpgsql as $$
declare
    of_node text := substr(e.stream, 6);
    of_kind text := word(e.body, 'kind');
    about text := coalesce(word(e.body, 'subject'), '');
    times bigint := greatest(whole(e.body -> 'count'), 1);
begin
    if not yes(e.body -> 'open') then
        update alerts set closed_at = greatest(e.at, opened_at), last_at = greatest(last_at, e.at),
            count = greatest(count, times)
        where node = of_node and kind = of_kind and subject = about and closed_at is null and opened_at <= e.at;
        return;
    end if;
    if exists (select from alerts where node = of_node and kind = of_kind and subject = about and closed_at >= e.at) then
        return;
    end if;
    insert into alerts (node, kind, subject, severity, text, fix, opened_at, last_at, count, closed_at)
    values (of_node, of_kind, about, e.body ->> 'severity', coalesce(word(e.body, 'text', 2000), of_kind),
        word(e.body, 'fix', 2000), e.at, e.at, times,
        (select started_at from nodes where node = of_node and started_at > e.at)) -- of a process that is gone
    on conflict (node, kind, subject) where closed_at is null do update set
        severity = excluded.severity, text = excluded.text, fix = excluded.fix,
        opened_at = least(alerts.opened_at, excluded.opened_at), last_at = greatest(alerts.last_at, excluded.last_at),
        count = greatest(alerts.count + 1, excluded.count);
end $$;

create function keep_audit(e journal_event) returns void language plpgsql as $$
begin
    insert into audit (at, who, what, subject, before, after, node)
    values (e.at, coalesce(word(e.body, 'who'), '?'), coalesce(word(e.body, 'what'), '?'),
        word(e.body, 'subject', 2000), e.body -> 'before', e.body -> 'after', substr(e.stream, 6));
end $$;

-- The carrier tells any node about any call: this one's row may not be here yet.
create function keep_foreign_webhook(e journal_event) returns void language plpgsql as $$
declare
    which text := word(e.body, 'call', 64);
begin
    if which is null or which !~ '^[A-Za-z0-9]+$' then
        return;
    end if;
    insert into calls (call, started_at, from_number, to_number)
    values (which, e.at, word(e.body, 'from'), word(e.body, 'to'))
    on conflict (call) do nothing;
    perform keep_status(which, e.body);
end $$;

-- --- all of it --------------------------------------------------------------------------------

create function keep_of_node(e journal_event) returns void language plpgsql as $$
begin
    case e.type
        when 'node_started', 'node_stopped' then perform keep_node(e);
        when 'agent_version' then perform keep_agent_version(e);
        when 'alarm' then perform keep_alarm(e);
        when 'audit' then perform keep_audit(e);
        when 'webhook' then perform keep_foreign_webhook(e);
        else null;
    end case;
end $$;

create function keep_of_call(e journal_event) returns void language plpgsql as $$
begin
    case e.type
        when 'webhook' then perform keep_webhook(e);
        when 'decision' then perform keep_decision(e);
        when 'state' then perform keep_state(e);
        when 'notice' then perform keep_notice(e);
        when 'turn' then perform keep_turn(e);
        when 'tool' then perform keep_tool(e);
        when 'usage' then perform keep_usage(e);
        when 'recording' then perform keep_recording(e);
        when 'text' then perform keep_text(e);
        when 'ended' then perform keep_ended(e);
        else null;
    end case;
end $$;

-- What is left of a body when its words must go: numbers, names of things, never what somebody said or who. The
-- notice stays, for it is our own words and the evidence that they were spoken.
create function without_words(type text, body jsonb) returns jsonb language sql immutable parallel safe
return case when type = 'notice' then body
    else body - array['text', 'said', 'arguments', 'output', 'detail', 'head', 'words'] end;

create function without_person(type text, body jsonb) returns jsonb language sql immutable
begin atomic
    select coalesce(jsonb_object_agg(key, value), '{}') || '{"erased": true}'
    from jsonb_each(body)
    where (type = 'notice' and key = 'text')
        or (type = 'recording' and key in ('path', 'why')) -- or nobody could delete the file
        or (type = 'ended' and key = 'reason') or (type = 'usage' and key = 'raw') or (type = 'text' and key = 'id')
        or key = any(array['call', 'agent', 'at_ms', 'kind', 'status', 'duration_s', 'repeated', 'direction', 'node',
            'system', 'version', 'model', 'state', 'seq', 'role', 'interrupted', 'withheld', 'name', 'done', 'heard_ms',
            'usage', 'complete', 'code', 'on', 'bytes', 'duration_ms', 'segments', 'frames_in', 'frames_out', 'gap_ms',
            'bad_frames', 'late_deltas', 'turns', 'barge_ins', 'tool_calls', 'errors', 'first_audio_ms', 'cut']);
end;

-- What means something without the person.
create function impersonal_types() returns text[] language sql immutable
return array['webhook', 'decision', 'state', 'notice', 'usage', 'recording', 'text', 'ended'];

-- Which call an event is about: a node may hear of one that is not its own.
create function about_call(stream text, body jsonb) returns text language sql immutable parallel safe
return case when stream like 'node/%' then body ->> 'call' else stream end;

create function ingest(events jsonb) returns table (ordinal integer, outcome text, reason text)
language plpgsql as $$
#variable_conflict use_column
declare
    given record;
    e journal_event;
    seen jsonb; -- the call of the event before, so that its row is written once and not at each
    known record;
    muted jsonb; -- calls whose words or caller are not to be kept any more
    fingerprint bytea;
    whole_event boolean; -- false: it came cut or erased, and cannot be read any more
    touched text[] := '{}'; -- calls of which something new was told
begin
    perform ensure_partitions_for(m) from (select distinct month_of(time_of_us((x ->> 'started_us')::bigint)) as m
        from jsonb_array_elements(events) x order by 1) months;
    select jsonb_object_agg(call, erased_at is not null) into muted from calls
        where call in (select about_call(x ->> 'stream', x -> 'body') from jsonb_array_elements(events) x)
            and (erased_at is not null or words_gone_at is not null);

    for given in
        select g.* from rows from (jsonb_to_recordset(events) as (stream text, started_us bigint, epoch bigint,
            seq bigint, at_us bigint, type text, body jsonb)) with ordinality
            as g (stream, started_us, epoch, seq, at_us, type, body, n)
        order by g.stream, g.epoch, g.seq, g.n
    loop
        e := (given.stream, time_of_us(given.started_us), given.epoch, given.seq, time_of_us(given.at_us),
            given.type, given.body)::journal_event;
        fingerprint := sha256(convert_to(e.type || ' ' || e.body::text, 'UTF8'));
        whole_event := not e.body ?| array['cut', 'erased'];
        if muted ? about_call(e.stream, e.body) then
            e.body := case when (muted -> about_call(e.stream, e.body))::boolean
                then without_person(e.type, e.body) else without_words(e.type, e.body) end;
            fingerprint := null;
        end if;
        insert into call_events (stream, epoch, seq, started_at, at, type, body, digest)
            values (e.stream, e.epoch, e.seq, e.started_at, e.at, e.type, e.body, fingerprint)
            on conflict do nothing;
        ordinal := given.n;
        reason := null;
        if not found then
            select v.type, v.digest into known from call_events v
                where v.stream = e.stream and v.epoch = e.epoch and v.seq = e.seq and v.started_at = e.started_at;
            outcome := case when known.digest is null or fingerprint is null or known.digest = fingerprint
                then 'duplicate' else 'conflict' end;
            if outcome = 'conflict' then
                reason := format('%s, epoch %s, seq %s is kept already as another event of type %s; two processes '
                    'used one epoch, or the journal was changed', e.stream, e.epoch, e.seq, known.type);
            end if;
            return next;
            continue;
        end if;
        outcome := 'kept';
        return next;

        if e.stream like 'node/%' then
            if not e.body ?| array['cut', 'erased'] then
                perform keep_of_node(e);
            end if;
            touched := touched || about_call(e.stream, e.body);
            continue;
        end if;
        known := row(e.stream, e.started_at, e.body -> 'agent', e.body -> 'from', e.body -> 'to');
        if seen is distinct from to_jsonb(known) then
            perform keep_call(e);
            seen := to_jsonb(known);
            touched := touched || e.stream;
        end if;
        -- An erased caller may still be talking: that the call ended, its length and its cost are no person.
        if whole_event and (not e.body ? 'erased' or e.type = any(impersonal_types())) then
            perform keep_of_call(e);
        end if;
    end loop;

    -- Whatever comes late for a call that is over may change its cost.
    perform call_cost(call) from (select call from calls
        where call = any(touched) and (ended_at is not null or status_rank(status) > 4) order by call) over_now;
end $$;
