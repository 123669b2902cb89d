-- SPDX-License-Identifier: Apache-2.0
-- oldest-binary: 0.1.0
-- A process that leaves before its callers do ends their streams and not their calls: another one goes on with them.

create or replace function may_go_on(c calls) returns boolean language sql stable
return status_rank(coalesce(c.status, '')) < 5 and (c.state is distinct from 'ended'
    or c.ended_reason in ('carrier_lost', 'transferred', 'shutdown', 'node_drained'));
