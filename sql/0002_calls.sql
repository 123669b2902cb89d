-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What happened in a call. `ingest` (0005) writes these tables; people and programs read them.
--
-- The big ones (call_events, turns, tool_calls, usage) are partitioned by month of `started_at`, the start of the
-- call and not of the row: a call's rows lie in one partition, however long it is or late they come, and go
-- together. Their primary keys begin with the call, because that is how everybody asks.

create table calls (
    call text primary key check (length(call) between 1 and 64),
    started_at timestamptz not null,
    agent label,
    version label,
    from_number caller,
    to_number caller,
    direction label,
    node label, -- which last took the call
    node_epoch bigint not null default 0,
    -- decision
    system text check (system in ('openai', 'vapi', 'fallback')),
    reason sentence,
    fix sentence,
    model label,
    -- how far it came; a position (epoch, seq) tells an older event from a newer one
    state text check (state in ('connecting', 'live', 'leaving', 'closing', 'ended')),
    state_epoch bigint not null default 0,
    state_seq bigint not null default 0,
    decision_epoch bigint not null default 0,
    decision_seq bigint not null default 0,
    status text check (status in ('queued', 'initiated', 'ringing', 'in-progress',
        'completed', 'busy', 'failed', 'no-answer', 'canceled')), -- the carrier's word
    duration_s integer check (duration_s >= 0), -- the carrier's, from the first second to the last
    notice_at timestamptz,
    ended_at timestamptz,
    ended_epoch bigint not null default 0,
    ended_reason label,
    -- sums over all processes that had the call
    duration_ms bigint check (duration_ms >= 0), -- of its streams
    first_audio_ms integer check (first_audio_ms > 0),
    turns integer not null default 0 check (turns >= 0),
    barge_ins integer not null default 0 check (barge_ins >= 0),
    tool_calls integer not null default 0 check (tool_calls >= 0),
    errors integer not null default 0 check (errors >= 0),
    gap_ms bigint not null default 0 check (gap_ms >= 0),
    bad_frames bigint not null default 0 check (bad_frames >= 0),
    late_deltas bigint not null default 0 check (late_deltas >= 0),
    -- what must not be known any more
    words_gone_at timestamptz,
    erased_at timestamptz
);
create index on calls (started_at);
create index on calls (agent, started_at);
create index on calls (from_number, started_at desc);
create index on calls (to_number, started_at desc);

-- The whole truth, in order. `digest` tells a repetition from a contradiction; it is null once the body was
-- blanked, because the hash of a phone number among known words is the phone number.
create table call_events (
    stream text not null check (length(stream) between 1 and 64),
    epoch bigint not null check (epoch > 0),
    seq bigint not null check (seq > 0),
    started_at timestamptz not null,
    at timestamptz not null,
    type text not null check (type ~ '^[a-z][a-z_]{0,31}$'),
    body jsonb not null check (jsonb_typeof(body) = 'object' and octet_length(body::text) <= 262144),
    digest bytea check (octet_length(digest) = 32),
    kept_at timestamptz not null default now(),
    primary key (stream, epoch, seq, started_at)
) partition by range (started_at);

create table turns (
    call text not null references calls on delete cascade,
    epoch bigint not null,
    seq bigint not null, -- of the event
    started_at timestamptz not null,
    at timestamptz not null,
    turn integer check (turn >= 0), -- its number in the conversation
    role text not null check (role in ('caller', 'agent')),
    heard prose not null, -- cut where the caller cut in
    said prose, -- when that was more
    interrupted boolean not null default false,
    withheld text check (withheld in ('before_notice', 'paused')),
    item label,
    words tsvector generated always as
        (to_tsvector('simple'::regconfig, heard::text || ' ' || coalesce(said::text, ''))) stored,
    primary key (call, epoch, seq, started_at)
) partition by range (started_at);
create index on turns using gin (words);

create table tool_calls (
    call text not null references calls on delete cascade,
    id text not null check (length(id) between 1 and 128), -- the provider's
    started_at timestamptz not null,
    name label,
    asked_at timestamptz,
    answered_at timestamptz,
    arguments prose, -- as the model wrote them: may be no JSON
    output prose,
    primary key (call, id, started_at)
) partition by range (started_at);

create table usage (
    call text not null references calls on delete cascade,
    epoch bigint not null,
    seq bigint not null,
    started_at timestamptz not null,
    at timestamptz not null,
    kind text not null check (kind in ('response', 'transcription')),
    model label,
    -- cached tokens are part of those next to them
    text_in bigint not null check (text_in >= 0),
    text_cached bigint not null check (text_cached between 0 and text_in),
    audio_in bigint not null check (audio_in >= 0),
    audio_cached bigint not null check (audio_cached between 0 and audio_in),
    image_in bigint not null check (image_in >= 0),
    image_cached bigint not null check (image_cached between 0 and image_in),
    text_out bigint not null check (text_out >= 0),
    audio_out bigint not null check (audio_out >= 0),
    seconds numeric not null check (seconds >= 0),
    complete boolean not null, -- false: the provider did not tell all
    raw jsonb,
    primary key (call, epoch, seq, started_at)
) partition by range (started_at);

