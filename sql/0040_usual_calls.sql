-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- How often Vapi's calls end by a fault is compared with calls that we sent there, and with no others.

-- As in 0038, and nothing that nobody here decided.
create or replace function rollout_usual(of_agent text) returns jsonb language plpgsql stable as $$
begin
    return (select jsonb_build_object('n', count(*), 'k', count(*) filter (where ended_class
            in ('config', 'provider', 'vapi', 'other')))
        from (select v.ended_class from calls c join vapi_calls v on v.call = c.call
            where c.agent = of_agent and c.started_at > now() - interval '14 days' and v.ended_class is not null
                and not c.imported and not c.direct_to_vapi and not is_own_test(c)
            order by c.started_at desc limit 2000) v);
end $$;
