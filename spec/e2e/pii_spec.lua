-- SPDX-License-Identifier: Apache-2.0
-- takes: 70 s
-- What a caller reads out or presses, and what an operator must not see again, is nowhere afterwards: not in the log,
-- even at debug level, not in what the commands print, in no file of the data folder, in no dump of the database. And
-- what only the operator of this machine may read (names, numbers, words) leaves it by no other door: log, mail,
-- webhook, metrics, health, Sentry, a viewer's pages and stream. One node logs all it can, in words; the other as
-- usual, in JSON.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"
local sims = require "spec.e2e.support.sim"

-- As it was said, as a tool got it, as a program might write it.
local secrets = { "4539 5787 6362 1486", "4539-5787-6362-1486", "4539578763621486", "5787", "6362 1486",
  "536 22 8726", "536-22-8726", "536228726", "90816354" }

-- The operator's: the environment and the configuration have them, and nothing else.
local keys = {
  OPENAI_API_KEY = "sk-seed-31f07c2291", VAPI_API_KEY = "seed-vapi-key-9a1",
  VAPI_WEBHOOK_SECRET = "seed-vapi-hook-77c",
  VAPI_WEBHOOK_HMAC = "seed-vapi-hmac-31d", RINGDOWN_SECRET = ("5eed"):rep(16),
  RINGDOWN_SECRETS = "TILL_KEY=seed-till-4411", SMTP_URL = "smtp://mailer:seed-smtp-8820@127.0.0.1:%d",
  SENTRY_DSN = "http://5eed5e27:5eed5ec2@127.0.0.1:%d/7", RINGDOWN_ALERT_CHANNELS = "seed-channel-secret-51",
  TWILIO_AUTH_TOKEN = node.token,
}
local key_words = { "sk-seed-31f07c2291", "seed-vapi-key-9a1", "seed-vapi-hook-77c", "seed-vapi-hmac-31d",
  keys.RINGDOWN_SECRET, "seed-till-4411", "seed-smtp-8820", "5eed5e27", "5eed5ec2", "seed-channel-secret-51",
  node.token }

-- A caller's: the operator of this machine may read them in the transcript.
local personal = { "Rosalind", "Weatherby", "rosalind.weatherby@mail.example", "3125550199", "3125550177", "Elm Street",
  "c0ffee5eed", "smell gas" }

