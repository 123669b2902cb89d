-- SPDX-License-Identifier: Apache-2.0
-- routes/agents: who answers, and releases of their files.
local page = require "ringdown.api.page"
local releases = require "ringdown.api.releases"
local shape = require "ringdown.api.shape"

local text = { type = "string", nullable = true }
local moment = { type = "string", format = "time", required = true }

local which = { type = "string", format = "release", required = true }

return {
  schemas = {
    Agent = { type = "object", fields = {
      agent = { type = "string", required = true },
      version = { type = "string", required = true, about = "of its files" },
      numbers = { type = "array", of = { type = "string" }, required = true,
        about = "in its file; others are assigned" },
      warnings = text,
    } },
    Agents = { type = "object", fields = {
      items = { type = "array", of = { ref = "Agent" }, required = true },
      errors = { type = "integer", required = true, about = "files that do not load; see /agents/errors" },
    } },
    AgentErrors = { type = "object", fields = { items = { type = "array", required = true, of = { type = "object",
      fields = { module = { type = "string", required = true }, lines = { type = "string", required = true },
        version = { type = "string", nullable = true, about = "which answers meanwhile; null: none" } } } } } },
    AgentVersion = { type = "object", fields = {
      version = { type = "string", required = true }, first_seen_at = moment, last_seen_at = moment,
      current = { type = "boolean", required = true, about = "on the node that answers" },
    } },
    AgentVersions = { type = "object", fields = {
      items = { type = "array", of = { ref = "AgentVersion" }, required = true } } },
    Release = { type = "object", fields = {
      id = { type = "string", required = true }, tree = { type = "string", required = true },
      published_by = { type = "string", required = true }, at = moment, note = text,
      restores = { type = "string", nullable = true, about = "the release whose files these are" },
      current = { type = "boolean", required = true },
      agents = { type = "object", of = { type = "string" }, required = true, about = "name and version of each" },
    } },
    Published = { type = "object", fields = {
      release = { type = "string", required = true, about = "of a dry run: the one that stays current, 0: none" },
      before = { type = "string", nullable = true, about = "which was current; publishing it again is the way back" },
      changed = { type = "boolean", required = true, about = "of a dry run: it would be" },
      dry_run = { type = "boolean", nullable = true, about = "nothing was written" },
      diff = { ref = "AgentsDiff" },
      next_call = { type = "string", required = true, about = "what happens to the next call" },
    } },
    AgentsDiff = { type = "object", fields = {
      from = { type = "string", required = true }, to = { type = "string", required = true },
      files = { type = "array", required = true, of = { type = "object", fields = {
        path = { type = "string", required = true },
        state = { type = "string", one_of = { "added", "removed", "changed" }, required = true },
        line = { type = "integer", nullable = true, about = "of the first difference" },
        removed = { type = "array", of = { type = "string" }, about = "from the first to the last difference" },
        added = { type = "array", of = { type = "string" } },
      } } },
    } },
  },
  { method = "GET", path = "/agents", role = "viewer", scoped = true, about = "the agents of the node that answers",
    answers = { [200] = "Agents" }, example = {}, run = releases.agents },
  { method = "GET", path = "/agents/errors", role = "viewer", about = "files that do not load, with what is wrong",
    answers = { [200] = "AgentErrors" }, example = {}, run = releases.errors },
  { method = "GET", path = "/agents/releases", role = "viewer", about = "releases of all agents' files, newest first",
    query = page.query_with(), answers = { [200] = shape.page "Release" }, example = { query = "limit=2" },
    run = releases.list },
  { method = "POST", path = "/agents/releases", role = "operator", if_match = true,
    about = "makes known files the current release: what a node loaded from its folder (publish), or an old release "
      .. "(restore). If-Match is the current release, \"0\" when there is none",
    body = { which = which, note = { type = "string", max = 500 },
      dry_run = { type = "boolean", about = "only tell what would differ from what is current" } },
    answers = { [200] = "Published", [201] = "Published" },
    example = { body = { which = "1", note = "as it was on Monday" }, headers = { ["if-match"] = '"2"' } },
    run = releases.publish },
  { method = "GET", path = "/agents/releases/diff", role = "viewer", about = "what differs between two sets of files",
    query = { from = which, to = which }, answers = { [200] = "AgentsDiff" },
    example = { query = "from=1&to=2" }, run = releases.diff },
  { method = "GET", path = "/agents/{agent}", role = "viewer", scoped = true,
    about = "one agent as people want to see it: prompt, tools, people, limits",
    answers = { [200] = { type = "object", open = true, ours = true } },
    example = { path = "/agents/northside-plumbing" },
    run = releases.one },
  { method = "GET", path = "/agents/{agent}/versions", role = "viewer", scoped = true,
    about = "the versions of an agent that took calls, newest first",
    answers = { [200] = "AgentVersions" }, example = { path = "/agents/northside-plumbing/versions" },
    run = releases.versions },
}
