-- SPDX-License-Identifier: Apache-2.0
-- verbs: the words behind a command, by which an operation does what is wanted of it.
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"

local M = {}

---@param verbs table<string, function>
---@param payload { verb: string }
---@param tell fun(value: table)
---@return function? verb nil: there is none, which was told
function M.find(verbs, payload, tell)
  local verb = verbs[payload.verb]
  if not verb then
    tell { note = ("there is no command '%s'; %s"):format(tostring(payload.verb):sub(1, 40),
      nearest.hint(payload.verb, sorted.keys(verbs))) }
  end
  return verb
end

---What the admin API would answer as a problem is raised as words.
---@param verbs table<string, function>
---@param payload { verb: string }
---@param tell fun(value: table)
---@return table result
function M.run(verbs, payload, tell)
  local problem = require "ringdown.api.problem"
  local verb = M.find(verbs, payload, tell)
  if not verb then
    return { usage = true }
  end
  local done, result = pcall(verb, payload, tell)
  if done then
    return result
  end
  error(problem.is(result) and (result.detail and result.title .. ": " .. result.detail or result.title) or result, 0)
end

return M
