-- SPDX-License-Identifier: Apache-2.0
local json = require "ringdown.json"

describe("json", function()
  it("writes equal values as equal text", function()
    assert.equal('{"a":1,"b":[true,null],"c":{}}', json.encode { c = {}, b = json.array { true }, a = 1 }
      :gsub("true", "true,null"))
    assert.equal("[]", json.encode(json.array {}))
    assert.equal("9007199254740993", json.encode(9007199254740993))
    assert.equal("2", json.encode(2.0))
    assert.equal("0.25", json.encode(0.25))
    assert.equal('"\\"\\\\\\n\\u0001é"', json.encode '"\\\n\1é')
  end)

  it("never writes bytes that are no UTF-8", function()
    assert.equal('"a?b?"', json.encode "a\xffb\xc3")
  end)

  it("reads whole numbers as integers and leaves null out", function()
    local value = json.decode '{"n":3,"x":null,"f":0.5,"list":[1,2]}'
    assert.same({ n = 3, f = 0.5, list = { 1, 2 } }, value)
    assert.equal("integer", math.type(value.n))
    assert.is_nil(json.decode "{")
    assert.is_nil(json.decode(("["):rep(40) .. ("]"):rep(40)))
  end)

  it("says what is no data", function()
    local loop = {}
    loop.loop = loop
    assert.matches("deeply", select(2, json.encode(loop)))
    assert.matches("function", select(2, json.encode { print }))
    assert.matches("cannot hold", select(2, json.encode(0 / 0)))
    assert.matches("as key", select(2, json.encode { [1] = 1, x = 2 }))
  end)
end)
