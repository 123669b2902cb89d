/* SPDX-License-Identifier: Apache-2.0 */
/* urgent.h - who goes first when the processor is scarce: threads that carry audio, whose work is short
 * and late at once if it waits; then everybody else. */
#ifndef BASE_URGENT_H
#define BASE_URGENT_H

/* From now on the calling thread, when it wakes up, runs before others that have been at it for a
 * while. Needs no privilege; where the kernel does not know how (before Linux 6.12), nothing happens. */
void urgent_thread(void);

/* The calling thread, a script's or one that writes to disk or database, gets a third of the share of
 * one that carries audio while both want the processor. */
enum { PATIENT_NICE = 5 };
void patient_thread(void);

/* The same for a thread that may compute for long: it is to breathe() every 250 us or so. */
void breathing_thread(void);

/* The same for one that serves people who look at screens: a tenth of the share of audio. */
enum { BACKGROUND_NICE = 10 };
void background_thread(void);

/* Who waits for the processor, audio above all, has it first. Nothing in other threads than those. */
enum { BREATH_US = 250 };
void breathe(void);

#endif
