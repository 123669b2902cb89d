-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- The weekly mail about an agent goes out once, however many nodes there are and however often they start.

create table weekly_mails (
    agent label not null,
    week date not null, -- its Monday
    claimed_at timestamptz not null,
    tries integer not null default 1 check (tries > 0),
    sent_at timestamptz,
    why sentence, -- it was not sent the last time
    primary key (agent, week)
);

-- True: it is yours to send. Who claimed it and was not heard of for a quarter of an hour has not; three times, then no more.
create function weekly_claim(of_agent text, of_week date, as_of timestamptz default now()) returns boolean
language plpgsql as $$
begin
    insert into weekly_mails as w (agent, week, claimed_at) values (of_agent, of_week, as_of)
    on conflict (agent, week) do update set claimed_at = excluded.claimed_at, tries = w.tries + 1
        where w.sent_at is null and w.claimed_at < excluded.claimed_at - interval '15 minutes' and w.tries < 3;
    return found;
end $$;

create function weekly_done(of_agent text, of_week date, what text) returns void language sql as $$
    update weekly_mails set sent_at = case when what is null then now() end, why = cut(what, 2000)
        where agent = of_agent and week = of_week
$$;
