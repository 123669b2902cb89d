-- SPDX-License-Identifier: Apache-2.0
-- api.route: which route a request is for. The routes stand in modules under routes/, one for each first segment of a
-- path (M.modules), of which a request loads one. A module returns a list of routes, and its schemas:
--
--   return {
--     schemas = { Number = { type = "object", fields = { number = { type = "string" }, … } } },
--     { method = "GET", path = "/numbers/{number}", role = "viewer", about = "one line",
--       scoped = true,                 -- it looks at r.agents; without this a token of some agents only gets 403
--       params = { number = { type = "string", format = "phone" } }, -- by name: call, agent, number, id
--       query = { limit = { type = "integer", min = 1, max = 200, default = 50 } },
--       body = { to = { type = "string", required = true } },           -- fields of an object, or a shape
--       body_optional = true,
--       type = "text/csv",             -- the body is a text of this type, at r.body; `body` is not said then
--       idempotent = true, if_match = true | "optional",
--       ticket = "events",             -- a ticket of this purpose opens it too: once, or one call's recording
--       login = "console",             -- the same, where the ticket comes in place of a token
--       binary = "audio/wav",          -- the answer is no JSON
--       answers = { [200] = "Number" | page("Number") | shape | false }, -- false: no body
--       example = { path = "/numbers/+13125550100", query = "limit=2", body = {…}, headers = {…}, status = 200 },
--       run = function(r) return 200, value, headers end },
--   }
--
-- r: params, query (typed), body, who, role, agents (nil: all), masked, if_match, token (its id, nil: control socket),
-- sees(agent) -> boolean, audit(what, subject, before, after), note(…) the same of what is done already,
-- must_match(version, state) for If-Match.
local nearest = require "ringdown.nearest"
local problem = require "ringdown.api.problem"
local shape = require "ringdown.api.shape"
local sorted = require "ringdown.sorted"

local M = {}

---By the first segment of a path: the module under routes/ that has its routes.
---@type table<string, string>
M.modules = {
  appointments = "customers",
  costs = "costs",
  customers = "customers",
  emergencies = "emergencies",
  force = "rollouts",
  jobs = "jobs",
  live = "live",
  me = "me",
  numbers = "numbers",
  ["opt-outs"] = "opt_outs",
  rollouts = "rollouts",
  session = "session",
  sites = "sites",
  statistics = "statistics",
  texts = "texts",
  tickets = "tokens",
  today = "today",
  tokens = "tokens",
  undo = "rollouts",
}

---@class ringdown.api.route
---@field method string
---@field path string
---@field role "viewer"|"operator"|"admin"
---@field about string
---@field scoped boolean?
---@field params table<string, table>?
---@field query table<string, table>?
---@field body table?
---@field body_optional boolean?
---@field type string?
---@field idempotent boolean?
---@field if_match boolean|"optional"|nil
---@field ticket string?
---@field login string?
---@field binary string?
---@field answers table<integer, any>
---@field example table
---@field run fun(r: table): integer, any, table?

-- Those that are called like their module.
for _, name in ipairs { "agents", "alarms", "alerts", "audit", "calls", "events", "nodes", "status" } do
  M.modules[name] = name
end

local default_params = {
  agent = { type = "string", format = "agent" },
  call = { type = "string", format = "call" },
  id = { type = "string", format = "id" },
  number = { type = "string", format = "phone" },
}
local other_param = { type = "string", format = "label" }

---@param route ringdown.api.route
---@param name string
---@return table shape
function M.param(route, name)
  return route.params and route.params[name] or default_params[name] or other_param
end

---@param path string
---@return string[]
function M.segments(path)
  local list = {}
  for segment in path:gmatch "[^/]+" do
    list[#list + 1] = segment
  end
  return list
end

local function fits(text, s)
  local good = true
  shape.check(text, s, "", function()
    good = false
  end)
  return good
end

-- What the template's names stand for, and how many of its segments are said; nil: it is another path.
local function match(route, given)
  local wanted = M.segments(route.path)
  if #wanted ~= #given then
    return nil
  end
  local params, literal = {}, 0
  for i, segment in ipairs(wanted) do
    local name = segment:match "^{([%w_]+)}$"
    if name then
      params[name] = given[i]
    elseif segment == given[i] then
      literal = literal + 1
    else
      return nil
    end
  end
  return params, literal
end

---The routes of one first segment.
---@param first string
---@return ringdown.api.route[]?
function M.of(first)
  local name = M.modules[first]
  if not name then
    return nil
  end
  local routes = require("ringdown.api.routes." .. name)
  shape.add(routes.schemas)
  return routes
end

local function no_path(first)
  local known = sorted.keys(M.modules)
  problem(404, "no-such-path", "There is no such path", { detail = ("/api/v1/%s is none; %s"):format(
    first:sub(1, 40), nearest.hint(first, known)), fix = "docs/api.md lists them" })
end

-- The routes of a path, those with the most said segments: /calls/live is not a call.
local function candidates(routes, given)
  local best, found = -1, {}
  for _, route in ipairs(routes) do
    local params, literal = match(route, given)
    if params and literal >= best then
      found = literal > best and {} or found
      best = literal
      found[#found + 1] = { route = route, params = params }
    end
  end
  return found
end

local function check_params(route, params)
  for name, text in pairs(params) do
    local s = M.param(route, name)
    if not fits(text, s) then
      local format = s.format and shape.formats[s.format]
      problem(404, "no-such-thing", "There is no such thing", {
        detail = ("{%s} of %s is %s"):format(name, route.path, format and format.what or "something else"),
        fix = format and "write it like " .. format.example or nil })
    end
  end
end

---@param method string
---@param path string behind /api/v1
---@return ringdown.api.route
---@return table<string, string> params
function M.find(method, path)
  local given = M.segments(path)
  local routes = M.of(given[1] or "")
  if not routes then
    no_path(given[1] or "")
  end
  local found = candidates(routes, given)
  local allowed = {}
  for _, one in ipairs(found) do
    if one.route.method == method then
      check_params(one.route, one.params)
      return one.route, one.params
    end
    allowed[#allowed + 1] = one.route.method
  end
  if #allowed == 0 then
    no_path(table.concat(given, "/"))
  end
  table.sort(allowed)
  return problem(405, "method", "This path does not take this method", {
    detail = ("it takes %s"):format(table.concat(allowed, ", ")),
    headers = { allow = table.concat(allowed, ", ") } })
end

local function members(fields)
  return { type = "object", fields = fields }
end

---The shape of a route's body; nil: it has none.
---@param route ringdown.api.route
---@return table?
function M.body(route)
  local body = route.body
  if not body then
    return nil
  end
  return (type(body.type) == "string" or body.ref) and body or members(body)
end

---@param route ringdown.api.route
---@return table shape
function M.query(route)
  return members(route.query or {})
end

---The shape of an answer; nil: it has no body.
---@param route ringdown.api.route
---@param status integer
---@return table?
function M.answer(route, status)
  local answer = route.answers[status]
  if type(answer) == "string" then
    return { ref = answer }
  end
  return answer or nil
end

---All routes, for the description and the specs.
---@return ringdown.api.route[]
function M.all()
  local list, seen = {}, {}
  for _, first in ipairs(sorted.keys(M.modules)) do
    if not seen[M.modules[first]] then
      seen[M.modules[first]] = true
      for _, route in ipairs(M.of(first)) do
        list[#list + 1] = route
      end
    end
  end
  table.sort(list, function(a, b)
    return a.path == b.path and a.method < b.method or a.path < b.path
  end)
  return list
end

return M
