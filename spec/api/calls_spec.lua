-- SPDX-License-Identifier: Apache-2.0
-- Calls in the admin API: who sees which, and what of them; and what operators want of those in progress.
local json = require "ringdown.json"
local seed = require "spec.api.seed"
local world = require "spec.api.world"

describe("a node that drains", function()
  local admin, operator

  setup(function()
    world.begin { seed = seed.fill }
    admin, operator = world.token { name = "ann", role = "admin" }, world.token { role = "operator" }
  end)
  teardown(function()
    seed.leave()
    world.finish()
  end)
  before_each(function()
    world.fresh()
  end)

  it("takes calls again when that is taken back, and both are in the audit", function()
    local node = seed.surround()
    assert.equal(202, (world.ask("POST", "/nodes/n1/drain", { token = admin })))
    assert.is_true(node.is_draining)
    assert.equal(403, (world.ask("DELETE", "/nodes/n1/drain", { token = operator })))
    assert.equal(404, (world.ask("DELETE", "/nodes/n2/drain", { token = admin })))
    local status, answer = world.ask("DELETE", "/nodes/n1/drain", { token = admin })
    assert.same({ 202, "undrain" }, { status, answer.asked })
    assert.is_false(node.is_draining)
    local rows = world.rows "select what from audit where subject = 'n1' order by id"
    assert.same({ "nodes.drain", "nodes.undrain" }, { rows[1].what, rows[2].what })
  end)

  it("does not come back once its process was told to end", function()
    local node = seed.surround()
    node.refusals.undrain = "away"
    local status, why = world.ask("DELETE", "/nodes/n1/drain", { token = admin })
    assert.equal(409, status)
    assert.matches("was told to stop", why.detail)
    assert.matches("start the node again", why.fix)
  end)
end)

