-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Customers and appointments, alerts, audit, statistics, retention.

create table customers (
    id bigint generated always as identity primary key,
    agent label not null,
    number caller, -- null once erased
    name sentence,
    email sentence,
    notes prose,
    facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    erased_at timestamptz,
    unique (agent, number)
);

-- Two calls that want the same hour of the same plumber: the database lets one of them. Times are
-- half-open, so that one visit may end when the next begins.
create table appointments (
    id bigint generated always as identity primary key,
    agent label not null,
    site label not null default 'default',
    resource label not null, -- who or what is booked
    during tstzrange not null check (not isempty(during) and lower(during) is not null
        and upper(during) is not null and lower_inc(during) and not upper_inc(during)),
    customer bigint references customers,
    call text, -- which booked it; it may be gone before the visit is
    service sentence,
    notes prose,
    status text not null default 'booked' check (status in ('booked', 'cancelled')),
    idempotency_key label unique, -- call + tool + arguments: asked twice, booked once
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint appointments_never_overlap exclude using gist
        (agent with =, site with =, resource with =, during with &&) where (status = 'booked')
);
create index on appointments (customer);
create index on appointments (call);

create table alerts (
    id bigint generated always as identity primary key,
    node label not null,
    kind label not null, -- a code of docs/errors.md
    subject text not null default '' check (length(subject) <= 128), -- which call, agent, file; '': the node
    severity text not null check (severity in ('warning', 'critical')),
    text sentence not null,
    fix sentence,
    opened_at timestamptz not null,
    last_at timestamptz not null,
    closed_at timestamptz check (closed_at >= opened_at),
    count bigint not null default 1 check (count > 0)
);
create unique index alerts_open_once on alerts (node, kind, subject) where closed_at is null;
create index on alerts (subject, opened_at);
create index on alerts (node, kind, subject, last_at);

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    who label not null,
    what label not null,
    subject sentence,
    before jsonb,
    after jsonb,
    node label
);
create index on audit (at);
create index on audit (subject, at);

-- History is not edited; only "erase this caller" masks a number in it.
create function refuse_edited_audit() returns trigger language plpgsql as $$
begin
    if current_setting('ringdown.erasing', true) = 'on' then
        return coalesce(new, old);
    end if;
    raise exception 'the audit is append-only; write another row that says what is right'
        using errcode = 'insufficient_privilege';
end $$;
create trigger audit_is_append_only before update or delete on audit
    for each row execute function refuse_edited_audit();
create trigger audit_is_never_emptied before truncate on audit
    for each statement execute function refuse_edited_audit();

-- One day of one agent on one system; outlives the calls it counts.
create table statistics (
    day date not null,
    agent label not null,
    system text not null check (system in ('openai', 'vapi', 'fallback', 'none')),
    calls integer not null check (calls >= 0),
    callers integer not null check (callers >= 0),
    seconds bigint not null check (seconds >= 0),
    turns bigint not null check (turns >= 0),
    barge_ins bigint not null check (barge_ins >= 0),
    tool_calls bigint not null check (tool_calls >= 0),
    errors bigint not null check (errors >= 0),
    first_audio_p95_ms integer,
    micro_usd micro_dollars, -- of calls whose cost is known; null: of none
    unknown_costs integer not null check (unknown_costs >= 0),
    primary key (day, agent, system)
);

-- How long things are kept, for all agents; agents.keep_transcripts and keep_recordings may say less.
create table retention (
    what text primary key check (what in ('call_events', 'turns', 'tool_calls', 'usage', 'calls', 'alerts')),
    keep interval not null check (keep >= interval '1 month')
);
insert into retention values
    ('call_events', '13 months'), ('turns', '13 months'), ('tool_calls', '13 months'),
    ('usage', '25 months'), ('calls', '25 months'), ('alerts', '13 months');
