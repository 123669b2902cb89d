-- SPDX-License-Identifier: Apache-2.0
-- Chance that can be repeated: the same seed draws the same faults in the same order, whatever else asks for chance.
--
--   local chance = dice(7)
--   chance(6)         1 to 6
return function(seed)
  local state = seed * 2654435761 + 1
  return function(n)
    state = (state * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff
    return (state >> 33) % n + 1
  end
end