describe("calls in the API", function()
  local node, viewer, scoped, personal, operator

  setup(function()
    world.begin { seed = seed.fill }
    viewer = world.token { role = "viewer" }
    personal = world.token { role = "viewer", sees_personal = true }
    scoped = world.token { role = "operator", agents = { "brightsmile-dental" } }
    operator = world.token { name = "ops", role = "operator" }
  end)
  teardown(function()
    seed.leave()
    world.finish()
  end)
  before_each(function()
    world.fresh()
    node = seed.surround()
  end)

  local function sids(target, token)
    local status, value = world.ask("GET", target, { token = token })
    assert.equal(200, status)
    local list = {}
    for i, call in ipairs(value.items) do
      list[i] = call.call
    end
    return list, value
  end

  it("come newest first, in pieces", function()
    assert.same({ seed.other, seed.ended, seed.call }, (sids "/calls"))
    local list, value = sids "/calls?limit=2"
    assert.same({ seed.other, seed.ended }, list)
    assert.same({ seed.call }, (sids("/calls?limit=2&cursor=" .. value.next)))
  end)

  it("are found by what is known of them", function()
    assert.same({ seed.ended, seed.call }, (sids "/calls?emergency=true"))
    assert.same({ seed.other }, (sids "/calls?agent=brightsmile-dental"))
    assert.same({ seed.other, seed.ended, seed.call }, (sids "/calls?number=%2B13125550142&text=boiler&failed=true"))
    assert.same({}, (sids "/calls?outcome=provider.lost"))
    assert.same({ seed.call }, (sids "/calls?until=2026-11-25T09:48:00Z"))
    assert.same({}, (sids "/calls?text=%22no%20such%20words%22"))
    assert.same({}, (sids "/calls?state=live"))
  end)

  it("have the emergencies that a day's sentence counts: one that was only recorded is none", function()
    finally(function()
      world.rows "update triage_matches set state = 'open', handled_at = null returning 1"
    end)
    world.rows(([[update triage_matches set state = 'recorded' where call = '%s' returning 1]]):format(seed.ended))
    local list, value = sids "/calls?emergency=true"
    assert.same({ seed.call }, list)
    assert.equal(1, value.items[1].emergencies)
    local others
    others, value = sids "/calls?emergency=false"
    assert.same({ seed.other, seed.ended }, others)
    assert.equal(0, value.items[2].emergencies)
    world.rows(([[update triage_matches set state = 'handled', handled_at = now() where call = '%s'
      returning 1]]):format(seed.ended))
    assert.same({ seed.ended, seed.call }, (sids "/calls?emergency=true"))
  end)

  it("are those of one's agents, and no others are", function()
    assert.same({ seed.other }, (sids("/calls", scoped)))
    assert.same({}, (sids("/calls?agent=northside-plumbing", scoped)))
    for _, part in ipairs { "", "/timeline", "/transcript", "/tools", "/cost", "/recordings", "/why" } do
      assert.equal(200, (world.ask("GET", "/calls/" .. seed.other .. part, { token = scoped })))
      assert.equal(404, (world.ask("GET", "/calls/" .. seed.call .. part, { token = scoped })))
    end
    local _, live = world.ask("GET", "/calls/live", { token = scoped })
    assert.equal(1, #live.items)
    assert.equal(404, (world.ask("POST", "/calls/" .. seed.call .. "/hang-up", { token = scoped })))
    assert.same({}, node.asked)
  end)

  it("hide numbers and words from viewers, wherever they stand", function()
    local everything = {}
    for _, part in ipairs { "", "/timeline", "/transcript", "/tools", "/cost", "/recordings", "/why" } do
      local status, _, answer = world.ask("GET", "/calls/" .. seed.ended .. part, { token = viewer })
      assert.equal(200, status)
      everything[#everything + 1] = answer.body
    end
    for _, target in ipairs { "/calls", "/calls/live", "/alarms" } do
      local _, _, answer = world.ask("GET", target, { token = viewer })
      everything[#everything + 1] = answer.body
    end
    local text = table.concat(everything, "\n")
    for _, secret in ipairs { "3125550142", "3125550100", "boiler", "60614", "smells", "35 minutes",
      "this call is rec" } do
      assert.is_nil(text:lower():find(secret, 1, true), secret)
    end
    assert.truthy(text:find('"from":"+1…42"', 1, true))
    local _, call = world.ask("GET", "/calls/" .. seed.ended, { token = personal })
    assert.equal("+13125550142", call.from)
  end)

  -- What a record may hold is in docs/records.md; words of ours are those that mask.lua lists.
  it("hide every member of every record that is no word of ours", function()
    local file = assert(io.open "docs/records.md")
    local types, members = {}, { form = { CallerName = "Zebra 312-555-0177" } }
    for line in file:lines() do
      local names, rest = line:match "^| (`[%w_`, ]+`) | (.*) |$"
      for name in (names or ""):gmatch "`([%w_]+)`" do
        types[#types + 1] = name
      end
      for name in (names and rest or ""):gmatch "`([%w_]+)`" do
        members[name] = members[name] or "2026-11-27 3125550177"
      end
    end
    file:close()
    assert.is_true(#types > 30)
    for _, name in ipairs { "text", "said", "words", "arguments", "output", "name", "message", "body", "value", "ask",
      "detail", "notice", "vars", "a_member_of_tomorrow", "CallerName" } do
      members[name] = "Zebra 312-555-0177"
    end
    members.deep = { { vars = { zip = 60615 } }, { shoe = "Zebra" } }
    for i, name in ipairs(types) do
      world.rows(([[insert into call_events (stream, epoch, seq, started_at, at, type, body)
        select stream, epoch, 1000 + %d, started_at, now(), '%s', '%s' from call_events where stream = '%s' limit 1
        returning seq]]):format(i, name, json.encode(members), seed.ended))
    end
    local everything = {}
    for _, part in ipairs { "", "/timeline?limit=200", "/transcript", "/tools", "/cost", "/recordings", "/why" } do
      local status, _, answer = world.ask("GET", "/calls/" .. seed.ended .. part, { token = viewer })
      assert.equal(200, status)
      everything[#everything + 1] = answer.body
    end
    local text = table.concat(everything, "\n")
    world.rows(("delete from call_events where stream = '%s' and seq > 1000 returning 1"):format(seed.ended))
    for _, secret in ipairs { "Zebra", "5550177", "555-0177", "60615" } do
      local at = text:find(secret, 1, true)
      assert.is_nil(at, at and text:sub(math.max(1, at - 80), at + 40))
    end
    assert.truthy(text:find("2026-11-27 …77", 1, true))
  end)

  it("cannot be looked for by what is hidden", function()
    assert.equal(403, (world.ask("GET", "/alarms?subject=%2B13125550142", { token = viewer })))
    assert.equal(200, (world.ask("GET", "/alarms?subject=journal", { token = viewer })))
    for _, query in ipairs { "number=%2B13125550142", "text=boiler" } do
      assert.equal(403, (world.ask("GET", "/calls?" .. query, { token = viewer })))
      assert.equal(200, (world.ask("GET", "/calls?" .. query, { token = personal })))
    end
  end)

  it("tell what was said, done and spent", function()
    local _, said = world.ask("GET", "/calls/" .. seed.ended .. "/transcript?limit=2")
    assert.equal("My boiler is leaking", said.items[2].heard)
    local _, rest = world.ask("GET", "/calls/" .. seed.ended .. "/transcript?cursor=" .. said.next)
    assert.equal("Somebody can be there in 35 minutes", rest.items[1].said)
    local _, tools = world.ask("GET", "/calls/" .. seed.ended .. "/tools")
    assert.equal(1000, tools.items[1].ms)
    local _, cost = world.ask("GET", "/calls/" .. seed.ended .. "/cost")
    assert.truthy(#cost.lines > 0)
    local types, cursor = {}, ""
    repeat
      local _, facts = world.ask("GET", "/calls/" .. seed.ended .. "/timeline?limit=4" .. cursor)
      for _, fact in ipairs(facts.items) do
        types[#types + 1] = fact.type
      end
      cursor = facts.next and "&cursor=" .. facts.next
    until not cursor
    assert.equal("webhook", types[1])
    assert.equal(19, #types)
  end)

  describe("in progress", function()
    local function audit()
      return world.rows "select who, what, subject, after::text from audit where what like 'calls.%' order by id"
    end

    it("are hung up, handed over and whispered to by operators, which is in the audit", function()
      local target = "/calls/" .. seed.call
      assert.equal(403, (world.ask("POST", target .. "/hang-up", { token = viewer })))
      assert.equal(202, (world.ask("POST", target .. "/transfer", { token = operator, body = { to = "office" } })))
      assert.equal(202, (world.ask("POST", target .. "/whisper", { token = operator, body = { text = "Be kind." } })))
      assert.equal(202, (world.ask("POST", target .. "/hang-up", { token = operator })))
      assert.same({ "transfer " .. seed.call .. " office token ops (operator)",
        "whisper " .. seed.call .. " Be kind. token ops (operator)",
        "hang_up " .. seed.call .. " token ops (operator)" }, node.asked)
      local rows = audit()
      assert.equal(3, #rows)
      assert.equal("token ops (operator)", rows[1].who)
      assert.equal("calls.transfer", rows[1].what)
      assert.is_nil(rows[2].after:find("kind", 1, true)) -- what was said stays with the call
    end)

    it("are told with the database away, without those of other nodes", function()
      world.down = "gone"
      local status, live = world.ask("GET", "/calls/live")
      assert.same({ 200, 2 }, { status, #live.items })
      assert.is_nil(live.elsewhere)
      assert.truthy(live.elsewhere_reason)
    end)

    it("can be ended at the machine with the database away", function()
      world.down = "gone"
      assert.equal(202, (world.ask("POST", "/calls/" .. seed.call .. "/hang-up")))
      assert.equal(1, #node.asked)
      local host = require "ringdown.fake.host"
      assert.equal("api.not_in_audit", host.log_lines[#host.log_lines].event)
    end)

    it("are over, with somebody else, elsewhere, or never were", function()
      assert.equal(409, (world.ask("POST", "/calls/" .. seed.ended .. "/hang-up")))
      assert.equal(404, (world.ask("POST", "/calls/CA" .. ("f"):rep(32) .. "/hang-up")))
      node.refusals[seed.call] = "away"
      local status, value = world.ask("POST", "/calls/" .. seed.call .. "/hang-up")
      assert.equal(409, status)
      assert.equal("The caller is with somebody else", value.title)
      world.rows(("update calls set state = 'live', node = 'west' where call = '%s' returning 1"):format(seed.ended))
      status, value = world.ask("POST", "/calls/" .. seed.ended .. "/hang-up")
      assert.equal(409, status)
      assert.matches("is at west", value.detail)
    end)

    it("are nobody's where there is no node", function()
      seed.leave()
      assert.equal(503, (world.ask("GET", "/calls/live")))
    end)
  end)
end)
