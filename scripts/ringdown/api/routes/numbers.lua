-- SPDX-License-Identifier: Apache-2.0
-- Numbers: where the carrier sends them, who answers, and changing either. What asks the carrier takes longer than a
-- request may, and becomes a job; assignments are done at once.
local assign = require "ringdown.numbers.assign"
local host = require "ringdown.host"
local jobs = require "ringdown.jobs"
local json = require "ringdown.json"
local numbers = require "ringdown.numbers.list"
local owners = require "ringdown.api.owners"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local shape = require "ringdown.api.shape"

-- ---- what leaves ----

local text, time = { type = "string" }, { type = "string", format = "time", nullable = true }
local maybe = { type = "string", nullable = true }
local goes = { "ringdown", "vapi", "elsewhere", "nobody", "unknown" }
local difference = { type = "object", fields = { name = text, wanted = text, found = text } }

local number_fields = {
  number = { type = "string", format = "phone", required = true },
  version = { type = "string", required = true, about = "its etag: send it as If-Match" },
  agent = { type = "string", nullable = true, required = true, about = "who answers it" },
  site = maybe,
  assigned = { type = "boolean", required = true, about = "by an operator; else by the agent's file" },
  nobody_because = maybe,
  name = { type = "string", nullable = true, about = "as the carrier calls it" },
  carrier_id = maybe,
  goes_to = { type = "string", one_of = goes, required = true, about = "where the carrier sends its calls" },
  texts_to = { type = "string", one_of = goes, nullable = true },
  target = { type = "string", one_of = goes, nullable = true, about = "where we made it go" },
  set_at = time, set_by = maybe,
  drift = { type = "array", of = difference, nullable = true, about = "how it differs from what we made of it" },
  compared_at = time,
  vapi_id = maybe, vapi_assistant = maybe, vapi_seen_at = time, seen_at = time,
  gone_at = { type = "string", format = "time", nullable = true, about = "the account has it no more" },
  fields = { type = "object", open = true, ours = true, about = "the carrier's twelve" },
}

local snapshot = { type = "object", open = true, ours = true, about = "how it was before a change" }

local function with(fields, more)
  local all = {}
  for _, some in ipairs { fields, more } do
    for name, field in pairs(some) do
      all[name] = field
    end
  end
  return all
end

local run_fields = {
  run = { type = "string", format = "id", required = true },
  action = { type = "string", one_of = { "switch", "restore" }, required = true },
  goes_to = { type = "string", nullable = true },
  state = { type = "string", one_of = { "running", "stopped", "done" }, required = true },
  options = { type = "object", open = true, ours = true },
  who = text, reason = { type = "string", nullable = true, personal = "text" }, started_at = time, ended_at = time,
  counts = { type = "object", of = { type = "integer" }, about = "how many numbers are in which step" },
}

local item = { type = "object", fields = { number = text, state = text, goes_to = text, why = maybe,
  updated_at = time } }

local schemas = {
  Number = { type = "object", about = "a phone number of the account", fields = number_fields },
  NumberWithPast = { type = "object", about = "a phone number, and how it was before each change",
    fields = with(number_fields, { snapshots = { type = "array", of = snapshot, max = 10 } }) },
  NumberRun = { type = "object", about = "a change of one number or of a thousand", fields = run_fields },
  NumberRunWithItems = { type = "object", about = "the same; of a long one, the numbers that are not as wished",
    fields = with(run_fields, { items = { type = "array", of = item, max = 200 } }) },
  Assigned = { type = "object", fields = {
    number = { type = "string", format = "phone", required = true },
    changed = { type = "boolean", required = true, about = "of a dry run: it would be" },
    version = { type = "string", required = true },
    dry_run = { type = "boolean", nullable = true, about = "nothing was written" },
    was = { type = "object", nullable = true, about = "of a dry run: how it is", fields = { agent = maybe, site = maybe,
      assigned = { type = "boolean" } } },
    next_call = { type = "string", required = true, about = "what happens to the next call" },
  } },
  NumbersBegun = { type = "object", about = "it was begun; the job tells how far it is", fields = {
    job = { type = "string", format = "id", required = true },
    next_call = { type = "string", required = true },
  } },
  NumbersImported = { type = "object", fields = {
    assigned = { type = "integer", required = true }, same = { type = "integer", required = true },
    wrong = { type = "integer", required = true }, dry_run = { type = "boolean", required = true },
    lines = { type = "array", of = text, max = 20000, about = "what is wrong, each with its line" },
    next_call = { type = "string", required = true },
  } },
}

