-- SPDX-License-Identifier: Apache-2.0
-- What the examples of docs/api.md are about: a little of everything.
local events = require "spec.support.events"
local fake_node = require "ringdown.fake.node"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

local M = {}

M.call = ("CA%032x"):format(1)
M.ended = ("CA%032x"):format(2)
M.other = ("CA%032x"):format(3) -- of another agent

-- Of a caller: number, name, words, what tools were asked and answered, what was written to them. In small letters.
M.secrets = { "3125550142", "garcia", "boiler", "60614", "smell", "35 minutes", "this call is rec", "we come at nine",
  "maria@", "rings twice", "3rd floor", "the shed" }

-- Two trees of files, the second the current release.
local releases_sql = [[
select publish_agents(repeat('a', 64), '{"northside-plumbing.lua": "-- one\nreturn 1\n", "old.lua": "x\n"}',
  '{"northside-plumbing": {"version": "1111111111111111"}}', 'ann', 'the first', null);
select publish_agents(repeat('b', 64), '{"northside-plumbing.lua": "-- one\nreturn 2\n", "new.lua": "y\n"}',
  '{"northside-plumbing": {"version": "2222222222222222"}}', 'ann', 'two is better', 1);
]]

local rest_sql = [[
insert into tokens (name, hash, role, made_by) values ('ops-1', sha256('one'), 'operator', 'ringdown by ann'),
  ('board', sha256('two'), 'viewer', 'ringdown by ann');
insert into agents (agent, version, keep_transcripts, keep_recordings, recording, first_seen_at, updated_at) values
  ('northside-plumbing', '2222222222222222', '30 days', '30 days', false, now(), now()) on conflict do nothing;
insert into agent_versions (agent, version, first_seen_at, last_seen_at, facts)
  values ('northside-plumbing', '2222222222222222', now() - interval '1 day', now(), '{}');
insert into alerts (node, kind, subject, severity, text, fix, opened_at, last_at)
  values ('n1', 'journal.old', '', 'warning', 'the journal waits since 09:00; last caller +13125550142', 'start it',
    now(), now());
insert into triage_matches (call, rule, severity, words, matched_at)
  values ('CA00000000000000000000000000000001', 'gas-leak', 'life', 'it smells of gas', now()),
    ('CA00000000000000000000000000000002', 'gas-leak', 'life', 'it smells of gas', now());
insert into alert_states (rule, fingerprint, labels, severity, state, value, threshold, text, began_at, fired_at,
  seen_at) values ('failed_calls', repeat('f', 64), '{"agent": "northside-plumbing"}', 'page', 'firing', 0.2, 0.05,
    'one call in five fails; the last was +13125550142', now(), now(), now());
insert into alert_silences (labels, until_at, who, reason)
  values ('{"rule": "drift"}', now() + interval '1 hour', 'ann', 'numbers move');
insert into near_misses (call, rule, why, words, at)
  values ('CA00000000000000000000000000000001', 'gas-leak', 'negated', 'no, it does not smell of gas', now());
insert into customers (agent, number, name, email, notes, facts) values ('northside-plumbing', '+13125550142',
  'Maria Garcia', 'maria@example.com', 'rings twice', '{"lift": "3rd floor"}');
insert into appointments (agent, resource, during, customer, service, notes) values ('northside-plumbing', 'truck 1',
  tstzrange('2026-12-02 15:00Z', '2026-12-02 16:00Z'), 1, 'drain', 'behind the shed');
insert into sites (agent, site, name) values ('northside-plumbing', 'lakeview', 'Northside Lakeview');
insert into texts (id, agent, direction, from_number, to_number, body, status, created_at, updated_at)
  values ('SM00000000000000000000000000000001', 'northside-plumbing', 'out', '+13125550100', '+13125550142',
    'We come at nine.', 'delivered', now(), now());
insert into bulk_runs (action, goes_to, who, state) values ('switch', 'ringdown', 'ann', 'stopped');
insert into bulk_items (run, number, place, carrier_id, wanted, goes_to) values (1, '+13125550100', 1, 'PN1', '{}',
  'ringdown');
insert into jobs (kind, about, who) values ('numbers', '{"verb": "sync"}', 'ann');
select rollout_change('northside-plumbing', 0, '{"state": "pilot"}', 'ann', 'call +13125550142 first', 'start');
insert into nodes (node, version, host, pid, started_at, seen_at) values ('n1', '0.1.0', 'east', 811, now(), now());
insert into node_processes (node, epoch, version, host, pid, started_at, seen_at, agents)
  values ('n1', 1, '0.1.0', 'east', 811, now(), now(), repeat('26', 32));
]]

