-- SPDX-License-Identifier: Apache-2.0
-- takes: 43 s
-- A caller who was left on an open line is hung up exactly once, however Twilio's API misbehaves
-- meanwhile. What happened is read in the network's own books.
local node = require "spec.e2e.support.node"
local sims = require "spec.e2e.support.sim"

-- The fault of the first hang-up, and the requests that must follow: each with its fault.
local faults = {
  { "429", "GET well, POST 429, POST well" },
  { "500", "GET well, POST 500, GET well, POST well" },
  { "503", "GET well, POST 503, GET well, POST well" },
  { "lost", "GET well, POST lost, GET well" },
  { "timeout", "GET well, POST timeout, GET well" },
  { "get-503,get-lost", "GET 503, GET lost, GET well, POST well" },
}

describe("when Twilio's API misbehaves, a caller who was left on the line", function()
  local sim
  local results = {}

  setup(function()
    sim = sims.start()
    for _, fault in ipairs(faults) do
      results[fault[1]] = { node = node.launch { agents = "spec/e2e/agents", sim = sim } }
    end
    for _, r in pairs(results) do
      r.node:wait_ready()
    end
    for name, r in pairs(results) do
      r.placed = r.node:place { scenarios = { "left-on-the-line", "somebody-else" },
        rest_fault = "stall," .. name }
    end
    for _, r in pairs(results) do
      r.ok, r.reports, r.events = r.placed:wait()
    end
  end)

  teardown(function()
    for _, r in pairs(results) do
      assert.equal(0, r.node:stop())
    end
    assert.equal(0, sim:stop())
  end)

  local function report_of(r)
    for _, report in ipairs(r.reports) do
      if report.scenario == "left-on-the-line" then
        return report
      end
    end
    error(r.reports.text)
  end

  local function requests(r, call)
    local list = {}
    for _, event in ipairs(r.events) do
      if event.ev == "rest.request" and event.call == call then
        list[#list + 1] = event.method .. " " .. event.fault
      end
    end
    return table.concat(list, ", ")
  end

  for _, fault in ipairs(faults) do
    it("is hung up exactly once: " .. fault[1], function()
      local r = results[fault[1]]
      local report = report_of(r)
      assert.equal("", report.why)
      assert.equal("agent", report.ended_by)
      assert.equal(1, report.rest_updates)
      assert.equal(fault[2], requests(r, report.call))
      assert.same({}, r.node:log "watchdog.not_ended")
    end)
  end
end)
