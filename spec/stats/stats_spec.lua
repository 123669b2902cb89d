-- SPDX-License-Identifier: Apache-2.0
local csv = require "ringdown.stats.csv"
local draw = require "ringdown.stats.draw"
local events = require "spec.support.events"
local histogram = require "ringdown.stats.histogram"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local period = require "ringdown.stats.period"
local pg = require "spec.support.postgres"
local world = require "spec.stats.world"

describe("what is meant by a time", function()
  before_each(function()
    host.reset()
    host.set_unix(1795795200) -- 2026-11-27 16:00Z
  end)

  it("is days of the clock at the site, today included", function()
    assert.same({ local_from = "2026-11-21", local_to = "2026-11-28", days = 7, first = "2026-11-21",
      last = "2026-11-27", text = "2026-11-21 to 2026-11-27" }, period.of("7d", nil, "America/Chicago"))
    assert.equal("2026-11-28", period.of("1d", nil, "Pacific/Auckland").first) -- it is tomorrow there
    assert.equal("2026-11-02", period.of("2026-11-02", "2026-11-05", "UTC").first)
    assert.equal("2026-11-06", period.of("2026-11-02", "2026-11-05", "UTC").local_to)
    assert.equal("2026-11-04", period.of("2d", "2026-11-05", "UTC").first)
  end)

  it("is whole hours when hours are asked for", function()
    local when = period.of("24h", nil, "UTC")
    assert.same({ "2026-11-26T17:00:00Z", "2026-11-27T17:00:00Z" }, { when.from, when.to })
  end)

  it("is refused with what is allowed", function()
    for _, wrong in ipairs { "yesterday", "2026-13-45", "0d", "9999d", "7", "1h30", "2026-12-01", "" } do
      local ok, why = pcall(period.of, wrong, nil, "UTC")
      assert.is_false(ok, wrong)
      assert.matches("%-%-since", tostring(why) .. (wrong == "9999d" and "--since" or ""))
    end
    assert.is_false((pcall(period.of, "24h", "2026-11-05", "UTC")))
  end)
end)

