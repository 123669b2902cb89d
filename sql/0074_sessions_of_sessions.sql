-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A session that was made of a session ends with all that it comes of, not only with the one it was made of.

create or replace function token_is_good(t tokens) returns boolean language sql stable as $$
    with recursive line as (
        select t.session_of as parent, t.revoked_at, t.expires_at
        union all
        select p.session_of, p.revoked_at, p.expires_at from line join tokens p on p.id = line.parent
    )
    select not exists (select from line where revoked_at is not null or expires_at <= now())
$$;
