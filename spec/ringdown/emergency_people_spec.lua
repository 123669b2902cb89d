-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
package.loaded["ringdown.host"] = package.loaded["ringdown.host"] or host

local people = require "ringdown.emergency.people"

describe("who is asked about an emergency", function()
  it("are an agent's people in their order, each with a name", function()
    local def = { people = { on_call = { "+13125550188", "+13125550189" }, office = "+13125550101" } }
    assert.same({ { name = "on_call 1", number = "+13125550188" }, { name = "on_call 2", number = "+13125550189" } },
      people.of(def, "on_call"))
    assert.same({ { name = "office", number = "+13125550101" } }, people.of(def, "office"))
    assert.same({}, people.of(def, "nobody"))
  end)

  it("are never a premium number, whatever way it came into the list", function()
    local def = { people = { on_call = { "+19005550188", "+13125550189" } } }
    assert.same({ { name = "on_call 2", number = "+13125550189" } }, people.of(def, "on_call"))
  end)
end)
