-- SPDX-License-Identifier: Apache-2.0
local words = require "ringdown.rollout.words"

describe("what a rollout says of the agent's file", function()
  it("is a line, when the file has another share than the rollout", function()
    assert.matches("says 25 %%, the rollout 50 %%", words.differs({ percent_bp = 5000, state = "running" }, 2500))
  end)

  it("is nothing, when they agree, when the file has none, and before the rollout counts", function()
    assert.is_nil(words.differs({ percent_bp = 2500, state = "running" }, 2500))
    assert.is_nil(words.differs({ percent_bp = 2500, state = "running" }, nil))
    assert.is_nil(words.differs({ percent_bp = 0, state = "draft" }, 2500))
  end)
end)
