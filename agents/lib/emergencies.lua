-- SPDX-License-Identifier: Apache-2.0
-- Emergencies that several agents share, in English and Spanish. Each is a function that returns a rule:
--
--   emergencies = {
--     emergencies.gas_leak { transfer = "on_call", text = { to = "on_call", body = "GAS LEAK {{caller.number}}" } },
--   }
--
-- What you give replaces what is here; the words that a rule listens for stand in lib/emergencies/, and `any`, `near`,
-- `ask` and `unless` that you give are added to them. spec/triage/corpus_spec.lua measures these rules with several
-- hundred utterances: run it after a change.
local M = {}

local function emergency(rule)
  return function(more)
    local out = {}
    for key, value in pairs(rule) do
      out[key] = value
    end
    for key, value in pairs(more or {}) do
      out[key] = value
    end
    return out
  end
end

-- ── gas, fire, water ────────────────────────────────────────────────────────────────────────────
M.gas_leak = emergency {
  id = "gas-leak",
  severity = "life",
  phrases = "lib.emergencies.gas_leak",
  say = {
    en = "Please leave the building now. Do not switch anything on or off. As soon as you are outside, "
      .. "call 911.",
    es = "Salga del edificio ahora. No encienda ni apague nada. En cuanto esté fuera, llame al 911.",
  },
}

M.carbon_monoxide = emergency {
  id = "carbon-monoxide",
  severity = "life",
  phrases = "lib.emergencies.carbon_monoxide",
  say = {
    en = "Please get everybody out into fresh air now, and leave the doors open behind you. Once "
      .. "outside, call 911.",
    es = "Salgan todos al aire libre ahora y dejen las puertas abiertas. Una vez fuera, llame al 911.",
  },
}

M.electric_flood = emergency {
  id = "electric-flood",
  severity = "life",
  phrases = "lib.emergencies.electric_flood",
  say = {
    en = "Do not touch the water or anything electrical, and keep everybody away from it. If anyone is "
      .. "hurt, or you see sparks or smoke, leave and call 911.",
    es = "No toque el agua ni nada eléctrico, y que nadie se acerque. Si hay alguien herido, chispas o "
      .. "humo, salga y llame al 911.",
  },
}

M.fire = emergency {
  id = "fire",
  severity = "life",
  phrases = "lib.emergencies.fire",
  say = {
    en = "Leave the building now, close the doors behind you, and do not use the elevator. As soon as "
      .. "you are outside, call 911.",
    es = "Salga del edificio ahora, cierre las puertas y no use el ascensor. En cuanto esté fuera, llame "
      .. "al 911.",
  },
}

M.flood = emergency {
  id = "flood",
  severity = "urgent",
  phrases = "lib.emergencies.flood",
  say = {
    en = "If you can reach it safely, turn off the main water valve now, and stay away from anything "
      .. "electrical.",
    es = "Si puede hacerlo sin peligro, cierre la llave general del agua ahora y no se acerque a nada "
      .. "eléctrico.",
  },
}

M.sewage = emergency {
  id = "sewage",
  severity = "urgent",
  phrases = "lib.emergencies.sewage",
  say = {
    en = "Please stop using water, do not flush, and keep children and pets away from it.",
    es = "Por favor no use agua, no tire de la cadena, y mantenga alejados a niños y mascotas.",
  },
}

-- ── at the dentist's ────────────────────────────────────────────────────────────────────────────
M.bleeding = emergency {
  id = "bleeding",
  severity = "life",
  phrases = "lib.emergencies.bleeding",
  say = {
    en = "Bite down firmly on a clean folded cloth and stay sitting up, leaning forward. If it is "
      .. "pouring, or anyone feels faint, call 911 now.",
    es = "Muerda con fuerza un paño limpio doblado y quédese sentado, inclinado hacia delante. Si sale a "
      .. "chorros o se marea, llame al 911 ahora.",
  },
}

M.airway = emergency {
  id = "airway",
  severity = "life",
  phrases = "lib.emergencies.airway",
  say = {
    en = "This can be dangerous, and it cannot wait for us. Hang up and call 911 now, and sit upright "
      .. "until help comes to you.",
    es = "Esto puede ser peligroso y no puede esperar. Cuelgue y llame al 911 ahora, y manténgase "
      .. "sentado y erguido.",
  },
}

M.collapse = emergency {
  id = "collapse",
  severity = "life",
  phrases = "lib.emergencies.collapse",
  say = {
    en = "Hang up and call 911 now. Stay with them. If they are not breathing, the dispatcher will tell "
      .. "you what to do.",
    es = "Cuelgue y llame al 911 ahora. No deje sola a la persona. Si no respira, le dirán qué hacer.",
  },
}

M.knocked_out_tooth = emergency {
  id = "knocked-out-tooth",
  severity = "urgent",
  phrases = "lib.emergencies.knocked_out_tooth",
  say = {
    en = "Hold the tooth by its crown, do not scrub it, and keep it in milk. The sooner a dentist has "
      .. "it, the better.",
    es = "Sujete el diente por la corona, no lo frote y guárdelo en leche. Cuanto antes lo vea un "
      .. "dentista, mejor.",
  },
}

M.swelling = emergency {
  id = "swelling",
  severity = "normal",
  phrases = "lib.emergencies.swelling",
  say = {
    en = "I will let the dentist know about the swelling today. If it gets hard to breathe or to "
      .. "swallow, call 911.",
    es = "Avisaré hoy al dentista de la hinchazón. Si le cuesta respirar o tragar, llame al 911.",
  },
}

-- ── in the building ─────────────────────────────────────────────────────────────────────────────
M.lift_trapped = emergency {
  id = "lift-trapped",
  severity = "life",
  phrases = "lib.emergencies.lift_trapped",
  say = {
    en = "Please stay calm, stay away from the doors, and do not try to climb out. If anyone is hurt or "
      .. "feels ill, call 911 now.",
    es = "Mantengan la calma, aléjense de las puertas y no intenten salir. Si alguien se siente mal, "
      .. "llame al 911 ahora.",
  },
}

M.lift_broken = emergency {
  id = "lift-broken",
  severity = "normal",
  phrases = "lib.emergencies.lift_broken",
  say = {
    en = "Thank you, I will let our technician know about the elevator today.",
    es = "Gracias, hoy mismo avisaré a nuestro técnico del ascensor.",
  },
}

return M