-- ---- looking ----

local function list(r)
  return owners.page(r, { "phone" }, function(row) return { row.number } end, function(after, limit)
    return numbers.page { agents = owners.agents(r), goes_to = r.query.goes_to, drift = r.query.drift,
      after = after and after[1], limit = limit }
  end)
end

local function none(number)
  owners.none("There is no such number", number .. " is not known here", "POST /api/v1/numbers/sync looks at Twilio")
end

local function known(r)
  local one = owners.read(numbers.one, r.params.number)
  if not one or not r.sees(one.agent) then
    none(r.params.number)
  end
  return one
end

local function etag(version)
  return { etag = '"' .. version .. '"' }
end

local function one(r)
  local number = known(r)
  return 200, number, etag(number.version)
end

local function runs(r)
  return owners.page(r, { "id" }, function(row) return { row.run } end, function(after, limit)
    return numbers.runs { before = after and after[1], limit = limit }
  end)
end

local function run_of(r)
  local run = owners.read(numbers.run_of, r.params.id)
  if not run then
    owners.none("There is no such run", "numbers were never changed by run " .. r.params.id,
      "GET /api/v1/numbers/runs lists them")
  end
  return 200, run
end

-- ---- assigning ----

local function node_knows()
  if host.node and host.node.refresh_numbers then
    host.node.refresh_numbers()
  end
end

local function put(r, to)
  local before = known(r)
  r.must_match(before.version, before)
  if to then
    owners.see(r, to.agent)
    local why = owners.read(assign.complaint, to)
    if why then
      problem(409, "refused", "It is not assigned", { detail = why })
    end
  end
  local next_call = to and ("is answered by %s, site %s"):format(to.agent, to.site or "default")
    or "goes to the agent whose file has this number, or to the only one"
  if r.query.dry_run then
    local same = not to and not before.assigned or to ~= nil and before.assigned and before.agent == to.agent
      and (before.site or "default") == (to.site or "default")
    return 200, { number = r.params.number, changed = not same, version = before.version, dry_run = true,
      was = { agent = before.agent, site = before.site, assigned = before.assigned }, next_call = same
      and "Nothing would be written: it is so already." or ("The next call to %s then %s."):format(r.params.number,
      next_call) }, etag(before.version)
  end
  local changed = owners.read(assign.put, r.params.number, to, before.version)
  local now = owners.read(numbers.one, r.params.number) or { version = before.version }
  if changed == nil then
    r.if_match = r.if_match ~= "*" and r.if_match or before.version -- somebody was faster than we
    r.must_match(now.version, now)
  end
  node_knows()
  next_call = ("The next call to %s %s; nodes follow within a few seconds."):format(r.params.number, next_call)
  return 200, { number = r.params.number, changed = changed, version = now.version, next_call = next_call },
    etag(now.version)
end

local function set(r)
  local site = r.body.site
  return put(r, { agent = r.body.agent, site = site ~= "default" and site or nil })
end

local function unset(r)
  return put(r, nil)
end

local function import(r)
  local told = owners.told()
  local result = owners.read(require("ringdown.numbers.import").run,
    { text = r.body, dry_run = r.query.dry_run, sees = r.sees }, told.tell)
  if result.assigned > 0 and not r.query.dry_run then
    node_knows()
  end
  table.remove(told.lines) -- the sum, which the counts say
  return 200, { assigned = result.assigned, same = result.same, wrong = result.wrong,
    dry_run = r.query.dry_run or false, lines = told.lines, next_call = r.query.dry_run and "Nothing was changed."
      or "The next call to each of these numbers goes to its agent. Where Twilio sends them is not touched." }
end

-- ---- what asks the carrier ----

-- A token of some agents names numbers or one of its agents, never all, and never a run, which has anybody's.
local function check_scope(r, body)
  if not r.agents then
    return
  elseif body.all or body.run then
    problem(403, "scope", "This is about all agents", { detail = "this token is for some: name numbers, or one agent",
      fix = 'send {"agent": "…"} or {"numbers": ["+1…"]}' })
  elseif body.agent then
    owners.see(r, body.agent)
  end
  for _, number in ipairs(body.numbers or {}) do
    local seen = owners.read(numbers.one, number)
    if not seen or not r.sees(seen.agent) then
      none(number)
    end
  end
