-- SPDX-License-Identifier: Apache-2.0
-- alerts.shipped: the rules that are there from the start, as data. docs/alerts.md has them as a table, which a spec
-- compares. An operator's file changes them by name (alerts.rules in the configuration).
--
-- `alarms`: open rows of the table `alerts` of these kinds, one alert each. `sql`: rows with `value`, `n` (how many it
-- is made of), `call` (one that shows it), `text`; every other column is a label. $1 is the window.
local M = {}

M.rules = {
  -- ── about life: told at once, whatever else is told ──
  {
    name = "emergency_unanswered", severity = "page", at_once = true, repeats = "5m",
    about = "an emergency was found in a call, and nobody has taken it yet",
    alarms = { "emergency.unanswered", "errand.not_run", "vapi.not_heard", "vapi.not_checked" },
  },
  {
    name = "emergency_open", severity = "page", at_once = true, each_call = true, repeats = "5m", unit = "s",
      muted_by = { "emergency_unanswered" },
    about = "an emergency about life is open for more than three minutes, and no process says that it follows it",
    above = 180,
    sql = [[select m.call::text as call, c.agent::text as agent, m.rule::text as emergency,
        extract(epoch from now() - m.matched_at)::float as value
      from triage_matches m join calls c using (call)
      where m.state = 'open' and m.severity = 'life' and m.matched_at > now() - interval '1 day']],
  },
  {
    name = "emergencies_deaf", severity = "page", at_once = true, alarms = { "triage.deaf" },
    about = "emergencies are not recognised in the calls of an agent",
  },

  -- ── nobody can be served ──
  {
    name = "database_down", severity = "page", told_alone = true, alarms = { "database.down" },
    about = "PostgreSQL cannot be reached; each node that sees it tells it itself, because nobody else can",
  },
  {
    name = "provider_down", severity = "page", for_at_least = "30s", keep_firing_for = "1m", alarms = { "target.open" },
    about = "somebody we depend on failed so often that nobody asks him for a moment",
  },
  {
    name = "failed_calls", severity = "page", for_at_least = "1m", keep_firing_for = "3m", window = "10m",
      unit = "share",
    about = "too many calls end by a fault of ours or of a provider, or get the fallback",
    above = 0.10, back_at = 0.05, min_sample = 20, muted_by = { "provider_down" },
    sql = [[select c.agent::text as agent, (count(*) filter (where ended_badly(c)))::float / count(*) as value,
      count(*) as n,
        (array_agg(c.call order by c.ended_at desc) filter (where ended_badly(c)))[1]::text as call
      from calls c
      where c.started_at > now() - $1::interval - interval '2 hours' and c.ended_at > now() - $1::interval
        and c.agent is not null and not c.imported and not c.is_test
      group by 1]],
  },
  {
    name = "node_lost", severity = "page", for_at_least = "30s", alarms = { "node.lost" },
      muted_by = { "database_down" },
    about = "a node was not seen for a minute and did not say goodbye",
  },
  {
    name = "calls_lost_at_vapi", severity = "page", alarms = { "vapi.not_joined" },
    about = "calls were sent to Vapi, and Vapi does not have them",
  },
  {
    name = "synthetic_call", severity = "page", alarms = { "synthetic.failed" },
      muted_by = { "database_down", "provider_down" },
    about = "the cluster rang itself twice in a row, as a caller would, and did not get through",
  },
  {
    name = "account", severity = "page", alarms = { "openai.quota", "credentials.refused" },
    about = "an account's credit is used up, or its key is refused",
  },

  -- ── it goes on, and not as it should ──
  {
    name = "failover", severity = "ticket", keep_firing_for = "10m", window = "10m", above = 0,
      muted_by = { "provider_down" },
    about = "calls go on with the other system, because their own could not", unit = "calls",
    sql = [[select c.agent::text as agent, count(*) as value,
      (array_agg(c.call order by c.started_at desc))[1]::text as call
      from calls c
      where c.started_at > now() - $1::interval - interval '2 hours' and not c.is_test
        and (c.failed_over_at > now() - $1::interval
          or c.route_reason like 'failover:%' and c.routed_at > now() - $1::interval)
      group by 1]],
  },
  {
    name = "drift", severity = "ticket", for_at_least = "30s", alarms = { "numbers.drift" },
    about = "the carrier sends a number elsewhere than we made it",
  },
  {
    name = "guard_breach", severity = "page", alarms = { "rollout.rolled_back", "rollout.held" },
    about = "a guard took a rollout back, or holds it",
  },
  {
    name = "journal", severity = "page", for_at_least = "30s", muted_by = { "database_down" },
    about = "what was recorded does not reach PostgreSQL: the journal grows old, its disk fails, or events are refused",
    alarms = { "journal.behind", "journal.disk", "journal.full", "journal.lost", "journal.damaged", "journal.dead",
      "journal.conflict", "database.setup" },
  },
  {
    name = "no_calls", severity = "ticket", for_at_least = "5m", every = "1m", window = "1h", unit = "calls",
    about = "nobody called an agent for an hour in which four and more did in each of the last three weeks",
    below = 1, min_sample = 4, muted_by = { "provider_down" },
    sql = [[select a.agent::text as agent,
        (select count(*) from calls c where c.agent = a.agent and c.started_at > now() - $1::interval
          and not c.is_test) as value,
        (select min(k) from (select count(c.call) as k from generate_series(1, 3) as week
            left join calls c on c.agent = a.agent and not c.is_test
              and c.started_at <= now() - week * interval '7 days'
              and c.started_at > now() - week * interval '7 days' - $1::interval
          group by week) before) as n,
        (select c.call::text from calls c where c.agent = a.agent order by c.started_at desc limit 1) as call
      from agents a]],
  },
  {
    name = "no_transcript", severity = "ticket", for_at_least = "1m", keep_firing_for = "5m", window = "15m",
      unit = "share",
    about = "callers speak, and nothing of what they say becomes words: no emergency is found in it",
    above = 0.2, back_at = 0.1, min_sample = 5,
    sql = [[select agent, avg(deaf)::float as value, count(*) as n,
        (array_agg(call order by ended_at desc) filter (where deaf = 1))[1] as call
      from (select c.agent::text as agent, c.call::text as call, c.ended_at, case when exists (select from turns t
            where t.call = c.call and t.started_at = c.started_at and t.role = 'caller') then 0 else 1 end as deaf
          from calls c
          where c.started_at > now() - $1::interval - interval '2 hours' and c.ended_at > now() - $1::interval
            and c.system = 'openai' and c.turns >= 3 and c.duration_ms > 20000 and c.agent is not null
            and not c.is_test) ended
      group by agent]],
  },
  {
    name = "cost_per_hour", severity = "ticket", every = "1m", window = "1h", above = 50, back_at = 40, unit = "usd",
    about = "an agent's calls of the last hour cost more than this",
    sql = [[select c.agent::text as agent, sum(k.micro_usd)::float / 1e6 as value, count(*) as n,
        (array_agg(c.call order by k.micro_usd desc))[1]::text as call
      from calls c join call_costs k using (call)
      where c.started_at > now() - $1::interval - interval '2 hours' and c.ended_at > now() - $1::interval
        and k.micro_usd is not null and c.agent is not null and not c.imported
        and c.trial is distinct from 'synthetic'
      group by 1]],
  },
  {
    name = "spending_cap", severity = "ticket", alarms = { "cost.near_cap", "cost.call_near_cap" },
    about = "an agent has spent nearly all that it may today, or a call what one may",
  },
  {
    name = "expiry", severity = "ticket", repeats = "1d", alarms = { "certificate.expires", "model.shutdown" },
    about = "a certificate expires soon, or a model is shut down",
  },
  {
    name = "before_it_hurts", severity = "ticket", for_at_least = "1m", repeats = "1d", muted_by = { "database_down" },
    about = "it works, and will not for long, or nobody would hear that it does not",
    alarms = { "disk.low", "journal.old", "clock.wrong", "twilio.balance", "openai.rate_limit", "openai.concurrency",
      "recording.disk_low", "recording.disk_error", "database.upkeep", "nodes.differ", "agents.broken",
      "agent.not_loaded", "admin.not_listening", "rollout.not_judged", "heartbeat.failed", "synthetic.held",
      "notice.given_up", "alerts.rules", "alerts.channels", "alerts.left_out" },
  },
  {
    name = "other_alarm", severity = "ticket", for_at_least = "10s", alarms = { "*" }, muted_by = { "database_down" },
    about = "an alarm that is critical and that no other rule knows",
  },
}

return M
