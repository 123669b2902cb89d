-- SPDX-License-Identifier: Apache-2.0
-- Both switches by the admin API: where the carrier sends a number, and where we send its calls.
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local world = require "spec.api.world"

local A, B, C = "+13125550100", "+13125550101", "+13125550102"

local seed_sql = [[
  insert into sites (agent, site, name, facts) values ('plumber', 'lakeview', 'Lakeview',
    '{"people": {"office": "+13125550101"}}'), ('plumber', 'paris', 'Paris', '{"people": {"office": "+33142685300"}}');
  insert into phone_numbers (number, agent) values ('+13125550100', 'plumber'), ('+13125550101', 'dentist');
  insert into numbers_seen (number, carrier_id, fields, goes_to, texts_to, seen_at) values
    ('+13125550100', 'PN1', '{"voice_url": "https://api.vapi.ai/x"}', 'vapi', 'vapi', now()),
    ('+13125550102', 'PN3', '{"voice_url": ""}', 'nobody', 'nobody', now());
  insert into number_targets (number, goes_to, fields, set_by, drift) values ('+13125550100', 'ringdown', '{}', 'ann',
    '[{"name": "voice_url", "wanted": "x", "found": "y"}]');
  insert into calls (call, started_at, agent, from_number, system, reason)
    select 'CA' || lpad(n::text, 32, '0'), now() - interval '1 hour', 'plumber', '+1415555' || lpad(n::text, 4, '0'),
      'vapi', 'split' from generate_series(1, 40) n;
]]

local function agent(name, o)
  return { name = name, numbers = o.numbers or {}, countries = '{"US":true}', has_vapi = o.vapi ~= nil,
    shown = json.encode(o) }
end

