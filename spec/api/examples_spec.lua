-- SPDX-License-Identifier: Apache-2.0
-- Each example of the description is asked, of a real database, and answers what is promised; and whatever somebody
-- sends instead is refused as a problem.
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"
local route = require "ringdown.api.route"
local seed = require "spec.api.seed"
local shape = require "ringdown.api.shape"
local sorted = require "ringdown.sorted"
local world = require "spec.api.world"

local function target_of(one)
  local example = one.example
  return (example.path or one.path) .. (example.query and "?" .. example.query or "")
end

local function body_of(one)
  local body = one.example.body
  return type(body) == "table" and (next(body) and body or "{}") or body
end

local function headers_of(one)
  local headers = {}
  for name, value in pairs(one.example.headers or {}) do
    headers[name] = value
  end
  if one.type then
    headers["content-type"] = one.type
  end
  return headers
end

describe("the examples", function()
  local token

  setup(function()
    world.begin { seed = seed.fill }
    token = world.token {}
  end)
  teardown(function()
    seed.leave()
    world.finish()
  end)
  before_each(function()
    world.fresh()
    seed.surround()
  end)

  for _, one in ipairs(route.all()) do
    it("of " .. one.method .. " " .. one.path .. " answers as described", function()
      local before = seed.before[one.method .. " " .. one.path]
      if before then
        before(world)
      end
      local status, value, answer = world.ask(one.method, target_of(one), { body = body_of(one),
        headers = headers_of(one), token = token })
      assert(one.answers[status] ~= nil, ("%d: %s"):format(status, tostring(answer.body)))
      assert.truthy(status < 300)
      local s = route.answer(one, status)
      if s and not answer.stream and shape.resolve(s).fields and shape.resolve(s).fields.items then
        assert.is_table(value.items)
      end
    end)
  end
end)

describe("what a viewer reads", function()
  local viewer

  setup(function()
    world.begin { seed = seed.fill }
    viewer = world.token { role = "viewer" }
  end)
  teardown(function()
    seed.leave()
    world.finish()
  end)

  for _, one in ipairs(route.all()) do
    if one.method == "GET" and one.role == "viewer" then
      it("at " .. one.path .. " is nobody's number, name or words", function()
        world.fresh()
        seed.surround()
        local before = seed.before["GET " .. one.path]
        if before then
          before(world)
        end
        local status, _, answer = world.ask("GET", target_of(one), { token = viewer })
        if status == 403 then -- who may not see it may not look for it either
          status, _, answer = world.ask("GET", one.example.path or one.path, { token = viewer })
        end
        if (one.binary or one.path:find("{number}", 1, true)) and status == 403 then
          assert.matches("problems/masked", answer.body, 1, true)
        else
          assert.equal(200, status)
        end
        for _, secret in ipairs(seed.secrets) do
          assert.is_nil((answer.body or ""):lower():find(secret, 1, true), secret)
        end
      end)
    end
  end
end)

-- What somebody may send who knows the description, or not.
local odd = { "", "x'; drop table calls; --", "\u{202e}abc", "\u{1F4A9}", "../../etc/passwd", "%00", "\0", "a\nb",
  ("9"):rep(400), "null", "-1", "1e9", "NaN", "{}", "[]", "' or 1=1", "+1", "CA" .. ("f"):rep(32), "2026-13-45",
  "2026-11-27T25:00:00Z", "\u{85}", "$1", "9999999999999999999" }

local function wrong_values(s)
  local values = { {}, { 1 }, { a = { b = {} } }, true, false, 0, -1, 1.5, 1e300, 9007199254740993, "" }
  for _, text in ipairs(odd) do
    values[#values + 1] = text
  end
  values[#values + 1] = ("x"):rep((s.max or 200) + 1)
  return values
end

-- A few of them each time, others the next time: over all routes each is there often. API_FUZZ=all: all each time.
local turn = 0

local function some(list)
  if os.getenv "API_FUZZ" == "all" then
    return list
  end
  local out = {}
  for i = 1, 3 do
    turn = turn + 11
    out[i] = list[turn % #list + 1]
  end
  return out
end

local function encode(value)
  return (assert(json.encode(value)))
end

local function fields_of(one)
  local s = route.body(one)
  s = s and shape.resolve(s)
  return s and s.fields or {}
end

-- Every name of the path, each parameter, each field, one at a time, with each wrong value.
local function requests(one)
  local list = {}
  local function add(target, body, headers)
    list[#list + 1] = { target = target, body = body, headers = headers }
  end
  local path = one.example.path or one.path
  local names, said = route.segments(one.path), route.segments(path)
  for i, name in ipairs(names) do
    for _, text in ipairs(name:match "^{" and some(odd) or {}) do
      local copy = { table.unpack(said) }
      copy[i] = text:gsub("[^%w_.-]", function(c)
        return ("%%%02X"):format(c:byte())
      end)
      if copy[i] ~= "" and not text:find("/", 1, true) then
        add("/" .. table.concat(copy, "/"), body_of(one), headers_of(one))
      end
    end
  end
  for _, name in ipairs(sorted.keys(one.query)) do
    for _, text in ipairs(some(odd)) do
      add(path .. "?" .. name .. "=" .. text:gsub("[^%w_.-]", function(c)
        return ("%%%02X"):format(c:byte())
      end), body_of(one), headers_of(one))
    end
  end
  add(path .. "?nobody_knows=1", body_of(one), headers_of(one))
  local fields = fields_of(one)
  for _, name in ipairs(sorted.keys(fields)) do
    for _, value in ipairs(some(wrong_values(fields[name]))) do
      local body = json.copy(one.example.body or {})
      body[name] = value
      add(path, encode(body), headers_of(one))
    end
    local body = json.copy(one.example.body or {})
    body[name] = nil
    add(path, next(body) and encode(body) or "{}", headers_of(one))
  end
  for _, text in ipairs { "{", "[]", "null", "1", '"x"', '{"nobody_knows":1}', ("["):rep(100), "\xff\xfe",
    '{"a":\u{1F4A9}}', ("x"):rep(100000) } do
    add(path, text, headers_of(one))
  end
  for _, tag in ipairs { "7", '"', 'W/"7"', '"x" , "y"', "*", '"\u{1F4A9}"', ('"%s"'):format(("9"):rep(500)) } do
    local headers = headers_of(one)
    headers["if-match"], headers["idempotency-key"], headers["last-event-id"] = tag, tag, tag
    add(path, body_of(one), headers)
  end
  return list
end

describe("whatever is sent", function()
  setup(function()
    world.begin { seed = seed.fill }
  end)
  teardown(function()
    seed.leave()
    world.finish()
  end)

  for _, one in ipairs(route.all()) do
    it("to " .. one.method .. " " .. one.path .. " is answered, and never by a mistake of ours", function()
      for _, request in ipairs(requests(one)) do
        world.fresh()
        seed.surround()
        local done, status, value, answer = pcall(world.ask, one.method, request.target, request)
        local what = ("%s %s %s"):format(one.method, request.target, tostring(request.body):sub(1, 300))
        assert(done, what .. ": " .. tostring(status))
        assert(status < 500, what .. ": " .. status .. " " .. tostring(answer.body))
        if status >= 400 then
          assert(answer.type == problem.type and value.title and value.status == status, what)
        end
      end
      assert.same({ { "3" } }, require("ringdown.host").query("select count(*) from calls", {}))
    end)
  end
end)
