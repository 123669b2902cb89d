-- SPDX-License-Identifier: Apache-2.0
-- docs/openapi.yaml, made from the routes of scripts/ringdown/api/routes/.
local json = require "ringdown.json"
local route = require "ringdown.api.route"
local shape = require "ringdown.api.shape"
local sorted = require "ringdown.sorted"

local M = {}

local function nullable(schema, s)
  if not s.nullable then
    return schema
  elseif schema["$ref"] then
    return { anyOf = { schema, { type = "null" } } }
  elseif schema.enum then
    return { anyOf = { schema, { type = "null" } }, description = schema.description }
  end
  schema.type = { schema.type, "null" }
  return schema
end

local schema_of

local function string_of(s, asked)
  local format = s.format and shape.formats[s.format]
  local schema = { type = "string", enum = s.one_of, description = s.about, default = s.default }
  if s.format == "time" then
    schema.format = "date-time"
  elseif s.format == "date" then
    schema.format = "date"
  end
  if asked and not s.one_of then
    schema.minLength = s.min or format and format.min or 1
    schema.maxLength = s.max or format and format.max or shape.STRING_MAX
    schema.pattern = format and format.regex or nil
  end
  return schema
end

local function number_of(s)
  return { type = s.type, minimum = s.min, maximum = s.max, description = s.about, default = s.default }
end

local function object_of(s, asked)
  local schema = { type = "object", description = s.about }
  if s.fields then
    schema.properties, schema.required = {}, {}
    for _, name in ipairs(sorted.keys(s.fields)) do
      local field = s.fields[name]
      schema.properties[name] = schema_of(field, asked)
      if field.required or not asked and field.nullable then
        table.insert(schema.required, name)
      end
    end
    schema.required = #schema.required > 0 and schema.required or nil
    schema.additionalProperties = not asked
    return schema
  end
  schema.additionalProperties = s.of and schema_of(s.of, asked) or true
  return schema
end

-- `asked`: in a request.
function schema_of(s, asked)
  if s.ref then
    return nullable({ ["$ref"] = "#/components/schemas/" .. s.ref }, s)
  elseif s.type == "string" then
    return nullable(string_of(s, asked), s)
  elseif s.type == "array" then
    return nullable({ type = "array", items = schema_of(s.of, asked), description = s.about,
      minItems = asked and s.min or nil, maxItems = asked and (s.max or 100) or nil }, s)
  elseif s.type == "object" then
    return nullable(object_of(s, asked), s)
  elseif s.type == "boolean" then
    return nullable({ type = "boolean", description = s.about, default = s.default }, s)
  end
  return nullable(number_of(s), s)
end

---A value that fits, always the same.
---@param s table
---@return any
function M.sample(s)
  s = shape.resolve(s)
  if s.example ~= nil then
    return s.example
  elseif s.type == "string" then
    return s.one_of and s.one_of[1] or s.format and shape.formats[s.format].example or s.personal == "number"
      and "+13125550142" or "text"
  elseif s.type == "array" then
    return json.array { M.sample(s.of) }
  elseif s.type == "boolean" then
    return s.default or false
  elseif s.type == "object" then
    local value = {}
    for name, field in pairs(s.fields or {}) do
      value[name] = M.sample(field)
    end
    return value
  end
  return s.min or 1
end

