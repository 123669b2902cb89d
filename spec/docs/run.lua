-- SPDX-License-Identifier: Apache-2.0
-- Commands of the documents that spec/e2e/commands_spec.lua runs, in this order: a pattern of what is typed (without
-- the path before `ringdown`), and for some of them
--
--   as     another line in its place: what makes it short, or names something that is there; nil: as it stands
--   typed  lines on its input
--   code   the exit code, when it is not 0
--   says   words in what it prints
--   long   with --full only: much like others that are run
return {
  { "^ringdown demo mark$", says = "for a demo from now on" },
  { "^ringdown demo seed %-%-calls 3000$", as = "ringdown demo seed --calls 40", says = "calls" },
  { "^ringdown version$", says = "ringdown" },
  { "^ringdown new agent front%-desk$", says = "ringdown talk front-desk" },
  { "^ringdown check %-%-agents$", says = "front-desk" },
  { "^ringdown check$" },
  { "^ringdown check && ringdown serve$", as = "ringdown check", long = true },
  { "^ringdown test$", as = "ringdown test agents", says = "0 failures", long = true },
  { "^ringdown test agents/front%-desk_spec%.lua$", says = "0 failures" },
  { "^ringdown talk front%-desk$", typed = { "/tool take_message {}", "/quit" }, says = "tool     take_message" },
  { "^ringdown sites import sites%.lua$", as = "ringdown sites import sites.lua --agent brightsmile-dental",
    long = true },
  { "^ringdown numbers import numbers%.csv$", says = "numbers assigned" },
  { "^ringdown numbers assign %S+ %-%-agent brightsmile%-dental %-%-site lakeview$", long = true },
  { "^ringdown numbers show %+13125550100$", as = "ringdown numbers list", says = "+13125550100" },
  { "^ringdown numbers runs$", long = true },
  { "^ringdown why %+13125550100$", says = "northside-plumbing" },
  { "^ringdown why %+13125550100 %-%-from %S+$", says = "northside-plumbing", long = true },
  { "^ringdown agents list$", says = "front-desk" },
  { "^ringdown agents publish$" },
  { "^ringdown agents diff$", long = true },
  { "^ringdown agents restore WHICH$", as = "ringdown agents restore 1", long = true },
  { "^ringdown db status$", says = "schema" },
  { "^ringdown db migrate$" },
  { "^ringdown status$", says = "calls" },
  { "^ringdown nodes$", says = "live" },
  { "^ringdown journal$" },
  { "^ringdown alerts list$" },
  { "^ringdown doctor %-%-offline$", code = { 0, 1 }, says = "agents" },
  { "^ringdown console link ", says = "http", long = true },
  { "^ringdown tokens create ", says = "rd_" },
  { "^ringdown tokens list$" },
  { "^ringdown calls %-%-kept$", says = "northside-plumbing" },
  { "^ringdown calls %-%-kept CA", as = "ringdown calls --kept CALL", says = "agent" },
  { "^ringdown calls %-%-search ", as = "ringdown calls --search thanks" },
  { "^ringdown why CA", as = "ringdown why CALL", says = "cost" },
  { "^ringdown cost$", says = "northside-plumbing" },
  { "^ringdown cost CA", as = "ringdown cost CALL", says = "$" },
  { "^ringdown cost turns CA", as = "ringdown cost turns CALL" },
  { "^ringdown cost compare %-%-agent A ", as = "ringdown cost compare --agent northside-plumbing --since 30d",
    long = true },
  { "^ringdown cost ", long = true },
  { "^ringdown stats ", long = true },
  { "^ringdown rollout status$" },
  { "^ringdown rollout simulate ", as = "ringdown rollout simulate --seed 1 --runs 20", long = true },
  { "^ringdown errors ", says = "" },
  { "^scripts/chaos %-%-list$", says = "kill" },
  { "^scripts/soak %-%-list$", says = "reload" },
}
