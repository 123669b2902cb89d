-- SPDX-License-Identifier: Apache-2.0
-- The examples for Prometheus and Grafana use numbers that there are, and only those; so do the guides.
local json = require "cjson"
local promtool = require "spec.support.promtool"

local function text_of(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- By name: "counter", "gauge", "histogram", and the labels.
local function metrics()
  local known = {}
  for name, kind, labels in text_of "docs/metrics.md":gmatch "\n| `([%w_]+)` | (%w+) | ([^|]+) |" do
    known[name] = { kind = kind, labels = labels }
  end
  return known
end

local function metric_of(known, name)
  local base, part = name:match "^(.-)_(bucket)$"
  if not base then base, part = name:match "^(.-)_(sum)$" end
  if not base then base, part = name:match "^(.-)_(count)$" end
  if known[name] then
    return known[name]
  end
  local found = part and known[base]
  return found and found.kind == "histogram" and found or nil
end

-- Whatever looks like a number of ours in an expression.
local function used(text)
  local names = {}
  for name in text:gmatch "%f[%w_:]([%a_][%w_:]*)" do
    if name:find "^ringdown_" or name:find "^process_" then
      names[name] = true
    end
  end
  return names
end

local function unknown(text)
  local known, missing = metrics(), {}
  for name in pairs(used(text)) do
    if not metric_of(known, name) then
      missing[#missing + 1] = name
    end
  end
  table.sort(missing)
  return missing
end

-- Each `name{…}`: its labels must be the metric's, or Prometheus' own.
local function wrong_labels(text)
  local known, wrong = metrics(), {}
  local own = { instance = true, job = true, le = true }
  for name, inside in text:gmatch "([%a_][%w_]*){([^}]*)}" do
    local metric = metric_of(known, name)
    for label in inside:gmatch '([%w_]+)%s*[=!]~?"?' do
      local there = metric and metric.labels:find("%f[%w_]" .. label .. "%f[^%w_]")
      if metric and not own[label] and not there then
        wrong[#wrong + 1] = name .. "." .. label
      end
    end
  end
  return wrong
end

local function pending_without_promtool()
  if not promtool.path() then
    pending "promtool is not there: scripts/setup --tests"
    return true
  end
end

describe("docs/metrics.md", function()
  it("says of each number what it tells and what to do when it moves", function()
    local n = 0
    for row in text_of "docs/metrics.md":gmatch "\n(| `[^\n]+)" do
      local name, kind, _, unit, tells, act =
        row:match "^| `([%w_]+)` | (%w+) | ([^|]+) | ([^|]+) | ([^|]+) | (.+) |$"
      assert.is_string(name, row)
      assert.is_true(#tells > 10 and #act > 5, row)
      assert.is_truthy(name:find "_total$" == nil or kind == "counter", name)
      assert.is_truthy(kind ~= "counter" or name:find "_total$", name)
      assert.is_truthy(not (unit == "seconds" or unit == "bytes") or name:find("_" .. unit), name .. " in " .. unit)
      n = n + 1
    end
    assert.is_true(n > 50, n .. " rows")
  end)

  it("names commands that there are", function()
    local commands = text_of "runtime/cli/cli.c"
    for name in text_of "docs/metrics.md":gmatch "`ringdown (%a+)" do
      assert.is_truthy(commands:find('{"' .. name .. '",', 1, true), "ringdown " .. name)
    end
  end)
end)

describe("examples/prometheus", function()
  local rules = text_of "examples/prometheus/ringdown.rules.yml"

  it("asks for numbers and labels that there are", function()
    assert.same({}, unknown(rules))
    assert.same({}, wrong_labels(rules))
  end)

  it("would notice one that is gone", function()
    assert.same({ "ringdown_calls_totals" }, unknown "rate(ringdown_calls_totals[5m])")
    assert.same({ "ringdown_turn_latency_seconds" .. "_max" }, unknown "ringdown_turn_latency_seconds_max")
    assert.same({ "ringdown_calls_total.call" }, wrong_labels 'ringdown_calls_total{call="CA1"}')
  end)

  it("says of each alert how urgent it is and what to do", function()
    for alert, text in rules:gmatch "%- alert: (%w+)(.-)\n%s+%- " do
      assert.is_truthy(text:find "severity: page" or text:find "severity: ticket", alert)
    end
    local _, alerts = rules:gsub("%- alert:", "")
    local _, remedies = rules:gsub("\n%s+remedy:", "")
    local _, summaries = rules:gsub("\n%s+summary:", "")
    assert.equal(alerts, remedies)
    assert.equal(alerts, summaries)
  end)

  it("is what Prometheus reads, and its rules fire when they should", function()
    if pending_without_promtool() then return end
    for _, words in ipairs { "check config examples/prometheus/prometheus.yml",
      "check rules examples/prometheus/ringdown.rules.yml",
      "test rules examples/prometheus/ringdown.rules_test.yml" } do
      local said, code = promtool.run(words)
      assert.equal(0, code, said)
    end
  end)
end)

describe("examples/grafana/ringdown.json", function()
  local board = json.decode(text_of "examples/grafana/ringdown.json")

  local function each_panel(run)
    for _, panel in ipairs(board.panels) do
      if panel.type ~= "row" then run(panel) end
    end
  end

  it("asks for numbers and labels that there are", function()
    each_panel(function(panel)
      for _, target in ipairs(panel.targets) do
        assert.same({}, unknown(target.expr), panel.title)
        assert.same({}, wrong_labels(target.expr), panel.title)
      end
    end)
    for _, variable in ipairs(board.templating.list) do
      assert.same({}, unknown(variable.query), variable.name)
    end
  end)

  it("has a title, a unit and a word of explanation on every panel, and no two in one place", function()
    local ids, places = {}, {}
    each_panel(function(panel)
      local at = panel.gridPos.x .. "," .. panel.gridPos.y
      assert.is_true(#panel.title > 0 and #panel.description > 0)
      assert.is_string(panel.fieldConfig.defaults.unit, panel.title)
      assert.is_nil(ids[panel.id], panel.title)
      assert.is_nil(places[at], panel.title)
      ids[panel.id], places[at] = true, true
      for _, target in ipairs(panel.targets) do
        assert.is_true(#target.legendFormat > 0, panel.title)
      end
    end)
  end)

  it("shows seconds as seconds and dollars as dollars", function()
    each_panel(function(panel)
      local text = panel.targets[1].expr
      local unit = text:find "_seconds_bucket" and "s" or text:find "_usd_" and "currencyUSD" or nil
      if unit then assert.equal(unit, panel.fieldConfig.defaults.unit, panel.title) end
    end)
  end)

  it("asks in words that Prometheus understands", function()
    if pending_without_promtool() then return end
    local rules = { "groups:", "  - name: board", "    rules:" }
    each_panel(function(panel)
      for i, target in ipairs(panel.targets) do
        local expr = target.expr:gsub("%$__rate_interval", "5m"):gsub("%$%w+", ".*")
        rules[#rules + 1] = ("      - record: board:panel_%d_%d"):format(panel.id, i)
        rules[#rules + 1] = "        expr: " .. json.encode(expr)
      end
    end)
    local said, code = promtool.run("check rules /dev/stdin", table.concat(rules, "\n") .. "\n")
    assert.equal(0, code, said)
  end)
end)