end

local function begin(r, about, next_call)
  local job = owners.change("It was not begun", function(why)
    problem(503, "not-begun", "It was not begun", { detail = why, not_begun = true,
      headers = { ["retry-after"] = "60" } })
  end, jobs.begin, "numbers", about, r.who, r.token)
  r.audit("numbers." .. about.action, about.numbers and #about.numbers == 1 and about.numbers[1] or about.agent or nil,
    nil, { job = job, about = about })
  return 202, { job = tostring(job), next_call = next_call }, { location = "/api/v1/jobs/" .. job }
end

local UNCHANGED = "As before: nothing is changed by this."

local function about_of(r, action)
  local about = { action = action }
  for name, value in pairs(r.body) do
    about[name] = value
  end
  about.run = about.run and math.tointeger(tonumber(about.run)) or nil
  about.numbers = about.numbers and json.array(about.numbers)
  if not (about.numbers and about.numbers[1]) and not about.agent and not about.all and not about.run then
    problem(422, "fields", "The request is not what this route takes", {
      detail = "which numbers? Say numbers, agent, all" .. (action == "restore" and " or run" or "") })
  end
  check_scope(r, about)
  return about
end

local function switched(about)
  if about.dry_run then
    return UNCHANGED
  end
  return about.to == "ringdown" and "Once a number is verified, its next call is answered here; which system it then "
    .. "runs on, the agent's rollout says. Calls in progress go on."
    or "Once a number is verified, its next call is answered by Vapi, without us: no rollout and no rules of ours "
    .. "apply. Calls in progress go on."
end

local function switch(r)
  local about = about_of(r, "switch")
  return begin(r, about, switched(about))
end

local function switch_one(r)
  local number = known(r)
  r.must_match(number.version, number)
  r.body.numbers = { r.params.number }
  return switch(r)
end

local function verify(r)
  local about = about_of(r, "verify")
  return begin(r, about, about.call and "As before; each number is called once, for some seconds." or UNCHANGED)
end

local function restored(about)
  return about.dry_run and UNCHANGED
    or "Once a number is restored, its next call goes where it went before. Calls in progress go on."
end

local function restore(r)
  local about = about_of(r, "restore")
  if about.agent then
    about.numbers, about.agent = owners.read(numbers.of_agent, about.agent), nil
  end
  return begin(r, about, restored(about))
end

local function resume(r)
  local _, run = run_of(r)
  if run.state == "done" then
    problem(409, "refused", "There is nothing to go on with", { detail = ("run %s is done"):format(run.run) })
  end
  local about = { action = run.action, resume = math.tointeger(tonumber(run.run)), to = run.goes_to }
  return begin(r, about, run.action == "switch" and switched(about) or restored(about))
end

local function sync(r)
  return begin(r, { action = "sync" }, UNCHANGED)
end

local function drift(r)
  return begin(r, { action = "drift" }, UNCHANGED)
end

-- ---- what comes in ----

local which = {
  numbers = { type = "array", of = { type = "string", format = "phone" }, max = 10000 },
  agent = { type = "string", format = "agent", about = "all numbers of this agent" },
  all = { type = "boolean" },
}
local bulk = {
  dry_run = { type = "boolean", about = "only tell what would change" },
  wave = { type = "integer", min = 1, max = 10000, about = "so many, then a pause" },
  pause_s = { type = "integer", min = 0, max = 3600 },
  max_failures = { type = "integer", min = 1, max = 10000, about = "then no more are changed; 10 unless said" },
  reason = { type = "string", max = 1000 },
}
local to = { type = "string", one_of = { "ringdown", "vapi" }, required = true }
local texts = { type = "boolean", about = "its texts too" }

local dry_query = { dry_run = { type = "boolean", about = "only tell what would be written" } }

local N = "+13125550100"

