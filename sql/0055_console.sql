-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Sessions of the console: tokens that end by themselves, and with the token they were made of.

alter table tokens
    add column is_session boolean not null default false,
    add column session_of bigint references tokens on delete cascade, -- null: of a log-in link
    add constraint tokens_sessions_end check (not is_session or expires_at <= made_at + interval '12 hours 15 minutes'),
    add constraint tokens_sessions_of check (is_session or session_of is null);
create index on tokens (session_of) where session_of is not null;

-- What of a token is told; never its hash.
create or replace function shown_token(t tokens) returns jsonb language sql stable as $$
    select jsonb_build_object('id', t.id::text, 'name', t.name, 'role', t.role, 'agents', to_jsonb(t.agents),
        'sees_personal', t.sees_personal, 'session', t.is_session, 'made_at', t.made_at, 'made_by', t.made_by,
        'expires_at', t.expires_at, 'expires_unix', extract(epoch from t.expires_at)::bigint,
        'revoked_at', t.revoked_at, 'last_used_at', t.last_used_at,
        'state', case when t.revoked_at is not null then 'revoked' when t.expires_at <= now() then 'expired'
            else 'good' end)
$$;

-- A session ends when what it was made of does.
create function token_is_good(t tokens) returns boolean language sql stable as $$
    select t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
        and not exists (select from tokens p where p.id = t.session_of
            and (p.revoked_at is not null or p.expires_at <= now()))
$$;

-- The token, when it is good; null otherwise, whatever the reason.
create or replace function token_used(of_hash bytea) returns jsonb language plpgsql as $$
declare
    t tokens;
begin
    select * into t from tokens where hash = of_hash;
    if not found or not token_is_good(t) then
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
create or replace function ticket_used(of_hash bytea, for_purpose text) returns jsonb language sql as $$
    with used as (update tickets set used_at = now() where hash = of_hash and purpose = for_purpose
        and used_at is null and expires_at > now() returning token)
    select shown_token(t) || jsonb_build_object('hash', encode(t.hash, 'hex')) from tokens t join used on t.id = used.token
        where token_is_good(t)
$$;

-- A log-in link: a session that nobody has yet (nobody knows what `unknown` is the hash of), and the ticket that
-- opens it once.
create function console_link(ticket bytea, unknown bytea, as_name text, as_role text, for_agents text[], personal boolean,
    session_for interval, link_for interval, who text) returns jsonb language plpgsql as $$
declare
    t tokens;
begin
    insert into tokens (name, hash, role, agents, sees_personal, made_by, expires_at, is_session)
        values (as_name, unknown, as_role, for_agents, personal, who, now() + session_for, true) returning * into t;
    insert into tickets (hash, token, purpose, expires_at) values (ticket, t.id, 'console', now() + link_for);
    insert into audit (who, what, subject, after) values (who, 'console.link', as_name,
        jsonb_build_object('role', as_role, 'agents', to_jsonb(for_agents), 'sees_personal', personal,
            'expires_at', t.expires_at));
    return shown_token(t);
end $$;

-- A session begins: of a link, whose own it becomes; of a token, as a new one that ends no later.
create function session_begun(of_token bigint, by_link boolean, new_hash bytea, as_name text, who text) returns jsonb
language plpgsql as $$
declare
    t tokens;
begin
    if by_link then
        update tokens set hash = new_hash, last_used_at = now() where id = of_token and is_session returning * into t;
    else
        insert into tokens (name, hash, role, agents, sees_personal, made_by, expires_at, last_used_at, is_session,
                session_of)
            select as_name, new_hash, p.role, p.agents, p.sees_personal, who,
                least(p.expires_at, now() + interval '12 hours'), now(), true, p.id
            from tokens p where p.id = of_token and token_is_good(p) returning * into t;
    end if;
    if t.id is null then
        return null;
    end if;
    insert into audit (who, what, subject, after) values (who, 'console.begin', t.name,
        jsonb_build_object('role', t.role, 'expires_at', t.expires_at));
    return shown_token(t);
end $$;

create function session_ended(of_token bigint, who text) returns jsonb language sql as $$
    with gone as (update tokens set revoked_at = now() where id = of_token and is_session and revoked_at is null
        returning tokens),
    noted as (insert into audit (who, what, subject, after)
        select who, 'console.end', (tokens).name, jsonb_build_object('role', (tokens).role) from gone)
    select shown_token((tokens)) from gone
$$;

-- A week after its end nobody asks for a session any more: the audit has it.
alter function maintain(timestamptz) rename to maintain_before_console;
create function maintain(as_of timestamptz default now()) returns table (node text, path text)
language plpgsql as $$
begin
    delete from tokens where is_session and greatest(revoked_at, expires_at) < as_of - interval '7 days';
    return query select * from maintain_before_console(as_of);
end $$;
