-- SPDX-License-Identifier: Apache-2.0
-- takes: 30 s
-- Calls that Vapi has by itself, told to two nodes on one PostgreSQL: which of them is asked makes no difference.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local ASSISTANT, NUMBER, CALLER = "5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30", "+13125550100", "+13125550142"
local AGENT = ([[
local agent, tool = require "ringdown.agent", require "ringdown.tool"
return agent {
  name = "other-desk", numbers = { "%s" }, greeting = "Hello.", prompt = "You answer.",
  openai = {}, vapi = { assistant = "%s" }, routing = "openai", vars = { nights = 0 },
  people = { on_call = "+13125550188" },
  emergencies = { { id = "flood", severity = "normal", any = { "flooded" } } },
  tools = { tool { name = "count", about = "Counts nights.", effect = "read", failed = "Say it failed.",
    args = { nights = { type = "integer", about = "How many." },
      note = { type = "string", about = "A note.", optional = true } },
    run = function(call, args)
      call.vars.nights = call.vars.nights + args.nights
      return { nights = call.vars.nights }
    end } },
}
]]):format(NUMBER, ASSISTANT)

describe("a call that Vapi has by itself", function()
  local a, b, url

  local function start(name, other)
    local known = other and other.vapi.env or {}
    return node.start { agents = { ["other-desk.lua"] = AGENT }, sim = false, database = other and other.database,
      vapi = not other and { fault = "no-hooks" } or nil,
      env = { RINGDOWN_PUBLIC_URL = url, RINGDOWN_SECRET = ("5e"):rep(32), RINGDOWN_NODE = name,
        VAPI_WEBHOOK_HMAC = "hush", VAPI_WEBHOOK_SECRET = false, VAPI_API_URL = known.VAPI_API_URL,
        VAPI_API_KEY = known.VAPI_API_KEY } }
  end

  setup(function()
    url = "http://127.0.0.1:" .. proc.free_port()
    a = start("a")
    b = start("b", a)
  end)

  teardown(function()
    b:ask_to_stop()
    assert.equal(0, b:stop())
    assert.equal(0, a:stop())
  end)

  local function signed(body, stamp, key)
    local file = os.tmpname()
    stamp = stamp or tostring(os.time())
    proc.write(file, stamp .. "." .. body)
    local mac = proc.run(("openssl dgst -sha256 -hmac %s -r %s"):format(key or "hush", file)):match "^%x+"
    os.remove(file)
    return { ["X-Timestamp"] = stamp, ["X-Signature"] = mac, ["Content-Type"] = "application/json" }
  end

  local function post(n, body, headers)
    return n:request { path = "/vapi/events", body = body, headers = headers or signed(body) }
  end

  -- One that Vapi has.
  local n_calls = 0
  local function call(more)
    n_calls = n_calls + 1
    local sid = more and more.sid or ("CA%032x"):format(n_calls)
    local c = { id = a.vapi:control("call", { sid = sid, from = CALLER }).id, assistantId = ASSISTANT,
      type = "inboundPhoneCall", phoneCallProviderId = sid, customer = { number = CALLER } }
    for name, value in pairs(more or {}) do
      c[name] = value
    end
    return c
  end

  local function message(c, type, more)
    local m = { type = type, call = c, phoneNumber = { number = NUMBER }, timestamp = 1 }
    for name, value in pairs(more or {}) do
      m[name] = value
    end
    return json.encode { message = m }
  end

  local function count(c, nights, id, note)
    return message(c, "tool-calls", { toolCallList = { { id = id, name = "count",
      arguments = { nights = nights, note = note } } } })
  end

  local function result(answer)
    assert.equal(200, answer.status)
    return json.decode(answer.body).results[1].result
  end

  it("has the agent's tools, triage and records, whichever node is told, and each thing once", function()
    local c = call()
    assert.equal(200, post(a, message(c, "status-update", { status = "in-progress" })).status)
    local first = count(c, 2, "one")
    local proof = signed(first)
    assert.equal('{"nights":2}', result(post(b, first, proof)))
    assert.equal('{"nights":5}', result(post(a, count(c, 3, "two"))))
    -- What was signed for one of them is no good at the other, nor at that one when it was started again.
    assert.equal(401, post(b, first, proof).status)
    assert.equal(401, post(a, first, proof).status)
    b:kill()
    b:restart()
    assert.equal(401, post(b, first, proof).status)
    assert.equal(200, post(b, message(c, "transcript", { role = "user", transcriptType = "final",
      transcript = ("la "):rep(9000) .. "the bathroom is flooded" })).status)
    assert.equal(200, post(a, message(c, "end-of-call-report", { endedReason = "customer-ended-call",
      cost = 0.2 })).status)
    assert.truthy(proc.wait_for(function()
      return pg.query(a.database, "select 1 from calls c join triage_matches t using (call) where c.state = 'ended'")[1]
    end, 20))
    a:wait_shipped()
    b:wait_shipped()
    assert.same({ { agent = "other-desk", system = "vapi", reason = "not_routed", from_number = CALLER,
      to_number = NUMBER, cost_micro_usd = 200000, vars = { nights = 5 }, tools = 2, rule = "flood" } },
      pg.query(a.database, [[select agent, system, c.reason, from_number, to_number, cost_micro_usd, vars, rule,
        (select count(*) from tool_calls) as tools from calls c join vapi_calls using (call)
        join triage_matches using (call)]]))
  end)

  it("forgets nothing when many of its tools are asked for at once", function()
    local c = call()
    local folder = proc.folder "hooks"
    local orders = {}
    assert.equal(200, post(a, message(c, "status-update", { status = "in-progress" })).status)
    for i = 1, 12 do
      local body = count(c, 1, "n" .. i)
      local file, proof = ("%s/%d"):format(folder, i), signed(body)
      proc.write(file, body)
      orders[i] = ("curl -s -o %s.out -H 'X-Timestamp: %s' -H 'X-Signature: %s' --data-binary @%s %s/vapi/events &")
        :format(file, proof["X-Timestamp"], proof["X-Signature"], file, i % 2 == 0 and a.url or b.url)
    end
    proc.write(folder .. "/all.sh", table.concat(orders, "\n") .. "\nwait\n")
    proc.run("bash " .. folder .. "/all.sh")
    local seen = {}
    for i = 1, 12 do
      local text = proc.read(("%s/%d.out"):format(folder, i))
      seen[tonumber(json.decode(json.decode(text).results[1].result).nights)] = true
    end
    proc.remove(folder)
    assert.equal(12, #seen)
  end)

  it("is answered for at once, where a tool is too long for it", function()
    local c = call()
    local answer = json.decode(post(a, count(c, 1, "long", ("x"):rep(50000))).body).results[1]
    assert.same({ "long", "count" }, { answer.toolCallId, answer.name })
    assert.matches("not working", answer.error, 1, true)
  end)

  it("may have no number of ours, but not another's assistant too; and who answers is told before it is one", function()
    local function asked(n, more, number)
      return post(n, json.encode { message = { type = "assistant-request", call = call(more),
        phoneNumber = { number = number or NUMBER } } })
    end
    local withheld = asked(b, { phoneCallProviderId = json.null, customer = json.null, assistantId = json.null })
    assert.equal(ASSISTANT, json.decode(withheld.body).assistantId)
    assert.equal(401, asked(a, { assistantId = json.null }, "+13125559999").status)
    local function status(more, number)
      return post(a, json.encode { message = { type = "status-update", status = "in-progress", call = call(more),
        phoneNumber = { number = number } } }).status
    end
    assert.same({ 200, 401 }, { status({}, "+13125559999"), status({ assistantId = "x" }, "+13125559999") })
    local forged = count(call(), 1, "f")
    assert.equal(401, post(a, forged, signed(forged, nil, "guess")).status)
    local codes = {}
    for _, line in ipairs(a:log("vapi.refused")) do
      codes[line.code] = (codes[line.code] or 0) + 1
    end
    assert.same({ unknown_call = 2, not_signed = 1, repeated = 1 }, codes)
  end)

  it("must be one: who has the secret makes nothing run for a call that Vapi does not show", function()
    local c, before = call(), #a:log("vapi.refused")
    local real = c.id
    c.id = "8f2c1d7e-0000-4222-8333-000000000000"
    assert.same({ 401, 401 }, { post(a, count(c, 1, "x")).status, post(a, count(c, 1, "y")).status })
    c.id, c.phoneCallProviderId = real, "CA" .. ("f"):rep(32)
    assert.equal(401, post(a, count(c, 1, "z")).status)
    local log = a:log("vapi.refused")
    assert.same({ before + 3, "not_shown" }, { #log, log[#log].code })
    -- Nothing was done for it: once Vapi has it, the other node takes the very same one.
    local late = call()
    local body = count(late, 1, "late")
    local proof = signed(body)
    a.vapi:control("faults", { words = "get-503,get-503,get-503,get-503,no-hooks" })
    assert.equal(401, post(a, body, proof).status)
    local refused = a:log("vapi.refused")
    assert.equal("not_checked", refused[#refused].code)
    assert.equal("vapi.not_checked", a:log("alarm")[1].kind)
    assert.truthy(proc.wait_for(function()
      return not pg.query(a.database, ("select 1 from vapi_signatures where mac = '%s'")
        :format(proof["X-Signature"]))[1]
    end, 10))
    a.vapi:control("faults", { words = "no-hooks" })
    assert.equal('{"nights":1}', result(post(b, body, proof)))
    assert.same({}, pg.query(a.database, "select 1 from calls where call = " .. pg.literal(c.phoneCallProviderId)))
  end)

  it("goes by the carrier's name, at both nodes, which Vapi's API has where a webhook has none", function()
    local c = call { phoneCallProviderId = json.null }
    assert.equal('{"nights":2}', result(post(a, count(c, 2, "one"))))
    c.phoneCallProviderId = nil
    assert.equal('{"nights":5}', result(post(b, count(c, 3, "two"))))
    a:wait_shipped()
    b:wait_shipped()
    assert.same({ { n = 1, call = ("CA%032x"):format(n_calls) } }, pg.query(a.database,
      "select call, count(*) over () as n from vapi_calls where vapi_id = " .. pg.literal(c.id)
      .. " or call like 'vapi%'"))
  end)

  it("because we did not answer the carrier went on there", function()
    local form = node.voice_form { To = NUMBER, From = CALLER }
    local function carrier(path)
      return a:post_signed(path, form, { signature = node.signature(url .. path, form) }).status
    end
    assert.equal(200, carrier "/twilio/voice")
    a:wait_shipped()
    local c = call { sid = form.CallSid }
    assert.equal('{"nights":4}', result(post(b, count(c, 4, "one"))))
    b:wait_shipped()
    assert.same({ { system = "openai", failed_over_to = "vapi", direct_to_vapi = true } }, pg.query(a.database,
      "select system, failed_over_to, direct_to_vapi from calls where call = " .. pg.literal(form.CallSid)))
    assert.equal(200, post(b, message(c, "status-update", { status = "in-progress" })).status)
    assert.same({ { subject = "other-desk/openai", severity = "critical", count = 1 } }, pg.query(a.database,
      "select subject, severity, count from alerts where kind = 'routing.failover' and closed_at is null"))
    form.CallStatus = "completed"
    carrier "/twilio/status"
  end)

  it("is heard also while the database is away, and once", function()
    local said = message(call(), "transcript", { role = "user", transcriptType = "final",
      transcript = "it is flooded" })
    local proof, before = signed(said), #a:log("triage.match")
    pg.freeze()
    local statuses = { post(a, said, proof).status, post(a, said, proof).status }
    local found = proc.wait_for(function()
      return #a:log("triage.match") == before + 1
    end, 10)
    pg.thaw()
    assert.is_truthy(found)
    assert.same({ 200, 401 }, statuses)
  end)

  it("is not read for strangers: what is long must be signed, and now", function()
    local long = message(call(), "end-of-call-report", { transcript = ("x"):rep(300000) })
    assert.equal(413, post(a, long, signed(long, tostring(os.time() - 400))).status)
    assert.equal(200, post(a, long).status)
    assert.equal(401, post(a, long, signed(long, nil, "guess")).status)
    assert.equal(413, post(a, long, signed(long, nil, "guess")).status) -- for a while, none is
    local short = count(call(), 1, "s", ("x"):rep(30000))
    assert.equal('{"nights":1}', result(post(a, short)))
  end)
end)
