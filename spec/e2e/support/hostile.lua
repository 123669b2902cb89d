-- SPDX-License-Identifier: Apache-2.0
-- What strangers send to the admin API who have read its description: every operation of docs/openapi.yaml, each time
-- with something that is wrong. Nothing here may be done, nothing may be a mistake of ours.
--
--   hostile.plan{ seed = 1, each = 2 } -> { { what =, bytes = }, … }     each: so many per operation; nil: all
--   hostile.ask(n, list)               -> what each got (hostile.py), by the control socket: there nobody counts
--   hostile.wrong(one, got)            -> why that is no good answer; nil: it is one
--   hostile.crowd(n, count)            so many connections that say nothing -> does /livez answer beside them?
local json = require "cjson"
local lyaml = require "lyaml"
local proc = require "spec.e2e.support.proc"
local sorted = require "ringdown.sorted"

local M = {}

local METHODS = { "GET", "POST", "PUT", "PATCH", "DELETE" }
local ODD = { "x'; drop table calls; --", "' or 1=1 --", "$1", "%0d%0aset-cookie:%20a=b", "\u{202e}abc", "\xff\xfe",
  "..", "../../etc/passwd", "a/b", "a\\b", "\0", ("9"):rep(3000), "{}", "null", "-1", "1e999", "\u{85}", "NaN" }