local notary = [[
-- SPDX-License-Identifier: Apache-2.0
-- Notes down whatever it hears, in every place there is, and breaks.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"

local text = { type = "string", about = "what was said" }
local note_down = tool {
  name = "note_down", about = "Notes it down.", effect = "write", failed = "Say that you could not note that.",
  args = { name = text, card = text, phone = text, mail = text, social = text, key = text },
  run = function(call, args)
    call:log("noted", args)
    call.vars.note = args.name .. " " .. args.card .. " " .. args.phone
    local all = {}
    for _, name in ipairs { "name", "card", "phone", "mail", "social", "key" } do
      all[#all + 1] = args[name]
    end
    error("nobody takes this down: " .. table.concat(all, ", "))
  end,
}

return agent {
  name = "notary", numbers = { "+13125550220" }, vars = { note = "" },
  greeting = "Notary, who are you?", prompt = "You note things down.",
  tools = { note_down, tools.end_call },
  sms = { sorry = "Dear {{args.name}}, we could not note {{args.card}}." },
  people = { on_call = "+13125550188" },
  emergencies = { { id = "gas-leak", severity = "life", any = { "smell gas" },
    say = "Please go outside now.", text = { to = "on_call", body = "GAS {{caller.number}}: {{match.words}}" } } },
  on = {
    utterance = function(call, words)
      call:log("heard", { text = words })
      if words:find "My card" then
        require("ringdown.sms").send(call, "sorry", { args = { name = "Rosalind Weatherby", card = words } })
      end
    end,
  },
}
]]

-- Not as a part of a longer number: four digits are in some time or seed by chance.
local function place_of(secret, text)
  return text:find("%f[%d]" .. secret:gsub("%p", "%%%0") .. "%f[%D]")
end

describe("card data in a call", function()
  local sim, n, watch, report, turns
  local open, mails, hooks, sentry, token, stream, seen -- of the node that tells others

  local function launch_open()
    mails, hooks, sentry = receiver.mail { login = "mailer:seed-smtp-8820" }, receiver.hook {}, receiver.sentry {}
    local env = { SMTP_FROM = "alarms@example.com", RINGDOWN_LOG_FORMAT = "json" }
    for name, value in pairs(keys) do
      env[name] = value
    end
    env.SMTP_URL, env.SENTRY_DSN = keys.SMTP_URL:format(mails.port), keys.SENTRY_DSN:format(sentry.port)
    env.RINGDOWN_ALERT_CHANNELS = json.encode { { name = "ops", kind = "mail", to = { "ops@example.com" } },
      { name = "desk", kind = "webhook", url = ("http://127.0.0.1:%d/alerts"):format(hooks.port),
        secret = keys.RINGDOWN_ALERT_CHANNELS } }
    return node.launch { sim = sim, agents = { ["notary.lua"] = notary }, env = env }
  end

  local function viewer(path)
    return open:admin(path, { headers = { Authorization = "Bearer " .. token } }).body
  end

  -- What a viewer sees from the first moment on.
  local function start_stream()
    token = open:ringdown("tokens", "create", "board", "--role", "viewer"):match "rd_%x+"
    stream = proc.start { name = "stream", folder = open.folder, args = { "curl", "-sN", "--max-time", "120", "-H",
      "Authorization: Bearer " .. token, ("http://127.0.0.1:%d/api/v1/events?after=0"):format(open.admin_port) } }
  end

  setup(function()
    sim = sims.start()
    n = node.launch { sim = sim, agents = "spec/e2e/agents", env = { RINGDOWN_LOG = "debug" } }
    open = launch_open()
    n:wait_ready()
    open:wait_ready()
    start_stream()
    watch = n:watch()
    local placed, other = n:place { scenarios = { "card-data" } }, open:place { scenarios = { "leaves-traces" } }
    local _, reports = placed:wait()
    local _, others = other:wait()
    report, seen = reports[1], others[1]
    watch:wait_for_ends(1)
    turns = watch:turns(report.call)
  end)

  teardown(function()
    watch:stop()
    assert.equal(0, n:stop())
    assert.equal(0, open:stop())
    for _, r in ipairs { mails, hooks, sentry } do
      r:stop()
    end
    assert.equal(0, sim:stop())
  end)

  local function assert_clean(text, what)
    assert.is_true(#text > 0, what .. " is empty")
    for _, secret in ipairs(secrets) do
      local at = place_of(secret, text)
      assert.is_nil(at, at and what .. ": " .. text:sub(math.max(1, at - 200), at + 50))
    end
  end

  it("reaches the model and the tools", function()
    assert.equal("", report.why)
    local outputs = {}
    for _, fact in ipairs(sim:facts "tool_result") do
      outputs[#outputs + 1] = fact.output
    end
    assert.matches("4539-5787-6362-1486", table.concat(outputs, "\n"), 1, true)
  end)

  it("leaves its place in the transcript", function()
    local text = {}
    for _, turn in ipairs(turns) do
      text[#text + 1] = turn.text
    end
    text = table.concat(text, "\n")
    assert.matches("My card is [card].", text, 1, true)
    assert.matches("And my social is [ssn].", text, 1, true)
    assert.matches("I charged the card [card].", text, 1, true)
  end)

  it("is in no record, keys included", function()
    assert_clean(proc.read(watch.follower.out), "calls --follow")
    local tools, pressed = {}, {}
    for _, event in ipairs(watch:events()) do
      if event.type == "dtmf" then
        pressed[#pressed + 1] = event.digit
      elseif event.type == "tool" then
        tools[#tools + 1] = event.arguments or event.output
      end
    end
    assert.equal("********", table.concat(pressed))
    tools = table.concat(tools, "\n")
    assert.matches('"card":"[card]"', tools, 1, true)
    assert.matches('"social_security":"[ssn]"', tools, 1, true)
  end)

  it("is not in the log, not even what an error quotes", function()
    assert_clean(n.child:text(), "the log")
    assert.matches("no paper for the card [card]", n.child:text(), 1, true)
  end)

  it("is not in what the commands print", function()
    assert_clean(proc.run(("RINGDOWN_DATA=%s/data %s calls %s"):format(n.folder, proc.binary(), report.call)), "calls")
    assert_clean(proc.run(("RINGDOWN_DATA=%s/data %s calls --json"):format(n.folder, proc.binary())), "calls --json")
  end)

  it("is in no file of the data folder", function()
    local alone = "(?<!\\d)(" .. table.concat(secrets, "|") .. ")(?!\\d)"
    assert.equal("", proc.run(("LC_ALL=C grep -raoP -e %s %s/data %s/data"):format(proc.quote(alone), n.folder,
      open.folder)))
  end)

  -- ---- everything that a node tells ----

  local outputs

  local function told(r, words)
    return proc.wait_for(function()
      return proc.read(r.log):find(words, 1, true)
    end, 30)
  end

  -- Without the head of the request, which has the key that lets us in.
  local function events_of(r)
    local list = {}
    for i, got in ipairs(r:got()) do
      assert.is_nil(got.broken)
      list[i] = got.event or got.client_report
    end
    return list
  end

  local function collect()
    assert.equal("", seen.why, open.child:text())
    assert.is_true(open:wait_shipped())
    assert.is_truthy(told(mails, "ringdown why " .. seen.call), "no mail came")
    assert.is_truthy(told(hooks, "ringdown why " .. seen.call), "no webhook came")
    assert.is_truthy(told(sentry, "notary.lua"), "Sentry was not told")
    local out = { log = open.child:text(), mails = proc.read(mails.log), webhooks = proc.read(hooks.log),
      sentry = json.encode(events_of(sentry)), stream = proc.read(stream.out), database_log = pg.log() }
    for _, path in ipairs { "/health", "/readyz?verbose", "/metrics", "/api/v1/calls", "/api/v1/calls/" .. seen.call,
      "/api/v1/calls/" .. seen.call .. "/transcript", "/api/v1/calls/" .. seen.call .. "/timeline",
      "/api/v1/calls/" .. seen.call .. "/tools", "/api/v1/alerts", "/api/v1/emergencies", "/api/v1/texts" } do
      out[path] = viewer(path)
    end
    return out
  end

  -- What the operator of this machine reads, who may know who called: but no secret.
  local function collect_own()
    local out = { dump = proc.run(("pg_dump --inserts -d %s 2>/dev/null"):format(proc.quote(open.database))) }
    for _, words in ipairs { { "status", "--json" }, { "check", "--print" }, { "metrics" }, { "calls", "--json" },
      { "calls", seen.call, "--json" }, { "why", seen.call }, { "journal" }, { "nodes" }, { "alerts", "list" },
      { "doctor", "--offline" }, { "tokens", "list" }, { "log", "--json" } } do
      local text = open:ringdown(table.unpack(words))
      out[table.concat(words, " ")] = type(text) == "table" and json.encode(text) or text
    end
    return out
  end

  local function assert_without(list, words, why)
    for name, text in pairs(list) do
      assert.is_true(#text > 0, name .. " is empty")
      for _, word in ipairs(words) do
        local at = text:find(word, 1, true)
        assert.is_nil(at, at and ("%s: %s is in %s: …%s…"):format(why, word, name,
          text:sub(math.max(1, at - 150), at + 60)))
      end
    end
  end

  it("leaves the machine by no door, and neither does a name, a number or a word", function()
    outputs = outputs or collect()
    for name, text in pairs(outputs) do
      assert_clean(text, name)
    end
    -- A name in an agent's own error is no pattern: the log of the machine has it, and nobody else.
    local inside, log = outputs.log:gsub("Rosalind Weatherby", ""), outputs.log
    outputs.log = inside
    assert_without(outputs, personal, "personal")
    outputs.log = log
    assert.matches("nobody takes this down: Rosalind Weatherby, [card], [phone], [mail], [ssn], [key]", log, 1, true)
    assert.matches("gas%-leak", outputs.webhooks) -- it was told of, all the same
    assert.matches('"type":"turn"', outputs.stream)
  end)

  it("is not what a machine's own operator reads either, and no key is anywhere", function()
    outputs = outputs or collect()
    local own = collect_own()
    assert.matches("could not note My card is [card]", own.dump, 1, true)
    for name, text in pairs(own) do
      assert_clean(text, name)
    end
    key_words[#key_words + 1] = token
    assert_without(outputs, key_words, "a key")
    assert_without(own, key_words, "a key")
    local words = {}
    for _, word in ipairs(key_words) do
      if word ~= keys.RINGDOWN_SECRET then
        words[#words + 1] = "-e " .. proc.quote(word)
      end
    end
    assert.equal("", proc.run(("LC_ALL=C grep -raoF %s %s/data || true"):format(table.concat(words, " "), open.folder)))
  end)
end)
