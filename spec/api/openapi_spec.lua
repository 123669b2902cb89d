-- SPDX-License-Identifier: Apache-2.0
-- What is written about the API is what it does: docs/openapi.yaml and docs/api.md are made from the routes.
local api_page = require "spec.support.api_page"
local json = require "ringdown.json"
local openapi = require "spec.support.openapi"
local route = require "ringdown.api.route"
local shape = require "ringdown.api.shape"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

describe("the description of the API", function()
  local document

  setup(function()
    document = openapi.document()
  end)

  it("is the committed one", function()
    assert(read "docs/openapi.yaml" == openapi.make(), "run scripts/openapi and commit what it changed")
    assert(read "docs/api.md" == api_page.make(), "run scripts/openapi and commit what it changed")
  end)

  it("names nothing that is not there", function()
    local n = 0
    local function walk(value)
      if type(value) ~= "table" then
        return
      end
      local ref = rawget(value, "$ref")
      if ref then
        local at = document
        for name in ref:gsub("^#/", ""):gmatch "[^/]+" do
          at = at[name]
          assert(at, ref)
        end
        n = n + 1
      end
      for _, item in pairs(value) do
        walk(item)
      end
    end
    walk(document)
    assert.truthy(n > 20)
  end)

  it("has an example for each body that is sent and each answer, and they fit", function()
    for _, one in ipairs(route.all()) do
      local operation = document.paths[one.path][one.method:lower()]
      assert.truthy(operation, one.path)
      local s = route.body(one)
      if s or one.type then
        local content = operation.requestBody.content[one.type or "application/json"]
        assert.truthy(content.example or one.body_optional, one.path)
      end
      if s and one.example.body then
        shape.check(json.copy(one.example.body), s, "body", function(at, message)
          error(one.path .. " " .. at .. ": " .. message)
        end)
      end
      for status in pairs(one.answers) do
        local answer = route.answer(one, status)
        if answer then
          local sample = openapi.sample(answer)
          assert.same({}, shape.differences(sample, answer), one.path)
          assert.truthy(operation.responses[tostring(status)].content["application/json"].example ~= nil)
        end
      end
    end
  end)

  it("gives each operation a name of its own", function()
    local seen = {}
    for path, operations in pairs(document.paths) do
      for method, operation in pairs(operations) do
        assert.is_nil(seen[operation.operationId], path .. " " .. method)
        seen[operation.operationId] = true
      end
    end
  end)
end)
