-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local json = require "ringdown.json"
local tool = require "ringdown.tool"

local ran

local function personal(verify)
  local t = tool { name = "balance", about = "What is owed.", effect = "read", verify = verify,
    run = function(call)
      ran = ran + 1
      return { owed = 12, verified = call.verified }
    end }
  return t
end

local function define(verify, rule)
  complaints.start("x")
  local def = agent { name = "x", greeting = "Hello.", prompt = "Help.", tools = { personal(verify) }, verify = rule }
  return def, complaints.text()
end

local by_postcode = {
  ask = { "postcode" },
  check = function(call, answers)
    assert(call.caller.number)
    return answers.postcode == "SW1A 1AA"
  end,
}

local function call_with(verify, rule)
  local def, wrong = define(verify, rule)
  assert.equal("", wrong)
  ran = 0
  return fake.call { agent = def }
end

describe("a tool that tells something personal", function()
  it("does nothing until the caller has shown who they are", function()
    local call = call_with(true, by_postcode)
    assert.matches("Ask for: postcode. Then call verify_caller.", call:tool("balance").refused, 1, true)
    assert.equal(0, ran)
    assert.matches("does not match", call:tool("verify_caller", { postcode = "E1" }).refused)
    assert.matches("Ask for", call:tool("balance").refused)
    assert.is_true(call:tool("verify_caller", { postcode = "SW1A 1AA" }).verified)
    assert.same({ owed = 12, verified = true }, call:tool "balance")
  end)

  it("is tried again when nobody could check the answer: that was no wrong one", function()
    local down = true
    local call = call_with(true, { ask = { "postcode" }, check = function(_, answers)
      assert(not down, "the database is down")
      return answers.postcode == "E1"
    end })
    for _ = 1, 3 do
      assert.is_true(call:tool("verify_caller", { postcode = "E1" }).failed)
    end
    down = false
    assert.is_true(call:tool("verify_caller", { postcode = "E1" }).verified)
  end)

  it("is not guessed by several answers at once", function()
    local call = call_with(true, { ask = { "postcode" }, check = function(_, answers)
      coroutine.yield()
      return answers.postcode == "E9"
    end })
    local tries, outputs = {}, {}
    for i = 6, 9 do
      tries[i] = coroutine.create(function()
        outputs[i] = call.session:tool("verify_caller", ('{"postcode":"E%d"}'):format(i))
      end)
      coroutine.resume(tries[i])
    end
    assert.matches("still being checked", outputs[9])
    for i = 6, 8 do
      coroutine.resume(tries[i])
    end
    assert.matches("could not be verified", outputs[8])
    assert.matches("could not be verified", call:tool("verify_caller", { postcode = "E9" }).refused)
    assert.is_falsy(call.session.call.verified)
  end)

  it("gives three attempts, and no more even with the right answer", function()
    local call = call_with(true, by_postcode)
    for i = 1, 3 do
      call:tool("verify_caller", { postcode = "E" .. i })
    end
    assert.matches("could not be verified", call:tool("verify_caller", { postcode = "SW1A 1AA" }).refused)
    assert.matches("could not be verified", call:tool("balance").refused)
    assert.equal(0, ran)
  end)

  it("shows the model what to ask", function()
    local call = call_with(true, { ask = { birthday = "date of birth" }, check = print })
    local shown = json.decode(call.brief.tools_json)[2]
    assert.equal("verify_caller", shown.name)
    assert.matches("date of birth", shown.parameters.properties.birthday.description)
  end)

  it("may decide by itself", function()
    local call = call_with(function(c) return c.caller.number == "+1", "only for us" end)
    assert.equal("only for us", call:tool("balance").refused)
    call = call_with(function() return true end)
    assert.equal(12, call:tool("balance").owed)
  end)

  it("asks nothing where the agent says nothing, if it is made so", function()
    assert.equal(12, call_with("if_declared"):tool("balance").owed)
    assert.matches("Ask for", call_with("if_declared", by_postcode):tool("balance").refused)
  end)

  it("needs an agent that says how", function()
    local _, wrong = define(true)
    assert.matches("tools[1]: tool balance demands a verified caller; add verify", wrong, 1, true)
    _, wrong = define(true, { ask = {}, check = print })
    assert.matches("verify.ask: must name what the caller is asked", wrong, 1, true)
    _, wrong = define(true, { ask = { "Post code" }, check = print })
    assert.matches("verify.ask[1]: is no name", wrong, 1, true)
    _, wrong = define "always"
    assert.matches("verify: must be true", wrong)
  end)
end)
