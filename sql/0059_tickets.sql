-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Tickets for the recording of one call: a player cannot send a token either.

alter table tickets add column subject label; -- the call; null: the purpose says all

-- The token of a ticket: of a stream once. A player opens a recording, then asks for pieces of it as it needs them:
-- these come with the ticket for 15 minutes, of this call alone.
create function ticket_used(of_hash bytea, for_purpose text, of_subject text) returns jsonb language sql as $$
    with used as (update tickets set used_at = coalesce(used_at, now())
        where hash = of_hash and purpose = for_purpose
            and subject is not distinct from case for_purpose when 'recording' then of_subject end
            and (used_at is null and expires_at > now()
                or for_purpose = 'recording' and used_at > now() - interval '15 minutes')
        returning token)
    select shown_token(t) || jsonb_build_object('hash', encode(t.hash, 'hex')) from tokens t join used on t.id = used.token
        where token_is_good(t)
$$;
