-- SPDX-License-Identifier: Apache-2.0
-- The table of rules in docs/alerts.md is that of the rules; the ways to verify a signature are right.
local fake = require "ringdown.fake.host"
local formats = require "ringdown.alerts.formats"
local rules = require "ringdown.alerts.rules"

local PAGE = "docs/alerts.md"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function duration(ms)
  local s = ms // 1000
  return s % 3600 == 0 and ("%d h"):format(s // 3600) or s % 60 == 0 and ("%d min"):format(s // 60)
    or ("%d s"):format(s)
end

local function condition(rule)
  if rule.alarms then
    return rule.alarms[1] == "*" and "any other alarm that is critical" or "alarm `" .. table.concat(rule.alarms,
      "`, `") .. "`"
  end
  local text = ("%s %s"):format(rule.above and "above" or "below", formats.value(rule.above or rule.below, rule.unit))
  return text .. (rule.back_at and (", until %s"):format(formats.value(rule.back_at, rule.unit)) or "")
    .. (rule.window and (" within %s"):format(duration(rule.window)) or "")
    .. (rule.min_sample and (", of %d and more"):format(rule.min_sample) or "")
end

local function made()
  local lines = { "| rule | severity | fires when | for | muted by | what it means |", "|---|---|---|---|---|---|" }
  for _, rule in ipairs(rules.load()) do
    lines[#lines + 1] = ("| `%s` | %s | %s | %s | %s | %s |"):format(rule.name,
      rule.severity .. (rule.at_once and ", at once" or ""),
      condition(rule), rule.for_ms > 0 and duration(rule.for_ms) or "–",
      rule.muted_by and "`" .. table.concat(rule.muted_by, "`, `") .. "`" or "–", rule.about)
  end
  return table.concat(lines, "\n")
end

describe("docs/alerts.md", function()
  before_each(fake.reset)

  it("has the rules that there are (RINGDOWN_WRITE_DOCS=1 writes them)", function()
    local text = read(PAGE)
    local head, table_text, tail = text:match "^(.-<!%-%- made of [^\n]*\n)(.-)(\n<!%-%- end.*)$"
    assert.is_string(head)
    if os.getenv "RINGDOWN_WRITE_DOCS" then
      local file = assert(io.open(PAGE, "w"))
      file:write(head, made(), tail)
      file:close()
      table_text = made()
    end
    assert.equal(made(), table_text)
  end)

  it("has an example file that is right", function()
    local text = read(PAGE):match "```lua\n(%-%- alerts.lua\n.-)```"
    fake.rules_path, fake.rules_text = "alerts.lua", text
    local _, mistakes = rules.load()
    assert.same({}, mistakes)
  end)

  it("verifies signatures as they are made", function()
    local python = read(PAGE):match "```python\n(.-)```"
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(python, ([[

body, secret = b'{"a":1}', b"sixteen letters!"
at = str(int(time.time()))
good = hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
print(genuine("t=%%s,v1=%%s" %% (at, good), body, secret), genuine("t=%%s,v1=%%s" %% (at, good), body + b" ", secret),
      genuine("t=1,v1=" + hmac.new(secret, b"1." + body, hashlib.sha256).hexdigest(), body, secret))
]]):format())
    file:close()
    local pipe = assert(io.popen("/usr/bin/python3 " .. path .. " 2>&1"))
    local said = pipe:read "a"
    pipe:close()
    os.remove(path)
    assert.equal("True False False\n", said)
  end)
end)
