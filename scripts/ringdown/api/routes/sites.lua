-- SPDX-License-Identifier: Apache-2.0
-- Sites: the places that agents answer for. A site is written whole, as in a file of `ringdown sites import`.
local host = require "ringdown.host"
local json = require "ringdown.json"
local owners = require "ringdown.api.owners"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local shape = require "ringdown.api.shape"
local sites = require "ringdown.sites"

local open = { type = "object", open = true, ours = true, nullable = true }
local maybe = { type = "string", nullable = true }

local schemas = {
  Site = { type = "object", about = "a place that an agent answers for", fields = {
    agent = { type = "string", required = true }, site = { type = "string", required = true },
    version = { type = "string", required = true, about = "its etag: send it as If-Match" },
    name = maybe, time_zone = maybe, hours = open,
    people = { type = "object", open = true, ours = true, nullable = true },
    resources = { type = "array", of = { type = "string" }, nullable = true },
    prices = open, facts = open,
    numbers = { type = "array", of = { type = "string" }, required = true },
    updated_at = { type = "string", format = "time", nullable = true },
  } },
  SiteWritten = { type = "object", fields = {
    agent = { type = "string", required = true }, site = { type = "string", required = true },
    is = { type = "string", one_of = { "new", "changed", "same" }, required = true },
    version = { type = "string", required = true },
    next_call = { type = "string", required = true },
  } },
}

-- Facts of the business have names of their own; the others are members.
local own = { "id", "agent", "name", "time_zone", "hours", "people", "resources", "prices", "numbers", "version",
  "updated_at" }

local function shown(row)
  local out, facts = {}, row
  for _, name in ipairs(own) do
    out[name], facts[name] = row[name], nil
  end
  out.site, out.id = out.id, nil
  out.facts = next(facts) and facts or nil
  return out
end

local function etag(version)
  return { etag = '"' .. version .. '"' }
end

local function list(r)
  return owners.page(r, { "label", "label" }, function(row) return { row.agent, row.site } end, function(after, limit)
    local rows = sites.page { agents = owners.agents(r), after = after, limit = limit }
    for i, row in ipairs(rows) do
      rows[i] = shown(row)
    end
    return rows
  end)
end

local function seen(r)
  owners.see(r, r.params.agent)
  local row = owners.read(sites.one, r.params.agent, r.params.site)
  return row and shown(row)
end

local function one(r)
  local site = seen(r)
  if not site then
    owners.none("There is no such site", ("agent %s has no site '%s'"):format(r.params.agent, r.params.site),
      "GET /api/v1/sites lists them; PUT makes one")
  end
  return 200, site, etag(site.version)
end

local function refuse_fields(complaints)
  local errors = json.array {}
  for i, one_of in ipairs(complaints) do
    errors[i] = { at = one_of.path == "" and "body" or "body." .. one_of.path, message = one_of.text }
  end
  problem(422, "fields", "The request is not what this route takes", {
    detail = errors[1].at .. ": " .. errors[1].message, errors = errors })
end

local function put(r)
  local agent, id = r.params.agent, r.params.site
  local before = seen(r)
  if before and not r.if_match then
    problem(428, "if-match", "This change needs If-Match", { detail = "the site is there already",
      fix = "send If-Match with the etag of your GET" })
  end
  local new, complaints = owners.read(sites.check, agent, id, r.body)
  if complaints[1] then
    refuse_fields(complaints)
  end
  local is = before and before.version or "new"
  r.must_match(is, before)
  local changed = owners.read(sites.put, agent, new, r.if_match ~= "*" and is or nil)
  local now = owners.read(sites.version, agent, id)
  if changed == nil then
    r.if_match = r.if_match or is -- somebody was faster
    r.must_match(now, seen(r))
  end
  if host.node and host.node.refresh_numbers then
    host.node.refresh_numbers()
  end
  return 200, { agent = agent, site = id, is = not changed and "same" or before and "changed" or "new", version = now,
    next_call = ("The next call to a number of %s at %s is answered by what is written here; nodes follow within a few "
      .. "seconds."):format(agent, id) }, etag(now)
end

local S = "/sites/northside-plumbing/lakeview"

return {
  schemas = schemas,
  { method = "GET", path = "/sites", role = "viewer", scoped = true, about = "the places that agents answer for",
    query = page.query_with { agent = { type = "string", format = "agent" } },
    answers = { [200] = shape.page "Site" }, example = { path = "/sites" }, run = list },
  { method = "GET", path = "/sites/{agent}/{site}", role = "viewer", scoped = true, about = "one of them",
    answers = { [200] = "Site" }, example = { path = S }, run = one },
  { method = "PUT", path = "/sites/{agent}/{site}", role = "operator", scoped = true, if_match = "optional",
    about = "write one whole: what is left out is gone. One that is there needs If-Match",
    body = { type = "object", open = true, about = "name, time_zone, hours, people, resources, prices, facts" },
    answers = { [200] = "SiteWritten" }, example = { path = S, headers = { ["if-match"] = "*" }, body = {
      name = "Northside Lakeview", time_zone = "America/Chicago", hours = { mon_fri = "08:00-17:00" },
      prices = { drain = "$90" }, facts = { parking = "behind the house" } } }, run = put },
}
