-- SPDX-License-Identifier: Apache-2.0
-- Customers and their visits: looked up, and taken over from a table.
local customers = require "ringdown.customers.list"
local db = require "ringdown.api.db"
local json = require "ringdown.json"
local owners = require "ringdown.api.owners"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local shape = require "ringdown.api.shape"

local maybe = { type = "string", nullable = true }
local time = { type = "string", format = "time", required = true }
local id = { type = "string", format = "id", required = true }
local number = { type = "string", nullable = true, personal = "number" }
local name = { type = "string", nullable = true, personal = "name" }
local notes = { type = "string", nullable = true, personal = "words" }

local function customer_fields(more)
  local fields = { id = id, agent = { type = "string", required = true }, number = number, name = name,
    email = { type = "string", nullable = true, personal = "email" }, notes = notes,
    facts = { type = "object", open = true,
      about = "vip, and what was imported; not for who may see nothing personal" },
    created_at = time, updated_at = time }
  for member, field in pairs(more or {}) do
    fields[member] = field
  end
  return fields
end

local function visit_fields(more)
  local fields = { id = id, agent = { type = "string", required = true },
    site = { type = "string", required = true }, resource = { type = "string", required = true },
    begins = time, ends = time, status = { type = "string", one_of = { "booked", "cancelled" }, required = true },
    service = maybe, notes = notes, customer = maybe, number = number, name = name,
    call = { type = "string", nullable = true, about = "which booked it" },
    key = { type = "string", nullable = true, personal = "words" }, created_at = time, updated_at = time }
  for member, field in pairs(more or {}) do
    fields[member] = field
  end
  return fields
end

local schemas = {
  Customer = { type = "object", about = "who calls", fields = customer_fields() },
  CustomerWithVisits = { type = "object", about = "the same with their visits, the last first",
    fields = customer_fields { visits = { type = "array", of = { ref = "Appointment" }, max = 50 } } },
  Appointment = { type = "object", about = "a visit", fields = visit_fields() },
  AppointmentChanged = { type = "object", about = "a visit as it is then", fields = visit_fields {
    changed = { type = "boolean", required = true, about = "false: it was so already" },
    dry_run = { type = "boolean", nullable = true, about = "nothing was written: this is what would be" },
    was = { type = "object", nullable = true, fields = { resource = { type = "string" }, begins = time, ends = time,
      status = { type = "string" } } },
    said = { type = "array", of = { type = "string" }, required = true, about = "what one should know" } } },
  Imported = { type = "object", fields = {
    dry_run = { type = "boolean", required = true }, rows = { type = "integer", required = true },
    new = { type = "integer", required = true }, changed = { type = "integer", required = true },
    same = { type = "integer", required = true }, wrong = { type = "integer", required = true },
    errors = { type = "array", max = 500, required = true, about = "the first 500", of = { type = "object", fields = {
      line = { type = "integer", required = true }, why = { type = "string", required = true, personal = "text" } } } },
    next_call = { type = "string", required = true },
  } },
}

-- Nobody described what may be in there.
local function without_facts(r, row)
  row.facts = not r.masked and row.facts or nil
  return row
end

local function list(r)
  return owners.page(r, { "id" }, function(row) return { row.id } end, function(after, limit)
    local rows = customers.page { agents = owners.agents(r), q = r.query.q, after = after and after[1], limit = limit }
    for _, row in ipairs(rows) do
      without_facts(r, row)
    end
    return rows
  end)
end

local function seen(r, row, what)
  if not row or not r.sees(row.agent) then
    owners.none(("There is no such %s"):format(what), ("no %s has the id %s"):format(what, r.params.id))
  end
  return row
end

local function etag(row)
  return { etag = '"' .. row.version .. '"' }
end

local function one(r)
  local row = seen(r, owners.read(customers.one, r.params.id), "customer")
  return 200, without_facts(r, row), etag(row)
end

