-- SPDX-License-Identifier: Apache-2.0
-- numbers.command: the operation `numbers`: payload.action says which. The command line, the admin interface and the
-- migration script all come here. `ours` says which addresses are ours: {public_url, vapi_api, twilio_api}.
local M = {}

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

---@param payload { action: string, ours: ringdown.numbers.ours? }
---@param tell fun(value: table)
---@return table result
function M.run(payload, tell)
  local action = actions[payload.action]
  if not action then
    error(("numbers: '%s' cannot be done"):format(tostring(payload.action)), 0)
  end
  local ours = payload.ours or {}
  payload.ours = { public_url = without_slash(ours.public_url), vapi_api = without_slash(ours.vapi_api),
    twilio_api = without_slash(ours.twilio_api) }
  return require("ringdown.numbers." .. action[1])[action[2]](payload, tell)
end

return M