local function escaped(text)
  return (text:gsub("[^%w_.~-]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

local function request(method, target, headers, body)
  local lines = { ("%s /api/v1%s HTTP/1.1"):format(method, target), "Host: localhost" }
  for _, line in ipairs(headers or {}) do
    lines[#lines + 1] = line
  end
  if body then
    lines[#lines + 1] = "Content-Length: " .. #body
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

local function json_request(method, target, body, ...)
  return request(method, target, { "Content-Type: application/json", ... }, body)
end

-- ---- operations ----

local function resolve(document, s)
  while s and s["$ref"] do
    s = document.components.schemas[s["$ref"]:match "[^/]+$"]
  end
  return s
end

-- Its path with values that fit; nothing is said of one whose value could be something that is there.
local samples = { call = "CA" .. ("e"):rep(32), number = "+13125559999", id = "999999", agent = "nobody-here" }

local function operation(document, path, method, about)
  local one = { path = path, method = method:upper(), fields = {}, query = {}, params = {} }
  one.target = path:gsub("{([%w_]+)}", function(name)
    one.params[#one.params + 1] = name
    return samples[name] or "nothing"
  end)
  for _, p in ipairs(about.parameters or {}) do
    if p["in"] == "query" then
      one.query[#one.query + 1] = p.name
    end
  end
  local content = about.requestBody and about.requestBody.content or {}
  local s = content["application/json"] and resolve(document, content["application/json"].schema)
  one.type = content["text/csv"] and "text/csv" or s and "application/json" or nil
  for name in pairs(s and s.properties or {}) do
    one.fields[#one.fields + 1] = name
  end
  table.sort(one.fields)
  return one
end

local function operations()
  local file = assert(io.open "docs/openapi.yaml")
  local document = lyaml.load(file:read "a")
  file:close()
  local list, methods = {}, {}
  for _, path in ipairs(sorted.keys(document.paths)) do
    methods[path] = {}
    for _, method in ipairs(sorted.keys(document.paths[path])) do
      methods[path][method:upper()] = true
      list[#list + 1] = operation(document, path, method, document.paths[path][method])
    end
  end
  return list, methods
end

-- ---- what is wrong with each ----

local function add_bodies(add, one)
  local to = one.target
  for _, body in ipairs { "{", "[]", "null", '"x"', ("["):rep(5000), '{"nobody_knows":1}', '{"a":"\xff"}', '{"a":1',
    '{"a":"\0"}', ('{"a":%s}'):format(("9"):rep(400)) } do
    if one.method ~= "GET" then
      add("body " .. body:sub(1, 20), json_request(one.method, to .. "?nobody_knows=1", body))
    end
  end
  add("a text", request(one.method, to, { "Content-Type: text/plain" }, "hello"))
  add("a form", request(one.method, to, { "Content-Type: application/x-www-form-urlencoded" }, "a=1"))
  for _, name in ipairs(one.fields) do
    for _, value in ipairs { '{"a":[]}', "-1e999", '"x\'; drop table calls; --"', '"\xc3\x28"' } do
      add("field " .. name, json_request(one.method, to .. "?nobody_knows=1", ('{"%s":%s}'):format(name, value)))
    end
  end
end

local function add_addresses(add, one)
  for _, text in ipairs(ODD) do
    for _, name in ipairs(one.params) do
      local target = one.path:gsub("{([%w_]+)}", function(other)
        return other == name and escaped(text) or samples[other] or "nothing"
      end)
      add("path " .. name, request(one.method, target .. "?nobody_knows=1"))
    end
    for _, name in ipairs(one.query) do
      add("query " .. name, request(one.method, ("%s?%s=%s&nobody_knows=1"):format(one.target, name, escaped(text))))
    end
  end
  for _, trick in ipairs { "/../tokens", "//", "/.", "/%2e%2e/tokens", "/%2f", "/%00", "/%", "/%zz", ";x=/../tokens",
    "/" .. ("a"):rep(9000), "?a=1&a=2", "?token=rd_0123", "?%ff=1", "?a=%0d%0ab", "#x" } do
    add("address " .. trick:sub(1, 20), request(one.method, one.target .. trick .. (trick:find "[?#]" and "" or
      "?nobody_knows=1")))
  end
end

-- Reads go as far as the database; what they answer may be nothing, and is never a mistake.
local function add_reads(add, one)
  if one.method ~= "GET" or one.path == "/events" then
    return
  end
  for _, text in ipairs(ODD) do
    for _, name in ipairs(one.params) do
      add("read " .. name, request("GET", (one.path:gsub("{([%w_]+)}", function(other)
        return other == name and escaped(text) or samples[other] or "nothing"
      end))), true)
    end
    for _, name in ipairs(one.query) do
      add("read by " .. name, request("GET", ("%s?%s=%s"):format(one.target, name, escaped(text))), true)
    end
  end
end

local function add_heads(add, one)
  local to = one.target .. "?nobody_knows=1"
  for _, line in ipairs { "If-Match: \x01", 'If-Match: "x" , "y"', "Idempotency-Key: \xff\xfe",
    "Idempotency-Key: " .. ("k"):rep(600), "Last-Event-ID: \x7f", "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: -1", "Content-Length: 999999999999", "Content-Length: 99999999999999999999999",
    "Transfer-Encoding: chunked", "Expect: nothing", "X: " .. ("y"):rep(9000), "No colon", " Folded: x",
    "X-Y: a\rb", "Range: bytes=0-,5-", "Upgrade: websocket\r\nConnection: upgrade" } do
    add("head " .. line:sub(1, 24), request(one.method, to, { line }))
  end
  add("two in one packet", request(one.method, to) .. request("GET", "/me"))
  add("POST behind it", request(one.method, to) .. json_request("POST", "/undo", '{"nobody_knows":1}'))
  add("a lot behind it", request(one.method, to) .. ("\0"):rep(100000))
  add("no version", ("%s /api/v1%s\r\n\r\n"):format(one.method, to))
end

local function defects(one, methods)
  local list = {}
  local function add(what, bytes, may_answer)
    list[#list + 1] = { what = ("%s %s: %s"):format(one.method, one.path, what), bytes = bytes,
      may_answer = may_answer }
  end
  for _, method in ipairs(METHODS) do
    if not methods[one.path][method] then
      add("as " .. method, json_request(method, one.target .. "?nobody_knows=1", method ~= "GET" and "{}" or nil))
    end
  end
  add("as BREW", request("BREW", one.target))
  add_bodies(add, one)
  add_addresses(add, one)
  add_reads(add, one)
  add_heads(add, one)
  return list
end

-- A stream is the last thing on its connection.
local function add_streams(list)
  local stream = request("GET", "/events?after=0")
  for what, behind in pairs { ["a GET"] = request("GET", "/me"), ["a POST"] = json_request("POST", "/undo", "{}"),
    ["another stream"] = stream, ["a byte"] = "x" } do
    list[#list + 1] = { what = what .. " behind a stream", bytes = stream .. behind }
  end
end

---@param o { seed: integer, each: integer?, slow: boolean? }
---@return { what: string, bytes: string, hold_s: integer? }[]
function M.plan(o)
  math.randomseed(o.seed)
  local list, all, methods = {}, operations()
  for _, one in ipairs(all) do
    local some = defects(one, methods)
    for _ = 1, math.min(o.each or #some, #some) do
      list[#list + 1] = table.remove(some, o.each and math.random(#some) or 1)
    end
  end
  add_streams(list)
  if o.slow then
    list[#list + 1] = { what = "a head that never ends", bytes = "GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\n" }
    list[#list + 1] = { what = "a body that never comes", bytes = json_request("POST", "/undo", "{}"):sub(1, -2) }
  end
  return list, #all
end

local function run(n, plan)
  local path = proc.write(n.folder .. "/hostile.plan", json.encode(plan))
  return json.decode((proc.run("python3 spec/e2e/support/hostile.py <" .. proc.quote(path))))
end

---@param n table a node
---@param count integer
---@return boolean
function M.crowd(n, count)
  return run(n, { port = n.admin_port, crowd = count }).served
end

---@param n table a node
---@param list table[]
---@return table[]
function M.ask(n, list)
  local requests = {}
  for i, one in ipairs(list) do
    requests[i] = { hex = one.bytes:gsub(".", function(c)
      return ("%02x"):format(c:byte())
    end) }
  end
  return run(n, { unix = n.folder .. "/data/control.sock", at_once = 8, requests = requests })
end

-- Refused as a problem, or closed without a word; answered only where what is wrong may be passed over, and once.
function M.wrong(one, got)
  if one.may_answer and got.status and got.status < 300 then
    return nil
  elseif not got.closed then
    return "is kept open"
  elseif got.answers > 1 then
    return "is answered " .. got.answers .. " times"
  elseif got.status and (got.status >= 500 or got.status < 400) then
    return ("is answered %d: %s"):format(got.status, got.body)
  elseif got.status and got.body ~= "" and got.type ~= "application/problem+json" then
    return "is refused as " .. tostring(got.type)
  elseif got.status and got.body ~= "" and json.decode(got.body).status ~= got.status then
    return "says another status in its body"
  end
end

return M
