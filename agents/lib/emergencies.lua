-- SPDX-License-Identifier: Apache-2.0
-- Emergencies that several agents share, in English and Spanish. Each is a function that returns a rule:
--
--   emergencies = {
--     emergencies.gas_leak { transfer = "on_call", text = { to = "on_call", body = "GAS LEAK {{caller.number}}" } },
--   }
--
-- What a rule listens for, and what the caller is told (`say`), stands in lib/emergencies/: no call carries it. `say`
-- that you give replaces that; `any`, `near`, `ask` and `unless` that you give are added to it.
-- spec/triage/corpus_spec.lua measures these rules with several hundred utterances: run it after a change.
local M = {}

local function emergency(id, severity)
  return function(more)
    local rule = { id = id, severity = severity, phrases = "lib.emergencies." .. id:gsub("%-", "_") }
    for key, value in pairs(more or {}) do
      rule[key] = value
    end
    return rule
  end
end

-- ── gas, fire, water ────────────────────────────────────────────────────────────────────────────
M.gas_leak = emergency("gas-leak", "life")
M.carbon_monoxide = emergency("carbon-monoxide", "life")
M.electric_flood = emergency("electric-flood", "life")
M.fire = emergency("fire", "life")
M.flood = emergency("flood", "urgent")
M.sewage = emergency("sewage", "urgent")

-- ── at the dentist's ────────────────────────────────────────────────────────────────────────────
M.bleeding = emergency("bleeding", "life")
M.airway = emergency("airway", "life")
M.collapse = emergency("collapse", "life")
M.knocked_out_tooth = emergency("knocked-out-tooth", "urgent")
M.swelling = emergency("swelling", "normal")

-- ── in the building ─────────────────────────────────────────────────────────────────────────────
M.lift_trapped = emergency("lift-trapped", "life")
M.lift_broken = emergency("lift-broken", "normal")

return M
