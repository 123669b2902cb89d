-- SPDX-License-Identifier: Apache-2.0
-- What will be written, told before it is: by the code that writes it, and nothing is written, not even an audit row.
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local world = require "spec.api.world"

local A, R = "+13125550100", "/rollouts/plumber"
local any = { ["if-match"] = "*" }

local seed_sql = [[
  insert into phone_numbers (number, agent) values ('+13125550100', 'plumber');
  insert into numbers_seen (number, carrier_id, fields, goes_to, texts_to, seen_at) values
    ('+13125550100', 'PN1', '{"voice_url": "https://api.vapi.ai/x"}', 'vapi', 'vapi', now());
  insert into calls (call, started_at, agent, from_number, system, reason)
    select 'CA' || lpad(n::text, 32, '0'), now() - interval '20 days', 'plumber', '+1415555' || lpad(n::text, 4, '0'),
      'vapi', 'split' from generate_series(1, 40) n;
  insert into customers (agent, number, name) values ('plumber', '+13125550142', 'Maria Garcia');
  insert into appointments (agent, resource, during, customer) values
    ('plumber', 'truck 1', tstzrange('2027-01-05 15:00Z', '2027-01-05 16:00Z'), 1),
    ('plumber', 'truck 1', tstzrange('2027-01-05 17:00Z', '2027-01-05 18:00Z'), 1);
  select publish_agents(repeat('a', 64), '{"one.lua": "-- one\nreturn 1\n"}', '{"one": {"version": "1"}}', 'ann', '',
    null);
  select publish_agents(repeat('b', 64), '{"one.lua": "-- one\nreturn 2\n"}', '{"one": {"version": "2"}}', 'ann', '',
    1);
]]

local function agent(name, o)
  return { name = name, numbers = {}, countries = '{"US":true}', has_vapi = o.vapi ~= nil, shown = json.encode(o) }
end