---@param url string
function M.fill(url)
  for n, agent in ipairs { "northside-plumbing", "northside-plumbing", "brightsmile-dental" } do
    local c = events.conversation(n, { started_us = events.began_us + n * 60000000, common = { agent = agent } })
    events.ingest(url, c.list)
  end
  pg.run(url, releases_sql .. rest_sql)
end

local function agent(name, version)
  return { name = name, version = version, numbers = { "+13125550100" }, shown = json.encode { name = name,
    openai = true, vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11", route = "redirect" },
    prompt = "You answer the phone.", people = { office = { "+13125550111" } }, tools = json.array { "end_call" } } }
end

local ROLLOUT = "/rollouts/northside-plumbing"

-- A rollout that was written down, and one that runs.
local function planned(world)
  pg.run(world.url, "delete from rollouts")
  assert(world.ask("PUT", ROLLOUT, { headers = { ["if-match"] = "*" }, body = { stages = {
    { name = "pilot", percent_bp = 0 }, { name = "20", percent_bp = 2000, bake_s = 86400, min_canary = 50 },
    { name = "100", percent_bp = 10000, bake_s = 86400, min_canary = 50 } } } }) == 200)
end

local function running(world)
  planned(world)
  assert(world.ask("POST", ROLLOUT .. "/start", { headers = { ["if-match"] = "*" }, body = { reason = "go",
    force = true } }) == 200)
end

---What must be so before an example, by route.
---@type table<string, fun(world: table)>
M.before = { ["POST /rollouts/{agent}/start"] = planned, ["POST /rollouts/{agent}/hold"] = running,
  ["POST /rollouts/{agent}/advance"] = running, ["POST /rollouts/{agent}/rollback"] = running,
  ["POST /undo"] = running, ["GET /undo"] = running }

M.before["POST /appointments/{id}/move"] = function(world)
  pg.run(world.url, "update appointments set status = 'booked'")
end
M.before["POST /appointments/{id}/cancel"] = M.before["POST /appointments/{id}/move"]
M.before["DELETE /alerts/{id}/acknowledge"] = function(world)
  assert(world.ask("POST", "/alerts/1/acknowledge", {}) == 200)
end
M.before["DELETE /opt-outs/{number}"] = function(world)
  assert(world.ask("POST", "/opt-outs", { body = { number = "+13125550143" } }) == 200)
end
M.before["DELETE /costs/caps/{agent}"] = function(world)
  assert(world.ask("PUT", "/costs/caps/northside-plumbing", { headers = { ["if-match"] = "*" },
    body = { day_micro_usd = 7000000 } }) == 200)
end
M.before["PUT /costs/caps/{agent}"] = function(world)
  assert(world.ask("DELETE", "/costs/caps/northside-plumbing", { headers = { ["if-match"] = "*" } }) == 200)
end
M.before["DELETE /emergencies/{call}/{rule}/confirm"] = function(world)
  assert(world.ask("POST", "/emergencies/CA00000000000000000000000000000001/gas-leak/confirm") == 200)
end

---The node around the API: two calls in progress, and one that just ended.
---@return ringdown.fake.node
function M.node()
  local function call(sid, whose, state)
    return { call = sid, state = state, seconds = 12, system = "openai", agent = whose, from = "+13125550142",
      to = "+13125550100" }
  end
  local calls = { call(M.call, "northside-plumbing", "live"), call(M.other, "brightsmile-dental", "live"),
    call(M.ended, "northside-plumbing", "over") }
  return fake_node.new { calls = calls, status = { node = "n1", calls = 2, max_calls = 50, draining = false } }
end

---Before each `it`, after world.fresh().
function M.surround()
  host.known_agents = { agent("northside-plumbing", "2222222222222222"),
    agent("brightsmile-dental", "3333333333333333") }
  host.broken_agents = { { module = "broken", lines = "agents/broken.lua:3: 'nam' is unknown" } }
  rawset(host, "node", M.node())
  return host.node
end

function M.leave()
  rawset(host, "node", nil)
end

return M
