-- Locals only: a new global is a mistake in a script as in an agent.
std = "lua54"
max_line_length = 120
unused_args = false
exclude_files = { "build", "build-*", "node_modules", "var" }
files["spec"] = { std = "lua54+busted" }
files["examples/**/*_spec.lua"] = { std = "lua54+busted" }
files["scripts/ringdown/new/spec.lua"] = { std = "lua54+busted" } -- becomes NAME_spec.lua
