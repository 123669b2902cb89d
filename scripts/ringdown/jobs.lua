-- SPDX-License-Identifier: Apache-2.0
-- jobs: what a request begins and nobody waits for: numbers that are switched one after the other, a call that is
-- placed to see who answers. The request writes the wish down and has the node begin; the operation `job` does it,
-- and tells the database how far it is; whoever asked looks there by the job's number.
--
--   begin ─ row "waiting" ─ host.node.operate("job") ─▶ run ─ "running", lines and progress ─▶ "done" | "failed", why
--
-- Failure: the node ends meanwhile: the row stays "running" and is told as lost once nothing was heard of it for longer
-- than any pause lasts. Nothing is begun again by itself; changes of numbers can be gone on with (numbers/bulk.lua).
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---By kind: whose run(about, tell) it is.
M.kinds = { cost = "ringdown.stats.costs", numbers = "ringdown.numbers.command" }

local TELL_MS, TELL_LINES = 1000, 50 -- a question for each line would be slower than the work
local LOST_S = 4500 -- a pause between waves is an hour at most
local LOOK_MS, LOOKS = 5000, 60 -- a database that is away at the end

---@param kind string
---@param about table
---@param who string
---@param token string? its id; nil: by the control socket
---@return integer job
function M.begin(kind, about, who, token)
  local operate = host.node and host.node.operate
  if not operate then
    error("this process does not serve calls, so nothing would go on with it: ask a node (ringdown serve), or use the "
      .. "command line", 0)
  end
  local job = db.ask("select to_json(job_begin($1, $2::jsonb, $3, $4::bigint))::text",
    { kind, json.encode(about), who, token or false })
  local begun, why = operate("job", json.encode { job = job })
  if not begun then
    db.ask("select to_json(job_end($1::bigint, null, $2))::text", { job, "it was not begun: " .. tostring(why) })
    error(("too much is being done at once (%s); ask again in a minute"):format(tostring(why)), 0)
  end
  return job
end

local shown_sql = [[select jsonb_build_object('job', job::text, 'kind', kind, 'who', who, 'about', about, 'state',
    case when state in ('waiting', 'running') and told_at < now() - make_interval(secs => %d) then 'lost'
      else state end,
    'progress', progress, 'lines', lines, 'result', result, 'why', why, 'made_at', made_at, 'told_at', told_at,
    'ended_at', ended_at) as shown from jobs]]
shown_sql = shown_sql:format(LOST_S)

---@param job string
---@param token string? nil: whoever began it
---@return table? shown
function M.one(job, token)
  return db.ask(("select shown::text from (%s where job = $1::bigint and ($2::bigint is null or token = $2::bigint)) j")
    :format(shown_sql), { job, token or false })
end

---Newest first, without what they told.
---@param o { token: string?, before: string?, limit: integer }
---@return table[]
function M.list(o)
  return db.ask(([[select coalesce(jsonb_agg(shown - array['lines', 'result'] order by (shown ->> 'job')::bigint desc),
    '[]')::text from (%s where ($1::bigint is null or token = $1::bigint) and ($2::bigint is null or job < $2::bigint)
      order by job desc limit $3::integer) j]]):format(shown_sql), { o.token or false, o.before or false, o.limit })
end

-- Gathers what is told, and writes it now and then.
local function teller(job)
  local self = { lines = json.array {}, at_ms = host.now_ms() }
  function self.flush()
    if self.lines[1] or self.progress then
      db.ask("select to_json(1)::text from job_tell($1::bigint, $2, $3::jsonb)",
        { job, self.progress or false, json.encode(self.lines) })
    end
    self.lines, self.progress, self.at_ms = json.array {}, nil, host.now_ms()
  end
  function self.tell(value)
    self.progress = value.progress or self.progress
    if value.text or value.note then
      table.insert(self.lines, value)
    end
    if #self.lines >= TELL_LINES or host.now_ms() - self.at_ms >= TELL_MS then
      self.flush()
    end
  end
  return self
end

-- Whatever becomes of it, that it is over is written down.
local function finish(job, told, result, why)
  for look = 1, LOOKS do
    local done, wrong = pcall(function()
      told.flush()
      db.ask("select to_json(job_end($1::bigint, $2::jsonb, $3))::text",
        { job, result and json.encode(result) or false, why or false })
    end)
    if done then
      return
    elseif look == LOOKS then
      error(wrong, 0)
    end
    host.sleep(LOOK_MS)
  end
end

---The operation.
---@param payload { job: integer }
function M.run(payload)
  local taken = db.ask("select job_take($1::bigint)::text", { payload.job })
  if not taken then
    return { taken = false }
  end
  local module = M.kinds[taken.kind]
  local told = teller(payload.job)
  host.who = function() -- this VM is of this job alone
    return taken.who
  end
  local done, result = pcall(function()
    return require(module).run(taken.about, told.tell)
  end)
  finish(payload.job, told, done and (result or {}) or nil, not done and tostring(result) or nil)
  if not done and tostring(result):match "%.lua:%d+:" then
    error(result, 0) -- a mistake of ours: into the log
  end
  return { job = payload.job }
end

return M