describe("a preview", function()
  local written

  setup(function()
    world.begin { seed = function(url) pg.run(url, seed_sql) end }
  end)
  teardown(function()
    host.node = nil
    world.finish()
  end)

  local function state()
    return world.rows [[select (select count(*) from rollouts) as rollouts, (select count(*) from audit) as audit,
      (select string_agg(number || agent, ',') from phone_numbers) as numbers,
      (select md5(string_agg(a::text, ',')) from appointments a) as visits, (select count(*) from rates) as rates,
      (select md5(coalesce(string_agg(b::text, ','), '')) from budgets b) as caps, (select count(*) from forces)
        as force, current_release() as release]][1]
  end

  before_each(function()
    world.fresh()
    host.known_agents = { agent("plumber", { openai = true, vapi = { assistant = "a-1" } }),
      agent("dentist", { openai = true }) }
    host.node = { operate = function() return true end, refresh_numbers = function() return 1 end }
    written = state()
  end)

  local function dry(method, path, body, o)
    o = o or {}
    o.headers, o.body = o.stale and { ["if-match"] = o.stale } or any, body
    local status, value = world.ask(method, path, o)
    assert.same(written, state())
    return value, status
  end

  it("of a stage says what would be and which callers would move, and is what then is written", function()
    local stages = { { name = "pilot", percent_bp = 0 }, { name = "20", percent_bp = 2000, bake_s = 86400,
      min_canary = 50, min_baseline = 50 }, { name = "100", percent_bp = 10000, bake_s = 86400, min_canary = 50 } }
    assert.equal("draft", dry("PUT", R, { stages = stages, dry_run = true }).state)
    assert.equal(200, (world.ask("PUT", R, { headers = any, body = { stages = stages } })))
    assert.equal(200, (world.ask("POST", R .. "/start", { headers = any })))
    written = state()
    local would = dry("POST", R .. "/advance", { dry_run = true })
    assert.same({ true, "running", 2000, "pilot", 0 }, { would.dry_run, would.state, would.percent_bp,
      would.was.stage, would.was.percent_bp })
    assert.same({ 30, 40, 0 }, { would.moves.days, would.moves.callers, would.moves.n_to_vapi })
    assert.is_true(would.moves.n_to_openai > 2 and would.moves.n_to_openai < 18)
    assert.matches("to OpenAI for 20 %% of callers", would.next_call)
    assert.equal(0, dry("POST", R .. "/advance", { dry_run = true, days = 7 }).moves.callers)
    local _, made = world.ask("POST", R .. "/advance", { headers = any })
    assert.same({ would.state, would.percent_bp, would.next_call }, { made.state, made.percent_bp, made.next_call })
    written = state()
    local back = dry("POST", R .. "/rollback", { dry_run = true })
    assert.same({ 0, would.moves.n_to_openai }, { back.percent_bp, back.moves.n_to_vapi })
    assert.same(would.moves.to_openai, back.moves.to_vapi)
  end)

  it("of taking back says what it is and would be, and whether that takes a reason", function()
    local last = select(2, world.ask("GET", "/undo?agent=plumber"))
    local ask = { agent = "plumber", kind = "rollout", version = last.version, dry_run = true }
    local would = dry("POST", "/undo", ask)
    assert.same({ true, "pilot", 0, "running", 2000, last.version }, { would.dry_run, would.state, would.percent_bp,
      would.was.state, would.was.percent_bp, would.was.version })
    assert.is_true(would.moves.n_to_vapi > 2)
    assert.equal(200, (world.ask("POST", R .. "/rollback", { headers = any })))
    written = state()
    ask.version = last.version + 1
    local value, status = dry("POST", "/undo", ask)
    assert.equal(409, status)
    assert.matches("it was rolled back", value.detail)
    ask.force, ask.reason = true, "a mistake"
    would = dry("POST", "/undo", ask)
    assert.same({ "running", 2000, "rolled_back", 0 }, { would.state, would.percent_bp, would.was.state,
      would.was.percent_bp })
    ask.dry_run = nil
    local made, back = world.ask("POST", "/undo", { body = ask })
    assert.same({ 200, would.state, would.percent_bp, would.next_call }, { made, back.state, back.percent_bp,
      back.next_call })
    assert.equal(200, (world.ask("PUT", "/force", { headers = any, body = { system = "openai" } })))
    written = state()
    would = dry("POST", "/undo", { kind = "force", version = 1, dry_run = true })
    assert.same({ true, "off", "openai" }, { would.dry_run, would.system, would.was.system })
    assert.equal("openai", select(2, world.ask("GET", "/force")).system)
    assert.equal(200, (world.ask("PUT", "/force", { headers = any, body = { system = "off" } })))
  end)

  it("of the force switch says whose next calls go elsewhere, on and off", function()
    local would = dry("PUT", "/force", { system = "openai", dry_run = true })
    assert.same({ true, "off" }, { would.dry_run, would.was.system })
    assert.same({ "dentist", "plumber" }, { would.agents[1].agent, would.agents[2].agent })
    assert.matches("the force switch is on", would.agents[2].after)
    assert.equal(200, (world.ask("PUT", "/force", { headers = any, body = { system = "vapi", reason = "down" } })))
    written = state()
    local off = dry("PUT", "/force", { system = "off", dry_run = true })
    assert.same({ "vapi", would.was.version + 1 }, { off.was.system, off.was.version })
    assert.matches("where its agent's rollout says", off.next_call)
    assert.matches("goes to Vapi", off.agents[1].now)
    assert.matches("so already", dry("PUT", "/force", { system = "vapi", dry_run = true }).next_call)
    local _, status = dry("PUT", "/force", { system = "off", dry_run = true }, { stale = '"0"' })
    assert.equal(412, status)
    world.ask("PUT", "/force", { headers = any, body = { system = "off" } })
  end)

  it("of the switch of one agent says what its next call does, on and off", function()
    local on = dry("POST", R .. "/force", { system = "openai", dry_run = true })
    assert.same({ true, "openai", "off" }, { on.dry_run, on.forced, on.was.forced })
    assert.matches("to OpenAI: it is forced there", on.next_call)
    assert.not_matches("forced", on.was.next_call)
    assert.equal(200, (world.ask("POST", R .. "/force", { headers = any, body = { system = "openai" } })))
    written = state()
    local off = dry("POST", R .. "/force", { system = "off", dry_run = true })
    assert.same({ "openai", on.was.next_call }, { off.was.forced, off.next_call })
    local _, again = dry("POST", R .. "/force", { system = "openai", dry_run = true })
    assert.equal(409, again)
    world.ask("POST", R .. "/force", { headers = any, body = { system = "off" } })
  end)

  it("does not force to where nobody watches for emergencies, unless somebody says so", function()
    host.known_agents = { agent("plumber", { openai = true, vapi = { assistant = "a-1" },
      emergencies = { { id = "gas", severity = "life" } } }) }
    for _, at in ipairs { { "PUT", "/force" }, { "POST", R .. "/force" } } do
      local why, status = dry(at[1], at[2], { system = "vapi", dry_run = true })
      assert.same({ 409, "Nobody would watch for emergencies" }, { status, why.title })
      assert.matches("/unwatched$", why.type)
      assert.not_matches("%-%-", why.detail .. why.fix)
      assert.is_true(dry(at[1], at[2], { system = "vapi", yes = true, dry_run = true }).dry_run)
    end
  end)

  it("of what would be refused is refused, and in no audit", function()
    local value, status = dry("POST", R .. "/advance", { dry_run = true })
    assert.equal(409, status)
    assert.matches("its guards do not say ready", value.detail)
  end)

  it("is an operator's; a viewer sees how many would move, and nobody's number", function()
    local viewer = world.token { role = "viewer" }
    written = state()
    local _, status = dry("POST", R .. "/rollback", { dry_run = true }, { token = viewer })
    assert.equal(403, status)
    local _, moves = world.ask("GET", R .. "/preview?to=0", { token = viewer })
    assert.is_true(moves.n_to_vapi > 0)
    assert.matches("^%+1…%d%d$", moves.to_vapi[1])
  end)

  it("is not made up while the database is away", function()
    world.down, world.down_code = "it hangs", "down"
    local status, value = world.ask("POST", R .. "/rollback", { headers = any, body = { dry_run = true } })
    world.down = nil
    assert.is_true(status == 409 or status == 503, json.encode(value))
    assert.is_nil((host.kept("override.json")))
    assert.same(written, state())
  end)

  it("of an assignment says who would answer", function()
    local path = ("/numbers/%s/assignment"):format(A)
    local would = dry("PUT", path .. "?dry_run=true", { agent = "dentist" })
    assert.same({ true, true, "plumber" }, { would.dry_run, would.changed, would.was.agent })
    assert.matches("is answered by dentist", would.next_call)
    assert.is_false(dry("PUT", path .. "?dry_run=true", { agent = "plumber" }).changed)
    assert.is_true(dry("DELETE", path .. "?dry_run=true").changed)
    local _, status = dry("PUT", path .. "?dry_run=true", { agent = "nobody" })
    assert.equal(409, status)
  end)

  it("of a visit says how it would be, or who has that hour", function()
    local path = "/appointments/1"
    local would = dry("POST", path .. "/move", { begins = "2027-01-05T18:00:00Z", minutes = 90, dry_run = true })
    assert.same({ true, true }, { would.dry_run, would.changed })
    assert.matches("^2027%-01%-05T19:30:00", would.ends)
    assert.matches("^2027%-01%-05T15:00:00", would.was.begins)
    assert.same({ "Nobody is told by itself: call or text the customer." }, would.said)
    local past = dry("POST", path .. "/move", { begins = "2024-01-05T18:00:00Z", dry_run = true })
    assert.matches("over already", past.said[2])
    local why, status = dry("POST", path .. "/move", { begins = "2027-01-05T17:30:00Z", dry_run = true })
    assert.same({ 409, "Somebody has that hour" }, { status, why.title })
    assert.is_false(dry("POST", path .. "/move", { minutes = 60, dry_run = true }).changed)
    local off = dry("POST", path .. "/cancel", { dry_run = true })
    assert.same({ "cancelled", "booked", true }, { off.status, off.was.status, off.dry_run })
    local _, row, answer = world.ask("GET", path)
    assert.equal("booked", row.status)
    assert.equal(200, (world.ask("POST", path .. "/cancel", { body = {}, headers = { ["if-match"] =
      answer.headers.etag } })))
    written = state()
    local _, late = dry("POST", path .. "/cancel", { dry_run = true }, { stale = answer.headers.etag })
    assert.equal(412, late)
  end)

  it("of a cap says what is set and spent, and of a price what holds then", function()
    local cap = dry("PUT", "/costs/caps/plumber?dry_run=true", { day_micro_usd = 5000000 })
    assert.same({ true, true, "0", {} }, { cap.dry_run, cap.changed, cap.version, cap.said })
    world.ask("PUT", "/costs/caps/plumber", { headers = any, body = { day_micro_usd = 5000000 } })
    pg.run(world.url, [[insert into budget_states (agent, cap_micro_usd, spent_micro_usd, unknown_calls, until, state)
      values ('plumber', 5000000, 6000000, 0, now() + interval '1 hour', 'over')]])
    written = state()
    assert.is_false(dry("PUT", "/costs/caps/plumber?dry_run=true", { day_micro_usd = 5000000 }).changed)
    local less = dry("PUT", "/costs/caps/plumber?dry_run=true", { day_micro_usd = 4000000 })
    assert.same({ 5000000, "$6.00 is spent today already: new calls hear the fallback at once." },
      { less.was.day_micro_usd, less.said[1] })
    assert.is_true(dry("DELETE", "/costs/caps/plumber?dry_run=true").changed)
    local body = { what = "sms", unit = "segment", price = "0.0079", from = "2099-01-01", dry_run = true }
    local rate = dry("POST", "/costs/rates", body)
    assert.same({ true, "0.0079", "0.0083" }, { rate.dry_run, rate.rate.usd, rate.was.usd })
    body.from, body.recost = os.date("!%Y-%m-%d", os.time() - 30 * 86400), true
    assert.equal(40, dry("POST", "/costs/rates", body).calls)
    assert.equal(1, #select(2, world.ask("GET", "/costs/rates?what=sms")).items)
  end)

  it("of files says what differs from those that are current", function()
    local would = dry("POST", "/agents/releases", { which = "1", dry_run = true })
    assert.same({ true, "2", "one.lua", "return 2", "return 1" }, { would.changed, would.release,
      would.diff.files[1].path, would.diff.files[1].removed[1], would.diff.files[1].added[1] })
    assert.is_false(dry("POST", "/agents/releases", { which = "2", dry_run = true }).changed)
    local late, faster = world.ask("POST", "/agents/releases", { headers = { ["if-match"] = '"1"' },
      body = { which = "1" } })
    assert.same({ 412, "2", "ann" }, { late, faster.current.release, faster.current.updated_by })
    local _, status = dry("POST", "/agents/releases", { which = "9", dry_run = true })
    assert.equal(404, status)
  end)
end)
