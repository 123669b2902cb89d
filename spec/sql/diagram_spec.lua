-- SPDX-License-Identifier: Apache-2.0
local diagram = require "spec.support.diagram"

describe("docs/database.md", function()
  it("shows the schema as it is", function()
    local page = diagram.read "docs/database.md"
    assert.is_true(page == diagram.put(page, diagram.make()), "run scripts/diagram-database and commit what it changed")
  end)
end)
