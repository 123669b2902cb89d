-- SPDX-License-Identifier: Apache-2.0
-- Words that serve the command line and this API: options are called as the API calls them, commands to type stay.
local owners = require "ringdown.api.owners"

describe("words of a module, as the API tells them,", function()
  it("call an option by its field", function()
    assert.equal("it was rolled back 3.0 hours ago; wait for 24, or say `force`",
      owners.plain "it was rolled back 3.0 hours ago; wait for 24, or say --force")
    assert.equal("wait, or go on all the same with `force` and `reason`",
      owners.plain "wait, or go on all the same with --force and --reason")
    assert.equal("it was held for 'x'; say by `reason` what makes it good to go on",
      owners.plain "it was held for 'x'; say by --reason what makes it good to go on")
    assert.equal("or `force` `reason`", owners.plain "or --force --reason TEXT")
    assert.equal("12 are enough (`max_failures`)", owners.plain "12 are enough (--max-failures)")
    assert.equal("`from` 'x' is no day", owners.plain "--from 'x' is no day")
  end)

  it("leave a command as one types it, and what is none", function()
    for _, text in ipairs { "ringdown force off --agent north ends that", "5 -- 7 calls",
      "first: ringdown rollout plan --agent a, and ringdown rollout start --agent a", "a--b", "" } do
      assert.equal(text, owners.plain(text))
    end
    assert.equal("ringdown stats shows it; or say `force`", owners.plain "ringdown stats shows it; or say --force")
  end)
end)
