-- SPDX-License-Identifier: Apache-2.0
-- What alerts point to is there, the commands it names exist, each symptom is produced by a test that is there (or by a
-- command that is written down), and no code that is bad enough to wake somebody is missing.
local shipped = require "ringdown.alerts.shipped"

local PAGE = "docs/troubleshooting.md"

local function read(path)
  local file <close> = assert(io.open(path), path .. " is not there")
  return file:read "a"
end

-- Paragraphs and list items as one line each.
local function unwrapped(text)
  return (text:gsub("\n  +", " "))
end

-- { name =, codes = { CODE = true }, seen = text?, by_hand = text? }, in the page's order.
local function chapters(text)
  local list, current = {}, nil
  for line in (unwrapped(text) .. "\n"):gmatch "([^\n]*)\n" do
    local name = line:match "^## (%S+)$"
    if name then
      current = { name = name, codes = {} }
      list[#list + 1] = current
    elseif current then
      current.seen = current.seen or line:match "^%- Seen in: (.+)$"
      current.by_hand = current.by_hand or line:match "^%- By hand: (.+)$"
      for code in (line:match "^%- Codes: (.+)$" or ""):gmatch "`([%w_.]+)`" do
        current.codes[code] = true
      end
    end
  end
  return list
end

local function source_of(name)
  local module, noun = name:match "^unit%.([%w_]+)%.([%w_]+)$"
  return module and ("runtime/tests/unit/%s/test_%s.c"):format(module, noun) or name
end

-- Is it there, and is it run? A function that main() forgot produces nothing.
local function has_test(text, name)
  local _, times = text:gsub("%f[%w_]" .. name .. "%f[^%w_]", "")
  return times >= 2
end

local function has_sentence(text, words)
  for _, call in ipairs { "it(", "describe(", "describe((" } do
    if text:find(call .. '"' .. words, 1, true) then
      return true
    end
  end
  return false
end

-- What is wrong with the proofs of a chapter: lines.
local function gaps_of(chapter)
  local gaps, n, path, text = {}, 0, nil, nil
  for mark, words in (chapter.seen or ""):gmatch '([`"])(.-)%1' do
    if mark == "`" and not words:find "^test_" then
      path = source_of(words)
      text = read(path)
    else
      n = n + 1
      local there = text and (mark == '"' and has_sentence(text, words) or mark == "`" and has_test(text, words))
      if not there then
        gaps[#gaps + 1] = ("%s: %s has no %s"):format(chapter.name, path or "nothing", words)
      end
    end
  end
  if n == 0 and not (chapter.by_hand and chapter.by_hand:find "`[^`]+`") then
    gaps[#gaps + 1] = chapter.name .. ": no test and no command produces it"
  end
  return gaps
end

-- Codes of docs/errors.md (which is the catalogue, printed) that are as bad as that.
local function critical()
  local list = {}
  for line in read "docs/errors.md":gmatch "[^\n]+" do
    local code, severity = line:match "^| `([^`]+)` |.*| (%l+) | [%l ]+ |$"
    if severity == "critical" then
      list[#list + 1] = code
    end
  end
  return list
end

describe(PAGE, function()
  local text = read(PAGE)
  local list = chapters(text)

  local function chapter_of(name)
    for _, chapter in ipairs(list) do
      if chapter.name == name then
        return chapter
      end
    end
  end

  it("has a chapter for each shipped rule, with the alarms that it is about", function()
    for _, rule in ipairs(shipped.rules) do
      local chapter = chapter_of((rule.name:gsub("_", "-")))
      assert.is_table(chapter, rule.name)
      for _, kind in ipairs(rule.alarms or {}) do
        assert.is_true(kind == "*" or chapter.codes[kind] == true, ("%s does not name %s"):format(chapter.name, kind))
      end
    end
  end)

  it("names commands that there are, as docs/operations.md does", function()
    local known = read "runtime/cli/cli.c"
    for command in (text .. read "docs/operations.md"):gmatch "`ringdown (%l+)" do
      assert.truthy(known:find('{"' .. command .. '"', 1, true), command)
    end
  end)

  it("names for each symptom the test that produces it, or the command", function()
    assert.is_true(#list > 20, "the page was not understood")
    local gaps = {}
    for _, chapter in ipairs(list) do
      for _, gap in ipairs(gaps_of(chapter)) do
        gaps[#gaps + 1] = gap
      end
    end
    assert.equal("", table.concat(gaps, "\n"))
  end)

  it("has every code that is critical, and none that is not in the catalogue", function()
    local codes, errors, missing = {}, read "docs/errors.md", {}
    for _, chapter in ipairs(list) do
      for code in pairs(chapter.codes) do
        codes[code] = true
        assert.truthy(errors:find("| `" .. code .. "` |", 1, true), code .. " is not in docs/errors.md")
      end
    end
    local all = critical()
    assert.is_true(#all > 100, "docs/errors.md was not understood")
    for _, code in ipairs(all) do
      if not codes[code] then
        missing[#missing + 1] = code
      end
    end
    assert.equal("", table.concat(missing, ", "))
  end)

  it("would notice a symptom without a proof, and a test that is not there", function()
    local bad = chapters [[
## a
It hurts.

## b
It hurts.
- Seen in: `spec/docs/troubleshooting_spec.lua` "has a chapter for each
  shipped rule", "is nowhere"

## c
- By hand: `ringdown status`
]]
    assert.same({ "a: no test and no command produces it" }, gaps_of(bad[1]))
    assert.same({ "b: spec/docs/troubleshooting_spec.lua has no is nowhere" }, gaps_of(bad[2]))
    assert.same({}, gaps_of(bad[3]))
  end)
end)
