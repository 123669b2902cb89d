-- SPDX-License-Identifier: Apache-2.0
-- docs/api.md: its beginning is written by hand (spec/support/api_page.md), the routes and problems are made.
local json = require "ringdown.json"
local route = require "ringdown.api.route"
local shape = require "ringdown.api.shape"
local sorted = require "ringdown.sorted"

local M = {}

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---The example of a route as one types it.
---@param one ringdown.api.route
---@return string
function M.curl(one)
  local example = one.example
  local parts = { "curl -s" .. (example.stream and "N" or "") }
  if one.method ~= "GET" then
    parts[#parts + 1] = "-X " .. one.method
  end
  parts[#parts + 1] = '-H "Authorization: Bearer $TOKEN"'
  for _, name in ipairs(sorted.keys(example.headers)) do
    parts[#parts + 1] = "-H " .. quoted(name .. ": " .. example.headers[name])
  end
  local body = example.body
  if body then
    parts[#parts + 1] = "-H " .. quoted("Content-Type: " .. (one.type or "application/json"))
    parts[#parts + 1] = "--data-binary " .. quoted(type(body) == "table" and assert(json.encode(body)) or body)
  end
  parts[#parts + 1] = ('"$ADMIN/api/v1%s%s"'):format(example.path or one.path,
    example.query and "?" .. example.query or "")
  return table.concat(parts, " ")
end

local function kind_of(s)
  s = shape.resolve(s)
  if s.one_of then
    return table.concat(s.one_of, ", ")
  elseif s.format then
    return shape.formats[s.format].what
  elseif s.type == "array" then
    return "list of: " .. kind_of(s.of)
  elseif s.min and s.max then
    return ("%s from %s to %s"):format(s.type, s.min, s.max)
  end
  return s.type
end

local function describe(name, s)
  local default = s.default ~= nil and (", default " .. tostring(s.default)) or ""
  return ("- `%s`%s: %s%s%s"):format(name, s.required and "" or " (optional)", kind_of(s), default,
    s.about and "; " .. s.about or "")
end

local function fields_of(title, fields, out)
  local names = sorted.keys(fields)
  if #names == 0 then
    return
  end
  out[#out + 1] = title
  for _, name in ipairs(names) do
    out[#out + 1] = describe(name, fields[name])
  end
  out[#out + 1] = ""
end

local function answer_words(one)
  local words = {}
  for status in pairs(one.answers) do
    local s = one.answers[status]
    local items = type(s) == "table" and s.fields and s.fields.items
    local name = type(s) == "string" and s or items and items.of.ref and "a list of " .. items.of.ref
    words[#words + 1] = status .. (name and " " .. name or "")
  end
  table.sort(words)
  return table.concat(words, ", ")
end

local function route_lines(one, out)
  local words = { "role " .. one.role, "answers " .. answer_words(one) }
  if not one.scoped then
    words[#words + 1] = "not with a token of some agents only"
  end
  if one.if_match then
    words[#words + 1] = one.if_match == true and "needs If-Match" or "takes If-Match"
  end
  if one.idempotent then
    words[#words + 1] = "takes Idempotency-Key"
  end
  out[#out + 1] = ("### %s %s"):format(one.method, one.path)
  out[#out + 1] = ""
  out[#out + 1] = one.about:sub(1, 1):upper() .. one.about:sub(2) .. ". (" .. table.concat(words, "; ") .. ")"
  out[#out + 1] = ""
  fields_of("Query:", one.query, out)
  local s = route.body(one)
  fields_of("Body:", s and shape.resolve(s).fields, out)
  out[#out + 1] = "```"
  out[#out + 1] = M.curl(one)
  out[#out + 1] = "```"
  out[#out + 1] = ""
end

-- Each problem(status, "slug", "title" of the sources, once.
local function problems()
  local seen, list = {}, {}
  local pipe = assert(io.popen "ls scripts/ringdown/api/*.lua scripts/ringdown/api/routes/*.lua")
  for path in pipe:lines() do
    for status, slug, title in read(path):gmatch 'problem[%.%a]*%(%s*(%d%d%d),%s*"([%w-]+)",%s*"([^"]+)"' do
      if not seen[slug] then
        seen[slug] = true
        list[#list + 1] = { status = status, slug = slug, title = title }
      end
    end
    for status, slug, title in read(path):gmatch 'M%.raise%(%s*(%d%d%d),%s*"([%w-]+)",%s*"([^"]+)"' do
      if not seen[slug] then
        seen[slug] = true
        list[#list + 1] = { status = status, slug = slug, title = title }
      end
    end
  end
  pipe:close()
  table.sort(list, function(a, b)
    return a.status == b.status and a.slug < b.slug or a.status < b.status
  end)
  return list
end

---@return string
function M.make()
  local out, last = {}, nil
  for _, one in ipairs(route.all()) do
    local tag = route.segments(one.path)[1]
    if tag ~= last then
      out[#out + 1] = "## /" .. tag
      out[#out + 1] = ""
      last = tag
    end
    route_lines(one, out)
  end
  out[#out + 1] = "## Problems"
  out[#out + 1] = ""
  out[#out + 1] = "`type` is `https://ringdown.dev/problems/` and one of these; it is a name, nothing is fetched there."
  out[#out + 1] = ""
  out[#out + 1] = "| status | type | |"
  out[#out + 1] = "|---|---|---|"
  for _, p in ipairs(problems()) do
    out[#out + 1] = ("| %s | %s | %s |"):format(p.status, p.slug, p.title)
  end
  return read "spec/support/api_page.md" .. "\n" .. table.concat(out, "\n") .. "\n"
end

return M
