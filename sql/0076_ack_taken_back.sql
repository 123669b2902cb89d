-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- Who looks after an alert can say that they do not: it is told again as if nobody had said so.

-- As it is afterwards, with `was`: who looked after it; without `was`, nobody did and nothing was changed.
create function alert_unack(of_id bigint, of_who text) returns jsonb language plpgsql as $$
declare
    s alert_states;
    was alert_states;
begin
    select * into was from alert_states where id = of_id for update;
    if was.state = 'firing' and was.acked_at is not null then
        update alert_states set acked_at = null, acked_by = null, ack_note = null where id = of_id returning * into s;
        insert into audit (who, what, subject, before, after) values (of_who, 'alert.unack', s.rule,
            jsonb_strip_nulls(jsonb_build_object('alert', s.id, 'acked_by', was.acked_by, 'note', was.ack_note)),
            jsonb_build_object('alert', s.id));
        return alert_shown(s) || jsonb_build_object('was', was.acked_by);
    end if;
    return case when was.id is not null then alert_shown(was) end;
end $$;
