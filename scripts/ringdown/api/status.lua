-- SPDX-License-Identifier: Apache-2.0
-- GET /api/v1/status: the node on one screen.

local function status(context)
  local text, why = context.host.status()
  if not text then return context.failure(503, why, "the node is starting or ending; ask again") end
  return 200, text
end

return {
  { "GET", "/api/v1/status", status },
}
