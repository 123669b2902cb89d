-- SPDX-License-Identifier: Apache-2.0
-- Every change by the admin API leaves its row in the audit: all routes are walked that are not GET, by their examples,
-- and one without a row fails. A route that changes nothing says so here, and why.
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local route = require "ringdown.api.route"
local seed = require "spec.api.seed"
local world = require "spec.api.world"

-- By route: what it leaves instead of a row.
local changes_nothing = {
  ["POST /tickets"] = "a ticket opens a stream for a minute; who hears a recording with it has a row",
}

-- Where the example only tells what would be done, or finds it done: how it is asked here.
local real = {
  ["POST /appointments/import"] = { query = "" },
  ["POST /customers/import"] = { query = "" },
  ["POST /numbers/import"] = { query = "" },
}

-- Whose token the example is asked with: only a session can be logged out of.
local whose = {
  ["DELETE /session"] = function(token)
    local _, session = world.ask("POST", "/session", { token = token })
    return session.token
  end,
}

local function asked(one, token)
  local example, other = one.example, real[one.method .. " " .. one.path] or {}
  local query = other.query or example.query or ""
  local headers = { ["content-type"] = one.type }
  for name, value in pairs(example.headers or {}) do
    headers[name] = value
  end
  local body = other.body or example.body
  if type(body) == "table" then
    body = next(body) and assert(json.encode(body)) or "{}"
  end
  return (example.path or one.path) .. (query ~= "" and "?" .. query or ""), { body = body, headers = headers,
    token = token }
end

describe("a change", function()
  local token

  setup(function()
    world.begin { seed = seed.fill }
    token = world.token { name = "walker", role = "admin" }
  end)
  teardown(function()
    seed.leave()
    world.finish()
  end)

  for _, one in ipairs(route.all()) do
    local name = one.method .. " " .. one.path
    if one.method ~= "GET" and not changes_nothing[name] then
      it("by " .. name .. " is in the audit: who, what, of which state", function()
        world.fresh()
        seed.surround()
        if seed.before[name] then
          seed.before[name](world)
        end
        local asker = whose[name] and whose[name](token) or token
        local last = tonumber(pg.run(world.url, "select coalesce(max(id), 0) from audit"):match "%d+")
        local target, o = asked(one, asker)
        local status, _, answer = world.ask(one.method, target, o)
        assert(status < 300, ("%d: %s"):format(status, tostring(answer.body)))
        local rows = world.rows(([[select who, what, subject, before is not null or after is not null as told from audit
          where id > %d]]):format(last))
        assert(rows[1], "nothing was written down")
        for _, row in ipairs(rows) do
          assert.matches(asker == token and "^token walker %(admin%)$" or "^token .*walker", row.who)
          assert.matches("^[%l_]+[%l_.]*$", row.what)
          assert(row.told or row.subject, row.what .. " says neither of what nor how")
        end
      end)
    end
  end
end)
