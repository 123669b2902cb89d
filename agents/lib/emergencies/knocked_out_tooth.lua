-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: a tooth knocked out or loosened by a blow.
return {
  say = {
    en = "Hold the tooth by its crown, do not scrub it, and keep it in milk. The sooner a dentist has "
      .. "it, the better.",
    es = "Sujete el diente por la corona, no lo frote y guárdelo en leche. Cuanto antes lo vea un "
      .. "dentista, mejor.",
  },
  any = {
    "knocked out tooth", "tooth got knocked out", "avulsed", "tooth came out", "le tumbaron un diente",
    "se le salió un diente", "se le cayó un diente por un golpe",
  },
  near = {
    {
      { "tooth", "teeth", "incisor", "diente", "muela", "molar", "front teeth", "paleta", "colmillo" },
      { "knock", "knocked out", "punched", "elbow", "hit", "baseball", "hockey", "bike", "bicycle", "skateboard",
        "fell off", "ball", "popped out", "flew out", "accident", "in my hand", "in a glass", "in milk", "in a cup",
        "by the root", "fell and", "faceplant", "scooter", "trampoline", "smashed", "kicked", "pushed back",
        "fight", "bumped", "slipped", "hanging", "right out", "pushed in", "loosened", "fall", "hit in the mouth",
        "hit in the face", "tripped", "crash", "dashboard", "stairs", "golpe", "pelota", "balón", "tumbó",
        "tumbaron", "arrancó", "bicicleta", "voló", "puñetazo", "codazo", "se cayó y", "botó", "botaron",
        "en la mano", "en leche", "sacó", "pelea", "aflojó", "patada", "choque", "tropezó" },
      within = 12,
    },
  },
  ask = { "tooth fell out", "se me cayó un diente" },
  unless = {
    "baby tooth", "baby teeth", "tooth fairy", "wisdom tooth extraction", "diente de leche",
    "ratón de los dientes", "hit or miss", "mouth guard", "mouthguard", "protector bucal",
    "tooth fairy came", "the tooth fairy",
  },
}
