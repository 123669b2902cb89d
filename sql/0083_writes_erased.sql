-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What tools answered in calls on Vapi (vapi_writes) goes with the caller who is erased, and two days after it was
-- written, whether or not another call writes something.

alter function erase_caller(text, bytea, text) rename to erase_before_writes;
create function erase_caller(number text, hash bytea, who text default 'operator') returns jsonb
language plpgsql as $$
declare
    whom constant text := number;
begin
    if whom ~ '^\+[1-9][0-9]{1,14}$' then -- what is no number is refused below
        delete from vapi_writes w using calls c where c.call = w.call and whom in (c.from_number, c.to_number)
            and (c.ended_at is not null or w.key = repeat('0', 64));
        -- A call that goes on must not write twice: that it wrote is known, what came of it is not any more.
        update vapi_writes w set output = null from calls c where c.call = w.call
            and whom in (c.from_number, c.to_number) and w.key <> repeat('f', 64);
        update vapi_writes w set output = mask_number(w.output, whom) where mentions(w.output, whom);
    end if;
    return erase_before_writes(whom, hash, who);
end $$;

alter function maintain(timestamptz) rename to maintain_before_writes;
create function maintain(as_of timestamptz default now()) returns table (node text, path text)
language plpgsql as $$
begin
    delete from vapi_writes w where w.at < as_of - interval '2 days';
    return query select * from maintain_before_writes(as_of);
end $$;
