-- SPDX-License-Identifier: Apache-2.0
-- Bytes as one likes them, to a node: for stories about peers that do not behave.
--
--   raw.talk(node, { steps }, …)          -> what each connection got (see raw.js for steps and results)
--   raw.start(node, { steps, times = N }) -> the same in the background: :wait() for the results
--   raw.request(method, path, headers, body)   one HTTP request as text; headers in order
--   raw.upgrade(node, path)               a signed WebSocket upgrade
--   raw.frame(text, op)                   one masked WebSocket frame; raw.frames(text): those received
local json = require "cjson"
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"

local raw = {}

-- JSON that node reads as latin1: every byte above ASCII as \u00XX.
local function encode(plan)
  return (json.encode(plan):gsub("[\x80-\xff]", function(c)
    return ("\\u%04x"):format(c:byte())
  end))
end

-- What came back from latin1, as bytes again.
local function decode(text)
  local results = json.decode(text)
  for _, r in ipairs(results) do
    r.got = r.got:gsub(utf8.charpattern, function(c)
      return string.char(utf8.codepoint(c))
    end)
    r.status = tonumber(r.got:match "^HTTP/1%.1 (%d+) ")
  end
  return results
end

local Talk = {}
Talk.__index = Talk

local n_talks = 0

-- Returns once all of its connections stand.
function raw.start(n, ...)
  n_talks = n_talks + 1
  local connections = {}
  for i, c in ipairs { ... } do
    connections[i] = c.steps and c or { steps = c }
  end
  local name = "raw" .. n_talks
  local plan = proc.write(n.folder .. "/" .. name .. ".plan", encode { port = n.port, connections = connections })
  local words = { "sh", "-c", "exec node spec/e2e/support/raw.js <" .. proc.quote(plan) }
  local t = setmetatable({ child = proc.start { name = name, folder = n.folder, args = words } }, Talk)
  assert(t.child:says("^open\n()", 30), "the peer does not start")
  return t
end

function Talk:wait(seconds)
  self.child:wait(seconds or 60)
  local text = self.child:text()
  self.child:stop()
  return decode(assert(text:match "^open\n(%[.*)", text))
end

function Talk:stop()
  self.child:stop()
end

function raw.talk(n, ...)
  return table.unpack(raw.start(n, ...):wait())
end

-- ---- HTTP ----

function raw.request(method, path, headers, body)
  local lines = { ("%s %s HTTP/1.1"):format(method, path), "Host: 127.0.0.1" }
  for _, h in ipairs(headers or {}) do
    table.insert(lines, h)
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

-- A signed webhook as text.
function raw.webhook(n, path, fields)
  local body = node.form(fields)
  return raw.request("POST", path, {
    "Content-Type: application/x-www-form-urlencoded", "Content-Length: " .. #body,
    "X-Twilio-Signature: " .. node.signature(n.url .. path, fields),
  }, body)
end

-- ---- WebSocket ----

-- o.signature: this one instead; false: none
function raw.upgrade(n, path, o)
  local signature = o and o.signature
  if signature == nil then
    signature = node.signature(n.url:gsub("^http", "ws") .. path, {})
  end
  return raw.request("GET", path, {
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    signature and "X-Twilio-Signature: " .. signature or nil,
  })
end

raw.TEXT, raw.BINARY, raw.CLOSE, raw.PING = 1, 2, 8, 9

-- Masked with zeros, which is a mask too.
function raw.frame(text, op)
  local n = #text
  local head = string.char(0x80 | (op or raw.TEXT))
  if n < 126 then
    head = head .. string.char(0x80 | n)
  elseif n < 65536 then
    head = head .. string.pack(">BI2", 0x80 | 126, n)
  else
    head = head .. string.pack(">BI8", 0x80 | 127, n)
  end
  return head .. "\0\0\0\0" .. text
end

-- The frames behind the answer to an upgrade: each { op =, text =, code = }.
function raw.frames(got)
  local at = select(2, got:find("\r\n\r\n", 1, true))
  local list = {}
  at = at and at + 1 or #got + 1
  while at + 1 <= #got do
    local a, b = got:byte(at, at + 1)
    local n = b & 0x7f
    at = at + 2
    if n == 126 then
      n, at = string.unpack(">I2", got, at)
    elseif n == 127 then
      n, at = string.unpack(">I8", got, at)
    end
    local f = { op = a & 0x0f, text = got:sub(at, at + n - 1) }
    if f.op == raw.CLOSE and #f.text >= 2 then
      f.code = string.unpack(">I2", f.text)
    end
    table.insert(list, f)
    at = at + n
  end
  return list
end

return raw
