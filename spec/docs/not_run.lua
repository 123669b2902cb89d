-- SPDX-License-Identifier: Apache-2.0
-- Commands of the documents that no story runs as they stand, and why: a pattern, the reason, and where there is one
-- the file that proves what the command does (`by`), with words to be found there (`says`).
local ACCOUNT = "wants accounts at Twilio, OpenAI or Vapi"
local HOST = "changes the host it is typed on"
local LONG = "takes minutes"
local OTHERS = "a tool of the system, with nothing of ours in it"

return {
  -- The host.
  { "^apt%-get ", HOST }, { "^apt ", HOST }, { "^useradd ", HOST }, { "^systemctl ", HOST }, { "^install ", HOST },
  { "^ln ", HOST }, { "^cp ", HOST }, { "^mkdir ", HOST }, { "^cat .*>", HOST },
  { "^chmod ", HOST }, { "^chown ", HOST },
  { "^/etc/letsencrypt/renewal%-hooks/", HOST },
  { "^certbot ", HOST }, { "^nft ", HOST }, { "^ufw ", HOST }, { "^createdb ", HOST }, { "^createuser ", HOST },
  { "^journalctl ", OTHERS }, { "^ss ", OTHERS }, { "^openssl ", OTHERS }, { "^git ", OTHERS }, { "^export ", OTHERS },
  { "^docker ", OTHERS }, { "^kubectl ", "wants a cluster", by = "spec/docs/deploying_spec.lua", says = "Kubernetes" },
  { "^npm ", OTHERS }, { "^printf .*>/etc/", HOST }, { "^haproxy ", OTHERS },
  { "^systemd%-analyze ", OTHERS, by = "spec/docs/deploying_spec.lua", says = "systemd-analyze security" },
  { "^psql ", OTHERS, by = "spec/support/postgres.lua", says = "psql" },
  { "^pg_dump ", "a story does it", by = "spec/e2e/backup_spec.lua", says = "pg_dump" },
  { "^pg_restore ", "a story does it", by = "spec/e2e/backup_spec.lua", says = "pg_restore" },
  { "^ringdown db up$", "a PostgreSQL of its own", by = "spec/e2e/private_cluster_spec.lua", says = "db up" },
  { "^ringdown db down$", "the same", by = "spec/e2e/backup_spec.lua", says = 'db "down"' },
  { "^cd ", OTHERS }, { "^editor ", OTHERS }, { "^printf .*>secrets/", OTHERS },
  { "^%( set %-a && %. /etc/ringdown/environment", "wants the environment of the service" },
  -- The demo and the tests themselves.
  { "^scripts/demo$", "a stage of its own", by = "scripts/test", says = "stage_demo" },
  { "^%. build/demo/env$", "as the demo leaves it", by = "scripts/demo", says = "/env" },
  { "^ringdown call %-%-scenario examples/scenarios/", "a call with sound", by = "spec/e2e/examples_spec.lua",
    says = "examples/scenarios" },
  { "^scripts/setup", HOST, by = "scripts/test", says = "stage_setup" },
  { "^scripts/test", "all of the tests" }, { "^busted ", "one of the tests" },
  { "^lua5%.4 .*busted", "one of the tests" },
  { "^scripts/package", "builds packages" },
  { "^scripts/cluster", LONG, by = "scripts/test", says = "scripts/cluster --proof" },
  { "^scripts/chaos", LONG, by = "spec/e2e/chaos_spec.lua", says = "chaos" },
  { "^scripts/soak", LONG, by = "spec/e2e/soak_spec.lua", says = "soak" },
  { "^scripts/instructions", "a stage of its own", by = "scripts/test", says = "scripts/instructions" },
  { "^cmake ", "builds", by = "scripts/test", says = "cmake --build" },
  { "^build/fuzz/", LONG, by = "scripts/test", says = "stage_fuzz" },
  { "^build/runtime/tests/", "measures, on a machine with nothing else to do" },
  { "^callgrind_annotate ", OTHERS }, { "^for n in 0 1000; do valgrind ", LONG },
  { "^ringdown load ", "measures, on a machine with nothing else to do", by = "spec/e2e/load_spec.lua", says = "load" },
  -- The admin API: each example of docs/api.md is asked of a real database.
  { "^curl %-sN? .*%$ADMIN/api/v1/", "asked without curl", by = "spec/api/examples_spec.lua", says = "example" },
  { "^curl %-u .*api%.twilio%.com/", ACCOUNT },
  { "^ringdown doctor", ACCOUNT, by = "spec/health/doctor_spec.lua", says = "doctor" },
  { "^curl .*%$VAPI_API_URL/", ACCOUNT, by = "spec/e2e/support/stand.lua", says = "phone-number" },
  -- Commands with a story of their own.
  { "^ringdown test examples/agents", "among the specs", by = "scripts/test", says = "examples/*_spec.lua" },
  { "^ringdown talk ", "somebody types", by = "spec/e2e/working_spec.lua", says = "talk handyman" },
  { "^ringdown sim", "plays until it is ended", by = "spec/e2e/support/sim.lua", says = '"sim"' },
  { "^ringdown dev$", "serves until it is ended", by = "spec/e2e/working_spec.lua", says = '"dev"' },
  { "^ringdown serve", "serves until it is ended", by = "spec/e2e/support/node.lua", says = '"serve"' },
  { "^ringdown deploy ", "serves until it is ended", by = "spec/e2e/deploy_spec.lua", says = '"deploy"' },
  { "^ringdown calls %-%-follow$", "goes on until it is ended", by = "spec/e2e/support/node.lua", says = '"--follow"' },
  { "^ringdown calls CA…$", "a call in progress", by = "spec/e2e/operator_spec.lua", says = '"calls"' },
  { "^ringdown calls transfer ", "a call in progress", by = "spec/e2e/operator_spec.lua", says = '"transfer"' },
  { "^ringdown drill ", "rings people", by = "spec/e2e/emergency_spec.lua", says = '"drill"' },
  { "^ringdown replay CA.*%-%-to%-spec$", "a recorded call", by = "spec/e2e/replay_spec.lua", says = "--to-spec" },
  { "^ringdown replay ", "a recorded call", by = "spec/e2e/replay_spec.lua", says = '"replay"' },
  { "^ringdown agents publish %-%-replay", "recorded calls", by = "spec/e2e/replay_spec.lua", says = "--replay" },
  { "^ringdown numbers sync$", ACCOUNT, by = "spec/e2e/moving_numbers_spec.lua", says = "/numbers/sync" },
  { "^ringdown numbers switch ", ACCOUNT, by = "spec/e2e/numbers_spec.lua", says = '"switch"' },
  { "^ringdown numbers verify ", ACCOUNT, by = "spec/e2e/numbers_spec.lua", says = '"verify"' },
  { "^ringdown numbers restore ", ACCOUNT, by = "spec/e2e/numbers_spec.lua", says = '"restore"' },
  { "^ringdown rollout plan ", "an agent that has both systems", by = "spec/e2e/rollout_spec.lua", says = '"plan"' },
  { "^ringdown rollout start ", "the same", by = "spec/e2e/rollout_spec.lua", says = '"start"' },
  { "^ringdown rollout advance ", "the same", by = "spec/e2e/rollout_spec.lua", says = '"advance"' },
  { "^scripts/migrate%-numbers ", ACCOUNT, by = "spec/e2e/moving_numbers_spec.lua", says = "migrate-numbers" },
}
