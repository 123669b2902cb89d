-- SPDX-License-Identifier: Apache-2.0
-- Where in mouth and throat.
return {
  "mouth", "tongue", "throat", "lip", "lips", "gum", "gums", "cheek", "jaw", "neck", "chin", "face", "eye",
  "eyes", "tooth", "teeth", "molar", "wisdom tooth", "windpipe", "nose", "ear", "airway", "tonsils", "glands",
  "boca", "lengua", "garganta", "labio", "labios", "encía", "encías", "cachete", "mejilla", "mandíbula",
  "quijada", "cuello", "pescuezo", "papada", "cara", "ojo", "ojos", "párpado", "párpados", "diente", "muela",
  "nariz", "gaznate", "barbilla", "mentón", "oído",
  "cheekbone", "palate", "roof of my mouth", "floor of mouth", "tonsil", "paladar", "jeta", "hocico",
}
