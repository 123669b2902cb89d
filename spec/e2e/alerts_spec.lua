-- SPDX-License-Identifier: Apache-2.0
-- takes: 60 s
-- Who hears of an emergency that nobody takes, and of a database that is away: a real mail server and a webhook server.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"

local SECRET = "sixteen letters and more"

local agent = [[
local agent = require "ringdown.agent"
return agent {
  name = "gas-alone", numbers = { "+13125550264" }, greeting = "Northside Plumbing, how can I help?",
  prompt = "You are friendly.", people = { on_call = { "+13125550186" } },
  emergencies = { { id = "gas-leak", severity = "life", any = { "smell gas", "gas leak" },
    say = "Leave the building now.",
    transfer = "on_call" } },
}
]]

describe("whom alerts are told to", function()
  local n, mails, hooks, deaf, placed

  setup(function()
    mails, hooks, deaf = receiver.mail {}, receiver.hook {}, receiver.hook { script = "hang" }
    n = node.start { agents = { ["gas-alone.lua"] = agent }, env = {
      SMTP_URL = "smtp://127.0.0.1:" .. mails.port, SMTP_FROM = "alerts@example.com",
      RINGDOWN_ALERT_CHANNELS = json.encode {
        { name = "deaf", kind = "webhook", url = ("http://127.0.0.1:%d/"):format(deaf.port), secret = SECRET },
        { name = "ops", kind = "mail", to = { "ops@example.com" } },
        { name = "desk", kind = "webhook", url = ("http://127.0.0.1:%d/alerts"):format(hooks.port),
          secret = SECRET } } } }
    placed = n:place { scenarios = { "smells-gas-nobody" } }
  end)

  teardown(function()
    if n then
      n:stop()
    end
    for _, r in ipairs { mails, hooks, deaf } do
      r:stop()
    end
  end)

  local function telling(r, words)
    return proc.wait_for(function()
      for _, one in ipairs(r:got()) do
        if (one.subject and one.subject .. "\n" .. one.text or one.body):find(words, 1, true) then
          return one
        end
      end
    end, 40)
  end

  local function hmac(text)
    local file = os.tmpname()
    proc.write(file, text)
    local said = proc.run(("openssl dgst -sha256 -hmac %s %s"):format(proc.quote(SECRET), file))
    os.remove(file)
    return said:match "(%x+)%s*$"
  end

  it("hear of an emergency within ten seconds, though one of them hangs", function()
    local mail, hook = telling(mails, "an emergency was found"), telling(hooks, "emergency_unanswered")
    local alarm = pg.query(n.database,
      "select subject as call, extract(epoch from opened_at)::float as at from alerts")[1]
    local opened, call = alarm.at, alarm.call
    assert.is_true(mail.at - opened <= 10, mail.at - opened)
    assert.is_true(hook.at - opened <= 10, hook.at - opened)
    placed:wait()
    assert.same({ "ops@example.com" }, mail.rcpt_tos)
    assert.is_truthy(mail.text:find("ringdown why " .. call, 1, true))
    local body = json.decode(hook.body)
    assert.equal("gas-alone", body.alerts[1].agent)
    assert.equal("ringdown why " .. call, body.alerts[1].why)
    local at, v1 = hook.headers["x-ringdown-signature"]:match "^t=(%d+),v1=(%x+)$"
    assert.equal(hmac(at .. "." .. hook.body), v1)
    assert.is_true(#deaf:got() >= 1)
  end)

  it("can be looked at and answered by command", function()
    local said = n:ringdown("alerts", "list")
    local id = said:match "(%d+) +firing +page +emergency_unanswered"
    assert.is_string(id, said)
    local text, code = n:ringdown("alerts", "ack", id, "--reason", "calling back")
    assert.equal(0, code, text)
    text, code = n:ringdown("alerts", "test", "desk")
    assert.equal(0, code, text)
    assert.is_truthy(telling(hooks, '"status":"test"'))
    assert.matches("acknowledged by", n:ringdown("alerts", "list"))
  end)

  it("hear from the node itself that the database is away, of nothing that follows from it, and when it is back",
    function()
    pg.crash()
    local mail, hook = telling(mails, "PostgreSQL cannot be reached"), telling(hooks, "database_down")
    assert.is_table(mail)
    assert.matches("^%[FIRING page%]", mail.subject)
    assert.is_table(hook)
    pg.start()
    assert.is_table(telling(mails, "[over page] PostgreSQL"))
    n:wait_shipped()
    proc.sleep(5) -- a look and more: who told it already does not tell it again
    local about, others = 0, {}
    for _, one in ipairs(mails:got()) do
      if one.subject:find("PostgreSQL", 1, true) then
        about = about + 1
      elseif not one.subject:find("an emergency was found", 1, true) then -- may come twice around an outage, never less
        others[#others + 1] = one.subject
      end
    end
    assert.equal(2, about)
    assert.same({}, others)
  end)
end)
