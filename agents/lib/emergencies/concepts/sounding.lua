-- SPDX-License-Identifier: Apache-2.0
-- What an alarm or a detector does, in both languages.
return {
  "going off", "went off", "gone off", "beep", "bleep", "sound", "ring", "scream", "trigger", "blare", "shriek",
  "alert",
  "going crazy", "going nuts", "going wild", "going mad", "won't stop", "won't quit", "won't shut up",
  "doesn't stop",
  "chirping loud", "wailing", "screech", "siren", "tripped", "flashing", "red light", "noise", "loud", "yelling",
  "set off", "kicked off", "buzzing", "four beeps", "keeps beeping", "activated", "says", "reads", "showing",
  "keep",
  "suena", "sonando", "sonar", "pita", "pitido", "chilla", "chillando", "se activó", "activó", "disparó",
  "se prendió",
  "como loca", "no para", "no se calla", "no deja de", "bulla", "ruido", "grita", "gritando", "marca", "escándalo",
  "brincó", "saltó", "hace bip", "tilin", "parpadea", "luz roja", "toca", "tocando",
  "alarming", "won't reset", "reset", "screams", "goes off", "go off", "keeps going", "every few seconds",
  "alarmando", "no se apaga", "no se resetea", "se dispara",
}
