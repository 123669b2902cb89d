-- SPDX-License-Identifier: Apache-2.0
-- takes: 50 s
-- Gas leaks, from the caller's words to a person who has the caller or answers a text, or to nobody; drills; and who
-- hears that nobody took one.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"

local SECRET = "sixteen letters and more"

local function agent(name, number, people)
  return ([[
local agent = require "ringdown.agent"
return agent {
  name = "%s", numbers = { "%s" }, greeting = "Northside Plumbing, how can I help?", prompt = "You are friendly.",
  people = { on_call = { "%s", "%s" } },
  emergencies = {
    { id = "gas-leak", severity = "life", any = { "smell gas", "gas leak" }, say = "Leave the building now.",
      transfer = "on_call", text = { to = "on_call", body = "GAS LEAK {{caller.number}}: {{match.words}}" } },
  },
}
]]):format(name, number, people[1], people[2])
end

describe("an emergency", function()
  local n, placed, reports, calls = nil, nil, {}, {}
  local mails, hooks, deaf

  setup(function()
    mails, hooks, deaf = receiver.mail {}, receiver.hook {}, receiver.hook { script = "hang" }
    n = node.start { env = {
      SMTP_URL = "smtp://127.0.0.1:" .. mails.port, SMTP_FROM = "alerts@example.com",
      RINGDOWN_ALERT_CHANNELS = json.encode {
        { name = "deaf", kind = "webhook", url = ("http://127.0.0.1:%d/"):format(deaf.port), secret = SECRET },
        { name = "ops", kind = "mail", to = { "ops@example.com" } },
        { name = "desk", kind = "webhook", url = ("http://127.0.0.1:%d/alerts"):format(hooks.port),
          secret = SECRET } } }, agents = {
      ["gas.lua"] = agent("gas", "+13125550261", { "+13125550188", "+13125550189" }),
      ["gas-texts.lua"] = agent("gas-texts", "+13125550263", { "+13125550184", "+13125550185" }),
      ["gas-alone.lua"] = agent("gas-alone", "+13125550262", { "+13125550186", "+13125550187" }),
    } }
    placed = n:place { scenarios = { "smells-gas", "smells-gas-alone", "smells-gas-texts" } }
    local _, all = placed:wait()
    for _, report in ipairs(all) do
      reports[report.scenario], calls[report.scenario] = report, report.call
    end
  end)

  teardown(function()
    n.own_sim:keep_frames()
    if n then
      n:stop()
    end
    for _, r in ipairs { mails, hooks, deaf } do
      r:stop()
    end
  end)

  local function rows(sql, scenario)
    local list
    proc.wait_for(function()
      list = pg.query(n.database, sql:gsub("CALL", calls[scenario]))
      return #list > 0
    end, 20)
    return list
  end

  it("has the caller spoken to and dialled through, past a voicemail, to who presses 1", function()
    assert.equal("", reports["smells-gas"].why)
    local match = rows("select * from triage_matches where call = 'CALL' and state = 'handled'", "smells-gas")
    assert.equal(1, #match)
    assert.equal("on_call 2", match[1].handled_by)
    assert.matches("I smell gas in the kitchen", match[1].words)
  end)

  it("is one emergency, however often it is said, and each step of it is kept", function()
    assert.equal(1, #rows("select * from triage_matches where call = 'CALL'", "smells-gas"))
    local steps = rows("select * from triage_steps where call = 'CALL' order by step", "smells-gas")
    local seen = {}
    for _, step in ipairs(steps) do
      seen[#seen + 1] = ("%s %s %s"):format(step.kind, step.target or "-", step.state)
    end
    local told = table.concat(seen, "\n")
    assert.matches("say %- asked\ntransfer %+13125550188 asked", told)
    assert.matches("text %+13125550188 asked", told)
    assert.matches("transfer %+13125550188 no_answer\ntransfer %+13125550189 asked", told)
    assert.matches("transfer %+13125550189 confirmed", told)
  end)

  it("is told by `ringdown why`, step by step", function()
    local said = n:ringdown("why", calls["smells-gas"])
    assert.matches("emergency gas%-leak %(life, found by rule%): handled by on_call 2", said)
    assert.matches("emergency transfer %+13125550189 confirmed", said)
  end)

  it("is handled by who answers the text, asked at once because the first one's was not delivered", function()
    assert.equal("", reports["smells-gas-texts"].why)
    local match = rows("select * from triage_matches where call = 'CALL' and state = 'handled'", "smells-gas-texts")
    assert.equal("on_call 2", match[1].handled_by)
    local steps = rows("select * from triage_steps where call = 'CALL' and kind = 'text' order by step",
      "smells-gas-texts")
    local seen = {}
    for i, step in ipairs(steps) do
      seen[i] = ("%s %s %s"):format(step.target, step.state, step.detail or "")
    end
    assert.same({ "+13125550184 asked ", "+13125550184 failed not delivered: 30006", "+13125550185 asked ",
      "+13125550185 confirmed " }, seen)
    local texts = rows("select * from texts where call = 'CALL' and kind = 'emergency' and segments = 1",
      "smells-gas-texts")
    assert.is_true(#texts >= 2)
  end)

  describe("that is rehearsed", function()
    local said, code, phones

    setup(function()
      phones = n:phones { people = {
        ["+13125550186"] = { answers = "voicemail", text = 30006 },
        ["+13125550187"] = { answers = "human", after = "1s", presses = "1" },
      } }
      said, code = n:ringdown("drill", "gas-alone", "gas-leak", "--yes")
      n:wait_shipped()
    end)

    teardown(function()
      phones:stop()
    end)

    it("asks whoever is on call, and ends when somebody presses 1", function()
      assert.equal(0, code, said)
      assert.matches("at once +on_call 1 %(%+1%*+86%)\n +after 60 s +on_call 2", said)
      assert.matches("on_call 1 [^\n]*is texted\n.*on_call 1 [^\n]*: not delivered: 30006\n"
        .. ".*the phone of on_call 2", said)
      assert.matches("on_call 2 [^\n]*pressed 1\nConfirmed by on_call 2 after", said)
    end)

    it("tells them that it is a drill, in every word", function()
      local texts = {}
      for _, event in ipairs((phones:events "text.created")) do
        if not event.body:find("13125550182", 1, true) then -- of the caller whom nobody took, and still in need
          assert.matches("^DRILL", event.body)
          table.insert(texts, event)
        end
      end
      assert.is_true(#texts >= 2)
    end)

    it("is in the audit, and no emergency", function()
      local audit = pg.query(n.database, "select * from audit where what like 'drill%' order by at")
      assert.same({ "drill", "drill_over" }, { audit[1].what, audit[2].what })
      assert.equal("gas-alone gas-leak", audit[2].subject)
      assert.equal(3, #pg.query(n.database, "select * from triage_matches"))
    end)

    it("knows what was meant when there is no such rule", function()
      local what, failed = n:ringdown("drill", "gas-alone", "gas-leek", "--yes")
      assert.equal(1, failed)
      assert.matches("has no rule 'gas%-leek'.*did you mean 'gas%-leak'", what)
    end)
  end)

  it("that nobody takes brings the caller back to the agent, with an alarm", function()
    assert.equal("", reports["smells-gas-alone"].why)
    local alarm = rows("select * from alerts where subject = 'CALL' and kind = 'emergency.unanswered'",
      "smells-gas-alone")
    assert.equal("critical", alarm[1].severity)
    assert.matches("gas%-leak: nobody took the caller", alarm[1].text)
    assert.equal("open", rows("select * from triage_matches where call = 'CALL'", "smells-gas-alone")[1].state)
  end)

  describe("that nobody takes is told", function()
    local function told(r, words)
      return proc.wait_for(function()
        for _, one in ipairs(r:got()) do
          if (one.subject and one.subject .. "\n" .. one.text or one.body):find(words, 1, true) then
            return one
          end
        end
      end, 20)
    end

    local function hmac(text)
      local file = os.tmpname()
      proc.write(file, text)
      local said = proc.run(("openssl dgst -sha256 -hmac %s %s"):format(proc.quote(SECRET), file))
      os.remove(file)
      return said:match "(%x+)%s*$"
    end

    it("to whoever must know within ten seconds, though one of them hangs", function()
      local call = calls["smells-gas-alone"]
      local mail, hook = told(mails, "ringdown why " .. call), told(hooks, "ringdown why " .. call)
      local opened = rows("select extract(epoch from opened_at)::float as at from alerts where subject = 'CALL'",
        "smells-gas-alone")[1].at
      assert.is_true(mail.at - opened <= proc.promised(10), mail.at - opened)
      assert.is_true(hook.at - opened <= proc.promised(10), hook.at - opened)
      assert.same({ "ops@example.com" }, mail.rcpt_tos)
      assert.matches("an emergency was found in a call, and nobody has taken it yet", mail.subject)
      local body = json.decode(hook.body)
      assert.equal("emergency_unanswered", body.rule)
      local at, v1 = hook.headers["x-ringdown-signature"]:match "^t=(%d+),v1=(%x+)$"
      assert.equal(hmac(at .. "." .. hook.body), v1)
      assert.is_true(#deaf:got() >= 1)
    end)

    it("until somebody looks after it", function()
      local id = n:ringdown("alerts", "list"):match "(%d+) +firing +page +emergency_unanswered"
      local text, code = n:ringdown("alerts", "ack", id, "--reason", "calling back")
      assert.equal(0, code, text)
      assert.matches("acknowledged by", n:ringdown("alerts", "list"))
    end)
  end)
end)
