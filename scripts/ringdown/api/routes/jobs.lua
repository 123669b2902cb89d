-- SPDX-License-Identifier: Apache-2.0
-- What a request began and goes on after it (ringdown.jobs). A token of some agents only sees what it began itself.
local host = require "ringdown.host"
local jobs = require "ringdown.jobs"
local owners = require "ringdown.api.owners"
local page = require "ringdown.api.page"

local WAIT_MAX_S, LOOK_MS = 8, 250

local line = { type = "object", open = true, ours = true,
  about = "`text` or `note` for people, other members for programs" }

local schemas = {
  Job = { type = "object", about = "what goes on after the request that began it", fields = {
    job = { type = "string", format = "id", required = true },
    kind = { type = "string", required = true, about = "numbers" },
    who = { type = "string", required = true },
    about = { type = "object", open = true, required = true, about = "what was asked for" },
    state = { type = "string", one_of = { "waiting", "running", "done", "failed", "lost" }, required = true,
      about = "lost: its node ended meanwhile, and nobody goes on with it by itself" },
    progress = { type = "string", nullable = true, personal = "text" },
    lines = { type = "array", of = line, max = 200, about = "the last that it told" },
    result = { type = "object", open = true, nullable = true },
    why = { type = "string", nullable = true, personal = "text", about = "why it failed" },
    made_at = { type = "string", format = "time", required = true },
    told_at = { type = "string", format = "time", required = true, about = "when it was heard of last" },
    ended_at = { type = "string", format = "time", nullable = true },
  } },
}

local function whose(r)
  return r.agents and r.token or nil
end

local function list(r)
  return owners.page(r, { "id" }, function(row) return { row.job } end, function(after, limit)
    return jobs.list { token = whose(r), before = after and after[1], limit = limit }
  end)
end

-- As the command line tells them, but for its options.
local function plain(job)
  job.why = job.why and owners.plain(job.why)
  for _, told in ipairs(job.lines or {}) do
    told.text, told.note = told.text and owners.plain(told.text), told.note and owners.plain(told.note)
  end
  return job
end

local function one(r)
  local wait_ms = (r.query.wait_s or 0) * 1000
  local job
  repeat
    job = owners.read(jobs.one, r.params.id, whose(r))
    if not job then
      owners.none("There is no such job", "it was never begun, ended a month ago, or is not yours",
        "GET /api/v1/jobs lists them")
    end
    local is_over = job.state ~= "waiting" and job.state ~= "running"
    if not is_over and wait_ms > 0 then
      host.sleep(LOOK_MS)
    end
    wait_ms = is_over and 0 or wait_ms - LOOK_MS
  until wait_ms <= 0
  return 200, plain(job)
end

return {
  schemas = schemas,
  { method = "GET", path = "/jobs", role = "operator", scoped = true,
    about = "what was begun and goes on by itself, newest first",
    query = page.query_with(), answers = { [200] = require("ringdown.api.shape").page "Job" },
    example = { path = "/jobs", query = "limit=10" }, run = list },
  { method = "GET", path = "/jobs/{id}", role = "operator", scoped = true,
    about = "how far it is, and what it told",
    query = { wait_s = { type = "integer", min = 0, max = WAIT_MAX_S, default = 0,
      about = "answer when it is over, or after so many seconds" } },
    answers = { [200] = "Job" }, example = { path = "/jobs/1" }, run = one },
}
