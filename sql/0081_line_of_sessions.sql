-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A session that begins is good: none of those that it comes of ends for it.

-- A token, and those that it comes of.
create function token_line(of_token bigint) returns setof bigint language sql stable as $$
    with recursive line as (
        select id, session_of from tokens where id = of_token
        union all
        select p.id, p.session_of from line join tokens p on p.id = line.session_of
    )
    select id from line
$$;

-- As in 0078.
create or replace function session_begun(of_token bigint, by_link boolean, new_hash bytea, as_name text, who text)
returns jsonb language plpgsql as $$
declare
    most constant integer := 32;
    t tokens;
    root bigint;
    one bigint;
begin
    if by_link then
        update tokens set hash = new_hash, last_used_at = now() where id = of_token and is_session returning * into t;
    else
        root := token_root(of_token);
        perform from tokens where id = root for update; -- two that begin at once are counted one by one
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
    for one in select s.id from sessions_of_root(root) s
            order by s.id in (select token_line(t.id)) desc, greatest(s.last_used_at, s.made_at) desc, s.id desc
            offset most loop
        perform session_ended(one, who);
    end loop;
    return shown_token(t);
end $$;