-- What a change came to; 412 when it was made from something else than there is.
local function changed(r, sql, wish, look)
  local seen_version = r.if_match and r.if_match ~= "*" and r.if_match or false
  local done = db.ask("select " .. sql .. "($1::bigint, $2, $3::jsonb, $4)::text",
    { r.params.id, seen_version, assert(json.encode(wish)), r.who })
  if done and done.stale then
    local _, row, headers = look(r)
    r.must_match(headers.etag:sub(2, -2), row)
  end
  return done
end

local function edit(r)
  one(r) -- is it theirs?
  local b, wish = r.body, {}
  for _, field in ipairs { "name", "email", "notes" } do
    wish[field] = b[field]
  end
  for _, field in ipairs(b.clear or {}) do
    if b[field] then
      problem(422, "fields", "The request is not what this route takes", {
        detail = ("body.clear: %s is to be written, too"):format(field) })
    end
  end
  wish.clear = b.clear
  wish.facts = b.vip ~= nil and { vip = b.vip } or nil
  if not next(wish) then
    problem(422, "fields", "The request is not what this route takes", { detail = "body: says nothing to change" })
  end
  changed(r, "customer_change", wish, one)
  return one(r)
end

local function visits(r)
  local q = r.query
  return owners.page(r, { "time", "id" }, function(row) return { row.begins, row.id } end, function(after, limit)
    return customers.visits { agents = owners.agents(r), site = q.site, resource = q.resource, status = q.status,
      number = q.number, since = q.since, before = q["until"], after = after, limit = limit }
  end)
end

local function visit(r)
  local row = seen(r, owners.read(customers.visit, r.params.id), "appointment")
  return 200, row, etag(row)
end

-- What was written, or would be.
local function visit_changed(r, done)
  local status, row, headers = visit(r)
  row.changed, row.was, row.said = done.changed, done.was, json.array {}
  row.dry_run = r.body.dry_run or nil
  for field, value in pairs(r.body.dry_run and done.becomes or {}) do
    row[field] = value
  end
  if not done.changed then
    row.said[1] = "It is so already: there is nothing to write."
    return status, row, headers
  end
  row.said[1] = "Nobody is told by itself: call or text the customer."
  if row.status == "cancelled" then
    table.insert(row.said, 1, "Its hour is free again, and the next caller may be offered it. This cannot be taken "
      .. "back: it would have to be booked anew.")
  elseif done.is_past then
    row.said[2] = "This hour is over already."
  end
  return status, row, headers
end

local function cancel(r)
  visit(r)
  return visit_changed(r, changed(r, "visit_change", { status = "cancelled", dry_run = r.body.dry_run }, visit))
end

local function move(r)
  local _, row = visit(r)
  local b = r.body
  if not (b.begins or b.minutes or b.resource) then
    problem(422, "fields", "The request is not what this route takes", {
      detail = "body: says neither begins, minutes nor resource" })
  end
  local done = changed(r, "visit_change", { begins = b.begins, minutes = b.minutes, resource = b.resource,
    dry_run = b.dry_run }, visit)
  if done.taken then
    problem(409, "taken", "Somebody has that hour", { detail = ("%s is booked then"):format(b.resource or row.resource),
      fix = "choose another hour, or another resource" })
  elseif done.cancelled then
    problem(409, "cancelled", "This visit was called off", { detail = "there is nothing to move",
      fix = "book a new one" })
  end
  return visit_changed(r, done)
end

-- Each part of the file has its row in the audit, without what is written about people.
local function import(what, next_call)
  return function(r)
    local result, why = owners.read(require("ringdown.customers.import").run, what, r.body,
      { dry_run = r.query.dry_run, sees = r.sees, who = r.who })
    if not result then
      problem(422, "fields", "The request is not what this route takes", { detail = "the table " .. why })
    end
    result.next_call = result.dry_run and "Nothing was changed." or next_call
    return 200, result
  end
end

local dry_run = { dry_run = { type = "boolean", about = "only tell what would be done" } }
local dry_body = { type = "boolean", about = "only tell what would be written" }
local of_agent = { type = "string", format = "agent" }

