-- SPDX-License-Identifier: Apache-2.0
-- Two dozen calls of the last hours, as the journal ships them. What callers say and are called is hostile: a page that
-- shows it as anything but text is found out. One answer, of all seeds, was cut off by the model.
local events = require "spec.support.events"

local M = {}

M.script = [["><img src=x onerror="window.__hacked=1"><script>window.__hacked=1</script>{{7*7}}]]

---@param url string
function M.fill(url)
  local now_us = os.time() * 1000000
  local list = {}
  for i = 1, 24 do
    local agent = i % 3 == 0 and "brightsmile-dental" or "northside-plumbing"
    local from = ("+1312555%04d"):format(140 + i % 9)
    local c = events.conversation(100 + i, { started_us = now_us - i * 17 * 60000000, common = { agent = agent,
      from = from, to = i % 3 == 0 and "+13125550101" or "+13125550100" } })
    for _, event in ipairs(c.list) do
      if i % 6 == 0 and event.type == "turn" then
        event.body.text = M.script
      elseif i == 1 and event.type == "usage" then
        event.body.cut_off = "max_output_tokens"
      end
      list[#list + 1] = event
    end
  end
  events.ingest(url, list)
end

return M
