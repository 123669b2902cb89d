-- SPDX-License-Identifier: Apache-2.0
-- numbers.assign: which agent answers a number, at which of its sites: one number, from the version that was looked at.
-- Its next call goes there; where Twilio sends it is not touched.
local agents = require "ringdown.numbers.agents"
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"

local M = {}

-- What an agent that answers elsewhere may call, its people included.
local function check_people(agent, site)
  local people = db.ask("select coalesce(facts -> 'people', '{}')::text from sites where agent = $1 and site = $2",
    { agent.name, site })
  local wrong = people and next(people) and require("ringdown.site").people_wrong(site, json.encode(people),
    agent.countries and json.encode(agent.countries) or nil)
  return wrong and wrong .. "; mend the site, or the agent's countries, and assign it again"
end

---@param to { agent: string, site: string? }
---@return string? why not
function M.complaint(to)
  local all = agents.load()
  local agent = all.by_name[to.agent]
  if not agent or agent.broken then
    return ("no agent '%s' loads here; %s"):format(to.agent, agent and agent.broken
      or nearest.hint(to.agent, sorted.keys(all.by_name)))
  elseif to.site then
    local sites = db.ask("select coalesce(jsonb_agg(site order by site), '[]')::text from sites where agent = $1",
      { to.agent })
    for _, site in ipairs(sites) do
      if site == to.site then
        return check_people(agent, site)
      end
    end
    return ("agent %s has no site '%s'; %s"):format(to.agent, to.site, nearest.hint(to.site, sites))
  end
end

---@param number string
---@param to { agent: string, site: string? }? nil: take the assignment away
---@param version string it was looked at
---@return boolean? changed nil: it is another one now
function M.put(number, to, version)
  return db.ask("select jsonb_build_object('changed', number_put_if($1, $2, $3, $4, $5))::text", { version, number,
    to and to.agent or false, to and to.site or false, host.who() }).changed
end

return M
