-- SPDX-License-Identifier: Apache-2.0
-- The agents that answer now.
--   GET  /api/v1/agents            -> { source, release, tree, agents = [..], older = [..], errors = [..] }
--   GET  /api/v1/agents/{name}     -> one of them as people want to see it: prompt, tools, people, limits
--   POST /api/v1/reloads           -> 202 { reload = N }: agents and certificates are read again
--   GET  /api/v1/reloads/{N}       -> what came of it; waits for it, and 202 when it was not done yet
local json = require "cjson"

local WAIT_MS = 10000

local function starting(context, why)
  return context.failure(503, why, "the node is starting or ending; ask again")
end

local function all(context)
  local text, why = context.host.agents()
  if not text then return starting(context, why) end
  return 200, text
end

local function one(context, request)
  local text, why, code = context.host.agent(request.id)
  if text then return 200, text end
  if code ~= "gone" then return starting(context, why) end
  return context.failure(404, "no agent " .. request.id .. " is loaded", "GET /api/v1/agents lists them")
end

local function reload(context)
  local number, why = context.host.reload()
  if not number then return starting(context, why) end
  return 202, json.encode { reload = number }
end

local function outcome(context, request)
  local number = request.id:match "^%d+$" and #request.id < 15 and math.tointeger(tonumber(request.id))
  if not number then
    return context.failure(400, "a reload is known by its number", "POST /api/v1/reloads makes one")
  end
  local text, why, code = context.host.reloaded(number)
  if text then return 200, text end
  if code == "starting" then return starting(context, why) end
  if request.waited then return 202, json.encode { reload = number } end -- something else happened: ask again
  return nil, nil, WAIT_MS
end

return {
  { "GET", "/api/v1/agents", all },
  { "GET", "/api/v1/agents/{name}", one },
  { "POST", "/api/v1/reloads", reload },
  { "GET", "/api/v1/reloads/{number}", outcome },
}
