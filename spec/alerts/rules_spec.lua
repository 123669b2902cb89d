-- SPDX-License-Identifier: Apache-2.0
-- An operator's file: what it may say, and every mistake with its line.
local fake = require "ringdown.fake.host"
local rules = require "ringdown.alerts.rules"

local function by_name(list)
  local out = {}
  for _, rule in ipairs(list) do
    out[rule.name] = rule
  end
  return out
end

describe("alert rules", function()
  before_each(fake.reset)

  local function load_file(text)
    fake.rules_path, fake.rules_text = "alerts.lua", text
    return rules.load()
  end

  it("that are shipped are right, say what they mean and where it stands what to do", function()
    local list, mistakes = rules.load()
    assert.same({}, mistakes)
    assert.is_true(#list >= 13)
    for _, rule in ipairs(list) do
      assert.matches("^docs/troubleshooting.md#[a-z-]+$", rule.runbook)
      assert.is_true(#rule.about > 20)
    end
    local life = by_name(list).emergency_unanswered
    assert.same({ "page", true, 0 }, { life.severity, life.at_once, life.for_ms })
  end)

  it("are changed, left out and added by name", function()
    local list, mistakes = load_file [[
      return {
        change = { cost_per_hour = { above = 5, back_at = 4, severity = "page" }, no_calls = false },
        rules = { { name = "mine", about = "mine", severity = "info", sql = "select 1 as value", above = 0,
          for_at_least = "5m", muted_by = { "provider_down" } } } }]]
    assert.same({}, mistakes)
    local known = by_name(list)
    assert.same({ 5, 4, "page", 3600000 }, { known.cost_per_hour.above, known.cost_per_hour.back_at,
      known.cost_per_hour.severity, known.cost_per_hour.repeat_ms })
    assert.is_nil(known.no_calls)
    assert.same({ 300000, 86400000, 4000 }, { known.mine.for_ms, known.mine.repeat_ms, known.mine.every_ms })
    assert.equal("docs/troubleshooting.md#mine", known.mine.runbook)
  end)

  it("that are wrong are told all at once, each with its line, and count as if they were not there", function()
    local list, mistakes = load_file [[
return {
  change = {
    cost_per_hor = { above = 5 },
    failed_calls = { above = 0.01, sevrity = "page" },
  },
  rules = {
    { name = "mine", about = "x", severity = "loud", sql = "select 1 as value", above = 0 },
    { name = "Nine", about = "x", severity = "info", alarms = { "x" } },
    { name = "both", about = "x", severity = "info", alarms = { "x" }, sql = "select 1 as value" },
    { name = "none", about = "x", severity = "info", sql = "select 1 as value" },
    { name = "drift", about = "x", severity = "info", alarms = { "x" } },
    { name = "long", about = "x", severity = "info", alarms = { "x" }, for_at_least = "soon",
      muted_by = { "drft" } },
    { name = "sql", about = "x", severity = "info", sql = "delete from calls; select 1", above = 0 },
    { name = "window", about = "x", severity = "info", sql = "select $1 as value", above = 0 },
  },
  rule = {},
}]]
    assert.same({
      "alerts.lua:3: change.cost_per_hor: there is no such rule; did you mean 'cost_per_hour'?",
      "alerts.lua:4: change.failed_calls.back_at: must be on the quiet side of the value at which it fires",
      "alerts.lua:4: change.failed_calls.sevrity: unknown key; did you mean 'severity'?",
      "alerts.lua:6: rules: long: muted_by: there is no rule 'drft'; did you mean 'drift'?",
      'alerts.lua:7: rules[1].severity: "loud" is unknown; allowed: page, ticket, info',
      'alerts.lua:8: rules[2].name: "Nine" is not a name; use small letters, digits and _',
      "alerts.lua:9: rules[3]: must have either 'alarms' or 'sql'",
      "alerts.lua:10: rules[4]: must have either 'above' or 'below', the value at which it fires",
      "alerts.lua:11: rules[5].name: there is a rule of this name; give it another, or use change = { drift = { … } }",
      'alerts.lua:12: rules[6].for_at_least: "soon" is no duration; write it like "500ms", "4s" or "10m"',
      "alerts.lua:14: rules[7].sql: must have a column named value",
      "alerts.lua:15: rules[8]: its sql has $1: 'window' is missing",
      "alerts.lua:17: rule: unknown key; did you mean 'rules'?",
    }, (function()
      local out = {}
      for i, mistake in ipairs(mistakes) do
        out[i] = mistake:gsub("(%?) allowed:.*", "%1")
      end
      return out
    end)())
    assert.equal(#rules.load(), #list)
    assert.is_number(by_name(list).failed_calls.above)
  end)

  it("that do not run say where", function()
    local _, mistakes = load_file "return {\n  rules = {\n"
    assert.matches("^alerts.lua:%d: .*expected", mistakes[1])
    _, mistakes = load_file "\nlocal x = nil + 1\nreturn {}"
    assert.matches("^alerts.lua:2: attempt to perform arithmetic", mistakes[1])
    _, mistakes = load_file "return 5"
    assert.equal("alerts.lua:1: must return a table, as in return { rules = { … }, change = { … } }", mistakes[1])
    fake.rules_text = nil
    _, mistakes = rules.load()
    assert.equal("alerts.lua: cannot be read: No such file or directory", mistakes[1])
  end)

  it("reach nothing but words and numbers", function()
    for _, what in ipairs { "require", "os", "io", "debug", "load", "getmetatable", "setmetatable", "rawset", "_G" } do
      local _, broken = load_file(("return { x = %s() }"):format(what))
      assert.matches("attempt to call a nil value", broken[1])
    end
    local _, mistakes = load_file "string.format = nil return {}"
    assert.matches("libraries cannot be changed", mistakes[1])
  end)

  it("take the warnings that somebody must do something about", function()
    local look = require "ringdown.alerts.look"
    for _, kind in ipairs { "disk.low", "journal.old", "clock.wrong", "twilio.balance", "openai.rate_limit",
      "openai.concurrency", "notice.given_up", "alerts.rules", "alerts.channels", "heartbeat.failed", "synthetic.held",
      "certificate.expires", "model.shutdown", "agents.broken", "database.upkeep" } do
      local n = 0
      for _, seen in pairs(look.by_rule(rules.load(), { { kind = kind, subject = "", severity = "warning" } })) do
        n = n + #seen
      end
      assert.equal(1, n, kind)
    end
  end)
end)
