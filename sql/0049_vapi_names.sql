-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A call that came to Vapi by itself goes by Vapi's name until somebody tells the carrier's; then it is one call.

alter table triage_steps drop constraint triage_steps_call_rule_fkey,
    add foreign key (call, rule) references triage_matches on delete cascade on update cascade;
alter table triage_followers drop constraint triage_followers_call_rule_fkey,
    add foreign key (call, rule) references triage_matches on delete cascade on update cascade;

-- As nodes and `vapi import` name a call without a carrier's id.
create function vapi_name(vapi_id text) returns text language sql immutable parallel safe
return 'vapi' || regexp_replace(vapi_id, '[^A-Za-z0-9]', '', 'g');

-- All that is told of a call is told of the other one. What that knows itself, it knows better.
create function one_call(old text, new text) returns void language plpgsql as $$
declare
    of record;
begin
    for of in select c.conrelid::regclass as name, a.attname as key
        from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'f' and c.confrelid = 'calls'::regclass and c.conparentid = 0 and cardinality(c.conkey) = 1
        union all select 'vapi_writes'::regclass, 'call'
    loop
        begin
            execute format('update %s set %I = $2 where %I = $1', of.name, of.key, of.key) using old, new;
        exception when unique_violation then
            null;
        end;
    end loop;
    delete from vapi_writes where call = old;
    update calls n set vars = o.vars || coalesce(n.vars, '{}')
    from calls o where n.call = new and o.call = old and o.vars is not null;
    delete from calls where call = old;
end $$;

-- As in 0039, and whichever name is told first.
alter function expect_vapi_call(journal_event) rename to expect_vapi_call_named;
create function expect_vapi_call(e journal_event) returns text language plpgsql as $$
declare
    which text := cut(about_call(e.stream, e.body), 64);
    named text := vapi_name(word(e.body, 'vapi_id'));
    known text;
begin
    if which = named then
        select call into known from vapi_calls where vapi_id = word(e.body, 'vapi_id') and call <> named;
        return coalesce(known, expect_vapi_call_named(e));
    end if;
    which := expect_vapi_call_named(e);
    if which is not null and exists (select from calls where call = named) then
        perform one_call(named, which);
    end if;
    return which;
end $$;
