-- SPDX-License-Identifier: Apache-2.0
-- takes: 23 s
-- What happened in a call is in PostgreSQL: all of it, once, in order, and the books of the two doubles
-- agree with it.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

local function one(url, sql)
  return pg.query(url, sql)[1]
end

describe("what is kept of calls", function()
  local sim, n, watch, reports, by_scenario

  setup(function()
    sim = sims.start()
    n = node.start { agents = "spec/e2e/agents", sim = sim }
    watch = n:watch()
    local ok
    ok, reports = n:call { scenarios = { "small-talk", "late-words", "keypad" } }
    assert.is_true(ok, json.encode(reports))
    watch:wait_for_ends(3)
    by_scenario = {}
    for _, report in ipairs(reports) do
      by_scenario[report.scenario] = report
    end
    assert.is_true(n:wait_shipped())
  end)

  teardown(function()
    watch:stop()
    local complaints = {} -- but for the call to a number that nobody has
    for _, line in ipairs(n:complaints()) do
      if not line:find("reason=no_agent", 1, true) then
        table.insert(complaints, line)
      end
    end
    assert.same({}, complaints)
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
  end)

  it("is every event that was told live, once and in its order", function()
    for _, report in ipairs(reports) do
      local live, kept = {}, {}
      for _, event in ipairs(watch:events()) do
        if event.call == report.call then
          table.insert(live, event.type)
        end
      end
      local rows = pg.query(n.database, ([[select seq, type from call_events where stream = %s and type not in
        ('webhook', 'decision', 'opened', 'input', 'vars') order by epoch, seq]]):format(pg.literal(report.call)))
      for _, row in ipairs(rows) do
        table.insert(kept, row.type)
      end
      assert.same(live, kept)
      local count = one(n.database, ([[select count(*) as n, max(seq) as last, count(distinct epoch) as epochs
        from call_events where stream = %s]]):format(pg.literal(report.call)))
      assert.equal(count.last, count.n) -- no number is missing
      assert.equal(1, count.epochs)
    end
  end)

  it("is what was said, as the caller heard it", function()
    for _, report in ipairs(reports) do
      local live, kept = {}, {}
      for _, turn in ipairs(watch:turns(report.call)) do
        table.insert(live, turn.role .. ": " .. turn.text)
      end
      for _, row in ipairs(pg.query(n.database, ("select role, heard from turns where call = %s order by epoch, seq")
        :format(pg.literal(report.call)))) do
        table.insert(kept, row.role .. ": " .. row.heard)
      end
      assert.same(live, kept)
      assert.is_true(#kept > 0)
    end
    local cut = one(n.database, ("select heard, said from turns where call = %s and interrupted"):format(
      pg.literal(by_scenario["late-words"].call)))
    assert.is_true(#cut.said > #cut.heard)
    assert.equal(cut.heard, cut.said:sub(1, #cut.heard))
  end)

  it("says who decided what, and how the call ended", function()
    local call = one(n.database, ("select agent, system, reason, state, ended_reason, status, duration_ms from calls "
      .. "where call = %s"):format(pg.literal(by_scenario["small-talk"].call)))
    assert.equal("front-desk", call.agent)
    assert.equal("openai", call.system)
    assert.equal("ended", call.state)
    assert.equal("agent_hangup", call.ended_reason)
    assert.equal("completed", call.status)
    assert.is_true(call.duration_ms > 5000)
  end)

  it("has the bill the model told, response by response", function()
    local told = { text_in = 0, audio_in = 0, text_out = 0, audio_out = 0, bills = 0 }
    for _, fact in ipairs(sim:facts "response_done") do
      local u = fact.usage
      told.text_in = told.text_in + u.input_token_details.text_tokens
      told.audio_in = told.audio_in + u.input_token_details.audio_tokens
      told.text_out = told.text_out + u.output_token_details.text_tokens
      told.audio_out = told.audio_out + u.output_token_details.audio_tokens
      told.bills = told.bills + 1
    end
    local kept = one(n.database, [[select sum(text_in) as text_in, sum(audio_in) as audio_in, sum(text_out) as text_out,
      sum(audio_out) as audio_out, count(*) as bills from usage where kind = 'response']])
    assert.same(told, kept)
    assert.is_true(told.audio_out > 0)
    for _, row in ipairs(pg.query(n.database, "select micro_usd, reason from call_costs")) do
      assert.is_nil(row.reason)
      assert.is_true(row.micro_usd > 0)
    end
  end)

  it("is explained by `why`, found by words, and told in dollars", function()
    local sid = by_scenario["small-talk"].call
    local why, code = n:ringdown("why", sid, "--json")
    assert.equal(0, code)
    assert.equal(sid, why.call.call)
    assert.equal("voice", why.webhooks[1].kind)
    assert.equal("openai", why.decisions[1].system)
    assert.equal("live", why.states[2].state)
    assert.is_true(why.cost.micro_usd > 0)
    local text = n:ringdown("why", sid)
    assert.matches("decision  openai: ", text, 1, true)
    assert.matches("cost  0%.%d+ %$", text)
    assert.matches("audio_out", text, 1, true)
    assert.matches("micro_usd", json.encode((n:ringdown("cost", sid, "--json"))))
    local word = one(n.database, ([[select substring(heard from '[a-z]{5,}') as word from turns
      where call = %s and heard ~ '[a-z]{5,}' limit 1]]):format(pg.literal(sid))).word
    local hits, found = n:ringdown("calls", "--search", word, "--json"), false
    for _, hit in ipairs(hits) do
      found = found or hit.call == sid
    end
    assert.is_true(found, word)
    assert.matches("Nobody said that", (n:ringdown("calls", "--search", word, "--before", "2020-01-01")))
    local said, refused = n:ringdown("calls", "--search", word, "--before", "soonish")
    assert.equal(1, refused)
    assert.matches("a TIME is written 2026", said)
    local unknown, failed = n:ringdown("why", "CA00000000000000000000000000000000")
    assert.equal(1, failed)
    assert.matches("nothing is known", unknown)
  end)

  it("has a row for a call that was refused, and for one that nobody here knows", function()
    local refused = node.voice_form { To = "+13125550199" }
    assert.equal(200, n:post_signed("/twilio/voice", refused).status)
    local stranger = node.voice_form { CallStatus = "completed", CallDuration = "12" }
    for _ = 1, 2 do -- and the same again: recorded, answered, nothing else
      assert.equal(200, n:post_signed("/twilio/status", stranger).status)
    end
    assert.is_true(n:wait_shipped())
    local call = one(n.database, "select system, reason, from_number, fix from calls where call = "
      .. pg.literal(refused.CallSid))
    assert.equal("fallback", call.system)
    assert.equal("no_agent", call.reason)
    assert.equal("+13125550142", call.from_number)
    assert.is_truthy(call.fix)
    local heard = one(n.database, "select count(*) as n from call_events where type = 'webhook' and body ->> 'call' = "
      .. pg.literal(stranger.CallSid))
    assert.equal(2, heard.n)
  end)

  it("forgets a caller who asks for it, and says where it does not reach", function()
    local sid = by_scenario["late-words"].call
    local theirs = pg.literal(sid)
    local from = one(n.database, "select from_number from calls where call = " .. theirs).from_number
    local ours, refused = n:ringdown("erase", "--caller", "+13125550100", "--yes")
    assert.equal(2, refused)
    assert.matches("not a caller", ours, 1, true)
    assert.matches("Nothing was erased", (n:ringdown("erase", "--caller", from)), 1, true)
    assert.is_true(one(n.database, "select count(*) as n from turns where heard <> '' and call = " .. theirs).n > 0)
    local text, code = n:ringdown("erase", "--caller", from, "--yes")
    assert.equal(0, code, text)
    for _, who in ipairs { "Twilio", "OpenAI", "Vapi", "other nodes", "backups", "agents' hosts" } do
      assert.matches("\n  " .. who, text, 1, true)
    end
    assert.equal(0, one(n.database, "select count(*) as n from turns where heard <> '' and call = " .. theirs).n)
    assert.equal(0, one(n.database, ("select count(*) as n from call_events where body::text like '%%%s%%'")
      :format(from)).n)
    local left = one(n.database, "select from_number, duration_ms, erased_at from calls where call = " .. theirs)
    assert.equal("erased", left.from_number)
    assert.is_true(left.duration_ms > 0)
    proc.write(n.folder .. "/data/journal/1790000000000000-1.db.damaged", "who knows who is in it")
    text, code = n:ringdown("erase", "--caller", from, "--yes")
    assert.equal(1, code)
    assert.matches("1 damaged file put aside", text, 1, true)
  end)
end)
