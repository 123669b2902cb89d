-- SPDX-License-Identifier: Apache-2.0
-- sites: the places that agents answer for, as the database has them, and one of them written anew from the version
-- that was looked at. What a site may say, site.lua knows; a file of them is read by `ringdown sites import`.
local agents = require "ringdown.numbers.agents"
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

local ROW = "shown || jsonb_build_object('version', site_version(agent, site), 'updated_at', updated_at)"

---@param o { agents: string[]?, after: string[]?, limit: integer } after: agent and site
---@return table[]
function M.page(o)
  local after = o.after or {}
  return db.ask(([[select coalesce(jsonb_agg(%s order by agent, site), '[]')::text from (select * from sites_shown
      where ($1::jsonb is null or agent = any(array(select jsonb_array_elements_text($1::jsonb))))
        and ($2::text is null or (agent, site) > ($2, $3)) order by agent, site limit $4::integer) s]]):format(ROW),
    { o.agents and json.encode(json.array(o.agents)) or false, after[1] or false, after[2] or false, o.limit })
end

---@return table?
function M.one(agent, site)
  return db.ask(("select (%s)::text from sites_shown where agent = $1 and site = $2"):format(ROW), { agent, site })
end

---What is wrong with it, and what would be written.
---@param agent string
---@param id string
---@param value table as in a file of sites
---@return table? one
---@return { path: string, text: string }[] complaints
function M.check(agent, id, value)
  local known = agents.load().by_name[agent]
  if not known or known.broken then
    return nil, { { path = "", text = ("no agent '%s' loads here, so nobody knows where its people may be called")
      :format(agent) } }
  end
  return require("ringdown.site").check(id, value, known.countries)
end

---@param agent string
---@param one table of M.check
---@param version string? it was looked at: "new" where there was none; nil: any
---@return boolean? changed nil: it is another one now
function M.put(agent, one, version)
  return db.ask("select jsonb_build_object('changed', site_put_if($1, $2, $3, $4, $5, $6::jsonb, $7))::text",
    { version or false, agent, one.site, one.name, one.time_zone or false, json.encode(one.facts), host.who() }).changed
end

---@param agent string
---@param site string
---@return string
function M.version(agent, site)
  return db.ask("select to_json(site_version($1, $2))::text", { agent, site })
end

return M
