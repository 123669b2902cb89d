-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Who answers: words that all tables share, agents, sites, numbers, nodes, rollouts.
--
-- Names are not qualified: everything lies in the first schema of the connection's search_path, which is
-- `public` in a database of our own (`ringdown db up` makes one) and whatever
-- `?options=-csearch_path%3Dringdown` says in a shared one. Times are timestamptz, always UTC in what we write;
-- money is micro-dollars in a bigint.
create extension if not exists btree_gist;

create domain e164 as text check (value ~ '^\+[1-9][0-9]{1,14}$');

-- Who calls or is called: E.164, or whatever word the carrier has instead (anonymous, client:…, sip:…).
create domain caller as text check (length(value) between 1 and 128 and value !~ '[[:cntrl:]]');

create domain label as text check (length(value) between 1 and 128 and value !~ '[[:cntrl:]]');
create domain sentence as text check (length(value) <= 2000);
create domain prose as text check (length(value) <= 131072);
create domain micro_dollars as bigint;

-- µs since 1970, exactly.
create function time_of_us(us bigint) returns timestamptz language sql stable parallel safe
return timestamptz 'epoch' + us * interval '1 microsecond';

-- What came from outside, short enough for its column; null for nothing.
create function cut(words text, n integer) returns text language sql immutable parallel safe
return nullif(left(regexp_replace(words, '[[:cntrl:]]', ' ', 'g'), n), '');

create function month_of(at timestamptz) returns timestamptz language sql stable parallel safe
return date_trunc('month', at, 'UTC');

create table agents (
    agent label primary key,
    version label not null, -- the newest that some node loaded
    keep_transcripts interval check (keep_transcripts >= interval '0'), -- null: as long as `retention` says
    keep_recordings interval check (keep_recordings >= interval '0'),
    recording boolean not null default false,
    notice jsonb,
    first_seen_at timestamptz not null,
    updated_at timestamptz not null
);

create table agent_versions (
    agent label not null references agents on delete cascade,
    version label not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    facts jsonb not null default '{}', -- keep_transcripts_s… as that version said it
    primary key (agent, version)
);

-- No reference to agents: sites may be imported before any node has loaded the agent.
create table sites (
    agent label not null,
    site label not null,
    name sentence,
    time_zone label,
    facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object'), -- hours, people, prices
    updated_at timestamptz not null default now(),
    primary key (agent, site)
);

create table phone_numbers (
    number e164 primary key,
    agent label not null,
    site label, -- null: the default site, made from the agent
    carrier_id label, -- PN…
    goes_to text not null default 'unknown' check (goes_to in ('ringdown', 'vapi', 'elsewhere', 'unknown')),
    updated_by label,
    updated_at timestamptz not null default now(),
    foreign key (agent, site) references sites (agent, site)
);

-- What Twilio had for a number before we changed it: enough to put it back exactly.
create table number_snapshots (
    id bigint generated always as identity primary key,
    number e164 not null,
    taken_at timestamptz not null default now(),
    taken_by label not null,
    reason sentence,
    fields jsonb not null check (jsonb_typeof(fields) = 'object'),
    changed_to jsonb check (jsonb_typeof(changed_to) = 'object'),
    verified_at timestamptz, -- read back and found as wished
    undone_at timestamptz check (undone_at >= taken_at)
);
create index on number_snapshots (number, taken_at desc);

create table nodes (
    node label primary key,
    version label,
    host label,
    pid bigint check (pid > 0),
    started_at timestamptz not null,
    stopped_at timestamptz,
    seen_at timestamptz not null,
    draining boolean not null default false
);

-- Every version of every plan is a row, and the newest is the truth. Two people who both change version 17
-- both insert 18: the primary key lets one of them.
create table rollouts (
    agent label not null,
    version integer not null check (version > 0),
    salt label not null default 'v1',
    unit text not null default 'caller' check (unit in ('caller', 'call')),
    mode text not null default 'split' check (mode in ('split', 'vapi', 'openai')),
    percent_bp integer not null default 0 check (percent_bp between 0 and 10000),
    stage label,
    state text not null default 'draft'
        check (state in ('draft', 'pilot', 'running', 'paused', 'rolled_back', 'killed', 'done')),
    allow text[] not null default '{}' check (cardinality(allow) <= 10000),
    deny text[] not null default '{}' check (cardinality(deny) <= 10000),
    kill boolean not null default false,
    stages jsonb not null default '[]' check (jsonb_typeof(stages) = 'array'),
    previous jsonb check (jsonb_typeof(previous) = 'object'),
    updated_by label not null,
    updated_at timestamptz not null default now(),
    reason sentence,
    primary key (agent, version)
);

create view rollout_now as
select distinct on (agent) * from rollouts order by agent, version desc;

-- Writes the plan's next version. `expected` is the version the change was made from (0: there is none yet);
-- null is returned, and nothing written, when somebody else was faster.
create function rollout_put(of_agent text, expected integer, plan jsonb, who text, why text default null)
returns integer language plpgsql as $$
begin
    if expected is distinct from coalesce((select max(version) from rollouts where agent = of_agent), 0) then
        return null;
    end if;
    insert into rollouts
        select (jsonb_populate_record(null::rollouts,
            jsonb_build_object('salt', 'v1', 'unit', 'caller', 'mode', 'split', 'percent_bp', 0, 'state', 'draft',
                'allow', '[]'::jsonb, 'deny', '[]'::jsonb, 'kill', false, 'stages', '[]'::jsonb)
            || plan
            || jsonb_build_object('agent', of_agent, 'version', expected + 1, 'updated_by', who,
                'updated_at', now(), 'reason', why))).*;
    return expected + 1;
exception when unique_violation then
    return null;
end $$;
