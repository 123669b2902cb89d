-- SPDX-License-Identifier: Apache-2.0
-- A month of calls that never were, as `ringdown demo` makes it: on both systems, with all that pages show. First of
-- the seeds, since only an empty database becomes one of a demo.
local proc = require "spec.e2e.support.proc"

local M = {}

local CALLS = 250

---@param url string
function M.fill(url)
  local folder = proc.folder "seed"
  local env = ("env DATABASE_URL=%s RINGDOWN_DATA=%s RINGDOWN_CONFIG= RINGDOWN_AGENTS=agents"):format(proc.quote(url),
    folder)
  for _, words in ipairs { "demo mark", "demo seed --seed 7 --calls " .. CALLS } do
    local said, code = proc.run(("%s %s %s 2>&1"):format(env, proc.binary(), words))
    assert((code or 0) == 0, said)
  end
  proc.remove(folder)
end

return M
