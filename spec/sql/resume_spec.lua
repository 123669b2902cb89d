-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

local CALL = ("CA%032x"):format(1)

-- A call in the middle: greeted, a tool that answered, one that did not.
local function half_a_call()
  local c = events.call(1)
  c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1", account = "AC1" }, 0)
  c:add("decision", { system = "openai", reason = "default", version = "v7" }, 5)
  c:add("state", { state = "live" }, 300)
  c:add("notice", { text = "You are speaking with an AI." })
  c:add("turn", { seq = 1, role = "agent", text = "How can I help?" })
  c:add("vars", { vars = { zip = "", booked = false } })
  c:add("turn", { seq = 2, role = "caller", text = "A plumber at nine" })
  c:add("tool", { id = "t1", name = "eta", arguments = "{}", done = false })
  c:add("tool", { id = "t1", name = "eta", output = '{"minutes":35}', done = true })
  c:add("tool", { id = "t2", name = "book_visit", arguments = '{"time":"09:00"}', done = false })
  c:add("vars", { vars = { zip = "60614", booked = false } })
  return c
end

describe("a call whose node is gone", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  local function adopt(ask, after_s)
    local all = { call = CALL, node = "n2", cause = "node_lost", to = "+13125550100", account = "AC1" }
    for name, value in pairs(ask or {}) do
      all[name] = value or nil
    end
    local rows = pg.query(url, ("select adopt_call(%s, now() + %d * interval '1 second') as a")
      :format(pg.literal(json.encode(all)), after_s or 0))
    return type(rows[1].a) == "string" and json.decode(rows[1].a) or rows[1].a
  end

  it("goes on with another one, which knows all that was kept", function()
    local c = half_a_call()
    events.outcomes(url, c.list)
    local got = adopt()
    assert.same({ "northside-plumbing", "+13125550142", "+13125550100", "n1", 1, true },
      { got.agent, got.from, got.to, got.from_node, got.attempt, got.noticed })
    assert.same({ zip = "60614", booked = false }, got.vars)
    assert.same({ "agent", "caller" }, { got.history[1].role, got.history[2].role })
    assert.same({ "eta", '{"minutes":35}' }, { got.history[3].tool, got.history[3].output })
    assert.equal("book_visit", got.history[4].tool)
    assert.is_true(got.history[4].output == nil or type(got.history[4].output) ~= "string")
    assert.is_true(got.epoch > c.epoch)
    assert.equal(events.began_us, got.started_us)
    assert.equal("n2", pg.query(url, "select node from calls")[1].node)
  end)

  it("is refused when it is unknown, over, or somebody else's", function()
    assert.equal("unknown", adopt().refused)
    local c = half_a_call()
    events.outcomes(url, c.list)
    assert.equal("foreign", adopt({ to = "+13125550199" }).refused)
    assert.equal("foreign", adopt({ account = "AC2" }).refused)
    events.outcomes(url, { c:add("ended", { reason = "caller_hangup" }) })
    assert.equal("ended", adopt().refused)
  end)

  it("is not over because its stream broke, but because the carrier says so", function()
    local c = half_a_call()
    c:add("ended", { reason = "carrier_lost" })
    events.outcomes(url, c.list)
    assert.equal(1, adopt().attempt)
    events.outcomes(url, { c:add("webhook", { kind = "status", status = "completed" }) })
    assert.equal("ended", adopt({ node = "n3" }, 10).refused)
  end)

  it("goes to one of two that ask at once, and at most three times within a minute", function()
    events.outcomes(url, half_a_call().list)
    local first = adopt()
    assert.equal("taken", adopt({ node = "n3" }, 1).refused)
    local second = adopt({ node = "n3" }, 10)
    assert.equal(2, second.attempt)
    assert.is_true(second.epoch > first.epoch)
    assert.equal(3, adopt({ node = "n2" }, 20).attempt)
    assert.equal("too_often", adopt({ node = "n3" }, 30).refused)
    assert.equal(1, adopt({ node = "n3" }, 100).attempt)
  end)

  it("goes to whom its stream reaches, also when it was promised or reached by another one just before", function()
    events.outcomes(url, half_a_call().list)
    assert.equal(1, adopt().attempt)
    assert.is_truthy(adopt({ node = "n3", cause = "stream_elsewhere" }, 1).epoch) -- promised by n2 a second ago
    assert.equal("taken", adopt({ node = "n1", cause = "stream_elsewhere" }, 1).refused) -- one stream is one
    assert.equal(2, adopt({ node = "n2" }, 2).attempt) -- n3 died; the carrier asks how it goes on
  end)

  it("has one stream for each address, on whichever node, and no more than three of them elsewhere", function()
    events.outcomes(url, half_a_call().list)
    local function stream(node, nonce, s)
      return adopt({ node = node, cause = "stream_elsewhere", nonce = nonce }, s)
    end
    pg.query(url, ("select stream_begins('%s', 'a1')"):format(CALL)) -- it came to whom it was promised
    assert.equal("used", stream("n2", "a1", 1).refused)
    assert.equal("n1", pg.query(url, "select node from calls")[1].node)
    assert.is_truthy(stream("n2", "a2", 2).epoch)
    assert.equal("used", stream("n3", "a2", 10).refused)
    assert.equal("used", stream("n2", "a2", 11).refused)
    assert.is_truthy(stream("n3", "a3", 12).epoch)
    assert.is_truthy(stream("n2", "a4", 20).epoch)
    assert.equal("too_often", stream("n3", "a5", 30).refused)
    assert.equal(1, adopt({}, 31).attempt) -- how it goes on is another question
  end)

  it("is its owner's again when who took it had no room", function()
    events.outcomes(url, half_a_call().list)
    local function give_back(node)
      return pg.query(url, ("select give_back_call('{\"call\":\"%s\",\"node\":\"%s\",\"process\":7}') as done")
        :format(CALL, node))[1].done
    end
    local before = pg.query(url, "select node, node_epoch, process from calls")
    assert.is_false(give_back "n2")
    assert.is_truthy(adopt({ process = 7, cause = "stream_elsewhere", nonce = "a1" }).epoch)
    assert.is_false(give_back "n1")
    assert.is_true(give_back "n2")
    assert.same(before, pg.query(url, "select node, node_epoch, process from calls"))
    assert.equal(0, #pg.query(url, "select 1 from adoptions"))
    -- to somebody with room
    local got = adopt({ process = 7, node = "n3", cause = "stream_elsewhere", nonce = "a1" }, 1)
    local c = events.call(1)
    c.epoch = got.epoch
    events.outcomes(url, { c:add("resumed", { reason = "stream_elsewhere", node = "n3" }) })
    assert.is_false(give_back "n3") -- it was taken, and kept something
  end)

  it("is not told in more words than who takes it has room for", function()
    local c = half_a_call()
    for i = 3, 190 do
      c:add("turn", { seq = i, role = "caller", text = ("%d \1"):format(i) .. ("\1"):rep(3990) })
    end
    events.outcomes(url, c.list)
    local got = adopt()
    assert.is_true(#json.encode(got) < 1024 * 1024)
    assert.is_true(#got.history > 10)
    assert.matches("^190 ", got.history[#got.history].text)
  end)

  it("is asked for by who had it, however long ago it was taken", function()
    events.outcomes(url, half_a_call().list)
    local function lost(node, epoch)
      return pg.query(url, ("select epoch, status from calls_lost('%s', '{\"%s\":%d}')"):format(node, CALL, epoch))
    end
    assert.same({}, lost("n1", events.began_us))
    local got = adopt({}, -3600)
    assert.same({ ("%d"):format(got.epoch) }, { lost("n1", events.began_us)[1].epoch })
    assert.same({}, lost("n2", got.epoch))
    local told = events.node "n1" -- what the carrier tells whomever it reaches
    events.outcomes(url, { told:add("webhook", { kind = "status", status = "canceled", call = CALL }) })
    assert.same({ { epoch = "-", status = "canceled" } }, lost("n2", got.epoch))
  end)

  it("has its open emergency followed by who takes it", function()
    local c = half_a_call()
    c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open", words = "I smell gas" })
    c:add("triage_step", { rule = "gas-leak", step = 1, kind = "text", target = "+13125550188", state = "asked" })
    events.outcomes(url, c.list)
    local open = adopt().emergencies
    assert.equal(1, #open)
    assert.same({ "gas-leak", 1, true }, { open[1].rule, open[1].steps, open[1].resumed })
  end)

  it("remembers nothing any more when its words are to be forgotten", function()
    local c = half_a_call()
    events.outcomes(url, c.list)
    pg.run(url, "update calls set words_gone_at = now()")
    events.outcomes(url, { c:add("vars", { vars = { zip = "1" } }) })
    assert.equal(1, #pg.query(url, "select 1 from calls where vars is null"))
  end)
end)
