-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- As in 0050, and no call that we made ourselves is evidence, whatever number it was from.

create or replace function rollout_split(of_agent text, from_at timestamptz, of_share integer) returns setof calls
language sql stable as $$
    select c.* from calls c
    where c.agent = of_agent and c.started_at >= from_at and c.route_reason = 'split' and c.percent_bp = of_share
        and not c.imported and not c.direct_to_vapi and not is_own_test(c)
$$;
