-- SPDX-License-Identifier: Apache-2.0
-- http_request: one request of ringdown.http, checked, made and tried again where that does no harm.
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local percent = require "ringdown.percent"
local retry = require "ringdown.retry"
local secrets = require "ringdown.secret"
local sorted = require "ringdown.sorted"
local time = require "ringdown.time"

local M = {}

local TIMEOUT_MS, RETRIES_MAX = 10000, 5
local idempotent = { GET = true, HEAD = true, PUT = true, DELETE = true }
local methods = { "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT" }
local again_later = { [429] = "no", [502] = "unknown", [503] = "unknown", [504] = "unknown" }
local options = { "basic", "bearer", "body", "headers", "idempotency_key", "json", "max_bytes", "query", "retries",
  "timeout" }

local reply_mark = {
  __index = function(reply, key)
    if key ~= "json" then
      return nil
    end
    local value = json.decode(rawget(reply, "body"))
    rawset(reply, "json", value)
    return value
  end,
}

-- Mistakes in how a function is called point at the agent's line.
local function mistake(text, ...)
  local file, line = host.where()
  local what = "http: " .. text:format(...)
  error(file and ("%s:%d: %s"):format(file, line, what) or what, 0)
end

local function query_text(name, value)
  if secrets.name_of(value) then
    mistake("a secret cannot go into a URL, which ends up in logs; use bearer, basic or headers")
  elseif type(value) == "number" or type(value) == "boolean" then
    return tostring(math.type(value) == "float" and math.tointeger(value) or value)
  elseif type(value) ~= "string" then
    mistake("query.%s must be a text, a number or a boolean, not %s", name, type(value))
  end
  return value
end

local function with_query(url, query)
  if type(url) ~= "string" or not url:match("^%a+://") then
    mistake("the URL must be a text like \"https://api.example.com/path\"")
  end
  local parts = {}
  for i, name in ipairs(sorted.keys(query)) do
    parts[i] = percent.encode(name) .. "=" .. percent.encode(query_text(name, query[name]))
  end
  url = url:gsub("#.*$", "")
  if #parts == 0 then
    return url
  end
  return url .. (url:find("?", 1, true) and "&" or "?") .. table.concat(parts, "&")
end

-- Headers as texts, and those whose value is a secret by its name.
local function split_headers(given)
  local plain, secret = {}, {}
  for name, value in pairs(given or {}) do
    if secrets.name_of(value) then
      secret[name] = secrets.name_of(value)
    elseif type(value) == "string" or type(value) == "number" then
      plain[name] = tostring(value)
    else
      mistake("headers.%s must be a text or a secret, not %s", tostring(name), type(value))
    end
  end
  return plain, secret
end

local function secret_of(value, name)
  if value ~= nil and not secrets.name_of(value) then
    mistake("%s must be a secret, like secret \"API_KEY\"", name)
  end
  return secrets.name_of(value)
end

local function add_basic(request, basic)
  if type(basic) == "table" and not secrets.name_of(basic) then
    if type(basic.user) ~= "string" or basic.user:find("[:%c]") then
      mistake("basic.user must be a text without a colon")
    end
    request.user, request.basic = basic.user, secret_of(basic.password, "basic.password")
    if not request.basic then
      mistake("basic needs a password = secret \"…\"")
    end
  else
    request.basic = secret_of(basic, "basic")
  end
end

local function add_body(request, o)
  if o.body ~= nil and o.json ~= nil then
    mistake("either body or json, not both")
  elseif o.body ~= nil and type(o.body) ~= "string" then
    mistake("body must be a text; use json for a table")
  end
  request.body = o.body
  if o.json ~= nil then
    local text, why = json.encode(o.json)
    if not text then
      mistake("json: %s", why)
    end
    request.body = text
    request.header["Content-Type"] = request.header["Content-Type"] or "application/json"
  end
end

local function timeout_ms(text)
  if text == nil then
    return TIMEOUT_MS
  end
  local ms = time.duration(text)
  if not ms or ms < 1 or ms > 120000 then
    mistake("timeout must be a duration from \"1ms\" to \"2m\"")
  end
  return ms
end

local function check_options(o)
  if type(o) ~= "table" then
    mistake("options must be a table in { }")
  end
  for name in pairs(o) do
    if not nearest.knows(options, name) then
      mistake("unknown option '%s'; %s", tostring(name), nearest.hint(name, options))
    end
  end
  local retries = o.retries or 0
  if math.type(retries) ~= "integer" or retries < 0 or retries > RETRIES_MAX then
    mistake("retries must be a whole number from 0 to %d", RETRIES_MAX)
  end
end

local function request_of(method, url, o)
  check_options(o)
  local header, secret_header = split_headers(o.headers)
  local request = { method = method, url = with_query(url, o.query), header = header, secret_header = secret_header,
    bearer = secret_of(o.bearer, "bearer"), timeout_ms = timeout_ms(o.timeout), max_bytes = o.max_bytes }
  add_basic(request, o.basic)
  add_body(request, o)
  if o.idempotency_key then
    header["Idempotency-Key"] = tostring(o.idempotency_key)
  end
  return request
end

-- What an attempt came to, as ringdown.retry wants to hear it. The last answer is kept all the same.
local function attempt(request, kept)
  local reply, why, code = host.http(request)
  kept.reply, kept.why = reply, why
  if not reply then
    local was_us = code == "refused" or code == "limit" or code == "no_secret"
    return nil, why, { again = not was_us, happened = code == "unknown" and "unknown" or "no",
      target = was_us and "unknown" or "failed", code = code }
  elseif again_later[reply.status] then
    return nil, "status " .. reply.status, { again = true, happened = again_later[reply.status],
      after_ms = reply.retry_after_ms, target = reply.status == 429 and "unknown" or "failed" }
  elseif reply.status >= 500 then
    return nil, "status " .. reply.status, { again = false, happened = "unknown", target = "failed" }
  end
  return reply
end

---As http.request.
---@param method string
---@param url string
---@param opts ringdown.http.opts?
---@return ringdown.http.reply
function M.request(method, url, opts)
  local o = opts or {}
  if not nearest.knows(methods, method) then
    mistake("unknown method '%s'; %s", tostring(method), nearest.hint(method, methods))
  end
  if not host.http then
    mistake("requests can be made in tools and hooks, not while the file is loaded")
  end
  local request, kept = request_of(method, url, o), {}
  local name = url:match("^%a+://([^/?#]*)"):sub(1, 63)
  local _, why = retry.run {
    target = name ~= "" and name or "?", idempotent = idempotent[method] or o.idempotency_key ~= nil,
    policy = { first_ms = 200, max_ms = 3000, attempts = 1 + (o.retries or 0) },
    attempt = function()
      return attempt(request, kept)
    end,
  }
  if not kept.reply then
    mistake("%s %s: %s", method, name, kept.why or why)
  end
  return setmetatable(kept.reply, reply_mark)
end

return M
