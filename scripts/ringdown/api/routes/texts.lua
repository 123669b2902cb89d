-- SPDX-License-Identifier: Apache-2.0
-- Texts as conversations: what an agent and one number wrote to each other, and what became of each text.
local owners = require "ringdown.api.owners"
local page = require "ringdown.api.page"
local shape = require "ringdown.api.shape"
local threads = require "ringdown.texts.threads"

local maybe = { type = "string", nullable = true }

local schemas = {
  Text = { type = "object", about = "a text, in or out", fields = {
    id = { type = "string", required = true },
    agent = maybe, number = { type = "string", nullable = true, personal = "number", about = "the other one's" },
    ours = { type = "string", nullable = true, about = "our number" },
    direction = { type = "string", one_of = { "in", "out" }, required = true },
    body = { type = "string", nullable = true, personal = "words" },
    kind = { type = "string", nullable = true, about = "what it was for: tool, missed, reply, emergency" },
    template = maybe,
    status = { type = "string", nullable = true, about = "the carrier's word; scheduled until due_at" },
    error_code = { type = "string", nullable = true, about = "the carrier's, or why we did not send it" },
    segments = { type = "integer", nullable = true }, call = maybe,
    to_people = { type = "boolean", required = true, about = "to one of the agent's people" },
    due_at = { type = "string", format = "time", nullable = true },
    created_at = { type = "string", format = "time", required = true },
    updated_at = { type = "string", format = "time", required = true },
  } },
}

local function key_of(row)
  return { row.created_at, row.id }
end

local function list(r)
  return owners.page(r, { "time", "text" }, key_of, function(after, limit)
    return threads.list { agents = owners.agents(r), after = after, limit = limit }
  end)
end

local function thread(r)
  return owners.page(r, { "time", "text" }, key_of, function(after, limit)
    return threads.one(r.params.number, { agents = owners.agents(r), after = after, limit = limit })
  end)
end

local function message(r)
  local text = owners.read(threads.text, r.params.message, r.agents)
  if not text then
    owners.none("There is no such text", "no text is known by this id", "GET /api/v1/texts lists conversations")
  end
  return 200, text
end

local of_agent = { agent = { type = "string", format = "agent" } }

return {
  schemas = schemas,
  { method = "GET", path = "/texts", role = "viewer", scoped = true,
    about = "conversations, the last text of each, newest first", query = page.query_with(of_agent),
    answers = { [200] = shape.page "Text" }, example = { path = "/texts" }, run = list },
  { method = "GET", path = "/texts/{number}", role = "viewer", scoped = true,
    about = "all texts with one number, newest first",
    params = { number = { type = "string", format = "phone", personal = "number" } }, query = page.query_with(of_agent),
    answers = { [200] = shape.page "Text" }, example = { path = "/texts/+13125550142" }, run = thread },
  { method = "GET", path = "/texts/messages/{message}", role = "viewer", scoped = true,
    about = "one text and what became of it, by our id or the carrier's", answers = { [200] = "Text" },
    example = { path = "/texts/messages/SM00000000000000000000000000000001" }, run = message },
}
