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

  it("are those on call, else the office, else whom the rules about life name, else everybody", function()
    local A, B, C = "+13125550188", "+13125550189", "+13125550190"
    local function who(def)
      local names = {}
      for i, person in ipairs(people.anybody(def)) do names[i] = person.name .. " " .. person.number end
      return table.concat(names, ", ")
    end
    local rules = { { severity = "urgent", transfer = "boss" }, { severity = "life", transfer = "team",
      text = { to = "night" } } }
    assert.equal("on_call " .. A, who { people = { on_call = { A }, office = { B }, boss = C } })
    assert.equal("office " .. B, who { people = { on_call = {}, office = { B } }, emergencies = rules })
    assert.equal(("night %s, team %s"):format(A, B), who { people = { team = B, night = A, boss = C },
      emergencies = rules })
    assert.equal(("boss %s, team 2 %s"):format(C, A), who { people = { team = { C, A }, boss = C } })
    assert.equal("", who { people = {} })
  end)

  it("are never a premium number, whatever way it came into the list", function()
    local def = { people = { on_call = { "+19005550188", "+13125550189" } } }
    assert.same({ { name = "on_call 2", number = "+13125550189" } }, people.of(def, "on_call"))
  end)
end)