local function operation_id(one)
  local words = {}
  for _, segment in ipairs(route.segments(one.path)) do
    words[#words + 1] = segment:gsub("[{}]", ""):gsub("[^%w]", "_")
  end
  return one.method:lower() .. "_" .. table.concat(words, "_")
end

local function header(name, required, about)
  return { name = name, ["in"] = "header", required = required, description = about,
    schema = { type = "string", maxLength = 200 } }
end

local function parameters_of(one)
  local list = {}
  for name in one.path:gmatch "{([%w_]+)}" do
    list[#list + 1] = { name = name, ["in"] = "path", required = true,
      schema = schema_of(route.param(one, name), true) }
  end
  for _, name in ipairs(sorted.keys(one.query)) do
    local s = one.query[name]
    local schema = schema_of(s, true)
    local about = schema.description
    schema.description = nil
    list[#list + 1] = { name = name, ["in"] = "query", required = s.required or nil, description = about,
      schema = schema, style = s.type == "array" and "form" or nil, explode = s.type ~= "array" and nil or false }
  end
  if one.if_match then
    list[#list + 1] = header("If-Match", one.if_match == true, "the etag of what you have seen")
  end
  if one.idempotent then
    list[#list + 1] = header("Idempotency-Key", false, "asked twice with the same key, it is done once")
  end
  return #list > 0 and list or nil
end

local function body_of(one)
  local s = route.body(one)
  if one.type then
    return { required = true, content = { [one.type] = { schema = { type = "string" }, example = one.example.body } } }
  elseif s then
    return { required = not one.body_optional, content = { ["application/json"] = { schema = schema_of(s, true),
      example = one.example.body } } }
  end
end

local words = { [200] = "done", [201] = "made", [202] = "it was asked for", [204] = "done",
  [206] = "a piece", [416] = "there is no such piece" }

local function answers_of(one)
  local list = {}
  for status in pairs(one.answers) do
    local s = route.answer(one, status)
    local stream = one.example.stream and { schema = { type = "string" } } or nil
    local binary = one.binary and status < 300 and { [one.binary] = { schema = {} } }
    list[tostring(status)] = { description = words[status] or "an answer", content = s and { ["application/json"] = {
      schema = schema_of(s), example = M.sample(s) }, ["text/event-stream"] = stream } or binary or nil }
  end
  list["401"] = { ["$ref"] = "#/components/responses/Unauthorized" }
  list.default = { ["$ref"] = "#/components/responses/Problem" }
  return list
end

local function operation_of(one)
  local notes = { "Role: " .. one.role .. "." }
  if not one.scoped then
    notes[#notes + 1] = "Not with a token of some agents only."
  end
  return { operationId = operation_id(one), summary = one.about, description = table.concat(notes, " "),
    tags = { route.segments(one.path)[1] }, parameters = parameters_of(one), requestBody = body_of(one),
    responses = answers_of(one), ["x-role"] = one.role }
end

local function problem(about)
  return { description = about, content = { ["application/problem+json"] = { schema = {
    ["$ref"] = "#/components/schemas/Problem" }, example = { type = "https://ringdown.dev/problems/no-such-call",
    title = "There is no such call", status = 404, detail = "CA… is not known here",
    fix = "GET /api/v1/calls lists them" } } } }
end

local problem_schema = { type = "object", description = "RFC 9457, with `fix`: what to do",
  required = { "type", "title", "status" }, additionalProperties = true, properties = {
    type = { type = "string", format = "uri" }, title = { type = "string" }, status = { type = "integer" },
    detail = { type = "string" }, fix = { type = "string" },
    errors = { type = "array", items = { type = "object", required = { "at", "message" }, properties = {
      at = { type = "string" }, message = { type = "string" } } } },
  } }

---@return table document
function M.document()
  local paths, tags, seen = {}, {}, {}
  for _, one in ipairs(route.all()) do
    paths[one.path] = paths[one.path] or {}
    paths[one.path][one.method:lower()] = operation_of(one)
    local tag = route.segments(one.path)[1]
    if not seen[tag] then
      seen[tag] = true
      tags[#tags + 1] = { name = tag }
    end
  end
  local schemas = { Problem = problem_schema }
  for name, s in pairs(shape.schemas) do
    schemas[name] = schema_of(s)
  end
  return { openapi = "3.1.0",
    info = { title = "Ringdown", version = "1", license = { name = "Apache-2.0", identifier = "Apache-2.0" },
      description = "The admin API of Ringdown; docs/api.md says how to get in and what is promised." },
    servers = { { url = "/api/v1" } }, security = { { token = json.array {} } }, tags = tags, paths = paths,
    components = { schemas = schemas,
      responses = { Problem = problem "why there is no answer",
        Unauthorized = problem "no token, or none that is good" },
      securitySchemes = { token = { type = "http", scheme = "bearer",
        description = "made by: ringdown tokens create NAME --role viewer" } } } }
end

---The committed file.
---@return string
function M.make()
  return "# SPDX-License-Identifier: Apache-2.0\n# Made by scripts/openapi from scripts/ringdown/api/routes/.\n"
    .. require("spec.support.yaml").text(M.document())
end

return M