return {
  schemas = schemas,
  { method = "GET", path = "/customers", role = "viewer", scoped = true, about = "customers, the newest first",
    query = page.query_with { agent = of_agent,
      q = { type = "string", max = 100, personal = "words", about = "a number, or how the words of a name begin" } },
    answers = { [200] = shape.page "Customer" }, example = { path = "/customers", query = "q=gar" }, run = list },
  { method = "GET", path = "/customers/{id}", role = "viewer", scoped = true, about = "one and their visits",
    answers = { [200] = "CustomerWithVisits" }, example = { path = "/customers/1" }, run = one },
  { method = "PATCH", path = "/customers/{id}", role = "operator", scoped = true, if_match = "optional",
    about = "what is said is written, what is in `clear` is taken away; the next call of this customer knows it",
    body = { name = { type = "string" }, email = { type = "string", format = "email" },
      notes = { type = "string", max = 16000, lines = true }, vip = { type = "boolean" },
      clear = { type = "array", of = { type = "string", one_of = { "name", "email", "notes" } }, min = 1, max = 3 } },
    answers = { [200] = "CustomerWithVisits" },
    example = { path = "/customers/1", body = { name = "Maria Garcia-Lopez", vip = true } }, run = edit },
  { method = "POST", path = "/customers/import", role = "operator", scoped = true, type = "text/csv", query = dry_run,
    idempotent = true,
    about = "from a table: agent,number,name,email,notes,vip,fact.NAME; lines that are wrong are told, the others done",
    answers = { [200] = "Imported" }, example = { path = "/customers/import", query = "dry_run=true",
      body = "agent,number,name\nnorthside-plumbing,+13125550142,Maria Garcia\n" },
    run = import("customers", "The next call of one of these customers knows them by their number.") },
  { method = "GET", path = "/appointments", role = "viewer", scoped = true, about = "visits in the order they begin",
    query = page.query_with { agent = of_agent, site = { type = "string", format = "label" },
      resource = { type = "string", max = 128 }, status = { type = "string", one_of = { "booked", "cancelled" } },
      number = { type = "string", format = "phone", personal = "number", about = "the customer's" },
      since = { type = "string", format = "time", about = "begins not before" },
      ["until"] = { type = "string", format = "time", about = "begins before" } },
    answers = { [200] = shape.page "Appointment" },
    example = { path = "/appointments", query = "since=2026-11-27T00:00:00Z" }, run = visits },
  { method = "GET", path = "/appointments/{id}", role = "viewer", scoped = true, about = "one of them",
    answers = { [200] = "Appointment" }, example = { path = "/appointments/1" }, run = visit },
  { method = "POST", path = "/appointments/{id}/cancel", role = "operator", scoped = true, idempotent = true,
    if_match = "optional", about = "calls it off: its hour is free again. Nobody is told by itself",
    body = { dry_run = dry_body }, body_optional = true, answers = { [200] = "AppointmentChanged" },
    example = { path = "/appointments/1/cancel" }, run = cancel },
  { method = "POST", path = "/appointments/{id}/move", role = "operator", scoped = true, idempotent = true,
    if_match = "optional", about = "to another hour, length or resource. Nobody is told by itself",
    body = { begins = { type = "string", format = "time" },
      minutes = { type = "integer", min = 1, max = 44640, about = "how long; as before, unless it is said" },
      resource = { type = "string", max = 128 }, dry_run = dry_body },
    answers = { [200] = "AppointmentChanged" }, example = { path = "/appointments/1/move",
      body = { begins = "2026-12-02T17:00:00Z" } }, run = move },
  { method = "POST", path = "/appointments/import", role = "operator", scoped = true, type = "text/csv",
    idempotent = true, query = dry_run,
    about = "from a table: agent,site,resource,begins,minutes,number,name,service,notes,status,key; "
      .. "the same key is the same visit", answers = { [200] = "Imported" }, example = { path = "/appointments/import",
      query = "dry_run=true", body = "agent,resource,begins,minutes,number\n"
        .. "northside-plumbing,truck 1,2026-12-01 09:00,60,+13125550142\n" },
    run = import("appointments", "The next caller who asks for these hours is offered others.") },
}
