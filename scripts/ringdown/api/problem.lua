-- SPDX-License-Identifier: Apache-2.0
-- api.problem: why a request got no answer, as RFC 9457 has it. Raised, so that a handler reads like its happy path:
--
--   problem(404, "no-such-call", "There is no such call", { detail = "…", fix = "…" })
--
-- What the library raises for people (error("…", 0)) becomes one by problem.of(); what has a place in it is a mistake
-- of ours and goes on as it is: whoever asked gets a 500 with a number, and the log the traceback.
local sqlstate = require "ringdown.sqlstate"

local M = {}

local Problem = { __name = "ringdown.problem" }

local PREFIX = "https://ringdown.dev/problems/" -- a name, and the heading in docs/api.md; nothing is asked there

M.type = "application/problem+json"

---@param value any what was raised
---@return boolean
function M.is(value)
  return getmetatable(value) == Problem
end

---@param status integer
---@param slug string
---@param title string the same for each problem of this slug
---@param more table? detail, fix, headers, and members of its own
---@return table
function M.new(status, slug, title, more)
  local self = { status = status, type = PREFIX .. slug, title = title }
  for key, value in pairs(more or {}) do
    self[key] = value
  end
  if status == 503 then -- whoever is to come again is told when
    self.headers = self.headers or {}
    self.headers["retry-after"] = self.headers["retry-after"] or "5"
  end
  return setmetatable(self, Problem)
end

---Raises it.
function M.raise(status, slug, title, more)
  error(M.new(status, slug, title, more), 0)
end

-- "scripts/…/x.lua:12: attempt to …", '[string "…"]:3: …'
local function has_place(text)
  return text:match "^[^%s:]+%.lua:%d+:" ~= nil or text:match '^%[string "' ~= nil
end

---Calls f; a refusal in words becomes this problem with the words as its detail. A database that is away or
---busy is 503, a value that it does not take 422.
---@param status integer
---@param slug string
---@param title string
---@param f fun(...): any
---@return any what f returned
function M.of(status, slug, title, f, ...)
  local done = table.pack(pcall(f, ...))
  if done[1] then
    return table.unpack(done, 2, done.n)
  end
  local why = done[2]
  if type(why) ~= "string" or has_place(why) then
    error(why, 0)
  end
  M.of_words(why)
  M.raise(status, slug, title, { detail = why })
end

---The database is away: nothing is known, nothing is done.
function M.away(why)
  M.raise(503, "database-away", "The database does not answer", { detail = why,
    fix = "ask again; ringdown db status tells why. Calls go on without it, and ringdown force works",
    headers = { ["retry-after"] = "5" } })
end

---Raises what the database's refusal of this kind is; nothing when it is none of these.
---@param kind "away"|"busy"|"value"|nil of sqlstate
---@param why string
function M.of_database(kind, why)
  if kind == "away" then
    M.away(why)
  elseif kind == "busy" then
    M.raise(503, "busy", "The database is too busy for this now", { detail = why, fix = "ask for less, or again",
      headers = { ["retry-after"] = "5" } })
  elseif kind == "value" then
    M.raise(422, "not-taken", "The database does not take this value", { detail = why })
  end
end

---The same for words that a module raised.
---@param why any
function M.of_words(why)
  M.of_database(sqlstate.of_words(why), why)
end

return setmetatable(M, { __call = function(_, ...)
  return M.raise(...)
end })
