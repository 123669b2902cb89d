-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Whoever answered has an emergency, also when somebody at a desk had confirmed it a moment before: no desk takes that
-- back, and nobody is asked anew while they are on it.

-- As in 0009, with that.
create or replace function keep_triage(e journal_event) returns void language plpgsql as $$
declare
    which text := triage_call(e);
    now_is text := word(e.body, 'state');
begin
    if which is null or triage_rank(now_is) = 0 then
        return;
    end if;
    insert into triage_matches as m (call, rule, severity, source, words, matched_at, state, handled_at, handled_by)
    values (which, word(e.body, 'rule'), word(e.body, 'severity', 32), coalesce(word(e.body, 'source'), 'rule'),
        cut(e.body ->> 'words', 2000), e.at, now_is, case when now_is = 'handled' then e.at end,
        case when now_is = 'handled' then word(e.body, 'by') end)
    on conflict (call, rule) do update set
        severity = coalesce(m.severity, excluded.severity),
        source = case when now_is = 'open' then excluded.source else m.source end,
        words = coalesce(m.words, excluded.words),
        matched_at = least(m.matched_at, excluded.matched_at),
        state = case when triage_rank(excluded.state) > triage_rank(m.state) then excluded.state else m.state end,
        handled_by = case when m.handled_at is null or m.handled_at > excluded.handled_at or is_at_desk(m.handled_by)
            then coalesce(excluded.handled_by, m.handled_by) else m.handled_by end,
        handled_at = least(m.handled_at, excluded.handled_at);
end $$;
