-- SPDX-License-Identifier: Apache-2.0
-- Parts of the body and movements that fail when a body does.
return {
  "chest", "heart", "arm", "left arm", "left side", "side", "hand", "leg", "legs", "face", "eyes", "mouth",
  "speech", "words", "head", "body", "pulse", "skin", "knees", "smile", "pecho", "corazón", "brazo", "mano",
  "pierna", "piernas", "cara", "ojos", "ojo", "boca", "cuerpo", "lado", "media cara", "pulso", "piel",
  "sonrisa", "corazon", "palabras", "cabeza",
}
