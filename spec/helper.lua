-- SPDX-License-Identifier: Apache-2.0
-- Before every spec: the library finds a host without the runtime.
package.preload["ringdown.host"] = function()
  return require "ringdown.fake.host"
end
