-- SPDX-License-Identifier: Apache-2.0
-- POST /api/v1/numbers/refresh -> 202 { version = N }: the node looks now whether numbers or sites have changed;
-- N is how far it has come. It looks by itself every few seconds.
local json = require "cjson"

local function refresh(context)
  local version, why = context.host.refresh_numbers()
  if not version then return context.failure(503, why, "the node is starting or ending; ask again") end
  return 202, json.encode { version = version }
end

return {
  { "POST", "/api/v1/numbers/refresh", refresh },
}