create table recordings (
    call text not null references calls on delete cascade,
    node label not null, -- on whose disk
    path text not null check (length(path) between 1 and 1024),
    bytes bigint check (bytes >= 0),
    duration_ms bigint check (duration_ms >= 0),
    state text not null check (state in ('kept', 'cut', 'failed')),
    why sentence,
    at timestamptz not null,
    due_at timestamptz, -- the file must go
    gone_at timestamptz, -- the node says that it is gone
    primary key (node, path)
);
create index on recordings (call);
create index on recordings (due_at) where gone_at is null;

create table texts (
    id text primary key check (length(id) between 1 and 128),
    call text references calls on delete set null,
    agent label,
    direction text not null default 'out' check (direction in ('in', 'out')),
    from_number caller,
    to_number caller,
    body prose,
    segments integer check (segments between 0 and 100),
    status text check (status in ('accepted', 'scheduled', 'queued', 'sending', 'sent', 'receiving', 'received',
        'partially_delivered', 'delivered', 'read', 'undelivered', 'failed', 'canceled')),
    error_code label,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index on texts (call);
create index on texts (to_number, created_at desc);

-- Who must not be texted, by a keyed hash of the number: it outlives "erase this caller".
create table opt_outs (
    number_hash bytea not null check (octet_length(number_hash) = 32), -- HMAC-SHA256
    sender label not null default '*', -- our number they answered STOP to; *: all
    opted_out_at timestamptz not null default now(),
    opted_in_at timestamptz check (opted_in_at >= opted_out_at), -- START; null: still out
    source text not null check (source in ('stop', 'operator', 'import', 'carrier')),
    primary key (number_hash, sender)
);

-- One row per call and rule: acting twice is impossible.
create table triage_matches (
    call text not null references calls on delete cascade,
    rule label not null,
    severity text not null check (severity ~ '^[a-z_]{1,32}$'),
    source text not null default 'rule' check (source in ('rule', 'model', 'provider')),
    words sentence, -- what the caller said
    matched_at timestamptz not null,
    state text not null default 'open' check (state in ('open', 'handled', 'abandoned')),
    handled_at timestamptz check (handled_at >= matched_at),
    handled_by label,
    primary key (call, rule),
    check ((state = 'handled') = (handled_at is not null))
);
create index on triage_matches (matched_at) where state = 'open';

create table triage_steps (
    call text not null,
    rule label not null,
    step integer not null check (step > 0),
    kind text not null check (kind in ('say', 'transfer', 'text', 'alert')),
    target caller,
    state text not null check (state in ('asked', 'answered', 'confirmed', 'refused', 'failed', 'no_answer')),
    at timestamptz not null,
    detail sentence,
    primary key (call, rule, step),
    foreign key (call, rule) references triage_matches on delete cascade
);

-- Months that exist. A default partition would swallow odd dates in silence and make every later
-- partition wait for a scan of it; instead `ingest` makes the month it needs.
create function partition_name(parent text, month timestamptz) returns text language sql stable
return parent || '_' || to_char(month at time zone 'UTC', 'YYYYMM');

create function partitioned_tables() returns text[] language sql immutable
return array['call_events', 'turns', 'tool_calls', 'usage'];

-- Makes what is missing for a month, given by any moment of it. The order of tables is that of `ingest`, so that
-- the two never wait for each other in a circle.
create function ensure_partitions(at timestamptz) returns void language plpgsql as $$
declare
    month timestamptz := month_of(at);
    parent text;
begin
    if to_regclass(partition_name('usage', month)) is not null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('ringdown.partitions'));
    foreach parent in array partitioned_tables() loop
        if to_regclass(partition_name(parent, month)) is null then
            execute format('create table %I partition of %I for values from (%L) to (%L)',
                partition_name(parent, month), parent, month, month_of(month + interval '40 days'));
        end if;
    end loop;
end $$;

-- For a stream that began then; not for every date that a broken clock may tell.
create function ensure_partitions_for(began timestamptz) returns void language plpgsql as $$
begin
    if began is null or began < timestamptz '2020-01-01 00:00Z' or began > now() + interval '3 months' then
        raise exception 'a stream that began at % cannot be kept: we keep 2020 until three months from now; '
            'set that machine''s clock', coalesce(began::text, 'no time') using errcode = 'datetime_field_overflow';
    end if;
    perform ensure_partitions(began);
end $$;
