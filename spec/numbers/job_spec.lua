-- SPDX-License-Identifier: Apache-2.0
-- What a request begins and nobody waits for: a row in the database, and an operation that goes on with it.
local host = require "ringdown.fake.host"
local jobs = require "ringdown.jobs"
local world = require "spec.numbers.world"

local A, B = "+13125550100", "+13125550101"
local OURS = "https://calls.example.com/twilio/voice"

describe("a job", function()
  local operated

  before_each(function()
    world.begin { A, B }
    world.sql("delete from jobs", {})
    operated = {}
    host.node = { operate = function(kind, payload)
      operated[#operated + 1] = kind .. " " .. payload
      return true
    end }
  end)
  after_each(function()
    jobs.kinds.lent, package.loaded["spec.lent"], host.node = nil, nil, nil
  end)
  teardown(world.finish)

  local function lend(run)
    jobs.kinds.lent, package.loaded["spec.lent"] = "spec.lent", { run = run }
    return jobs.begin("lent", { book = 7 }, "ann")
  end

  it("switches numbers for whoever asked, and says how far it is", function()
    local job = jobs.begin("numbers", { action = "switch", to = "ringdown", numbers = { A } }, "ann", "11")
    assert.same({ ('job {"job":%d}'):format(job) }, operated)
    assert.equal("waiting", jobs.one(tostring(job)).state)
    assert.equal("ann", jobs.one(tostring(job), "11").who)
    assert.is_nil(jobs.one(tostring(job), "12"))
    jobs.run { job = job }
    assert.equal(OURS, world.fields(A).voice_url)
    local shown = jobs.one(tostring(job))
    assert.same({ "done", false, 1 }, { shown.state, shown.result.failed, shown.result.counts.verified })
    assert.matches("goes to ringdown, verified", shown.lines[#shown.lines - 2].text)
    assert.matches("The next call to this number is answered here", shown.lines[#shown.lines].text)
    local rows = world.sql("select who from audit where what = 'number_switch' order by id desc limit 1", {})
    assert.same({ { "ann" } }, rows)
    assert.same({ taken = false }, jobs.run { job = job }) -- once
  end)

  it("tells why it failed, and a mistake of ours the log as well", function()
    local refused = lend(function() error("Twilio is gone", 0) end)
    jobs.run { job = refused }
    assert.same({ "failed", "Twilio is gone" }, { jobs.one(tostring(refused)).state, jobs.one(tostring(refused)).why })
    local broken = lend(function() error "attempt to index a nil value" end)
    assert.error_matches(function() jobs.run { job = broken } end, "attempt to index")
    assert.equal("failed", jobs.one(tostring(broken)).state)
  end)

  it("keeps the last of what it told, and is lost when nothing is heard of it", function()
    local job = lend(function(about, tell)
      for i = 1, 230 do
        tell { text = ("%d of book %d"):format(i, about.book), progress = tostring(i) }
      end
    end)
    jobs.run { job = job }
    local shown = jobs.one(tostring(job))
    assert.same({ 200, "31 of book 7", "230 of book 7", "230" }, { #shown.lines, shown.lines[1].text,
      shown.lines[200].text, shown.progress })
    assert.is_nil(jobs.list({ limit = 5 })[1].lines)
    world.sql("update jobs set state = 'running', ended_at = null, told_at = now() - interval '2 hours'", {})
    assert.equal("lost", jobs.one(tostring(job)).state)
  end)

  it("is not begun where nothing would go on with it", function()
    host.node.operate = function() return nil, "no room", "failed" end
    assert.error_matches(function() lend(function() end) end, "too much is being done at once %(no room%)")
    assert.equal("it was not begun: no room", jobs.list({ limit = 1 })[1].why)
    host.node = nil
    assert.error_matches(function() lend(function() end) end, "this process does not serve calls")
  end)
end)
