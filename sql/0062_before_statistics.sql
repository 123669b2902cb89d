-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- What 0043 counts of calls is known of calls of before it as well: their facts are still there. Calls whose facts are
-- gone keep what the columns say by themselves: no transfer, tools of which nobody knows what came of them.

update tool_calls set failed = tool_output_failed(output) where failed is null and output is not null;

create temp table told on commit drop as
    select stream as call,
        max(cut(body -> 'site' ->> 'id', 128)) filter (where type = 'opened') as site,
        bool_or(type = 'opened') as opened,
        count(*) filter (where type = 'transfer' and body ->> 'state' = 'asked') as asked,
        count(*) filter (where type = 'transfer' and body ->> 'state' = 'answered') as answered
    from call_events where type in ('opened', 'transfer') and stream not like 'node/%' group by stream;

update calls c set transfers_asked = t.asked, transfers_answered = t.answered
    from told t where c.call = t.call and c.transfers_asked = 0 and c.transfers_answered = 0 and t.asked + t.answered > 0;
update calls c set site = coalesce(t.site, 'default')
    from told t where c.call = t.call and c.site is null and t.opened;
update calls c set is_test = true
    where not c.is_test and exists (select from numbers_seen s where s.number = c.from_number::text);

drop table told;

-- Whatever was counted before this is counted again; hours that are older than what is kept stay as they are.
insert into statistics_dirty (hour) select distinct date_trunc('hour', started_at, 'UTC') from calls;
