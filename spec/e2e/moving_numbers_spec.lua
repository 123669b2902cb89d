-- SPDX-License-Identifier: Apache-2.0
-- takes: 30 s
-- Numbers are moved by a plan that somebody approved, and given back by a script that needs nothing of ours: both as an
-- operator runs them, against a simulated Twilio and a real database.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"

local A, B = "+13125550100", "+13125550101"

local PLUMBER = [[
local agent = require "ringdown.agent"
return agent { name = "plumber", openai = {}, greeting = "Plumbing, how can I help?", prompt = "Help.",
  numbers = { "+13125550100", "+13125550101", "+13125550102", "+13125550103" } }
]]

describe("moving numbers", function()
  local n, phones, plan_file, way_back

  local function shell(command, env)
    local words = {}
    for name, value in pairs(env or n.env) do
      words[#words + 1] = value and ("%s=%s"):format(name, proc.quote(value)) or "-u " .. name
    end
    table.sort(words)
    return proc.run(("env %s %s 2>&1"):format(table.concat(words, " "), command))
  end

  local function migrate(...)
    local words = { "scripts/migrate-numbers" }
    for _, word in ipairs { ... } do
      words[#words + 1] = proc.quote(word)
    end
    return shell(table.concat(words, " "))
  end

  -- As on a machine that has nothing of ours: two variables, a shell, curl and awk.
  local function rollback(arguments, script)
    return shell(("-i PATH=/usr/bin:/bin TWILIO_ACCOUNT_SID=%s TWILIO_AUTH_TOKEN=%s TWILIO_API_URL=http://127.0.0.1:%d "
      .. "sh %s %s"):format(node.account, node.token, n.rest_port, script or "scripts/rollback-numbers", arguments), {})
  end

  local function at_twilio(number)
    local text = n:request { url = "http://127.0.0.1:" .. n.rest_port, path = "/2010-04-01/Accounts/" .. node.account
        .. "/IncomingPhoneNumbers.json?PhoneNumber=%2B" .. number:sub(2),
      headers = { Authorization = "Basic " .. proc.run(("printf %%s '%s:%s' | base64 -w0"):format(node.account,
        node.token)):gsub("%s", "") } }.body
    return json.decode(text).incoming_phone_numbers[1]
  end

  local function hash_in(text)
    return assert(text:match "%-%-approve (%x+) ", text)
  end

  setup(function()
    n = node.start { agents = { ["plumber.lua"] = PLUMBER }, sim = false, vapi = {} }
    n.env.RINGDOWN_BIN = proc.double() -- asks twenty times; numbers_spec asks it under the sanitizers
    phones = n:phones { numbers = 4 }
    plan_file = n.folder .. "/plan.json"
  end)
  teardown(function()
    phones:stop()
    n:stop()
  end)

  local hash

  it("begins with a plan that says what each number has and would have", function()
    local said, code = migrate("--plan", plan_file, "--to", "ringdown", "--all")
    assert.equal(0, code, said)
    assert.matches("%+13125550100 +voice_url +https://api.vapi.ai/twilio/inbound_call %-> " .. n.url:gsub("%p", "%%%0")
      .. "/twilio/voice", said)
    assert.matches("4 numbers to ringdown: 4 would change, 0 are so already; 0 are not in the plan", said)
    hash = hash_in(said)
    assert.equal(hash, hash_in((migrate("--show", plan_file))))
    assert.equal("https://api.vapi.ai/twilio/inbound_call", at_twilio(A).voice_url)
  end)

  it("is not done by another plan than the approved one", function()
    local other = n.folder .. "/other.json"
    proc.write(other, (proc.read(plan_file):gsub("inbound_call", "outbound_call", 1)))
    local said, code = migrate("--approve", hash, other)
    assert.equal(2, code, said)
    assert.matches("is not the plan that was approved: its hash is %x+, not " .. hash, said)
    assert.equal("https://api.vapi.ai/twilio/inbound_call", at_twilio(A).voice_url)
  end)

  it("moves a few first, and then the rest, with a report of each", function()
    local said, code = migrate("--approve", hash, plan_file, "--pilot", "1", "--call", "--from", B)
    assert.equal(0, code, said)
    assert.matches("%+13125550100 .*plumber", said) -- who answered a real call
    assert.matches("1 of 1 numbers go to ringdown, 3 of the plan are left", said)
    assert.equal(n.url .. "/twilio/voice", at_twilio(A).voice_url)
    assert.equal("https://api.vapi.ai/twilio/inbound_call", at_twilio(B).voice_url)
    way_back = n.folder .. "/plan-way-back.sh"
    local first = proc.read(way_back)
    for i = 0, 3 do
      assert.truthy(first:find(("\nnumber '+1312555010%d'"):format(i), 1, true)) -- the plan's, not the pilot's
    end
    said, code = migrate("--approve", hash:sub(1, 12), plan_file)
    assert.equal(first, proc.read(way_back))
    assert.equal(0, code, said)
    assert.equal(n.url .. "/twilio/voice", at_twilio(B).voice_url)
    local report = json.decode(proc.read(n.folder .. "/plan-report.json"))
    assert.equal(4, report.good)
    local page = proc.read(n.folder .. "/plan-report.md")
    assert.matches("| %+13125550103 | ringdown | as planned |", page)
    assert.matches("by the runs 2, 1,", page)
    assert.matches("ringdown numbers restore 2.*ringdown numbers restore 1", page)
  end)

  it("a run that was cut off goes on with nobody but the chosen", function()
    local made = ("psql -q -v ON_ERROR_STOP=1 -d '%s' -c \"%s\" 2>&1"):format(n.database, [[with r as (insert into
      bulk_runs (action, goes_to, who, reason, state) values ('switch', 'ringdown', 'x', 'plan ]] .. hash:sub(1, 16)
      .. [[', 'stopped') returning run) insert into bulk_items (run, number, place, carrier_id, wanted, goes_to)
      select run, ']] .. B .. [[', 1, 'PN2', '{}', 'ringdown' from r]])
    assert.equal("", (proc.run(made)))
    local said, code = migrate("--approve", hash, plan_file, "--pilot", A)
    assert.equal(2, code, said)
    assert.matches("was cut off, and has %+13125550101 in hand, which %-%-pilot leaves out; nothing was changed", said)
    proc.run(("psql -q -d '%s' -c \"delete from bulk_runs where who = 'x'\""):format(n.database))
  end)

  it("a plan to Vapi has a way back to here", function()
    local to_vapi = n.folder .. "/to-vapi.json"
    local said, code = migrate("--plan", to_vapi, "--to", "vapi", A)
    assert.equal(0, code, said)
    for _ = 1, 2 do -- the second time, it is there already
      local text
      text, code = migrate("--approve", hash_in(said), to_vapi)
      assert.equal(0, code, text)
    end
    assert.equal("https://api.vapi.ai/twilio/inbound_call", at_twilio(A).voice_url)
    said, code = rollback("", n.folder .. "/to-vapi-way-back.sh")
    assert.equal(0, code, said)
    assert.equal(n.url .. "/twilio/voice", at_twilio(A).voice_url)
  end)

  it("changes nothing when a number is not as the plan found it", function()
    rollback("--from " .. n.env.RINGDOWN_DATA .. "/kept/snapshots " .. A)
    proc.run(("curl -s -o /dev/null -u %s:%s http://127.0.0.1:%d/2010-04-01/Accounts/%s/IncomingPhoneNumbers/%s.json "
      .. "-d VoiceUrl=https://somebody.example/"):format(node.account, node.token, n.rest_port, node.account,
      at_twilio(A).sid))
    local said, code = migrate("--approve", hash, plan_file)
    assert.equal(2, code, said)
    assert.matches("%+13125550100 +is not any more as the plan found it", said)
    assert.equal("https://somebody.example/", at_twilio(A).voice_url)
  end)

  it("is taken back from the disk, without a database and without our program", function()
    local snapshots = n.env.RINGDOWN_DATA .. "/kept/snapshots"
    local said, code = rollback("--check --all --from " .. snapshots)
    assert.equal(1, code)
    assert.matches("%+13125550100  is not as it was:\n +voice_url is 'https://somebody.example/', was 'https://api.",
      said)
    said, code = rollback("--all --from " .. snapshots)
    assert.equal(0, code, said)
    assert.matches("%+13125550100  restored", said)
    assert.matches("\n4 as they were, 0 not\n", said)
    for _, number in ipairs { A, B } do
      assert.equal("https://api.vapi.ai/twilio/inbound_call", at_twilio(number).voice_url)
      assert.equal("", at_twilio(number).voice_fallback_url)
    end
  end)

  it("is taken back from the script that the plan's way back is, too", function()
    local said, code = rollback("--check --all --from " .. way_back)
    assert.equal(0, code, said)
    said, code = rollback("--check", way_back)
    assert.equal(0, code, said)
    assert.matches("4 as they were, 0 not", said)
  end)

  it("tells a snapshot that is damaged, and puts the others back", function()
    local snapshots = n.folder .. "/damaged"
    proc.run(("cp -r %s/kept/snapshots %s"):format(n.env.RINGDOWN_DATA, snapshots))
    proc.write(snapshots .. "/" .. A .. ".json", proc.read(snapshots .. "/" .. A .. ".json"):sub(1, 200))
    local said, code = rollback("--all --from " .. snapshots)
    assert.equal(1, code)
    assert.matches("%+13125550100  .* is no snapshot of it, or damaged", said)
    assert.matches("3 as they were, 1 not", said)
    said, code = rollback("--all --from " .. n.folder .. "/nowhere")
    assert.equal(2, code, said)
  end)

  it("is done for whoever asks over HTTP as a job, in the node", function()
    local token = n:ringdown("tokens", "create", "mover", "--role", "operator"):match "rd_%x+"
    local function ask(method, path, body)
      local a = n:admin("/api/v1" .. path, { method = method, body = body and json.encode(body),
        headers = { Authorization = "Bearer " .. token, ["Content-Type"] = body and "application/json" or nil } })
      return a.status, json.decode(a.body)
    end
    local function done(path, body)
      local status, begun = ask("POST", path, body)
      assert.equal(202, status, json.encode(begun))
      local _, job = ask("GET", "/jobs/" .. begun.job .. "?wait_s=8")
      assert.equal("done", job.state, json.encode(job))
      return job
    end
    assert.equal(4, done("/numbers/sync").result.numbers)
    local job = done("/numbers/switch", { numbers = { A }, to = "ringdown", reason = "by hand" })
    assert.equal(1, job.result.counts.verified)
    assert.equal(n.url .. "/twilio/voice", at_twilio(A).voice_url)
    local _, shown = ask("GET", "/numbers/" .. A)
    assert.same({ "plumber", "ringdown", "ringdown" }, { shown.agent, shown.goes_to, shown.target })
    done("/numbers/restore", { numbers = { A }, first = true })
    assert.equal("https://api.vapi.ai/twilio/inbound_call", at_twilio(A).voice_url)
    local who = proc.run(("psql -A -t -d '%s' -c \"select who from audit where what = 'number_switch' "
      .. "order by id desc limit 1\""):format(n.database))
    assert.equal("token mover (operator)\n", who)
  end)
end)
