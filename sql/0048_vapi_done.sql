-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A webhook of Vapi whose signature was seen, and that nobody did anything for, may come again.

alter table vapi_signatures add column done_at timestamptz; -- its order was handed on; null: not yet, or by a release before
update vapi_signatures set done_at = at;

-- No webhook takes longer: Vapi waits no more.
create function vapi_webhook_takes() returns interval language sql immutable return interval '20 seconds';

-- As in 0039. What another process began and did not end in time, it never will: it died over it.
create or replace function vapi_signature_is_new(of_mac text, by_process text) returns boolean language plpgsql as $$
begin
    delete from vapi_signatures where mac in (select mac from vapi_signatures
        where at < now() - interval '15 minutes' order by at limit 100 for update skip locked);
    insert into vapi_signatures as s (mac, process) values (of_mac, by_process)
    on conflict (mac) do update set process = excluded.process, at = excluded.at
        where s.process <> excluded.process and s.done_at is null and s.at < now() - vapi_webhook_takes();
    return found or exists (select from vapi_signatures where mac = of_mac and process = by_process);
end $$;

-- What became of it: {mac, process, done}. Not done: it may come again, to whichever process.
create function vapi_signature_over(what jsonb) returns void language plpgsql as $$
begin
    if yes(what -> 'done') then
        insert into vapi_signatures as s (mac, process, done_at) values (what ->> 'mac', what ->> 'process', now())
        on conflict (mac) do update set done_at = now() where s.process = excluded.process;
    else
        delete from vapi_signatures where mac = what ->> 'mac' and process = what ->> 'process' and done_at is null;
    end if;
end $$;
