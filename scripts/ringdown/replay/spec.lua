-- SPDX-License-Identifier: Apache-2.0
-- spec: a recorded call becomes a file beside a spec, and the spec. The caller's number and name, and every number
-- that is not the agent's own, are replaced; what was redacted when it was kept stays so.
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

local function masked(recording)
  local text = json.encode(recording)
  if recording.form.CallerName then
    local quoted = json.encode(recording.form.CallerName):sub(2, -2)
    text = text:gsub(plain(quoted), "Sam Sample")
  end
  return (text:gsub("%+[1-9]%d%d%d%d%d%d%d+", masks(recording)))
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
  local steps = play.whole(recordings.read(text), version)
  local system = steps[1].did[1].text:match "^%a+"
  return text .. "\n", SPEC:format(name, name, system, lines_of(steps))
end

return M
