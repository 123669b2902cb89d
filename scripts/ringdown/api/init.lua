-- SPDX-License-Identifier: Apache-2.0
-- The admin API: a request comes in, the route's handler answers with a status and a value.
--
--   local api = require("ringdown.api").new(host)
--   api.record(text)                          -- a fact of a call, as JSON
--   api.handle(method, target, waited, body, who)   -- -> status, body, wait_ms
--
-- `host` is what the runtime lends: status(), calls(), hang_up(sid, who), whisper(sid, text, now, who),
-- transfer(sid, to, who), drill(agent, rule, who), events_after(n), events_last(), agents(), agent(name), reload(),
-- reloaded(n), refresh_numbers(); all texts in it are JSON. A handler that wants to wait answers with `wait_ms`; it is
-- asked again, with waited = true, when something was recorded or the time is over.
local json = require "cjson"
local live = require "ringdown.api.live"

local modules = { "status", "agents", "calls", "drills", "events", "numbers" }

local api = {}

-- "/api/v1/calls/{sid}" -> "^/api/v1/calls/([%w_-]+)$"
local function pattern_of(path)
  local escaped = path:gsub("[%-%.]", "%%%0")
  return "^" .. escaped:gsub("{%w+}", "([%%w_%%-]+)") .. "$"
end

local function load_routes()
  local routes = {}
  for _, name in ipairs(modules) do
    for _, route in ipairs(require("ringdown.api." .. name)) do
      routes[#routes + 1] = { method = route[1], pattern = pattern_of(route[2]), run = route[3] }
    end
  end
  return routes
end

local function query_of(text)
  local query = {}
  for key, value in text:gmatch "([%w_]+)=([%w_%-]*)" do query[key] = value end
  return query
end

-- A failure as a body: what went wrong, and what to do about it.
local function failure(status, message, fix)
  return status, json.encode { error = message, fix = fix }
end

function api.new(host)
  local routes = load_routes()
  local context = { host = host, live = live.new(), failure = failure }

  local self = {}

  function self.record(text)
    local ok, event = pcall(json.decode, text)
    if ok and type(event) == "table" then context.live:record(event) end
  end

  function self.handle(method, target, waited, body, who)
    local path, query = target:match "^([^?]*)%??(.*)$"
    local other_method = false
    for _, route in ipairs(routes) do
      local found = path:match(route.pattern)
      if found and route.method == method then
        return route.run(context, { id = found, query = query_of(query), waited = waited,
          body = body or "", who = who or "" })
      end
      other_method = other_method or found ~= nil
    end
    if other_method then
      return failure(405, "this path does not take " .. method, "GET reads; POST acts")
    end
    return failure(404, "there is no such path", "see /api/v1/status, /api/v1/agents, /api/v1/calls, /api/v1/events")
  end

  return self
end

return api