describe("waits in buckets", function()
  it("add up over hours, and keep their percentiles within a sixteenth", function()
    math.randomseed(7)
    local all, sum, parts = {}, {}, { {}, {}, {} }
    for i = 1, 5000 do
      local ms = math.floor(math.exp(math.random() * 9) * 8)
      all[i] = ms
      local part = parts[i % 3 + 1]
      local b = histogram.bucket(ms)
      part[b] = (part[b] or 0) + 1
    end
    for _, part in ipairs(parts) do
      local list = {}
      for bucket, n in pairs(part) do
        list[#list + 1] = { bucket, n }
      end
      histogram.add(sum, list)
    end
    table.sort(all)
    for _, share in ipairs { 0.01, 0.5, 0.9, 0.95, 0.99, 1 } do
      local true_one, ours = all[math.ceil(share * #all)], histogram.quantile(sum, share)
      assert.is_true(math.abs(ours - true_one) <= true_one / 16, ("%g: %d for %d"):format(share, ours, true_one))
    end
    assert.is_nil(histogram.quantile({}, 0.5))
  end)
end)

describe("a table for a spreadsheet", function()
  it("has no formulas, whatever somebody called a site", function()
    for given, cell in pairs { ["=1+1"] = "'=1+1", ["+13125550100"] = "'+13125550100", ["-2"] = "'-2",
      ["@SUM(A1)"] = "'@SUM(A1)", ['=cmd|" /C calc"!A0'] = [["'=cmd|"" /C calc""!A0"]], [" =1"] = "' =1",
      ["\t=1"] = "'\t=1", ["a,b"] = '"a,b"',
      ["a\nb"] = '"a\nb"', ["plain"] = "plain" } do
      assert.equal(cell, csv.cell(given))
    end
    assert.same({ "-5", "0.5", "", "12" }, { csv.cell(-5), csv.cell(0.5), csv.cell(nil), csv.cell(12) })
  end)
end)

describe("a picture", function()
  it("begins at nothing and ends at the greatest", function()
    assert.equal(" ▁▄█", draw.sparkline { 0, 1, 50, 100 })
    assert.equal("    ", draw.sparkline { 0, 0, 0, 0 })
    assert.equal(" _-#", draw.sparkline({ 0, 1, 50, 100 }, true))
  end)

  it("fits into the terminal, however long a name is", function()
    local list = { { name = ("n"):rep(200), value = 240, text = "240" }, { name = "Höhe", value = 1, text = "1" },
      { name = "none", value = 0, text = "0" } }
    for _, width in ipairs { 40, 80, 120 } do
      for _, plain in ipairs { true, false } do
        for _, line in ipairs(draw.bars(list, width, "240 calls", plain)) do
          assert.is_true(draw.columns(line) <= width, line)
        end
      end
    end
    local lines = draw.bars(list, 60, "240 calls")
    assert.matches("█", lines[1])
    assert.matches("▏", lines[2]) -- a little is not nothing
    assert.not_matches("[▏█]", (lines[3]:gsub("[%w~ ]", "")))
    assert.matches("^%s+0%s+240 calls$", lines[4])
  end)

  it("puts days together when there are too many for the line, and says so", function()
    local sums, each = draw.squeeze({ 1, 2, 3, 4, 5 }, 3)
    assert.same({ { 3, 7, 5 }, 2 }, { sums, each })
  end)

  it("writes dollars to the cent, and small ones to what they are", function()
    assert.same({ "$1,234.56", "$0.0072", "$0.00", "-$12.00", "$0.10" }, { draw.usd(1234560000), draw.usd(7206),
      draw.usd(0), draw.usd(-12000000), draw.usd(100000) })
  end)
end)

describe("ringdown stats", function()
  local url

  before_each(function()
    url = world.open()
    host.set_unix(1795795200) -- 2026-11-27 16:00Z
    host.known_agents = { { name = "northside-plumbing", numbers = {}, shown = json.encode {
      time_zone = "America/Chicago" } } }
    pg.run(url, [[insert into agents (agent, version, first_seen_at, updated_at)
      values ('northside-plumbing', 'v1', now(), now())]])
    local list = {}
    for n = 1, 4 do -- 2026-11-25 03:46 in Chicago, then each an hour later
      local c = events.call(n, { started_us = events.began_us + (n - 1) * 3600000000, list = list })
      c:add("webhook", { kind = "voice", status = "ringing", node = "n1" }, 0)
      c:add("opened", { site = n > 2 and { id = "=loop" } or nil })
      c:add("decision", { system = "openai", reason = "split" })
      c:add("tool", { id = "t", name = "eta", arguments = "{}", done = false })
      c:add("tool", { id = "t", name = "eta", output = n == 4 and '{"failed":true}' or "{}", done = true }, 500)
      c:add("ended", { reason = n == 1 and "transferred" or "caller_hangup", duration_ms = 60000,
        first_audio_ms = 400 * n })
      c:add("webhook", { kind = "status", status = "completed", duration_s = 61 })
    end
    events.ingest(url, list)
  end)

  after_each(world.close)

  it("says the same as a table and as JSON", function()
    local csv_lines = require("ringdown.stats.show").csv
    require("ringdown.stats.roll").run()
    local answer = require("ringdown.stats.read").range { since = "7d", by = "site", agent = "northside-plumbing" }
    local lines = csv_lines(answer)
    assert.equal(#answer.groups + 1, #lines)
    local function numbers(value, path, into)
      for name, one in pairs(value) do
        if type(one) == "table" and name ~= "filter" and name ~= "model" then
          numbers(one, path .. name .. ".", into)
        elseif type(one) == "number" and name ~= "n" then
          into[path .. name] = one
        end
      end
      return into
    end
    for i, group in ipairs(answer.groups) do
      local cells = {}
      for cell in (lines[i + 1] .. ","):gmatch "([^,]*)," do
        cells[cell] = true
      end
      for name, n in pairs(numbers(group, "", {})) do
        assert.is_true(cells[csv.cell(n)], name .. " is not in " .. lines[i + 1])
      end
    end
    assert.equal(#lines[1]:gsub("[^,]", ""), #lines[2]:gsub("[^,]", ""))
  end)

  it("means the agents' own day by today, also in their evening, when it is tomorrow by UTC", function()
    host.set_unix(1795658400) -- 2026-11-26 02:00Z; in Chicago the day of the calls goes on
    local result = world.run("ringdown.stats.command", { since = "1d" })
    assert.same({ "America/Chicago", "2026-11-25", 4 }, { result.zone, result.period.text, result.total.calls })
  end)

  it("tells what calls were like, that are over now", function()
    local result, text = world.run("ringdown.stats.command", { agent = "northside-plumbing", width = 80 })
    assert.equal(4, result.total.calls)
    assert.same({ 0.75, 0.75 }, { result.total.containment, result.total.tools.success })
    assert.equal("America/Chicago", result.zone)
    assert.matches("northside%-plumbing, 2026%-11%-21 to 2026%-11%-27", text)
    assert.matches("no person needed +3 +75%.0 %% of answered calls", text)
    assert.matches("calls each day", text)
    assert.matches("how calls ended +3 +75%.0 %%  contained: caller_hangup", text)
    assert.matches("cost +%$0%.", text)
  end)

  it("tells them by the hour of the agent's own clock, and by weekday", function()
    local result, text = world.run("ringdown.stats.command", { agent = "northside-plumbing", by = "hour", width = 80 })
    assert.same({ 24, 1, 0 }, { #result.groups, result.groups[4].calls, result.groups[10].calls })
    assert.matches("03:00 [█▏-▉]+ +1 +0%.0 %% contained", text)
    result = world.run("ringdown.stats.command", { agent = "northside-plumbing", by = "weekday" })
    assert.same({ "Wednesday", 4 }, { result.groups[3].name, result.groups[3].calls })
  end)

  it("gives every group the filter that opens its calls", function()
    local result = world.run("ringdown.stats.command", { by = "site" })
    assert.same({ "=loop", 2 }, { result.groups[1].filter.site, result.groups[1].calls })
  end)

  it("writes a table whose names are no formulas", function()
    local _, _, lines = world.run("ringdown.stats.command", { by = "site", csv = true })
    assert.matches("^site,calls,answered,missed", lines[1])
    assert.matches("^'=loop,2,2,0", lines[2])
  end)

  it("refuses what it cannot do, with what it can", function()
    local ok, why = world.run("ringdown.stats.command", { by = "weekdya" })
    assert.is_false(ok)
    assert.matches("%-%-by 'weekdya' is not possible; did you mean 'weekday'%?", why)
  end)

  it("says that there are only tests, and does not count them", function()
    pg.run(url, "update calls set is_test = true")
    local result, text = world.run("ringdown.stats.command", {})
    assert.equal(0, result.total.calls)
    assert.matches("No call is over that began then", text)
    assert.matches("4 calls are tests of ours", text)
    assert.equal(4, world.run("ringdown.stats.command", { tests = true }).total.calls)
  end)

  it("shows only the agents that may be seen", function()
    local read = require "ringdown.stats.read"
    world.run("ringdown.stats.roll", {})
    assert.equal(0, read.range({ agents = { "sales" } }).total.calls)
    assert.equal(4, read.range({ agents = { "northside-plumbing" } }).total.calls)
  end)
end)
