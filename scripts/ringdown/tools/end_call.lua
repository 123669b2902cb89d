-- SPDX-License-Identifier: Apache-2.0
-- end_call: the model says goodbye, then calls this; the line is cut once the goodbye was heard.
local tool = require "ringdown.tool"

return tool {
  name = "end_call",
  about = "Hang up. Use it when the caller has said goodbye or wants nothing more. Say goodbye first, in "
    .. "the same answer, then call it; do not say anything afterwards.",
  effect = "read",
  timeout = "2s",
  failed = "Say goodbye.",
  run = tool.later("ringdown.tools.plain", "end_call"),
}
