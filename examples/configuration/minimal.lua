-- SPDX-License-Identifier: Apache-2.0
-- The least that a node needs: its address. The keys are in the environment (OPENAI_API_KEY, TWILIO_AUTH_TOKEN), agents
-- in ./agents, everything else is by default: a database of its own in ./var, calls on OpenAI, the admin port on
-- loopback.
--
--   ringdown check --config examples/configuration/minimal.lua
--   ringdown serve --config examples/configuration/minimal.lua
return {
  public = { url = "https://calls.example.com" }, -- what Twilio reaches; TLS ends in front of the node
}
