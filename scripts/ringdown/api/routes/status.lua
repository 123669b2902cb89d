-- SPDX-License-Identifier: Apache-2.0
-- routes/status: the node that answers, on one screen.
local host = require "ringdown.host"
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"

return {
  { method = "GET", path = "/status", role = "viewer", about = "the node that answers, on one screen",
    answers = { [200] = { type = "object", open = true, ours = true } }, example = {},
    run = function()
      local text, why
      if host.node then
        text, why = host.node.status()
      end
      if not text then
        problem(503, "starting", "The node cannot say now", { detail = why or "this is no node", fix = "ask again",
          headers = { ["retry-after"] = "2" } })
      end
      return 200, json.decode(text)
    end },
}
