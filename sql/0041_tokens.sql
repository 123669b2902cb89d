-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Who may use the admin API: tokens, tickets for streams, and the creates that may be asked again.

create table tokens (
    id bigint generated always as identity primary key,
    name text not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$'),
    hash bytea not null unique check (octet_length(hash) = 32), -- SHA-256 of 256 random bits
    role text not null check (role in ('viewer', 'operator', 'admin')),
    agents text[] check (cardinality(agents) between 1 and 100), -- null: all
    sees_personal boolean not null default false, -- what is masked for viewers
    made_at timestamptz not null default now(),
    made_by label not null,
    expires_at timestamptz, -- null: never
    revoked_at timestamptz,
    last_used_at timestamptz -- to ten minutes
);
create unique index tokens_named on tokens (name) where revoked_at is null;

-- Opens one stream once, where no header can be sent.
create table tickets (
    hash bytea primary key check (octet_length(hash) = 32),
    token bigint not null references tokens on delete cascade,
    purpose label not null,
    expires_at timestamptz not null default now() + interval '60 seconds',
    used_at timestamptz
);

-- Creates with an Idempotency-Key, and their answers; gone after a day.
create table api_requests (
    token label not null, -- its id, or who came by the control socket
    key label not null,
    digest bytea not null check (octet_length(digest) = 32),
    at timestamptz not null default now(),
    status integer check (status between 200 and 599), -- null: on its way
    body text check (octet_length(body) <= 8388608),
    headers jsonb,
    primary key (token, key)
);
create index on api_requests (at);

-- What of a token is told; never its hash.
create function shown_token(t tokens) returns jsonb language sql stable as $$
    select jsonb_build_object('id', t.id::text, 'name', t.name, 'role', t.role, 'agents', to_jsonb(t.agents),
        'sees_personal', t.sees_personal, 'made_at', t.made_at, 'made_by', t.made_by, 'expires_at', t.expires_at,
        'expires_unix', extract(epoch from t.expires_at)::bigint, 'revoked_at', t.revoked_at,
        'last_used_at', t.last_used_at, 'state', case when t.revoked_at is not null then 'revoked'
            when t.expires_at <= now() then 'expired' else 'good' end)
$$;

-- The token, when it is good; null otherwise, whatever the reason.
create function token_used(of_hash bytea) returns jsonb language plpgsql as $$
declare
    t tokens;
begin
    select * into t from tokens
        where hash = of_hash and revoked_at is null and (expires_at is null or expires_at > now());
    if not found then
        return null;
    end if;
    if coalesce(t.last_used_at, '-infinity') < now() - interval '10 minutes'
            and current_setting('transaction_read_only') = 'off' then
        update tokens set last_used_at = now()
            where id in (select id from tokens where id = t.id for update skip locked);
    end if;
    return shown_token(t);
end $$;

-- The token of a ticket, once.
create function ticket_used(of_hash bytea, for_purpose text) returns jsonb language sql as $$
    with used as (update tickets set used_at = now() where hash = of_hash and purpose = for_purpose
        and used_at is null and expires_at > now() returning token)
    select shown_token(t) || jsonb_build_object('hash', encode(t.hash, 'hex')) from tokens t join used on t.id = used.token
        where t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
$$;

-- What people look for among very many calls.
create index on calls (ended_reason, started_at);
create index on calls (started_at) where state is distinct from 'ended';
create index on calls (started_at) where errors > 0;

alter function maintain(timestamptz) rename to maintain_before_api;
create function maintain(as_of timestamptz default now()) returns table (node text, path text)
language plpgsql as $$
begin
    delete from api_requests where at < as_of - interval '1 day';
    delete from tickets where expires_at < as_of - interval '1 day';
    delete from tokens where greatest(revoked_at, expires_at) < as_of - interval '400 days'; -- the audit has them
    return query select * from maintain_before_api(as_of);
end $$;

-- An answer that is kept for a day may hold the number.
alter function erase_caller(text, bytea, text) rename to erase_before_api;
create function erase_caller(number text, hash bytea, who text default 'operator') returns jsonb
language plpgsql as $$
declare
    whom constant text := number;
    touched bigint := 0;
begin
    if whom ~ '^\+[1-9][0-9]{1,14}$' then -- what is no number is refused below
        delete from api_requests r where mentions(r.body, whom);
        get diagnostics touched = row_count;
    end if;
    return erase_before_api(whom, hash, who) || jsonb_build_object('api_requests', touched);
end $$;