return {
  schemas = schemas,
  { method = "GET", path = "/numbers", role = "viewer", scoped = true, about = "numbers, with who answers them",
    query = page.query_with { agent = { type = "string", format = "agent" },
      goes_to = { type = "string", one_of = goes },
      drift = { type = "boolean", about = "only those that are (not) as we made them" } },
    answers = { [200] = shape.page "Number" }, example = { path = "/numbers", query = "goes_to=vapi" }, run = list },
  { method = "GET", path = "/numbers/{number}", role = "viewer", scoped = true, about = "one number and its past",
    answers = { [200] = "NumberWithPast" }, example = { path = "/numbers/" .. N }, run = one },
  { method = "PUT", path = "/numbers/{number}/assignment", role = "operator", scoped = true, if_match = true,
    about = "which agent answers it, at which of its sites", query = dry_query,
    body = { agent = { type = "string", format = "agent", required = true },
      site = { type = "string", format = "label" } }, answers = { [200] = "Assigned" },
    example = { path = "/numbers/" .. N .. "/assignment", headers = { ["if-match"] = "*" },
      body = { agent = "northside-plumbing" } }, run = set },
  { method = "DELETE", path = "/numbers/{number}/assignment", role = "operator", scoped = true, if_match = true,
    about = "the agents' files say again who answers it", query = dry_query, answers = { [200] = "Assigned" },
    example = { path = "/numbers/" .. N .. "/assignment", headers = { ["if-match"] = "*" } }, run = unset },
  { method = "POST", path = "/numbers/{number}/switch", role = "operator", scoped = true, if_match = true,
    about = "send its calls to us, or to Vapi", body = with(bulk, { to = to, texts = texts }),
    answers = { [202] = "NumbersBegun" }, example = { path = "/numbers/" .. N .. "/switch",
      headers = { ["if-match"] = "*" }, body = { to = "ringdown", dry_run = true }, status = 202 }, run = switch_one },
  { method = "POST", path = "/numbers/switch", role = "operator", scoped = true, idempotent = true,
    about = "send the calls of many to us, or to Vapi", body = with(with(which, bulk), { to = to, texts = texts }),
    answers = { [202] = "NumbersBegun" }, example = { path = "/numbers/switch", status = 202,
      body = { agent = "northside-plumbing", to = "ringdown", wave = 10, pause_s = 60 } }, run = switch },
  { method = "POST", path = "/numbers/verify", role = "operator", scoped = true, idempotent = true,
    about = "read numbers back, or call them and see who answers",
    body = with(which, { call = { type = "boolean" },
      from = { type = "string", format = "phone", about = "another number of the account" } }),
    answers = { [202] = "NumbersBegun" },
    example = { path = "/numbers/verify", body = { numbers = { N } }, status = 202 }, run = verify },
  { method = "POST", path = "/numbers/restore", role = "operator", scoped = true, idempotent = true,
    about = "give numbers back as they were before our last change, or before we came",
    body = with(with(which, bulk), {
      first = { type = "boolean", about = "as before we came" },
      run = { type = "string", format = "id", about = "what this run changed" } }),
    answers = { [202] = "NumbersBegun" }, example = { path = "/numbers/restore", status = 202,
      body = { numbers = { N }, dry_run = true } }, run = restore },
  { method = "POST", path = "/numbers/sync", role = "operator", idempotent = true,
    about = "look at the account's numbers at Twilio and at Vapi", answers = { [202] = "NumbersBegun" },
    example = { path = "/numbers/sync", status = 202 }, run = sync },
  { method = "POST", path = "/numbers/drift", role = "operator", idempotent = true,
    about = "compare all numbers with what we made of them", answers = { [202] = "NumbersBegun" },
    example = { path = "/numbers/drift", status = 202 }, run = drift },
  { method = "POST", path = "/numbers/import", role = "operator", scoped = true, type = "text/csv",
    about = "assignments from a table: number,agent,site; lines that are wrong are told, the others done",
    query = { dry_run = { type = "boolean" } }, answers = { [200] = "NumbersImported" },
    example = { path = "/numbers/import", query = "dry_run=true",
      body = "number,agent\n" .. N .. ",northside-plumbing\n" }, run = import },
  { method = "GET", path = "/numbers/runs", role = "viewer", about = "changes of numbers, newest first",
    query = page.query_with(), answers = { [200] = shape.page "NumberRun" }, example = { path = "/numbers/runs" },
    run = runs },
  { method = "GET", path = "/numbers/runs/{id}", role = "viewer", about = "a change, number by number",
    answers = { [200] = "NumberRunWithItems" }, example = { path = "/numbers/runs/1" }, run = run_of },
  { method = "POST", path = "/numbers/runs/{id}/resume", role = "operator", idempotent = true,
    about = "go on with a change that was cut off", answers = { [202] = "NumbersBegun" },
    example = { path = "/numbers/runs/1/resume", status = 202 }, run = resume },
}
