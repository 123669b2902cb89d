-- SPDX-License-Identifier: Apache-2.0
-- Words of people in fear; never enough by themselves.
return {
  "help", "help me", "help us", "hurry", "please hurry", "oh my god", "oh god", "emergency", "quick", "quickly",
  "fast",
  "scared", "afraid", "terrified", "dangerous", "danger", "explode", "blow up", "going to die", "dying", "die",
  "right away", "right now", "kids", "baby", "children", "evacuate", "get out", "get everyone out",
  "should we leave",
  "should i leave", "is it safe", "safe to", "911", "ayuda", "ayúdeme", "auxilio", "socorro", "apúrese", "apúrate",
  "rápido", "urgente", "emergencia", "dios mío", "miedo", "asustado", "asustada", "peligro", "peligroso",
  "explotar",
  "explote", "va a explotar", "morir", "muriendo", "se muere", "niños", "bebé", "salir", "salimos", "evacuar",
  "por dios", "corran", "freaking out", "panic",
}
