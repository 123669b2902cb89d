-- SPDX-License-Identifier: Apache-2.0
-- fake.http: the hosts that an agent asks, for specs. Answers are found by "METHOD url", without query.
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"
local time = require "ringdown.time"

local M = {}

local answers, down, missing = {}, {}, {}
local needs ---@type { hosts: string[], secrets: string[] }

---What was asked, newest last.
M.requests = {}

---@class ringdown.fake.answer
---@field json any? the body, as a value
---@field body string?
---@field status integer? 200 if left out
---@field headers table<string, string>?
---@field lost boolean? the request arrives, its answer does not
---@field after string? how long the answer takes, "3s"

---@param table table<string, ringdown.fake.answer|ringdown.fake.answer[]> several are given one after the other
function M.set(table)
  answers, down = table, {}
end

function M.set_down(host)
  down[host] = true
end

---@param given table<string, boolean>
function M.set_secrets(given)
  missing = {}
  for name, value in pairs(given) do
    missing[name] = value == false or nil
  end
end

---A new call begins, of an agent that needs this.
function M.begin(of)
  M.requests, needs = {}, of
end

local function secret_problem(request)
  local names = { request.bearer, request.basic }
  for _, name in pairs(request.secret_header or {}) do
    names[#names + 1] = name
  end
  for _, name in pairs(names) do
    if missing[name] or not nearest.knows(needs.secrets, name) then
      return "secret " .. name .. " has no value"
    end
  end
end

local function next_answer(key)
  local answer = answers[key]
  if answer and answer[1] then
    answer = #answer > 1 and table.remove(answer, 1) or answer[1]
  end
  if not answer then
    error(("fake.http has no answer for %s; it has: %s"):format(key, table.concat(sorted.keys(answers), ", ")), 0)
  end
  return answer
end

-- False when the answer would come too late.
local function comes_in_time(answer, request)
  if not answer.after then
    return true
  end
  local takes_ms = time.duration(answer.after) or error(answer.after .. ' is no duration; write it like "3s"', 0)
  local may_ms = request.timeout_ms or takes_ms
  require("ringdown.fake.host").sleep(math.min(takes_ms, may_ms))
  return takes_ms <= may_ms
end

---As the runtime's host.http.
function M.http(request)
  local name = request.url:match("^%a+://([^/?#:]*)")
  if not nearest.knows(needs.hosts, name) then
    return nil, name .. " is not in needs.hosts; add it there", "refused"
  elseif secret_problem(request) then
    return nil, secret_problem(request), "no_secret"
  end
  M.requests[#M.requests + 1] = request
  if down[name] then
    return nil, "connection refused", "not_sent"
  end
  local recorded = require("ringdown.fake.host").recorded
  if recorded then
    local known = recorded("http", request) or { nil, "its answer was not recorded", "not_sent" }
    return table.unpack(known, 1, 3)
  end
  local answer = next_answer(request.method .. " " .. request.url:gsub("%?.*$", ""))
  if answer.lost then
    return nil, "the answer was lost", "unknown"
  elseif not comes_in_time(answer, request) then
    return nil, "no answer in time", "unknown"
  end
  local headers = {}
  for key, value in pairs(answer.headers or {}) do
    headers[key:lower()] = value
  end
  return { status = answer.status or 200, body = answer.body or answer.json ~= nil and json.encode(answer.json) or "",
    headers = headers, retry_after_ms = (tonumber(headers["retry-after"]) or 0) * 1000 }
end

return M
