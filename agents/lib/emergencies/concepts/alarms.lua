-- SPDX-License-Identifier: Apache-2.0
-- Things that warn of danger; what they warn of may be left out.
return {
  "alarm", "detector", "sensor", "monitor", "warning thing", "the thing on the wall", "thing on the ceiling",
  "alarma", "aparatito", "aparato", "detector de", "timbre", "sirena", "cosa del techo", "cosa de la pared",
  "plug in thing",
  "plug in detector", "beeper", "white box", "round thing", "cajita",
  "co thing", "carbon thing", "monoxide thing", "detector thing", "unit",
  "plug in gizmo", "gizmo", "white plug", "plug in",
}
