-- SPDX-License-Identifier: Apache-2.0
-- api.releases: agents and releases of their files. Files are checked where they are loaded: by a node, or by
-- `ringdown agents publish`. So what is published here are files that were loaded before.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"

local M = {}

local DIFF_LINES = 2000

function M.agents(r)
  local list, errors = host.agents()
  local items = json.array {}
  for _, agent in ipairs(list) do
    if r.sees(agent.name) then
      items[#items + 1] = { agent = agent.name, version = agent.version, numbers = agent.numbers,
        warnings = agent.warnings }
    end
  end
  return 200, { items = items, errors = r.agents and 0 or #errors }
end

function M.errors()
  local _, errors = host.agents()
  return 200, { items = errors }
end

local function no_agent(name)
  problem(404, "no-such-agent", "There is no such agent", { detail = name .. " is not known here",
    fix = "GET /api/v1/agents lists them" })
end

local function loaded(name)
  for _, agent in ipairs((host.agents())) do
    if agent.name == name then
      return agent
    end
  end
end

function M.one(r)
  local agent = r.sees(r.params.agent) and loaded(r.params.agent)
  if not agent then
    no_agent(r.params.agent)
  end
  return 200, json.decode(agent.shown), { etag = '"' .. agent.version .. '"' }
end

local versions_sql = [[select coalesce(jsonb_agg(jsonb_build_object('version', version, 'first_seen_at', first_seen_at,
  'last_seen_at', last_seen_at) order by last_seen_at desc), '[]')::text
  from (select * from agent_versions where agent = $1 order by last_seen_at desc limit 200) v]]

function M.versions(r)
  local name = r.params.agent
  local agent = loaded(name)
  local list = r.sees(name) and db.ask(versions_sql, { name }) or {}
  if not r.sees(name) or #list == 0 and not agent then
    no_agent(name)
  end
  for _, one in ipairs(list) do
    one.current = agent ~= nil and agent.version == one.version
  end
  return 200, { items = list }
end

-- ---- releases ----

local list_sql = [[select coalesce(jsonb_agg(jsonb_build_object('id', r.id::text, 'tree', r.tree_hash,
  'published_by', r.published_by, 'at', r.at, 'note', r.note, 'restores', r.restores::text,
  'current', r.id is not distinct from current_release(),
  'agents', (select coalesce(jsonb_object_agg(key, value ->> 'version'), '{}') from agent_trees t, jsonb_each(t.agents)
    where t.tree_hash = r.tree_hash)) order by r.id desc), '[]')::text
  from (select * from agent_releases where ($1::bigint is null or id < $1::bigint) order by id desc
    limit $2::integer) r]]

local current_sql = [[select jsonb_build_object('release', id::text, 'updated_by', published_by, 'updated_at', at)::text
  from agent_releases where id = current_release()]]

---@return string? release nil: none is
---@return table state the same, with who published it
local function current()
  local state = db.ask(current_sql) or { release = "0" }
  return state.release ~= "0" and state.release or nil, state
end

function M.list(r)
  local key = page.read(r.query.cursor, { "id" })
  local rows = db.ask(list_sql, { key and key[1] or false, r.query.limit + 1 })
  return 200, page.answer(rows, r.query.limit, function(row)
    return { row.id }
  end), { etag = '"' .. ((current()) or "0") .. '"' }
end

local function no_files(which)
  problem(404, "no-such-release", "There are no such files", {
    detail = which .. " is no release, no version that a node loaded from its folder, and no tree",
    fix = "GET /api/v1/agents/releases lists releases" })
end

local find_sql = [[select jsonb_build_object('tree', tree_hash, 'release', release::text,
  'agents', (select count(*) from jsonb_object_keys(agents)))::text from find_agent_tree($1)]]

local same_sql = "select to_jsonb(tree_hash = $1)::text from agent_releases where id = current_release()"

-- The files stay in the database; somebody else's release meanwhile is told by RD409.
local publish_sql = [[select to_jsonb(publish_agents(t.tree_hash, t.files, t.agents, $2, $3, $4::bigint,
  $5::bigint)::text)::text from agent_trees t where t.tree_hash = $1]]

local NEXT = "the next call that comes to a node with agents.source = \"database\" meets these files, within a second; "
  .. "nodes with a folder go on with that"

local differs -- below

-- What publishing would do, by the same finding.
local function rehearsed(before, found)
  local diff = before and differs(before, found.tree) or nil
  local same = diff and #diff.files == 0 or false
  return 200, { release = before or "0", before = before, changed = not same, dry_run = true, diff = diff,
    next_call = same and "Nothing would change: these files are current." or "Nothing was written. Published, "
      .. NEXT .. (before and "." or "; there is no release yet to compare with.") },
    { etag = '"' .. (before or "0") .. '"' }
end

function M.publish(r)
  local before, state = current()
  r.must_match(before or "0", state)
  local found = db.ask(find_sql, { r.body.which })
  if not found then
    no_files(r.body.which)
  elseif found.agents == 0 then
    problem(422, "no-agents", "These files hold no agents", {
      detail = "they were never loaded, or are a copy of a folder that did not load" })
  elseif r.body.dry_run then
    return rehearsed(before, found)
  elseif db.ask(same_sql, { found.tree }) then
    return 200, { release = before, before = before, changed = false, next_call = "nothing changes: it is current" }
  end
  local made, why = db.ask(publish_sql, { found.tree, r.who, r.body.note or false, before or false,
    found.release or false }, "RD409")
  if not made then
    problem(412, "changed", "It has changed since", { detail = why, fix = "look at the releases and decide anew",
      current = select(2, current()) })
  end
  return 201, { release = made, before = before, changed = true, next_call = NEXT },
    { etag = '"' .. made .. '"', location = "/api/v1/agents/releases" }
end

-- ---- what differs ----

local function lines_of(text)
  local lines = {}
  for line in (text .. (text:sub(-1) == "\n" and "" or "\n")):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

local function piece(lines, from, to)
  local out = json.array {}
  for i = from, math.min(to, from + DIFF_LINES - 1) do
    out[#out + 1] = lines[i]
  end
  return out
end

local function between(path, old, new)
  local a, b = lines_of(old or ""), lines_of(new or "")
  local first, last = 1, 0
  while first <= #a and first <= #b and a[first] == b[first] do
    first = first + 1
  end
  while last < math.min(#a, #b) - first + 1 and a[#a - last] == b[#b - last] do
    last = last + 1
  end
  return { path = path, state = not old and "added" or not new and "removed" or "changed", line = first,
    removed = old and piece(a, first, #a - last), added = new and piece(b, first, #b - last) }
end

local function files_of(which)
  local files = db.ask("select files::text from find_agent_tree($1)", { which })
  if not files then
    no_files(which)
  end
  return files
end

function differs(from, to)
  local old, new = files_of(from), files_of(to)
  local files, seen = {}, {}
  for _, side in ipairs { old, new } do
    for path in pairs(side) do
      if not seen[path] and old[path] ~= new[path] then
        files[#files + 1] = between(path, old[path], new[path])
      end
      seen[path] = true
    end
  end
  table.sort(files, function(a, b)
    return a.path < b.path
  end)
  return { from = from, to = to, files = json.array(files) }
end

function M.diff(r)
  return 200, differs(r.query.from, r.query.to)
end

return M
