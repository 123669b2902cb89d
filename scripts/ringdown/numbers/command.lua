-- SPDX-License-Identifier: Apache-2.0
-- numbers.command: the operation `numbers`: payload.action says which. The command line comes with `words` and
-- `options` as a person typed them; the admin interface and scripts with the values themselves.
--
-- With `details`, the result lists what was told of each number.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---@type table<string, string[]> action → module, function
local actions = {
  sync = { "sync", "run" },
  show = { "show", "run" },
  runs = { "show", "runs" },
  switch = { "switch", "run" },
  verify = { "verify", "run" },
  drift = { "drift", "run" },
  snapshot = { "take", "run" },
  restore = { "restore", "run" },
  import = { "import", "run" },
}

local function without_slash(url)
  return (tostring(url or ""):gsub("/+$", ""))
end

local function addresses(given)
  local ours = given or host.ours()
  return { public_url = without_slash(ours.public_url), vapi_api = without_slash(ours.vapi_api),
    twilio_api = without_slash(ours.twilio_api) }
end

-- What was told of numbers and runs, without the words.
local function keep_details(list, value)
  local copy = {}
  for key, member in pairs(value) do
    if key ~= "text" and key ~= "note" and key ~= "progress" then
      copy[key] = member
    end
  end
  if next(copy) then
    list[#list + 1] = copy
  end
end

local function do_it(action, payload, tell)
  local details = json.array {}
  local result = require("ringdown.numbers." .. action[1])[action[2]](payload, function(value)
    if payload.details then
      keep_details(details, value)
    end
    tell(value)
  end)
  result.details = payload.details and details or nil
  return result
end

---@param payload { action: string, ours: ringdown.numbers.ours?, words: string[]?, options: table?, details: boolean? }
---@param tell fun(value: table)
---@return table result
function M.run(payload, tell)
  local complaints = payload.words and require("ringdown.numbers.arguments").check(payload) or {}
  for _, text in ipairs(complaints) do
    tell { note = text }
  end
  if #complaints > 0 then
    return { usage = true, complaints = json.array(complaints) }
  end
  local action = actions[payload.action]
  if not action then
    error(("numbers: '%s' cannot be done"):format(tostring(payload.action)), 0)
  end
  payload.ours = addresses(payload.ours)
  return do_it(action, payload, tell)
end

return M
