-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
local retry = require "ringdown.retry"

-- An attempt that goes through these outcomes, and how often it was made.
local function script(outcomes)
  local made = 0
  return function()
    made = made + 1
    local outcome = outcomes[made] or outcomes[#outcomes]
    if type(outcome) == "table" then
      return nil, outcome.why or "it failed", outcome
    end
    return outcome
  end, function() return made end
end

local function no(more)
  local failure = { again = true, happened = "no", target = "unknown" }
  for key, value in pairs(more or {}) do failure[key] = value end
  return failure
end

local function maybe()
  return { again = true, happened = "unknown", target = "failed", why = "no answer" }
end

describe("trying again", function()
  before_each(host.reset)

  it("waits longer each time and stops when it works", function()
    local attempt, made = script { no(), no(), "done" }
    assert.equal("done", retry.run { target = "x", attempt = attempt })
    assert.equal(3, made())
    assert.same({ 200, 400 }, host.naps)
    assert.same({ "x unknown", "x unknown", "x worked" }, host.told)
  end)

  it("gives up after so many attempts, and says why and with which code", function()
    local attempt, made = script { no { code = 20429 } }
    assert.same({ nil, "it failed", 20429 }, { retry.run { target = "x", attempt = attempt } })
    assert.equal(4, made())
  end)

  it("waits as long as the peer asks, or not at all", function()
    local attempt = script { no { after_ms = 7000 }, "done" }
    assert.equal("done", retry.run { target = "x", attempt = attempt })
    assert.same({ 7000 }, host.naps)
    local late, made = script { no { after_ms = 60000 }, "done" }
    assert.is_nil((retry.run { target = "x", attempt = late }))
    assert.equal(1, made())
  end)

  it("does not repeat what fails for good", function()
    local attempt, made = script { { again = false, happened = "no", code = 20404, target = "worked" } }
    assert.same({ nil, "it failed", 20404 }, { retry.run { target = "x", attempt = attempt } })
    assert.equal(1, made())
    assert.same({ "x worked" }, host.told)
  end)

  it("never repeats what may have happened", function()
    local attempt, made = script { maybe(), "done" }
    assert.same({ nil, "no answer", "unknown" }, { retry.run { target = "x", attempt = attempt } })
    assert.equal(1, made())
  end)

  it("repeats it when doing it twice is as good as once", function()
    local attempt, made = script { maybe(), maybe(), "done" }
    assert.equal("done", retry.run { target = "x", attempt = attempt, idempotent = true })
    assert.equal(3, made())
  end)

  it("reads back first: it happened", function()
    local attempt, made = script { maybe(), "done twice" }
    assert.equal("as read", retry.run { target = "x", attempt = attempt,
      read_back = function() return "as read" end })
    assert.equal(1, made())
  end)

  it("reads back first: it did not", function()
    local attempt, made = script { maybe(), "done" }
    assert.equal("done", retry.run { target = "x", attempt = attempt, read_back = function() return false end })
    assert.equal(2, made())
  end)

  it("reads back first: nobody knows", function()
    local attempt, made = script { maybe(), "done" }
    assert.same({ nil, "no answer; and reading back: no answer either", "unknown" }, { retry.run {
      target = "x", attempt = attempt, read_back = function() return nil, "no answer either" end } })
    assert.equal(1, made())
  end)

  it("reads back after the last attempt too: it may have worked", function()
    local attempt, made = script { maybe() }
    local asked = 0
    assert.equal("as read", retry.run { target = "x", attempt = attempt, read_back = function()
      asked = asked + 1
      return asked == 4 and "as read"
    end })
    assert.equal(4, made())
  end)

  it("does not ask a target that was given up", function()
    host.given_up.x = 1500
    local attempt, made = script { "done" }
    local value, why, code = retry.run { target = "x", attempt = attempt }
    assert.is_nil(value)
    assert.equal("x failed several times a moment ago and is not asked for now", why)
    assert.equal("given_up", code)
    assert.equal(0, made())
    assert.equal(1500, host.naps[1])
  end)
end)