describe("the admin API switches", function()
  local of_dentist, viewer
  local operated

  setup(function()
    world.begin { seed = function(url) pg.run(url, seed_sql) end }
    of_dentist = world.token { role = "operator", agents = { "dentist" } }
    viewer = world.token { role = "viewer" }
  end)
  teardown(function()
    host.node = nil
    world.finish()
  end)

  before_each(function()
    world.fresh()
    operated = {}
    host.known_agents = { agent("plumber", { openai = true, vapi = { assistant = "a-1" } }),
      agent("dentist", { openai = true, numbers = { C } }) }
    host.node = { operate = function(kind)
      operated[#operated + 1] = kind
      return true
    end, refresh_numbers = function()
      operated[#operated + 1] = "refresh"
      return 1
    end }
  end)

  local function etag(path)
    return { ["if-match"] = select(3, world.ask("GET", path)).headers.etag }
  end

  local any = { ["if-match"] = "*" }

  describe("numbers:", function()
    it("lists them with who answers them", function()
      local _, list = world.ask("GET", "/numbers")
      local by_number = {}
      for _, one in ipairs(list.items) do
        by_number[one.number] = one.agent .. (one.assigned and " assigned" or " by its file")
      end
      assert.same({ [A] = "plumber assigned", [B] = "dentist assigned", [C] = "dentist by its file" }, by_number)
      local _, mine = world.ask("GET", "/numbers?limit=1", { token = of_dentist })
      assert.equal(B, mine.items[1].number)
      local _, rest = world.ask("GET", "/numbers?cursor=" .. mine.next, { token = of_dentist })
      assert.equal(C, rest.items[1].number)
      assert.equal(A, select(2, world.ask("GET", "/numbers?drift=true")).items[1].number)
      assert.equal(1, #select(2, world.ask("GET", "/numbers?goes_to=vapi")).items)
      assert.equal(404, (world.ask("GET", "/numbers/" .. A, { token = of_dentist })))
      assert.equal(404, (world.ask("GET", "/numbers/+13125559999")))
    end)

    it("assigns one from the state that was seen", function()
      local path = ("/numbers/%s/assignment"):format(A)
      local seen = etag("/numbers/" .. A)
      assert.equal(428, (world.ask("PUT", path, { body = { agent = "plumber" } })))
      local status, made = world.ask("PUT", path, { headers = seen, body = { agent = "plumber", site = "lakeview" } })
      assert.same({ 200, true }, { status, made.changed })
      assert.matches("is answered by plumber, site lakeview", made.next_call)
      assert.same({ "refresh" }, operated)
      local late, problem = world.ask("PUT", path, { headers = seen, body = { agent = "plumber" } })
      assert.same({ 412, "lakeview" }, { late, problem.current.site })
      assert.same({ { who = "control socket uid 0", site = "lakeview" } },
        world.rows "select who, after ->> 'site' as site from audit where what = 'number_assign'")
      local _, gone = world.ask("DELETE", path, { headers = any })
      assert.same({ true, false }, { gone.changed, select(2, world.ask("GET", "/numbers/" .. A)).assigned })
      world.ask("PUT", path, { headers = any, body = { agent = "plumber" } })
    end)

    it("writes nothing when somebody was faster than we", function()
      local late = world.rows(("select number_put_if('0123456789abcdef', '%s', 'dentist', null, 'bob') is null as n, "
        .. "site_put_if('0123456789abcdef', 'plumber', 'lakeview', 'x', null, '{}', 'bob') is null as s, "
        .. "site_put_if('0123456789abcdef', 'plumber', 'another', 'x', null, '{}', 'bob') is null as new"):format(A))
      assert.same({ { n = true, s = true, new = true } }, late)
      assert.equal("plumber", select(2, world.ask("GET", "/numbers/" .. A)).agent)
      assert.equal("Lakeview", select(2, world.ask("GET", "/sites/plumber/lakeview")).name)
    end)

    it("assigns none to whom it must not go", function()
      local path = ("/numbers/%s/assignment"):format(A)
      for site, why in pairs { nowhere = "no site 'nowhere'", paris = "where this agent calls nobody" } do
        local status, problem = world.ask("PUT", path, { headers = any, body = { agent = "plumber", site = site } })
        assert.equal(409, status)
        assert.truthy(problem.detail:find(why, 1, true), problem.detail)
      end
      assert.equal(409, (world.ask("PUT", path, { headers = any, body = { agent = "plomber" } })))
      local own = ("/numbers/%s/assignment"):format(B)
      assert.equal(404, (world.ask("PUT", own, { headers = any, body = { agent = "plumber" }, token = of_dentist })))
      assert.equal(404, (world.ask("PUT", path, { headers = any, body = { agent = "dentist" }, token = of_dentist })))
      assert.equal(403, (world.ask("PUT", path, { headers = any, body = { agent = "plumber" }, token = viewer })))
    end)

    it("takes assignments over from a table", function()
      local function import(query, o)
        o = o or {}
        o.body, o.headers = ("number,agent,site\n%s,plumber,lakeview\n%s,plumber,\n5550,plumber,\n"):format(A, B),
          { ["content-type"] = "text/csv" }
        return select(2, world.ask("POST", "/numbers/import" .. query, o))
      end
      local dry = import "?dry_run=true"
      assert.same({ 2, 0, 1 }, { dry.assigned, dry.same, dry.wrong })
      assert.matches("^line 4: '5550' is no number", dry.lines[1])
      assert.equal("dentist", select(2, world.ask("GET", "/numbers/" .. B)).agent)
      assert.equal(0, import("", { token = of_dentist }).assigned)
      assert.equal(2, import("").assigned)
      assert.same({ 0, 2 }, { import("").assigned, import("").same })
      world.ask("PUT", ("/numbers/%s/assignment"):format(B), { headers = any, body = { agent = "dentist" } })
    end)

    it("begins what asks the carrier, as a job", function()
      local status, begun, answer = world.ask("POST", "/numbers/switch", { body = { numbers = { A }, to = "ringdown",
        reason = "the pilot" } })
      assert.equal(202, status)
      assert.equal("/api/v1/jobs/" .. begun.job, answer.headers.location)
      assert.matches("next call is answered here", begun.next_call)
      assert.same({ "job" }, operated)
      local _, job = world.ask("GET", "/jobs/" .. begun.job)
      assert.same({ "waiting", "switch", { A }, "the pilot" },
        { job.state, job.about.action, job.about.numbers, job.about.reason })
      assert.same({ begun.job }, { select(2, world.ask("GET", "/jobs")).items[1].job })
      assert.equal(404, (world.ask("GET", "/jobs/" .. begun.job, { token = of_dentist })))
      assert.same({ { subject = A } }, world.rows "select subject from audit where what = 'numbers.switch'")
      for _, path in ipairs { "/numbers/sync", "/numbers/drift" } do
        assert.equal(202, (world.ask("POST", path)))
      end
      assert.equal(202, (world.ask("POST", "/numbers/verify", { body = { all = true, call = true, from = B } })))
      assert.equal(202, (world.ask("POST", "/numbers/restore", { body = { run = "7" } })))
      assert.equal(202, (world.ask("POST", ("/numbers/%s/switch"):format(A), { headers = etag("/numbers/" .. A),
        body = { to = "vapi" } })))
    end)

    it("begins nothing that it must not", function()
      assert.equal(422, (world.ask("POST", "/numbers/switch", { body = { to = "ringdown" } })))
      assert.equal(422, (world.ask("POST", "/numbers/switch", { body = { numbers = { A }, to = "openai" } })))
      assert.equal(404, (world.ask("POST", "/numbers/switch", { token = of_dentist,
        body = { numbers = { B, A }, to = "ringdown" } })))
      assert.equal(403, (world.ask("POST", "/numbers/verify", { token = of_dentist, body = { all = true } })))
      assert.equal(202, (world.ask("POST", "/numbers/verify", { token = of_dentist, body = { agent = "dentist" } })))
      assert.equal(403, (world.ask("POST", "/numbers/sync", { token = of_dentist })))
      assert.equal(412, (world.ask("POST", ("/numbers/%s/switch"):format(A), { headers = { ["if-match"] = '"x"' },
        body = { to = "vapi" } })))
      host.node = nil
      assert.equal(503, (world.ask("POST", "/numbers/sync")))
    end)

    it("shows what was done, run by run", function()
      world.rows [[insert into bulk_runs (action, goes_to, who, options, state) values ('switch', 'ringdown', 'ann',
        '{}', 'stopped') returning 1 as one]]
      world.rows(("insert into bulk_items (run, number, place, carrier_id, wanted, goes_to, state, why) select run, "
        .. "'%s', 1, 'PN1', '{}', 'ringdown', 'failed', 'no' from bulk_runs returning 1 as one"):format(A))
      local _, list = world.ask("GET", "/numbers/runs")
      assert.same({ failed = 1 }, list.items[1].counts)
      local path = "/numbers/runs/" .. list.items[1].run
      assert.equal("no", select(2, world.ask("GET", path)).items[1].why)
      assert.equal(202, (world.ask("POST", path .. "/resume")))
      world.rows "update bulk_runs set state = 'done' returning 1 as one"
      assert.equal(409, (world.ask("POST", path .. "/resume")))
      assert.equal(404, (world.ask("GET", "/numbers/runs/999")))
    end)
  end)

  describe("rollouts:", function()
    local R = "/rollouts/plumber"

    local stages = { { name = "pilot", percent_bp = 0 }, { name = "20", percent_bp = 2000, bake_s = 86400,
      min_canary = 50, min_baseline = 50 }, { name = "100", percent_bp = 10000, bake_s = 86400, min_canary = 50 } }

    it("plans one, begins it and goes on, each from the version that was seen", function()
      assert.equal(404, (world.ask("GET", "/undo")))
      local _, none, answer = world.ask("GET", R)
      assert.same({ 0, "draft", '"0"' }, { none.version, none.state, answer.headers.etag })
      assert.equal(428, (world.ask("PUT", R, { body = { stages = stages } })))
      local status, made = world.ask("PUT", R, { headers = { ["if-match"] = '"0"' },
        body = { stages = stages, allow = { "+14155550001" }, reason = "as agreed" } })
      assert.same({ 200, 1 }, { status, made.version })
      assert.matches("this plan has not begun", made.next_call)
      local late, problem = world.ask("POST", R .. "/start", { headers = { ["if-match"] = '"0"' } })
      assert.same({ 412, 1, "draft" }, { late, problem.current.version, problem.current.state })
      assert.equal("pilot", select(2, world.ask("POST", R .. "/start", { headers = { ["if-match"] = '"1"' } })).state)
      local _, on = world.ask("POST", R .. "/advance", { headers = etag(R) })
      assert.same({ "running", 2000, 3 }, { on.state, on.percent_bp, on.version })
      assert.matches("to OpenAI for 20 %% of callers", on.next_call)
      local refused, why = world.ask("POST", R .. "/advance", { headers = etag(R) })
      assert.equal(409, refused)
      assert.matches("its guards do not say ready", why.detail)
    end)

    it("shows how far it is, what guards say and who would move", function()
      local _, one = world.ask("GET", R)
      assert.same({ "insufficient", "20 %", 1 }, { one.verdict, one.percent, one.n_allow })
      assert.same({ "past", "now", "next" }, { one.track[1].is, one.track[2].is, one.track[3].is })
      assert.same({ "+14155550001" }, one.allow)
      assert.same({ "+1…01" }, select(2, world.ask("GET", R, { token = viewer })).allow)
      local _, list = world.ask("GET", "/rollouts")
      assert.same({ 1, 3, 1 }, { #list.items, list.items[1].version, list.items[1].n_allow })
      assert.same({}, select(2, world.ask("GET", "/rollouts", { token = of_dentist })).items)
      assert.equal(404, (world.ask("GET", R, { token = of_dentist })))
      local unknown, problem = world.ask("GET", "/rollouts/plumbr")
      assert.equal(404, unknown)
      assert.matches("did you mean 'plumber'", problem.detail)
      local _, moves = world.ask("GET", R .. "/preview?to=100")
      assert.same({ 2000, 10000, 40, 0 }, { moves.from_bp, moves.to_bp, moves.callers, moves.n_to_vapi })
      assert.truthy(moves.n_to_openai > 20 and moves.n_to_openai < 40)
      assert.same({ 0, 0 }, { select(2, world.ask("GET", R .. "/preview?to=20")).n_to_openai,
        select(2, world.ask("GET", R .. "/preview")).n_to_vapi })
      local _, other = world.ask("GET", R .. "/preview?salt=v2")
      assert.truthy(other.n_to_openai > 0 and other.n_to_vapi > 0)
      local _, _, masked = world.ask("GET", R .. "/preview?to=100", { token = viewer })
      assert.is_nil(masked.body:find("+1415555", 1, true))
      assert.equal(422, (world.ask("GET", R .. "/preview?to=200")))
    end)

    it("holds it and takes it back, and has that in its history", function()
      assert.equal("paused", select(2, world.ask("POST", R .. "/hold", { headers = any,
        body = { reason = "lunch" } })).state)
      local _, last = world.ask("GET", "/undo?agent=plumber")
      assert.same({ "rollout", 4 }, { last.kind, last.version })
      assert.equal(409, (world.ask("POST", "/undo", { body = { agent = "plumber", kind = "rollout", version = 3 } })))
      local _, back = world.ask("POST", "/undo", { body = { agent = "plumber", kind = "rollout", version = 4 } })
      assert.same({ 5, "running" }, { back.version, back.state })
      assert.equal(404, (world.ask("GET", "/undo?agent=plumber", { token = of_dentist })))
      assert.equal(403, (world.ask("GET", "/undo", { token = of_dentist })))
      local _, down = world.ask("POST", R .. "/rollback", { headers = any, body = { to = "10", reason = "too loud" } })
      assert.same({ "rolled_back", 1000 }, { down.state, down.percent_bp })
      local _, past = world.ask("GET", R .. "/history")
      assert.same({ "rollout.rollback", "control socket uid 0", "too loud" }, { past.items[#past.items].what,
        past.items[#past.items].who, past.items[#past.items].after.reason })
      assert.equal(403, (world.ask("POST", R .. "/hold", { headers = any, token = viewer })))
      local status, problem = world.ask("PUT", R, { headers = any,
        body = { stages = { stages[1], stages[3], stages[2] } } })
      assert.equal(422, status)
      assert.matches("must be more than", problem.detail)
    end)

    it("goes back and forces without a database, for whoever is at the machine", function()
      world.down = "connection refused"
      local status, back = world.ask("POST", R .. "/rollback", { headers = any, body = { reason = "too loud" } })
      assert.same({ 200, true, 0 }, { status, back.only_here, back.percent_bp })
      assert.matches("that comes to this node goes to OpenAI for at most 0 %%", back.next_call)
      local forced, force = world.ask("PUT", "/force", { body = { system = "vapi" } })
      assert.same({ 200, true }, { forced, force.only_here })
      assert.equal(503, (world.ask("POST", R .. "/hold", { headers = any })))
      assert.equal(503, (world.ask("POST", R .. "/rollback", { headers = any, token = of_dentist })))
    end)

    it("forces all or one, and lets go again", function()
      local _, off = world.ask("GET", "/force")
      assert.same({ "off", 0 }, { off.system, off.version })
      local _, on = world.ask("PUT", "/force", { body = { system = "vapi", reason = "OpenAI is down" } })
      assert.same({ "vapi", 1 }, { on.system, on.version })
      assert.matches("every agent that can goes to Vapi", on.next_call)
      assert.matches("the force switch is on", select(2, world.ask("GET", R)).next_call)
      assert.equal(412, (world.ask("PUT", "/force", { headers = { ["if-match"] = '"0"' }, body = { system = "off" } })))
      assert.equal(403, (world.ask("PUT", "/force", { token = of_dentist, body = { system = "off" } })))
      assert.equal(200, (world.ask("POST", "/undo", { body = { kind = "force", version = 1 } })))
      local _, one = world.ask("POST", R .. "/force", { headers = etag(R), body = { system = "openai" } })
      assert.matches("to OpenAI: it is forced there", one.next_call)
      assert.equal(409, (world.ask("POST", R .. "/force", { headers = any, body = { system = "openai" } })))
      assert.equal(412, (world.ask("POST", R .. "/force", { headers = { ["if-match"] = '"1"' },
        body = { system = "off" } })))
      assert.equal(409, (world.ask("POST", "/rollouts/dentist/start", { headers = any })))
    end)
  end)
end)
