-- SPDX-License-Identifier: Apache-2.0
-- spec: a recorded call becomes a file beside a spec, and the spec. What is about people is replaced wherever it is:
-- the caller's name and number, every number that is not the agent's own, mail addresses, and what hosts, database and
-- model gave under the name of a name, a street, an address, a day of birth. What was redacted when kept stays so.
local json = require "ringdown.json"
local play = require "ringdown.replay.play"
local recordings = require "ringdown.replay.recording"

local M = {}

local CALLER = "+13125550142" -- of those numbers that nobody has

-- Numbers that are nobody's, as many as are wanted: +1312555 and 0143 to 0199.
local function masks(recording)
  local n, of = 0, { [recording.to or ""] = recording.to }
  if recording.from:match "^%+" then
    of[recording.from] = CALLER
  end
  return function(number)
    if not of[number] then
      of[number] = ("+1312555%04d"):format(143 + n % 57)
      n = n + 1
    end
    return of[number]
  end
end

local function plain(text)
  return (text:gsub("%W", "%%%0"))
end

-- ── what is about people ────────────────────────────────────────────────────────────────────────
-- By what stands in the name of a member, a column, an argument.
local PERSONAL = { { "mail", "sam@example.com" }, { "street", "1 Sample Street" }, { "address", "1 Sample Street" },
  { "birth", "1970-01-01" }, { "name", "Sam Sample" }, { "customer", "Sam Sample" } }
local SHORTEST = 3

local function instead_of(key)
  for _, sort in ipairs(PERSONAL) do
    if type(key) == "string" and key:lower():find(sort[1], 1, true) then
      return sort[2]
    end
  end
end

local function add(texts, text, instead)
  if #text < SHORTEST or tonumber(text) then
    return
  end
  texts[text] = instead
  if instead == "Sam Sample" then
    for part in text:gmatch "%a+" do
      if #part >= SHORTEST then
        texts[part] = texts[part] or "Sample"
      end
    end
  end
end

-- Whatever text is below a key that is about people; in texts that are JSON themselves, too.
local function collect(texts, value, instead)
  if type(value) == "table" then
    for key, item in pairs(value) do
      collect(texts, item, instead_of(key) or instead)
    end
  elseif type(value) == "string" then
    local inner = value:find "^%s*[%[{]" and json.decode(value)
    if inner then
      collect(texts, inner, instead)
    elseif instead then
      add(texts, value, instead)
    end
  end
end

-- A cell of a row without columns: a text beside a number is whose number it is, and so may be one of several words.
local function named(row, i)
  local cell, beside = row[i], row[i - 1]
  return type(cell) == "string" and (cell:find "^%a+ %a[%a ]*$" or type(beside) == "string"
    and beside:find "^%+%d+$" and cell:find "^%a") and "Sam Sample" or nil
end

-- Rows of a table: its columns say what is about people.
local function collect_rows(texts, answer)
  local rows, columns = answer.value[1], answer.value[2]
  for _, row in ipairs(type(rows) == "table" and rows or {}) do
    for i, cell in pairs(type(row) == "table" and row or {}) do
      local column = type(columns) == "table" and type(columns[i]) == "table" and columns[i][1]
      collect(texts, cell, instead_of(column) or not column and named(row, i) or nil)
    end
  end
end

local function personal(recording)
  local texts = {}
  collect(texts, recording.form.CallerName, "Sam Sample")
  for _, input in ipairs(recording.inputs) do
    if input.what == "tool" then
      collect(texts, input.arguments)
      collect(texts, input.output)
    end
  end
  for _, answer in ipairs(recording.answers) do
    if answer.value and answer.of == "http" then
      collect(texts, answer.value)
    elseif answer.value then
      collect_rows(texts, answer)
    end
  end
  return texts
end

local function masker(texts)
  local list = {}
  for text in pairs(texts) do
    list[#list + 1] = text
  end
  table.sort(list, function(a, b) -- a whole name before its parts
    return #a > #b or #a == #b and a < b
  end)
  return function(text)
    for _, one in ipairs(list) do
      text = text:gsub("%f[%w]" .. plain(one) .. "%f[%W]", (texts[one]:gsub("%%", "%%%%")))
    end
    return (text:gsub("[%w._%%+-]+@[%w.-]+%.%a+", "sam@example.com"))
  end
end

-- What is the recording's own word is no text of anybody.
local function own_word(of, key)
  return of.what and (key == "what" or key == "name") or of.ask and key == "of"
end

local function masked_in(value, mask)
  if type(value) == "string" then
    return mask(value)
  elseif type(value) == "table" then
    for key, item in pairs(value) do
      value[key] = own_word(value, key) and item or masked_in(item, mask)
    end
  end
  return value
end

-- What was done then is no part of the file: with other names and numbers it would be something else.
local function masked(recording)
  local mask = masker(personal(recording))
  recording.recorded = nil
  for _, part in ipairs { "form", "inputs", "answers" } do
    recording[part] = masked_in(recording[part], mask)
  end
  return (json.encode(recording):gsub("%+[1-9]%d%d%d%d%d%d%d+", masks(recording)))
end

local function quoted(list)
  local out = {}
  for i, item in ipairs(list) do
    out[i] = ("%q"):format(item)
  end
  return #out > 0 and "{ " .. table.concat(out, ", ") .. " }" or "{}"
end

local function lines_of(steps)
  local found, texts, transfer, said = {}, 0, nil, {}
  for _, step in ipairs(steps) do
    for _, act in ipairs(step.did) do
      if act.kind == "emergency" then
        found[#found + 1] = act.text
      elseif act.kind == "text" then
        texts = texts + 1
      elseif act.kind == "transfer" then
        transfer = act.text
      elseif act.kind == "say" then
        said[#said + 1] = act.text
      end
    end
  end
  local lines = { ("    assert.same(%s, call.emergencies)"):format(quoted(found)),
    ("    assert.equal(%d, #call.texts)"):format(texts) }
  if #said > 0 then
    lines[#lines + 1] = ("    assert.same(%s, call.said)"):format(quoted(said))
  end
  if transfer then
    lines[#lines + 1] = ("    assert.equal(%q, call.transferred_to)"):format(transfer)
  end
  return table.concat(lines, "\n")
end

local SPEC = [[
-- SPDX-License-Identifier: Apache-2.0
-- In the .json, numbers, mail addresses, and what stood under the name of a name, a street, an address or a day of
-- birth were replaced. What people said freely was not: read it before you keep it.
local fake = require "ringdown.fake"

describe("the call in %s.json", function()
  it("is answered as it was when it was recorded", function()
    local call = fake.recorded "%s.json"
    assert.equal(%q, call.system)
    call:goes_on()
%s
  end)
end)
]]

---@param recording ringdown.recording
---@param version string where its agent is found
---@param name string
---@return string fixture JSON
---@return string spec Lua
function M.write(recording, version, name)
  local text = masked(recording)
  local again, why = recordings.read(text)
  local steps = play.whole(again or error(why, 0), version)
  local system = steps[1].did[1].text:match "^%a+"
  return text .. "\n", SPEC:format(name, name, system, lines_of(steps))
end

return M
